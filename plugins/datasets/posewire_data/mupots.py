"""MuPoTS-3D in its published layout (Mehta et al. 2018): TS1-TS20, testing only.

TS1/annot.mat: `annotations`, a cell (frames, people) of structs with annot2, annot3, univ_annot3 (mm) and isValidFrame;
TS1/occlusion.mat: `occlusion_labels`, a cell (frames, people) of 17 flags; pictures TS1/img_000000.jpg.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire_data.errors import DatasetError
from posewire_data.matlab import read_mat
from posewire_data.motion import Split
from posewire_data.mpi_inf_3dhp import TEST_ORDER
from posewire_data.sequences import MM, Sequence, checked_units, fitted_camera, needed, placed

_JOINTS = 17
_SIZES_PX = dict.fromkeys(range(1, 6), (2048, 2048))
_OTHERS_PX = (1920, 1080)
_RATES_HZ = dict.fromkeys(range(1, 6), 30.0)


def read_sequences(folder: Path, split: Split) -> Iterator[Sequence]:
    """Every sequence that is there.

    Raises:
        DatasetError: training is asked for, nothing is there, or a file does not read.
    """
    if split == "train":
        raise DatasetError("MuPoTS-3D is for testing only.", got="train", allowed="test", hint="train on mpi_inf_3dhp")
    numbers = [number for number in range(1, 21) if (folder / f"TS{number}").is_dir()]
    for number in numbers or [int(needed(folder / "TS1", "MuPoTS-3D's first sequence").name[2:])]:
        yield _sequence(folder / f"TS{number}", number)


def _sequence(folder: Path, number: int) -> Sequence:
    path = needed(folder / "annot.mat", "the annotation of a sequence")
    cells = read_mat(path, ("annotations",))["annotations"]
    frames, people = cells.shape
    places_m, universal_m = (_field(cells, name, 3, path) * MM for name in ("annot3", "univ_annot3"))
    points_px = _field(cells, "annot2", 2, path)
    valid = np.array([[_is_valid(cells[f, p]) for p in range(people)] for f in range(frames)])
    for values in (places_m, universal_m, points_px):
        values[~valid] = np.nan
    pictures = tuple(folder / f"img_{frame:06d}.jpg" for frame in range(frames))
    return Sequence(
        folder.name,
        "mupots",
        folder.name,
        _RATES_HZ.get(number, 60.0),
        ("",) * frames,
        checked_units(universal_m, path),
        points_px,
        ~_occluded(needed(folder / "occlusion.mat", "the occlusion labels"), frames, people),
        fitted_camera(places_m, points_px, _SIZES_PX.get(number, _OTHERS_PX)),
        pictures if pictures and pictures[0].is_file() else (),
    )


def _is_valid(cell: NDArray[Any]) -> bool:
    return bool(cell.size) and bool(np.asarray(cell["isValidFrame"].ravel()[0]).ravel()[0])


def _field(cells: NDArray[Any], name: str, columns: int, path: Path) -> FloatArray:
    """(F, P, 17, columns) in universal order; NaN where the cell is empty."""
    values = np.full((*cells.shape, _JOINTS, columns), np.nan)
    for f, p in np.ndindex(*cells.shape):
        if cells[f, p].size == 0:
            continue
        one = np.asarray(cells[f, p][name].ravel()[0], dtype=np.float64)
        if one.shape != (columns, _JOINTS):
            raise DatasetError(f"{path} has another number of joints.", got=one.shape, allowed=(columns, _JOINTS))
        values[f, p] = one.T
    return placed(values, TEST_ORDER)


def _occluded(path: Path, frames: int, people: int) -> NDArray[np.bool_]:
    """(F, P, 17) in universal order. The pelvis counts as the hips do: hidden when both are."""
    cells = read_mat(path, ("occlusion_labels",))["occlusion_labels"]
    if cells.shape != (frames, people):
        raise DatasetError(f"{path} does not belong to its annot.mat.", got=cells.shape, allowed=(frames, people))
    flags = np.zeros((frames, people, _JOINTS), dtype=np.bool_)
    for f, p in np.ndindex(frames, people):
        if cells[f, p].size:
            flags[f, p] = np.asarray(cells[f, p]).ravel()[list(TEST_ORDER)] > 0
    return flags
