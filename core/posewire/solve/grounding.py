"""Puts a solved take on the floor that its feet show: a camera for the whole take, and the poses said anew in its world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from posewire import camera as cameras
from posewire import rotation
from posewire.data import Camera, FloatArray, SkeletonPose
from posewire.ground import GroundEstimate, estimate_ground
from posewire.skeleton import REFERENCE
from posewire.take import TakeFrame

_FEET = [REFERENCE.index(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "toe")]
_ANKLES = [REFERENCE.index("left_ankle"), REFERENCE.index("right_ankle")]
_HEAD = REFERENCE.index("head")


@dataclass(frozen=True, slots=True)
class Grounding:
    """What became of the wish for a floor."""

    applied: bool
    remark: str
    """One sentence for the user."""


def grounded(frames: Sequence[TakeFrame]) -> tuple[list[TakeFrame], Grounding]:
    """The frames on the floor, when one camera saw all of them and the floor is certain; otherwise the frames as they are."""
    seen = {id(frame.camera): frame.camera for frame in frames}
    camera = next(iter(seen.values()), None)
    if len(seen) != 1 or camera is None:
        return list(frames), Grounding(False, f"The floor was not looked for: the take has {len(seen)} cameras, not one.")
    if camera.origin == "calibrated":
        return list(frames), Grounding(False, "The floor was not looked for: the camera is calibrated.")
    time_s = np.array([frame.time_s for frame in frames])
    if not np.all(np.diff(time_s) > 0):
        return list(frames), Grounding(False, "The floor was not looked for: the take's time goes backwards.")
    estimate = estimate_ground(_feet_m(frames, camera), time_s, _upright(frames, camera))
    if estimate is None or not estimate.certain:
        return list(frames), Grounding(False, f"The floor is not certain, and nothing was moved: {_doubt(estimate)}.")
    new = estimate.camera(camera)
    remark = (
        f"Standing on the floor: {estimate.footholds} footholds, up known to {estimate.angle_deviation_deg:.1f} degrees, "
        f"height to {1e3 * estimate.height_deviation_m:.0f} mm."
    )
    return [_moved(frame, camera, new) for frame in frames], Grounding(True, remark)


def _doubt(estimate: GroundEstimate | None) -> str:
    if estimate is None:
        return "the feet rested in too few places"
    return (
        f"{estimate.footholds} footholds, up known to {estimate.angle_deviation_deg:.1f} degrees, height to "
        f"{1e3 * estimate.height_deviation_m:.0f} mm, {100 * estimate.below:.0f} % of the footholds below it, "
        f"{estimate.surprise:.1f} deviations from where the bodies point"
    )


def _people(frames: Sequence[TakeFrame]) -> list[int]:
    return sorted({pose.person_id for frame in frames for pose in frame.poses})


def _feet_m(frames: Sequence[TakeFrame], camera: Camera) -> FloatArray:
    """(T, 4 K, 3) heels and toes of K people, camera axes."""
    place = {person_id: k for k, person_id in enumerate(_people(frames))}
    feet_m = np.full((len(frames), len(place), len(_FEET), 3), np.nan)
    for row, frame in enumerate(frames):
        for pose in frame.poses:
            feet_m[row, place[pose.person_id]] = cameras.to_camera(pose.positions_m[_FEET], camera)
    return feet_m.reshape(len(frames), -1, 3)


def _upright(frames: Sequence[TakeFrame], camera: Camera) -> FloatArray:
    """(B, 3) from the ankles to the head of every pose, camera axes."""
    points_m = [cameras.to_camera(pose.positions_m, camera) for frame in frames for pose in frame.poses]
    return np.array([points[_HEAD] - points[_ANKLES].mean(axis=0) for points in points_m]).reshape(-1, 3)


def _moved(frame: TakeFrame, old: Camera, new: Camera) -> TakeFrame:
    T_new_old = new.T_world_camera @ np.linalg.inv(old.T_world_camera)
    return replace(frame, camera=new, poses=tuple(_in_world(pose, T_new_old) for pose in frame.poses))


def _in_world(pose: SkeletonPose, T_new_old: FloatArray) -> SkeletonPose:
    """The same pose, said in another world."""
    R, t = T_new_old[:3, :3], T_new_old[:3, 3]
    rotations_wxyz = pose.rotations_wxyz.copy()
    rotations_wxyz[0] = rotation.multiply(rotation.from_matrix(R), rotations_wxyz[0])
    return replace(pose, root_m=R @ pose.root_m + t, rotations_wxyz=rotations_wxyz, positions_m=pose.positions_m @ R.T + t)
