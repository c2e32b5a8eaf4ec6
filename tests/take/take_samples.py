"""Takes for the tests: people who move, come, go and change, made from fixed seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from posewire import rotation
from posewire.camera import assumed
from posewire.data import Camera, CameraOrigin, FloatArray, Frame, SkeletonPose, Track
from posewire.skeleton import REFERENCE, Skeleton
from posewire.take import TakeHeader, TakeWriter

KEYPOINTS = ("nose", "left_wrist", "right_wrist")
HEADER = TakeHeader(
    "clip.mp4", "blazepose", KEYPOINTS, settings={"max_people": 2, "nested": {"weights": [1.0, 2.0]}}, created_unix_ns=1
)
CAMERA = assumed(640, 480)
_NO_IMAGE = np.zeros((1, 1, 3), np.uint8)
SkeletonOf = Mapping[int, Skeleton]
Instant = tuple[Frame, Sequence[Track], Sequence[SkeletonPose], SkeletonOf]


def frame(number: int, *, fps: float = 30.0, camera: Camera = CAMERA) -> Frame:
    """Frame `number` of a constant-rate source that starts at 2 s."""
    return Frame(_NO_IMAGE, 2.0 + number / fps, number, camera, 1_700_000_000_000_000_000 + int(number * 1e9 / fps))


def track(person: int, number: int, *, with_3d: bool = True, missed: int = 0) -> Track:
    """Keypoints that drift; the last one is unseen in every third frame."""
    rng = np.random.default_rng((person, number))
    px, m = rng.uniform(0, 480, (3, 2)), rng.normal(0, 0.5, (3, 3))
    confidence = rng.uniform(0.2, 1, 3)
    if number % 3 == 0:
        px[2], m[2], confidence[2] = np.nan, np.nan, 0
    return Track(person, px, confidence, np.array([10.0, 20, 110, 220]), m if with_3d else None, missed_frames=missed)


def pose(person: int, time_s: float, skeleton: Skeleton = REFERENCE, *, swing: float = 1.0) -> SkeletonPose:
    """A smooth dance within the limits (times `swing`), turning on the spot and drifting."""
    phase = np.arange(len(skeleton.dofs)) + person
    middle, half = skeleton.limits_rad.mean(axis=1), 0.45 * np.ptp(skeleton.limits_rad, axis=1)
    angles = middle + swing * half * np.sin(2.0 * time_s + phase)
    root = np.array([0.3 * np.sin(time_s) + person, 0.9, 0.2 * time_s])
    local = skeleton.joint_rotations(angles, rotation.exp([0.1, 1.7 * time_s, 0.0]))
    confidence = np.full(len(skeleton.names), 0.75)
    contacts = np.array([1.0, 0.5, 0.0, np.nan])
    residuals = {"keypoints_3d": 0.25, "limits": 0.5}
    return SkeletonPose(person, time_s, root, angles, local, skeleton.positions_m(root, local), confidence, contacts, residuals)


def instant(number: int, people: Sequence[int], skeletons: SkeletonOf | None = None, *, fps: float = 30.0) -> Instant:
    """One frame with these people, tracked and fitted."""
    skeletons = skeletons if skeletons is not None else dict.fromkeys(people, REFERENCE)
    taken = frame(number, fps=fps)
    return taken, [track(p, number) for p in people], [pose(p, taken.time_s, skeletons[p]) for p in people], skeletons


def dance(frames: int = 60) -> Iterator[Instant]:
    """Person 1 always but frames 20-29; person 2 in frames 10-39, with longer bones from frame 25 on; nobody in 45-49."""
    taller = REFERENCE.scaled(1.1)
    for number in range(frames):
        people = [1] if not 20 <= number < 30 else []
        people += [2] if 10 <= number < 40 else []
        people = [] if 45 <= number < 50 else people
        yield instant(number, people, {1: REFERENCE, 2: taller if number >= 25 else REFERENCE})


def write(path: Path, instants: Iterator[Instant] | Sequence[Instant], header: TakeHeader = HEADER) -> Path:
    """A closed take of these instants."""
    with TakeWriter(path, header) as writer:
        for values in instants:
            writer.add(*values)
    return path


def moved(camera: Camera, x_m: float) -> Camera:
    """The camera, shifted."""
    T = camera.T_world_camera.copy()
    T[0, 3] = x_m
    return replace(camera, T_world_camera=T)


def on_a_floor(seen: SkeletonPose, T: FloatArray) -> SkeletonPose:
    """A pose in the world to which T (4, 4) moves that of the camera."""
    rotations = seen.rotations_wxyz.copy()
    rotations[0] = rotation.multiply(rotation.from_matrix(T[:3, :3]), rotations[0])
    root_m = T[:3, :3] @ seen.root_m + T[:3, 3]
    return replace(seen, root_m=root_m, rotations_wxyz=rotations, positions_m=REFERENCE.positions_m(root_m, rotations))


def floor_found_at(number: int, origin: CameraOrigin, T: FloatArray, frames: int = 40) -> Iterator[Instant]:
    """A person before a camera that stands still; from frame `number` on the world is another, moved by T (4, 4)."""
    camera = replace(CAMERA, T_world_camera=T @ CAMERA.T_world_camera, origin=origin)
    for i in range(frames):
        before = pose(1, i / 30)
        shown = (CAMERA, before) if i < number else (camera, on_a_floor(before, T))
        yield Frame(_NO_IMAGE, i / 30, i, shown[0]), [], [shown[1]], {1: REFERENCE}
