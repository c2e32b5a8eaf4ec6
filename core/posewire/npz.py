"""Files of arrays (.npz) without numpy's surprises: six kinds of error at a damaged one, and another name than was asked for."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = dict[str, NDArray[Any]]

_DAMAGED = (EOFError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error)
"""What numpy and zipfile raise, besides ValueError, at bytes that are no .npz file any more."""


def read_npz(source: Path | BinaryIO) -> Arrays:
    """Every array by its name. Pickled objects are refused.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no .npz file, or a damaged one.
    """
    try:
        # Opened here, because np.load leaves a file open that it cannot read.
        with source.open("rb") if isinstance(source, Path) else nullcontext(source) as opened:
            found = np.load(opened, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it holds one array (.npy), not several by name")
            return {name: found[name] for name in found.files}
    except _DAMAGED as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def write_npz(path: Path, arrays: Mapping[str, Any], *, compressed: bool = True) -> None:
    """Writes the arrays to exactly `path`, whole or not at all: np.savez adds .npz to a name that ends otherwise, pickles
    objects and (1.26) leaves its archive open when the disk is full.

    Raises:
        OSError: the file cannot be written; what was there is there still.
        ValueError: an array of objects.
    """
    beside = path.with_name(f"{path.name}.new")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
