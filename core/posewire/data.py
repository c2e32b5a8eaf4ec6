"""Every value that flows through the pipeline, in pipeline order. Arrays inside are read-only views; NaN means unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
ImageArray = NDArray[np.uint8]
CameraOrigin = Literal["assumed", "estimated", "calibrated"]


def read_only(values: ArrayLike, *shape: int) -> FloatArray:
    """A read-only float64 view of `values`, its shape checked; -1 in `shape` stands for any length.

    Raises:
        ValueError: the shape differs.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape and not _fits(array.shape, shape):
        raise ValueError(f"expected an array of shape {shape} (-1 = any), got {array.shape}")
    view = array.view()
    view.setflags(write=False)
    return view


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and not [want for want, have in zip(wanted, shape, strict=True) if want not in (-1, have)]


def _freeze(value: object, **shapes: tuple[int, ...]) -> None:
    """Replaces the named array fields of a frozen dataclass by checked read-only views; None stays None."""
    for name, shape in shapes.items():
        array = getattr(value, name)
        if array is not None:
            object.__setattr__(value, name, read_only(array, *shape))


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera with OpenCV's five-parameter distortion. Camera axes: x right, y down, z forward."""

    width_px: int
    height_px: int
    K: FloatArray
    """(3, 3) intrinsics, pixels."""
    distortion: FloatArray = field(default_factory=lambda: np.zeros(5))
    """(5,) k1 k2 p1 p2 k3 as in OpenCV."""
    T_world_camera: FloatArray = field(default_factory=lambda: np.diag([1.0, -1.0, -1.0, 1.0]))
    """(4, 4) camera axes to world axes, metres. The default: the world stands at the camera, gravity along the camera's +y."""
    origin: CameraOrigin = "assumed"
    """Where the numbers come from."""

    def __post_init__(self) -> None:
        _freeze(self, K=(3, 3), distortion=(5,), T_world_camera=(4, 4))


class Picture(Protocol):
    """A picture that is not RGB yet."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    @property
    def rgb(self) -> ImageArray:
        """(H, W, 3) uint8 RGB, read-only."""
        ...

    def warped(self, to_picture: FloatArray, size_px: int, border: int) -> ImageArray:
        """The (size, size, 3) RGB that an affine map (2, 3) shows: `posewire.pictures.warped`."""
        ...

    def thinned(self, rows: slice, columns: slice) -> ImageArray:
        """Some of the pixels as RGB: `posewire.pictures.thinned`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a source."""

    picture: ImageArray | Picture
    """(H, W, 3) uint8 RGB, or what becomes it."""
    time_s: float
    """Capture clock: media time for a file, seconds since the start for a live source."""
    index: int
    """Counts every frame that the source produced, also those dropped by a live source."""
    camera: Camera
    capture_unix_ns: int = 0
    """Wall clock when the picture was taken (live) or handed out (file); 0 = unknown."""

    @property
    def image(self) -> ImageArray:
        """(H, W, 3) uint8 RGB. To look at a part only, `posewire.pictures.warped` is cheaper."""
        return self.picture if isinstance(self.picture, np.ndarray) else self.picture.rgb

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        if isinstance(self.picture, np.ndarray):
            return self.picture.shape[1], self.picture.shape[0]
        return self.picture.width_px, self.picture.height_px


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a method saw in one frame: P people (rows in no lasting order), J keypoints in the order of its MethodCard."""

    keypoints_px: FloatArray
    """(P, J, 2) image pixels; NaN = unseen."""
    confidence: FloatArray
    """(P, J) 0..1; 0 where unseen."""
    boxes_px: FloatArray
    """(P, 4) x0 y0 x1 y1, pixels."""
    keypoints_m: FloatArray | None = None
    """(P, J, 3) metres, root-relative, camera axes; NaN = unseen; None = the method gives no 3D."""

    def __post_init__(self) -> None:
        people, joints = np.shape(self.confidence)
        _freeze(self, keypoints_px=(people, joints, 2), confidence=(people, joints), boxes_px=(people, 4))
        _freeze(self, keypoints_m=(people, joints, 3))

    @property
    def people(self) -> int:
        """Number of people P."""
        return self.confidence.shape[0]

    @classmethod
    def nobody(cls, joints: int, *, with_3d: bool = False) -> Detections:
        """The empty result for a method of `joints` keypoints."""
        keypoints_m = np.empty((0, joints, 3)) if with_3d else None
        return cls(np.empty((0, joints, 2)), np.empty((0, joints)), np.empty((0, 4)), keypoints_m)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person's row of a frame's Detections, under an identity that lasts."""

    person_id: int
    keypoints_px: FloatArray
    """(J, 2) pixels; NaN = unseen."""
    confidence: FloatArray
    """(J,) 0..1."""
    box_px: FloatArray
    """(4,) x0 y0 x1 y1, pixels."""
    keypoints_m: FloatArray | None = None
    """(J, 3) metres, root-relative, camera axes; None = not computed."""
    appearance: FloatArray | None = None
    """(A,) colour histogram, sums to 1; None = not computed."""
    missed_frames: int = 0
    """Frames since the person was last seen; 0 = seen now."""

    def __post_init__(self) -> None:
        joints = np.shape(self.confidence)[0]
        _freeze(self, keypoints_px=(joints, 2), confidence=(joints,), box_px=(4,), keypoints_m=(joints, 3), appearance=(-1,))


@dataclass(frozen=True, slots=True, eq=False)
class SkeletonPose:
    """One person at one instant on the native skeleton (N joints, D angles). World axes: +Y up, metres."""

    person_id: int
    time_s: float
    root_m: FloatArray
    """(3,) pelvis position, world."""
    angles_rad: FloatArray
    """(D,) joint angles in the order of Skeleton.dof_names."""
    rotations_wxyz: FloatArray
    """(N, 4) parent-relative rotation from the rest pose, model axes; the root's is its world rotation."""
    positions_m: FloatArray
    """(N, 3) joint positions, world."""
    confidence: FloatArray
    """(N,) 0..1 how well each joint was seen."""
    contacts: FloatArray
    """(4,) probability of ground contact: left heel, left toe, right heel, right toe; NaN = not estimated."""
    residuals: Mapping[str, float] = field(default_factory=dict[str, float])
    """Energy of each term of the fit at the solution."""

    def __post_init__(self) -> None:
        joints = np.shape(self.confidence)[0]
        _freeze(self, root_m=(3,), angles_rad=(-1,), rotations_wxyz=(joints, 4), positions_m=(joints, 3))
        _freeze(self, confidence=(joints,), contacts=(4,))


@dataclass(frozen=True, slots=True, eq=False)
class RigPose:
    """One person at one instant on a target rig of B bones; the same conventions as SkeletonPose."""

    person_id: int
    time_s: float
    rig: str
    root_m: FloatArray
    """(3,) position of the rig's root bone, world."""
    rotations_wxyz: FloatArray
    """(B, 4) parent-relative rotation from the rest pose, model axes."""
    confidence: FloatArray
    """(B,) 0..1."""

    def __post_init__(self) -> None:
        bones = np.shape(self.confidence)[0]
        _freeze(self, root_m=(3,), rotations_wxyz=(bones, 4), confidence=(bones,))
