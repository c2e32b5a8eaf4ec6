"""The values of a recording: what is said once (TakeHeader) and what is said for every frame (TakeFrame)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from posewire import __version__
from posewire.data import Camera, FloatArray, SkeletonPose, Track
from posewire.skeleton import Skeleton


@dataclass(frozen=True, slots=True)
class TakeHeader:
    """What is said once about a recording."""

    source: str
    """The address that was recorded, as the user typed it."""
    method: str
    """Name of the estimator's MethodCard."""
    keypoint_names: tuple[str, ...]
    """(J,) the method's keypoints: the J axis of every Track."""
    lifter: str | None = None
    """Name of the lifter's MethodCard; None = the 3D is the method's own."""
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    """The options of the run; plain values only: None, bool, int, float, str, and lists and string-keyed maps of them."""
    created_unix_ns: int = field(default_factory=time.time_ns)
    posewire_version: str = __version__
    """Version that wrote the take."""


@dataclass(frozen=True, slots=True, eq=False)
class TakeFrame:
    """One recorded instant: everything that the pipeline said of it but the picture. Frames with nobody are frames too."""

    time_s: float
    """Capture clock, as Frame.time_s."""
    index: int
    """As Frame.index; jumps where a live source dropped frames."""
    capture_unix_ns: int
    """As Frame.capture_unix_ns; 0 = unknown."""
    camera: Camera | None
    """None only when a reader found its record damaged."""
    tracks: tuple[Track, ...] = ()
    """Raw keypoints, before any temporal filter. `appearance` is not recorded."""
    poses: tuple[SkeletonPose, ...] = ()
    """The fit's answer."""
    skeletons: Mapping[int, Skeleton] = field(default_factory=dict[int, Skeleton])
    """Person id to the skeleton of the person's pose; missing only when a reader found its record damaged."""


@dataclass(frozen=True, slots=True, eq=False)
class TakeArrays:
    """A whole take as arrays: T frames, K people, N joints, J keypoints; NaN where absent. float32 as recorded, times float64."""

    time_s: FloatArray
    """(T,) capture clock."""
    person_ids: NDArray[np.int64]
    """(K,) ascending."""
    joint_names: tuple[str, ...]
    """(N,)"""
    positions_m: NDArray[np.float32]
    """(T, K, N, 3) world."""
    rotations_wxyz: NDArray[np.float32]
    """(T, K, N, 4) parent-relative, from the rest pose, model axes."""
    root_m: NDArray[np.float32]
    """(T, K, 3) world."""
    T_world_camera: FloatArray
    """(T, 4, 4) camera axes to world axes."""
    confidence: NDArray[np.float32]
    """(T, K, N) of each joint, 0..1."""
    keypoint_names: tuple[str, ...]
    """(J,)"""
    keypoints_px: NDArray[np.float32]
    """(T, K, J, 2) pixels; NaN also in frames where the person was missed."""
    keypoints_m: NDArray[np.float32]
    """(T, K, J, 3) root-relative, camera axes, before any temporal filter; NaN also in frames where the person was missed."""
