"""A standing person for lifters, made by hand: 1.75 m, three metres before the camera, swaying a little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from posewire import camera
from posewire.data import FloatArray
from posewire.methods import Lifter, SamplingLifter

CAMERA = camera.assumed(1280, 720)
FPS = 30.0

_HALF: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "eye": (0.03, 1.66, 0.09),
        "eye_inner": (0.02, 1.66, 0.09),
        "eye_outer": (0.05, 1.66, 0.08),
        "ear": (0.07, 1.63, 0.0),
        "mouth": (0.02, 1.56, 0.09),
        "clavicle": (0.03, 1.44, 0.0),
        "shoulder": (0.19, 1.43, 0.0),
        "elbow": (0.30, 1.17, -0.02),
        "wrist": (0.36, 0.93, 0.05),
        "hand": (0.37, 0.85, 0.07),
        "thumb": (0.34, 0.87, 0.1),
        "index": (0.37, 0.80, 0.1),
        "pinky": (0.39, 0.81, 0.06),
        "hip": (0.10, 0.93, 0.0),
        "knee": (0.12, 0.51, 0.02),
        "ankle": (0.13, 0.09, 0.0),
        "heel": (0.13, 0.03, -0.05),
        "toe": (0.15, 0.02, 0.17),
        "foot_index": (0.15, 0.02, 0.17),
    }
)
_MIDDLE: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "pelvis": (0.0, 0.95, 0.0),
        "root": (0.0, 0.95, 0.0),
        "hip": (0.0, 0.95, 0.0),
        "spine": (0.0, 1.08, -0.01),
        "chest": (0.0, 1.25, -0.02),
        "thorax": (0.0, 1.42, 0.0),
        "neck": (0.0, 1.48, 0.0),
        "nose": (0.0, 1.62, 0.11),
        "head": (0.0, 1.58, 0.02),
        "head_top": (0.0, 1.75, 0.0),
    }
)
"""Points by name: metres, x to the person's left, y up, z to the front. `left_` and `right_` names are halves."""


def person_m(joints: tuple[str, ...], frames: int) -> FloatArray:
    """(T, J, 3) keypoints in camera axes, metres; a name that is not known here gets a place of its own in the body."""
    rest = np.array([_place(name, number) for number, name in enumerate(joints)])  # (J, 3)
    sway_rad = 0.15 * np.sin(2 * np.pi * np.arange(frames) / FPS)[:, None]  # (T, 1)
    x = rest[:, 0] * np.cos(sway_rad) + rest[:, 2] * np.sin(sway_rad)
    z = rest[:, 2] * np.cos(sway_rad) - rest[:, 0] * np.sin(sway_rad)
    y = np.broadcast_to(rest[:, 1], x.shape)
    return np.stack([x, 0.9 - y, 3.0 - z], axis=-1)  # the person faces the camera: its left is the picture's right


def _place(name: str, number: int) -> tuple[float, float, float]:
    side, _, part = name.partition("_")
    if side in ("left", "right") and part in _HALF:
        x, y, z = _HALF[part]
        return (x if side == "left" else -x, y, z)
    unknown = np.random.default_rng(number).uniform([-0.2, 0.6, -0.1], [0.2, 1.5, 0.1])
    return _MIDDLE.get(name, (float(unknown[0]), float(unknown[1]), float(unknown[2])))


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What a lifter gets of one person."""

    keypoints_px: FloatArray
    """(T, J, 2) pixels; NaN = unseen."""
    confidence: FloatArray
    """(T, J) 0..1."""
    time_s: FloatArray
    """(T,)"""

    def lifted_by(self, lifter: Lifter) -> FloatArray:
        """The lifter's answer (J, 3), metres."""
        return lifter.lift(self.keypoints_px, self.confidence, self.time_s, CAMERA)

    def sampled_by(self, lifter: SamplingLifter, count: int) -> FloatArray:
        """The lifter's hypotheses (count, J, 3), metres."""
        return lifter.sample(self.keypoints_px, self.confidence, self.time_s, CAMERA, count)

    def moved(self, scale: float, shift_px: float) -> Window:
        """Somebody else: the keypoints in reverse order, scaled and shifted."""
        return replace(self, keypoints_px=self.keypoints_px[:, ::-1] * scale + shift_px)

    def with_unseen(self, unseen: NDArray[np.bool_]) -> Window:
        """The same person with the keypoints `unseen` (T, J) hidden."""
        keypoints_px = np.where(unseen[..., None], np.nan, self.keypoints_px)
        return replace(self, keypoints_px=keypoints_px, confidence=np.where(unseen, 0.0, self.confidence))


def window(joints: tuple[str, ...], frames: int) -> Window:
    """The standing person as a lifter sees it: T = `frames`, every keypoint seen."""
    keypoints_px = camera.project(person_m(joints, frames), CAMERA)
    return Window(keypoints_px, np.full(keypoints_px.shape[:2], 0.9), np.arange(frames) / FPS)
