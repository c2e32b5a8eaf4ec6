"""A person made by hand who walks in a circle and swings the arms: motion for tests, nobody's recording."""

from __future__ import annotations

import numpy as np

from posewire_data.joints import JOINTS
from posewire_data.motion import Clip, MotionSet

_HALF = {
    "hip": (0.12, 0.95),
    "knee": (0.12, 0.5),
    "ankle": (0.12, 0.08),
    "shoulder": (0.18, 1.45),
    "elbow": (0.22, 1.18),
    "wrist": (0.24, 0.93),
}
_MIDDLE = {"pelvis": 0.95, "chest": 1.2, "neck": 1.45, "nose": 1.6, "head_top": 1.75}
_SWING = {"knee": 0.5, "ankle": 1.0, "elbow": -0.4, "wrist": -0.9}


def walking(frames=120, rate_hz=30.0):
    """A MotionSet of one clip (frames, 17, 3)."""
    phase = 2 * np.pi * np.arange(frames) / rate_hz
    body = np.stack([_joint(name, phase) for name in JOINTS], axis=1)  # facing +Z
    heading = phase / 4
    c, s = np.cos(heading)[:, None], np.sin(heading)[:, None]
    turned = np.stack([c * body[..., 0] + s * body[..., 2], body[..., 1], c * body[..., 2] - s * body[..., 0]], axis=-1)
    path = np.stack([np.sin(heading), np.zeros(frames), np.cos(heading)], axis=-1)[:, None]
    clip = Clip("made_up", "made_up", "nobody", "walk", rate_hz, (turned + path).astype(np.float32))
    return MotionSet("train", (clip,))


def _joint(name, phase):
    """(F, 3)"""
    side, _, part = name.partition("_")
    if part not in _HALF:
        x, y, ahead = 0.0, _MIDDLE[name], 0.1 if name == "nose" else 0.0
        return np.stack([np.full_like(phase, x), np.full_like(phase, y), np.full_like(phase, ahead)], axis=-1)
    x, y = _HALF[part]
    sign = 1.0 if side == "left" else -1.0
    swing = 0.3 * _SWING.get(part, 0.0) * np.sin(phase) * sign
    bend = 0.08 if part == "knee" else 0.0  # knees point forwards: a body has a front
    return np.stack([np.full_like(phase, sign * x), y + 0.05 * swing**2, swing + bend], axis=-1)
