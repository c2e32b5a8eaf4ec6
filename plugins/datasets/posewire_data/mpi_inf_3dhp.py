"""MPI-INF-3DHP in its published layout (Mehta et al. 2017): training subjects S1-S8, test sequences TS1-TS6.

Training: S1/Seq1/annot.mat (annot2, annot3, univ_annot3: a cell a camera, 28 joints, mm) and imageSequence/video_0.avi.
Test: TS1/annot_data.mat (MATLAB 7.3: `pip install h5py`) and imageSequence/img_000001.jpg, 17 joints.
The truth is the 'universal' skeleton (univ_annot3), as the benchmark's own evaluation takes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posewire.data import FloatArray
from posewire_data.errors import DatasetError
from posewire_data.matlab import read_mat
from posewire_data.motion import Split
from posewire_data.sequences import MM, Sequence, checked_units, fitted_camera, joints_of, needed, placed

_TRAIN_JOINTS, _TEST_JOINTS = 28, 17
_TRAIN_ORDER = (4, 23, 24, 25, 18, 19, 20, 3, 5, 6, 7, 9, 10, 11, 14, 15, 16)
TEST_ORDER = (14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4)
"""Head top, neck, right arm, left arm, right leg, left leg, pelvis, spine, head: also MuPoTS-3D's order."""
CHEST_CAMERAS = (0, 2, 4, 7, 8)
"""The five at chest height, which the literature trains on."""
_LONG_FRAMES = 9000
"""The released sequences of 12,000 frames are at 50 Hz, those of 6,000 at 25 Hz."""
_ACTIVITIES = ("", "Stand/Walk", "Exercise", "Sit on Chair", "Crouch/Reach", "On the Floor", "Sports", "Miscellaneous")
_STUDIO_PX, _OUTDOOR_PX = (2048, 2048), (1920, 1080)
_TEST_RATE_HZ = {"TS5": 60.0, "TS6": 60.0}


def read_sequences(folder: Path, split: Split) -> Iterator[Sequence]:
    """Every sequence of the split, from the chest-high cameras in training.

    Raises:
        DatasetError: nothing of the dataset is there, a file does not read, or has other joints or units.
    """
    if split == "test":
        names = [f"TS{i}" for i in range(1, 7) if (folder / f"TS{i}").is_dir()]
        for name in names or [needed(folder / "TS1", "MPI-INF-3DHP's test set").name]:
            yield _test_sequence(folder / name)
        return
    seats = sorted(folder.glob("S[1-8]/Seq[12]"))
    for seat in seats or [needed(folder / "S1" / "Seq1", "MPI-INF-3DHP's training set")]:
        yield from _train_sequences(seat)


def _train_sequences(seat: Path) -> Iterator[Sequence]:
    path = needed(seat / "annot.mat", "the annotation of a sequence")
    found = read_mat(path, ("annot2", "annot3", "univ_annot3"))
    for camera in CHEST_CAMERAS:
        if camera >= found["annot3"].size:
            continue
        points, places, universal = (found[name].ravel()[camera] for name in ("annot2", "annot3", "univ_annot3"))
        places_m = joints_of(places, _TRAIN_JOINTS, 3, path) * MM
        points_px = placed(joints_of(points, _TRAIN_JOINTS, 2, path), _TRAIN_ORDER)
        video = seat / "imageSequence" / f"video_{camera}.avi"
        yield Sequence(
            f"{seat.parent.name} {seat.name} camera {camera}",
            "mpi_inf_3dhp",
            seat.parent.name,
            50.0 if len(places_m) > _LONG_FRAMES else 25.0,
            ("",) * len(places_m),
            checked_units(placed(joints_of(universal, _TRAIN_JOINTS, 3, path) * MM, _TRAIN_ORDER), path)[:, None],
            points_px[:, None],
            np.ones((len(places_m), 1, 17), dtype=np.bool_),
            fitted_camera(placed(places_m, _TRAIN_ORDER), points_px, _STUDIO_PX),
            (),
            video if video.is_file() else None,
            tuple(range(len(places_m))),
        )


def _test_sequence(folder: Path) -> Sequence:
    path = needed(folder / "annot_data.mat", "the annotation of a sequence")
    found = read_mat(path, ("annot2", "annot3", "univ_annot3", "valid_frame", "activity_annotation"))
    valid = np.asarray(found["valid_frame"], dtype=np.float64).ravel() > 0
    places_m = _test_points(found["annot3"], 3, path)[valid] * MM
    points_px = _test_points(found["annot2"], 2, path)[valid]
    activities = np.asarray(found["activity_annotation"], dtype=np.int64).ravel()[valid]
    if len(activities) != len(places_m) or activities.max(initial=0) >= len(_ACTIVITIES):
        raise DatasetError(
            f"{path} has activities of its own.", got=sorted(set(activities.tolist())), allowed="1 to 7, one a frame"
        )
    numbers = (np.flatnonzero(valid) + 1).tolist()
    pictures = tuple(folder / "imageSequence" / f"img_{number:06d}.jpg" for number in numbers)
    return Sequence(
        folder.name,
        "mpi_inf_3dhp",
        folder.name,
        _TEST_RATE_HZ.get(folder.name, 25.0),
        tuple(_ACTIVITIES[i] for i in activities),
        checked_units(_test_points(found["univ_annot3"], 3, path)[valid] * MM, path)[:, None],
        points_px[:, None],
        np.ones((len(places_m), 1, 17), dtype=np.bool_),
        fitted_camera(places_m, points_px, _OUTDOOR_PX if folder.name in _TEST_RATE_HZ else _STUDIO_PX),
        pictures if pictures and pictures[0].is_file() else (),
    )


def _test_points(values: FloatArray, columns: int, path: Path) -> FloatArray:
    """(columns, 17, 1, F) of the file to (F, 17, columns) in universal order."""
    if values.shape[:2] != (columns, _TEST_JOINTS):
        raise DatasetError(
            f"{path} has another number of joints.", got=values.shape, allowed=f"({columns}, {_TEST_JOINTS}, 1, frames)"
        )
    points = np.asarray(values, dtype=np.float64).reshape(columns, _TEST_JOINTS, -1)
    return placed(np.moveaxis(points, 2, 0).swapaxes(1, 2), TEST_ORDER)
