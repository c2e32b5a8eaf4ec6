"""Whether compiled functions can be kept on disk: not every user may write beside Posewire's files or at home."""

from __future__ import annotations

from functools import cache

import numba


@cache
def is_kept() -> bool:
    """True where numba finds a folder to write to: beside the code, at home, or in NUMBA_CACHE_DIR.

    It raises where it finds none (a service or a container without a home), and every command would end in that. Compiling
    anew at each start is slow and right. A shared temporary folder is no way out: what numba loads from there is run.
    """
    try:
        numba.njit(cache=True)(_anything)
    except RuntimeError:
        return False
    return True


def _anything() -> None:
    return None
