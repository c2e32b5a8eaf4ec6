"""Human3.6M in its published layout, and in VideoPose3D's conversion. Protocol: train S1 S5 S6 S7 S8, test S9 S11.

Layout: S9/MyPoseFeatures/D3_Positions_mono/Walking 1.54138969.cdf (camera axes, mm), D2_Positions beside it (pixels),
D3_Positions/Walking 1.cdf (world), S9/Videos/Walking 1.54138969.mp4. The .cdf files need `pip install cdflib`.
Conversion: data_3d_h36m.npz, `positions_3d` = {subject: {action: (F, 32, 3) metres, world, +Z up}}; it has no pictures.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from posewire.data import FloatArray
from posewire_data.errors import DatasetError
from posewire_data.motion import Clip, Split
from posewire_data.pickles import read_pickle
from posewire_data.sequences import MM, Sequence, checked_units, fitted_camera, joints_of, needed, placed

SUBJECTS: dict[Split, tuple[str, ...]] = {"train": ("S1", "S5", "S6", "S7", "S8"), "test": ("S9", "S11")}
_JOINTS = 32
_ORDER = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Of the 32 recorded joints, those of the 17-joint protocol; Human3.6M's pelvis lies between the hips by itself."""
_RATE_HZ = 50.0
_PICTURE_PX = (1000, 1002)
CONVERSION = "data_3d_h36m.npz"


def read_sequences(folder: Path, split: Split) -> Iterator[Sequence]:
    """Every action of every camera of the split's subjects.

    Raises:
        DatasetError: a subject's folder or file is missing, a file does not read, or has other joints or units.
    """
    for subject in SUBJECTS[split]:
        features = needed(folder / subject / "MyPoseFeatures", f"Human3.6M's {subject}")
        poses = needed(features / "D3_Positions_mono", "3D in camera axes")
        for path in _cdf_files(poses):
            yield _sequence(
                path, features / "D2_Positions" / path.name, folder / subject / "Videos" / f"{path.stem}.mp4", subject
            )


def read_clips(folder: Path, split: Split) -> Iterator[Clip]:
    """World motion, once for each action, of the published files or of the conversion, +Y up.

    Raises:
        DatasetError: as `read_sequences`.
    """
    if (folder / CONVERSION).is_file():
        yield from _converted(folder / CONVERSION, split)
        return
    for subject in SUBJECTS[split]:
        poses = needed(folder / subject / "MyPoseFeatures" / "D3_Positions", f"Human3.6M's {subject} in the world")
        for path in _cdf_files(poses):
            world_m = checked_units(placed(joints_of(_pose(path), _JOINTS, 3, path) * MM, _ORDER), path)
            yield _clip(subject, path.stem, world_m)


def _cdf_files(folder: Path) -> list[Path]:
    files = [path for path in sorted(folder.glob("*.cdf")) if not path.name.startswith("_ALL")]
    if not files:
        raise DatasetError(f"{folder} holds no .cdf file.", hint="unpack Poses_D3_Positions_*.tgz there")
    return files


def _sequence(path: Path, points: Path, video: Path, subject: str) -> Sequence:
    positions_m = checked_units(placed(joints_of(_pose(path), _JOINTS, 3, path) * MM, _ORDER), path)
    points = needed(points, "the 2D of a sequence")
    points_px = placed(joints_of(_pose(points), _JOINTS, 2, points), _ORDER)
    if len(points_px) != len(positions_m):
        raise DatasetError(f"{points} has another length than its 3D.", got=len(points_px), allowed=len(positions_m))
    return Sequence(
        f"{subject} {path.stem}",
        "h36m",
        subject,
        _RATE_HZ,
        (activity_of(path.stem),) * len(positions_m),
        positions_m[:, None],
        points_px[:, None],
        np.ones((len(positions_m), 1, 17), dtype=np.bool_),
        fitted_camera(positions_m, points_px, _PICTURE_PX),
        (),
        video if video.is_file() else None,
        tuple(range(len(positions_m))),
    )


def activity_of(stem: str) -> str:
    """'Walking 1.54138969' to 'Walking'."""
    return re.sub(r"[\s\d.]+$", "", stem)


def _pose(path: Path) -> FloatArray:
    """(F, columns) of the variable Pose."""
    try:
        import cdflib  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        hint = f"pip install cdflib   (or put VideoPose3D's {CONVERSION} into the folder)"
        raise DatasetError("Human3.6M's files are in NASA's CDF.", got="cdflib is not installed", hint=hint) from error
    try:
        return np.asarray(cdflib.CDF(str(path)).varget("Pose"), dtype=np.float64)[0]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DatasetError(f"{path} does not read.", got=f"{type(error).__name__}: {error}", hint="fetch it again") from error


def _converted(path: Path, split: Split) -> Iterator[Clip]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open("positions_3d.npy") as file:
            npy.read_magic(file)
            npy.read_array_header_1_0(file)
            subjects = read_pickle(file, path)[()]  # pyright: ignore[reportArgumentType]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, IndexError, TypeError) as error:
        raise DatasetError(f"{path} is not VideoPose3D's conversion.", got=f"{type(error).__name__}: {error}") from error
    for subject in SUBJECTS[split]:
        if subject not in subjects:
            raise DatasetError(f"{path} has no {subject}.", got=", ".join(sorted(subjects)), allowed=list(SUBJECTS[split]))
        for action, positions in sorted(subjects[subject].items()):
            yield _clip(subject, action, checked_units(placed(joints_of(positions, _JOINTS, 3, path), _ORDER), path))


def _clip(subject: str, action: str, world_m: FloatArray) -> Clip:
    """Human3.6M's world is +Z up."""
    y_up_m = np.stack([world_m[..., 0], world_m[..., 2], -world_m[..., 1]], axis=-1)
    return Clip(f"{subject} {action}", "h36m", subject, activity_of(action), _RATE_HZ, y_up_m.astype(np.float32))
