"""3DPW in its published layout (von Marcard et al. 2018): sequenceFiles/{train,test}/NAME.pkl, imageFiles/NAME/image_00000.jpg.

The truth is the 24 joints of the SMPL skeleton (`jointPositions`), which has no nose and no head top, and whose hips lie lower
than Human3.6M's: numbers are not those of papers that regress Human3.6M's joints from the (licensed) body model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray
from posewire_data.errors import DatasetError
from posewire_data.motion import Clip, Split
from posewire_data.pickles import read_pickle
from posewire_data.sequences import Sequence, checked_units, joints_of, needed, placed

_JOINTS = 24
_ORDER = (0, 2, 5, 8, 1, 4, 7, 6, 12, -1, -1, 16, 18, 20, 17, 19, 21)
_OPENPOSE = (-1, 8, 9, 10, 11, 12, 13, -1, 1, 0, -1, 5, 6, 7, 2, 3, 4)
"""The detections in `poses2d` that say which joints can be seen."""
_RATE_HZ = 30.0
_FIELDS = ("jointPositions", "cam_poses", "cam_intrinsics", "poses2d", "campose_valid")


def read_sequences(folder: Path, split: Split) -> Iterator[Sequence]:
    """Every sequence of the split.

    Raises:
        DatasetError: the folder is missing or empty, or a file does not read.
    """
    for path in _files(folder, split):
        yield _sequence(path, folder / "imageFiles" / path.stem)


def read_clips(folder: Path, split: Split) -> Iterator[Clip]:
    """World motion, +Y up, a clip for each person; the joints that SMPL does not have are NaN."""
    for path in _files(folder, split):
        for person, positions in enumerate(_read(path)["jointPositions"]):
            world_m = checked_units(placed(joints_of(positions, _JOINTS, 3, path), _ORDER), path)
            name = f"{path.stem} {person}"
            yield Clip(name, "3dpw", path.stem, _activity_of(path), _RATE_HZ, world_m.astype(np.float32))


def _files(folder: Path, split: Split) -> list[Path]:
    part = needed(folder / "sequenceFiles" / split, f"3DPW's {split} sequences")
    files = sorted(part.glob("*.pkl"))
    if not files:
        raise DatasetError(f"{part} holds no .pkl file.", hint="unpack sequenceFiles.zip there")
    return files


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        found = read_pickle(file, path)
    missing = [name for name in _FIELDS if not isinstance(found, dict) or name not in found]
    if missing:
        raise DatasetError(f"{path} lacks {', '.join(missing)}.", allowed=list(_FIELDS), hint="is it a file of 3DPW?")
    return found


def _sequence(path: Path, pictures: Path) -> Sequence:
    found = _read(path)
    world_m = np.stack([placed(joints_of(one, _JOINTS, 3, path), _ORDER) for one in found["jointPositions"]], axis=1)
    T_camera_world = np.asarray(found["cam_poses"], dtype=np.float64)
    if T_camera_world.shape != (len(world_m), 4, 4):
        raise DatasetError(
            f"{path} has another number of cameras than poses.", got=T_camera_world.shape, allowed=(len(world_m), 4, 4)
        )
    camera_m = np.einsum("fij,fpnj->fpni", T_camera_world[:, :3, :3], world_m) + T_camera_world[:, None, None, :3, 3]
    valid = np.stack([np.asarray(one).ravel() > 0 for one in found["campose_valid"]], axis=1)
    camera_m[~valid] = np.nan
    K = np.asarray(found["cam_intrinsics"], dtype=np.float64)
    in_front = np.where(camera_m[..., 2:] > 0, camera_m[..., 2:], np.nan)
    points_px = camera_m[..., :2] / in_front * [K[0, 0], K[1, 1]] + K[:2, 2]
    size_px = (round(2 * K[0, 2]), round(2 * K[1, 2]))  # 3DPW's principal point is the middle of the picture
    images = tuple(pictures / f"image_{frame:05d}.jpg" for frame in range(len(world_m)))
    return Sequence(
        path.stem,
        "3dpw",
        path.stem,
        _RATE_HZ,
        (_activity_of(path),) * len(world_m),
        checked_units(camera_m, path),
        points_px,
        np.stack([_visible(one, path) for one in found["poses2d"]], axis=1),
        Camera(*size_px, K),
        images if images and images[0].is_file() else (),
    )


def _activity_of(path: Path) -> str:
    """downtown_walking_00.pkl to 'walking'."""
    return path.stem.split("_")[1] if "_" in path.stem else ""


def _visible(poses2d: FloatArray, path: Path) -> NDArray[np.bool_]:
    """(F, 3, 18) detections to (F, 17): False where a joint that they know was not detected."""
    found = np.asarray(poses2d, dtype=np.float64)
    if found.shape[1:] != (3, 18):
        raise DatasetError(f"{path} has another number of 2D joints.", got=found.shape, allowed="(frames, 3, 18)")
    known = np.array(_OPENPOSE) >= 0
    return np.where(known, found[:, 2, list(_OPENPOSE)] > 0, True)
