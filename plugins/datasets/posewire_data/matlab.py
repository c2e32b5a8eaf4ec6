"""MATLAB files: version 5 by scipy, version 7.3 (HDF5) by h5py where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.errors import DatasetError

Array = NDArray[Any]


def read_mat(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """The named variables of a .mat file. Version 7.3 stores axes in reverse: they are turned back.

    Raises:
        DatasetError: the file or a variable is missing, or it is of version 7.3 and h5py is not installed.
    """
    try:
        with path.open("rb") as file:
            head = file.read(128)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read.", got=error, hint="docs/DATA.md shows the layout") from error
    values = _read_73(path, names) if b"MATLAB 7.3" in head or head[:8] == b"\x89HDF\r\n\x1a\n" else _read_5(path, names)
    missing = [name for name in names if name not in values]
    if missing:
        raise DatasetError(f"{path} lacks {', '.join(missing)}.", got=", ".join(sorted(values)) or "nothing", allowed=list(names))
    return values


def _read_5(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    from scipy.io import loadmat  # slow to import, needed here only

    try:
        found = loadmat(path, variable_names=list(names))
    except (OSError, ValueError, NotImplementedError, TypeError, EOFError) as error:
        got = f"{type(error).__name__}: {error}"
        raise DatasetError(f"{path} is no MATLAB file.", got=got, hint="fetch it again") from error
    return {name: np.asarray(value) for name, value in found.items() if not name.startswith("__")}


def _read_73(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    try:
        import h5py  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise DatasetError(
            f"{path} is a MATLAB 7.3 file.",
            got="h5py is not installed",
            hint="pip install h5py   (or in MATLAB: save the file again with -v7)",
        ) from error
    with h5py.File(path, "r") as file:
        return {name: np.asarray(file[name]).T for name in names if name in file}
