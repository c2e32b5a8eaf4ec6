"""Clips of recorded motion in front of a made-up camera, with what is true of them.

A BVH file is cut into windows of a few seconds; each window is stood before the camera with a random heading, scaled to a leg of
LEG_M. Known are the names of CMU's conversions (cgspeed's) and of Posewire's own export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from posewire import camera as cameras
from posewire import rotation
from posewire.data import Camera, FloatArray, read_only
from posewire.errors import TakeError
from posewire.evaluate.motions import SIDES
from posewire.skeleton import MARKERS, REFERENCE, Marker
from posewire_data.bvh import Bvh, parse_bvh

STANDING, SITTING, FLOOR = POSTURES = ("standing", "sitting", "floor")
RATE_HZ = 60.0
CAMERA = cameras.assumed(1920, 1080)
LEG_M = 0.835
"""Thigh and shank of a person of 1.70 m (Winter 2009)."""
_NEAREST_M, _REACHES = 3.2, 2.2
"""The camera stands this far away at least, and this many times as far as the motion reaches."""

PARTS = ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")
JOINTS = ("nose", "left_ear", "right_ear", *(f"{side}_{part}" for part in PARTS for side in SIDES))
"""The 21 points that a made-up method sees."""
FEET = tuple(f"{side}_{part}" for side in SIDES for part in ("heel", "toe"))
_CMU_JOINTS = ("Shldr", "ForeArm", "Hand", "Mid1", "Thigh", "Shin", "Foot", "Foot", "Foot_end")
_CMU = dict(zip(PARTS, _CMU_JOINTS, strict=True))
"""Their feet end at the ball; the heel, which they lack, is set on the foot as on our skeleton."""

CONTACT_HEIGHT_M, CONTACT_SPEED_M_S, _LOWEST_S, _JITTER_S = 0.05, 0.4, 1.0, 0.05
"""A foot point is on the ground when it is this near to its lowest place of the second before and after, and this slow,
the recording's own jitter (up to 0.4 m/s of a foot that stands) smoothed away."""
_SETTLING_S, _FASTEST_M_S = 0.1, 15.0
"""CMU's conversions begin with a T-pose and blend out of it for so long. No joint in them moves faster (a fist punches at 12):
where one does, the conversion has mirrored a limb, and a clip with that has no truth."""
_FLOOR_HEIGHT, _THIGH_LEVEL = 0.4, np.cos(np.radians(45.0))
"""Hips over the lower ankle, in legs, of somebody on the floor; how upright the thighs of somebody who sits are at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A few seconds of true motion, as the camera sees it."""

    name: str
    posture: str
    time_s: FloatArray
    """(T,)"""
    joints_m: FloatArray
    """(T, 21, 3) JOINTS, world axes."""
    contacts: NDArray[np.bool_]
    """(T, 4) FEET on the ground."""
    camera: Camera

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_s", read_only(self.time_s, -1))
        object.__setattr__(self, "joints_m", read_only(self.joints_m, len(self.time_s), len(JOINTS), 3))


def clips_of(path: Path, rng: np.random.Generator, seconds: float, most: int) -> Iterator[Clip]:
    """At most `most` clips of each posture that a file shows, without the T-pose at its beginning and windows in which it jumps.

    Raises:
        TakeError: the file cannot be read or has other joints.
        DatasetError: it is no BVH.
    """
    bvh = _read(path)
    joints_m = _joints_m(bvh, path)
    step = max(1, round(1.0 / (RATE_HZ * bvh.frame_time_s)))
    joints_m, interval_s = joints_m[round(_SETTLING_S / bvh.frame_time_s) :: step], bvh.frame_time_s * step
    length = max(3, round(seconds / interval_s))
    taken: dict[str, int] = dict.fromkeys(POSTURES, 0)
    for number, start in enumerate(range(0, max(1, len(joints_m) - length // 2), length)):
        window_m = joints_m[start : start + length]
        posture = _posture(window_m)
        if len(window_m) >= 3 and taken[posture] < most and not _jumps(window_m, interval_s):
            taken[posture] += 1
            contacts = _contacts(window_m, interval_s)
            placed_m = _before_the_camera(window_m, rng)
            time_s = np.arange(len(window_m), dtype=np.float64) * interval_s
            yield Clip(f"{path.stem}.{number}", posture, time_s, placed_m, contacts, CAMERA)


def _read(path: Path) -> Bvh:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        hint = "write one: posewire export TAKE.pwt MOTION.bvh"
        raise TakeError(f"{path} cannot be read.", got=error.strerror, allowed="a BVH file", hint=hint) from error
    return parse_bvh(text, str(path))


def _jumps(joints_m: FloatArray, interval_s: float) -> bool:
    """Whether one of the joints (T, J, 3) moves faster than any does."""
    return bool(np.any(np.linalg.norm(np.diff(joints_m, axis=0), axis=-1) > _FASTEST_M_S * interval_s))


def _joints_m(bvh: Bvh, path: Path) -> FloatArray:
    """(T, 21, 3) JOINTS, the leg scaled to LEG_M."""
    sources, index = _sources(bvh.names, path), bvh.names.index
    leg_bones = bvh.offsets[[index(sources[f"left_{part}"].joint) for part in ("knee", "ankle")]]
    scale = LEG_M / float(np.linalg.norm(leg_bones, axis=1).sum())
    positions, rotations = bvh.transforms()

    def point(source: Marker) -> FloatArray:
        joint = index(source.joint)
        return scale * positions[:, joint] + rotations[:, joint] @ np.array(source.offset_m)

    return np.stack([point(sources[joint]) for joint in JOINTS], axis=1)


def _sources(names: Sequence[str], path: Path) -> Mapping[str, Marker]:
    """Where each of JOINTS lies on the file's joints."""
    if set(REFERENCE.names) <= set(names):
        return MARKERS
    found = {name: Marker("head", MARKERS[name].offset_m) for name in JOINTS[:3]}
    for side in SIDES:
        for part, joint in _CMU.items():
            offset = _HEEL_OFFSET_M if part == "heel" else (0.0, 0.0, 0.0)
            found[f"{side}_{part}"] = Marker(side[0] + joint, offset)
    missing = {marker.joint for marker in found.values()} - set(names)
    if missing:
        raise TakeError(
            f"{path} has other joints.",
            got=f"no {', '.join(sorted(missing))}",
            allowed="CMU motion in cgspeed's conversion, or an export of Posewire",
            hint="posewire export TAKE.pwt MOTION.bvh",
        )
    return found


_HEEL_OFFSET_M: tuple[float, float, float] = tuple(REFERENCE.offsets_m[REFERENCE.index("left_heel")].tolist())


def _at(joints_m: FloatArray, part: str) -> FloatArray:
    """(T, 2, 3) left and right."""
    return joints_m[:, [JOINTS.index(f"{side}_{part}") for side in SIDES]]


def _posture(joints_m: FloatArray) -> str:
    hips, knees, ankles = (_at(joints_m, part) for part in ("hip", "knee", "ankle"))
    height = float(np.median(hips.mean(axis=1)[:, 1] - ankles[..., 1].min(axis=1))) / LEG_M
    thigh = knees - hips
    upright = float(np.median((-thigh[..., 1] / np.linalg.norm(thigh, axis=-1)).mean(axis=1)))
    return FLOOR if height < _FLOOR_HEIGHT else SITTING if upright < _THIGH_LEVEL else STANDING


def _contacts(joints_m: FloatArray, interval_s: float) -> NDArray[np.bool_]:
    """(T, 4) by height and speed."""
    feet = gaussian_filter1d(joints_m[:, [JOINTS.index(name) for name in FEET]], _JITTER_S / interval_s, axis=0)
    lowest = minimum_filter1d(feet[..., 1], 2 * round(_LOWEST_S / interval_s) + 1, axis=0)
    speed = np.linalg.norm(np.gradient(feet, interval_s, axis=0), axis=-1)
    return np.asarray((feet[..., 1] - lowest < CONTACT_HEIGHT_M) & (speed < CONTACT_SPEED_M_S))


def _before_the_camera(joints_m: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A random heading; the middle of the motion on the camera's axis."""
    turned = rotation.rotate(rotation.exp([0.0, rng.uniform(0.0, 2.0 * np.pi), 0.0]), joints_m)
    turned = turned - turned.mean(axis=(0, 1))
    return turned - [0.0, 0.0, max(_NEAREST_M, _REACHES * float(np.abs(turned).max()))]
