"""A dataset's sequence as every reader gives it: people in pictures with 2D and 3D truth; and the checks of all files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray
from posewire_data.errors import DatasetError
from posewire_data.joints import HIPS, JOINTS, ROOT
from posewire_data.motion import Split

_SHINS = tuple((JOINTS.index(f"{side}_knee"), JOINTS.index(f"{side}_ankle")) for side in ("left", "right"))
_SHIN_RANGE_M = (0.15, 0.75)
"""Nobody's lower leg is shorter or longer: a file in another unit is found by it."""
MM = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """P people in F annotated pictures of one camera."""

    name: str
    source: str
    subject: str
    rate_hz: float
    activities: tuple[str, ...]
    """(F,) "" = not known."""
    positions_m: FloatArray
    """(F, P, 17, 3) metres, camera axes; NaN = not annotated."""
    points_px: FloatArray
    """(F, P, 17, 2) pixels; NaN = not annotated."""
    visible: NDArray[np.bool_]
    """(F, P, 17) False where the annotation says that the joint is hidden."""
    camera: Camera
    """Where the dataset does not say the intrinsics: fitted to its own 2D and 3D (`fitted_camera`)."""
    pictures: tuple[Path, ...]
    """(F,) image files; () = they are in `video`, or are not there."""
    video: Path | None = None
    frames: tuple[int, ...] = ()
    """(F,) number of each row's picture in the video."""

    def __len__(self) -> int:
        return len(self.positions_m)


SequenceReader = Callable[[Path, Split], Iterator[Sequence]]


def needed(path: Path, what: str) -> Path:
    """The path, which must exist.

    Raises:
        DatasetError: it does not; says what else lies there.
    """
    if path.exists():
        return path
    parent = next((above for above in path.parents if above.is_dir()), path.parent)
    there = sorted(one.name for one in parent.iterdir())[:8] if parent.is_dir() else []
    raise DatasetError(
        f"{what} is missing: {path}.",
        got=f"in {parent}: {', '.join(there) or 'nothing'}",
        allowed="the layout that the dataset is published in (docs/DATA.md)",
        hint="unpack the dataset's own archives, renaming nothing",
    )


def joints_of(values: NDArray[np.generic], joints: int, columns: int, name: Path) -> FloatArray:
    """Numbers (F, joints * columns) or (F, joints, columns) as float64 (F, joints, columns).

    Raises:
        DatasetError: another number of joints.
    """
    flat = np.asarray(values, dtype=np.float64)
    if flat.ndim < 2 or int(np.prod(flat.shape[1:])) != joints * columns:
        got = f"shape {flat.shape}"
        raise DatasetError(
            f"{name} has another number of joints.", got=got, allowed=f"{joints} joints x {columns} numbers a frame"
        )
    return flat.reshape(len(flat), joints, columns)


def placed(points: FloatArray, order: tuple[int, ...]) -> FloatArray:
    """Points (..., N, C) of a dataset to (..., 17, C): order[j] is the dataset's number of universal joint j, -1 = it has none.

    The pelvis is put between the hips, as everywhere here.
    """
    universal = points[..., list(order), :].copy()
    universal[..., [j for j, n in enumerate(order) if n < 0], :] = np.nan
    universal[..., ROOT, :] = universal[..., list(HIPS), :].mean(axis=-2)
    return universal


def checked_units(positions_m: FloatArray, name: Path) -> FloatArray:
    """The same positions (F, ..., 17, 3), which must be of people.

    Raises:
        DatasetError: the lower legs are too long or too short, in all frames or in some; or nothing is annotated.
    """
    shins_m = np.stack([np.linalg.norm(positions_m[..., a, :] - positions_m[..., b, :], axis=-1) for a, b in _SHINS])
    known = np.isfinite(shins_m)
    if not known.any():
        raise DatasetError(f"{name} annotates nobody.", got="NaN in every frame", hint="is the download complete?")
    low, high = _SHIN_RANGE_M
    wrong = known & ((shins_m < low) | (shins_m > high))
    if wrong.any():
        first = int(np.argwhere(np.moveaxis(wrong, 1, 0))[0, 0])
        share = f"in {100 * wrong.sum() / known.sum():.0f} % of the frames, first in frame {first}"
        typical = float(np.median(shins_m[wrong]))
        raise DatasetError(
            f"{name} is in another unit" + (", or mixes units." if not wrong[known].all() else "."),
            got=f"lower legs of {typical:.3g} m {share}",
            allowed=f"{low} to {high} m",
            hint="use the dataset's own files: some conversions store metres where the original has millimetres",
        )
    return positions_m


def fitted_camera(positions_m: FloatArray, points_px: FloatArray, size_px: tuple[int, int]) -> Camera:
    """The pinhole that projects positions (..., 17, 3) nearest to points (..., 17, 2): least squares, u = f x / z + c.

    Without the pelvis: the middle of the hips in the picture is not quite the picture of their middle.

    Raises:
        DatasetError: fewer than ten points, or no sensible focal length.
    """
    seen = np.isfinite(positions_m).all(axis=-1) & np.isfinite(points_px).all(axis=-1) & (positions_m[..., 2] > 0)
    seen[..., ROOT] = False
    if np.count_nonzero(seen) < 10:
        raise DatasetError(
            "A sequence has too few points with 2D and 3D to find its camera.", got=np.count_nonzero(seen), allowed="10"
        )
    rays = positions_m[seen][:, :2] / positions_m[seen][:, 2:]
    K = np.eye(3)
    for axis in (0, 1):
        A = np.stack([rays[:, axis], np.ones(len(rays))], axis=1)
        K[axis, axis], K[axis, 2] = np.linalg.lstsq(A, points_px[seen][:, axis], rcond=None)[0]
    if not (K[0, 0] > 0 and K[1, 1] > 0):
        raise DatasetError(
            "2D and 3D of a sequence do not belong together.", got=f"focal length {K[0, 0]:.0f} x {K[1, 1]:.0f} px"
        )
    return Camera(*size_px, K)
