"""MultiView2D: what training sees. Keypoints in two or more pictures of the same instant; there is no field for 3D.

Whoever makes it (virtual cameras: studio.py; real clips: footage.py) has thrown the third dimension away before; the loop, the
losses and the teachers take nothing else. `write_views` / `read_views` put it into a file, so that projecting and training may
be two commands.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray, read_only
from posewire.errors import PosewireError
from posewire.npz import read_npz, write_npz

ScaleOrigin = Literal["calibrated", "camera distance", "person height", "unknown"]
"""Where the metre comes from: known cameras, a measured distance between them, a measured person, or nowhere."""

_VERSION = 1
_STORED = {"version", "joints", "rays", "confidence", "R_camera_world", "centre_m", "scale", "like_real"}


@dataclass(frozen=True, slots=True, eq=False)
class Extrinsics:
    """Where the V cameras stood, per instant (one instant for all: N = 1). World axes: any; they cancel out."""

    R_camera_world: FloatArray
    """(N or 1, V, 3, 3) world axes to camera axes (x right, y down, z forward): the R_v of Ch. 3, eq. 3.4."""
    centre_m: FloatArray
    """(N or 1, V, 3) optical centres, world, metres: the t_v of eq. 3.4. Without a scale: unit = distance of the first two."""
    scale: ScaleOrigin

    def __post_init__(self) -> None:
        instants, views = np.shape(self.R_camera_world)[:2]
        object.__setattr__(self, "R_camera_world", read_only(self.R_camera_world, instants, views, 3, 3))
        object.__setattr__(self, "centre_m", read_only(self.centre_m, instants, views, 3))
        if self.scale not in get_args(ScaleOrigin):
            raise PosewireError("The scale has no known origin.", got=self.scale, allowed=list(get_args(ScaleOrigin)))


@dataclass(frozen=True, slots=True, eq=False)
class MultiView2D:
    """N instants seen by V cameras: 2D, confidence and perhaps where the cameras stood. Nothing else."""

    joints: tuple[str, ...]
    """Names of the J keypoints."""
    rays: FloatArray
    """(N, V, J, 2) x/z and y/z in each camera's axes: pixels freed of intrinsics and distortion; NaN = unseen."""
    confidence: FloatArray
    """(N, V, J) 0..1: the w of eq. 3.2; 0 where unseen."""
    extrinsics: Extrinsics | None = None
    like_real: FloatArray | None = None
    """(N,) 1 = a network shall be shown this instant as an estimator would have said it; None = no instant."""

    def __post_init__(self) -> None:
        instants, views = np.shape(self.rays)[:2]
        joints = len(self.joints)
        object.__setattr__(self, "rays", read_only(self.rays, instants, views, joints, 2))
        object.__setattr__(self, "confidence", read_only(self.confidence, instants, views, joints))
        if self.like_real is not None:
            object.__setattr__(self, "like_real", read_only(self.like_real, instants))
        self._check(instants, views)

    def _check(self, instants: int, views: int) -> None:
        if views < 2:
            raise PosewireError("One view cannot teach depth.", got=f"{views} view", allowed="two or more synchronised views")
        if self.extrinsics is not None:
            rows, cameras = self.extrinsics.centre_m.shape[:2]
            if cameras != views or rows not in (1, instants):
                raise PosewireError(
                    "The extrinsics belong to other views.",
                    got=f"{rows} instants x {cameras}",
                    allowed=f"1 or {instants} x {views}",
                )
        unseen = np.isnan(self.rays).any(axis=-1)
        if (self.confidence[unseen] != 0).any() or not np.isfinite(self.confidence).all():
            raise PosewireError(
                "Confidence does not fit the keypoints.", allowed="0 where a keypoint is NaN, a number everywhere"
            )

    @property
    def instants(self) -> int:
        """N."""
        return self.rays.shape[0]

    @property
    def views(self) -> int:
        """V."""
        return self.rays.shape[1]

    def seen(self) -> NDArray[np.bool_]:
        """(N, V, J) True where a keypoint has a place and weight."""
        return self.confidence > 0

    def with_extrinsics(self, extrinsics: Extrinsics) -> MultiView2D:
        """The same keypoints with cameras that were found from them."""
        return replace(self, extrinsics=extrinsics)

    def rows(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> MultiView2D:
        """Some of the instants."""
        cameras = self.extrinsics
        if cameras is not None and cameras.centre_m.shape[0] != 1:
            cameras = Extrinsics(cameras.R_camera_world[rows], cameras.centre_m[rows], cameras.scale)
        like_real = None if self.like_real is None else self.like_real[rows]
        return MultiView2D(self.joints, self.rays[rows], self.confidence[rows], cameras, like_real)


def field_names() -> set[str]:
    """Every name under which a training loop can reach an array: the test that there is no 3D reads it."""
    return {field.name for value in (MultiView2D, Extrinsics) for field in fields(value)}


def write_views(views: MultiView2D, path: Path) -> None:
    """One .npz: 2D, confidence, cameras.

    Raises:
        PosewireError: it cannot be written.
    """
    arrays: dict[str, Any] = {"version": _VERSION, "joints": np.array(views.joints), "rays": views.rays.astype(np.float32)}
    arrays["confidence"] = views.confidence.astype(np.float32)
    if views.extrinsics is not None:
        arrays["R_camera_world"] = views.extrinsics.R_camera_world
        arrays["centre_m"] = views.extrinsics.centre_m
        arrays["scale"] = np.array(views.extrinsics.scale)
    if views.like_real is not None:
        arrays["like_real"] = views.like_real
    try:
        write_npz(path, arrays, compressed=False)
    except OSError as error:
        raise PosewireError(f"{path} cannot be written.", got=error, allowed="a file name in an existing folder") from error


def read_views(path: Path) -> MultiView2D:
    """A file of `write_views`.

    Raises:
        PosewireError: no such file, not one of ours, of another version, or its arrays do not fit together.
    """
    try:
        return _from_arrays(read_npz(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PosewireError(
            f"{path} does not hold views.",
            got=f"{type(error).__name__}: {error}",
            allowed="an .npz of `selfsup project` or `selfsup footage`",
            hint="python -m posewire_selfsup_lifter project --help",
        ) from error


def _from_arrays(stored: dict[str, Any]) -> MultiView2D:
    if int(stored["version"]) != _VERSION:
        raise ValueError(f"version {stored['version']}, this is version {_VERSION}")
    if extra := sorted(set(stored) - _STORED):
        raise ValueError(f"unknown arrays {extra}: views hold no labels")
    extrinsics = None
    if "R_camera_world" in stored:
        extrinsics = Extrinsics(stored["R_camera_world"], stored["centre_m"], stored["scale"].item())
    joints = tuple(map(str, stored["joints"]))
    return MultiView2D(joints, stored["rays"], stored["confidence"], extrinsics, stored.get("like_real"))
