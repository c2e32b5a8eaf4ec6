"""How the fit's kernels are compiled: numba, cached on disk, NaN kept meaningful.

numba's cache looks only at the file of the function that Python calls, not at the files of the kernels inlined into it.
`SOURCES` is a digest of all of them: an entry point closes over it, so that an edited residual is never served stale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

from posewire.machine_code import is_kept

P = ParamSpec("P")
T = TypeVar("T")

# Reassociation and contraction only: `nnan` would let the compiler drop the NaN branches that keep unseen points out.
_FASTMATH = {"reassoc", "contract", "arcp", "nsz"}


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Marks a function that other kernels call; it is compiled into them and has no door to Python (that saves compile time)."""
    njit = cast("Callable[..., Callable[[Callable[P, T]], Callable[P, T]]]", numba.njit)
    return njit(fastmath=_FASTMATH, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def inlined(function: Callable[P, T]) -> Callable[P, T]:
    """A kernel so small that a call would cost more than its body: each array argument is passed as seven values."""
    njit = cast("Callable[..., Callable[[Callable[P, T]], Callable[P, T]]]", numba.njit)
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}
    return njit(fastmath=_FASTMATH, error_model="numpy", **options)(function)


def entry(function: Callable[P, T]) -> Callable[P, T]:
    """Marks a function that Python calls; its machine code is kept on disk where that can be. It must close over SOURCES."""
    return cast("Callable[P, T]", numba.njit(fastmath=_FASTMATH, error_model="numpy", cache=is_kept())(function))


@inlined
def finite(x: float) -> bool:
    """False for NaN and infinity. math.isfinite is compiled to x - x == x - x, which fast mathematics may call true."""
    return -1e300 < x < 1e300


def _digest_of_sources() -> str:
    here = Path(__file__).parent
    files = [*sorted(here.rglob("*.py")), here.parent / "filters.py"]
    return hashlib.blake2b(b"".join(file.read_bytes() for file in files), digest_size=8).hexdigest()


SOURCES = _digest_of_sources()
