"""Motion made by hand: a person who stands, turns and waves, on the universal skeleton."""

from __future__ import annotations

import numpy as np
import pytest

from posewire_data.joints import JOINTS

_STANDING_M: dict[str, tuple[float, float, float]] = {
    "pelvis": (0.0, 0.95, 0.0),
    "right_hip": (-0.09, 0.95, 0.0),
    "right_knee": (-0.09, 0.53, 0.02),
    "right_ankle": (-0.09, 0.09, 0.0),
    "left_hip": (0.09, 0.95, 0.0),
    "left_knee": (0.09, 0.53, 0.02),
    "left_ankle": (0.09, 0.09, 0.0),
    "chest": (0.0, 1.2, 0.0),
    "neck": (0.0, 1.46, 0.0),
    "nose": (0.0, 1.58, 0.11),
    "head_top": (0.0, 1.75, 0.0),
    "left_shoulder": (0.18, 1.42, 0.0),
    "left_elbow": (0.2, 1.13, 0.0),
    "left_wrist": (0.22, 0.9, 0.05),
    "right_shoulder": (-0.18, 1.42, 0.0),
    "right_elbow": (-0.2, 1.13, 0.0),
    "right_wrist": (-0.22, 0.9, 0.05),
}


def _waving(frames: int) -> np.ndarray:
    positions = np.tile(np.array([_STANDING_M[name] for name in JOINTS]), (frames, 1, 1))
    phase = np.linspace(0.0, 2 * np.pi, frames)
    wrist = JOINTS.index("left_wrist")
    positions[:, wrist, 0] += 0.2 + 0.2 * np.sin(phase)
    positions[:, wrist, 1] += 0.5
    c, s = np.cos(0.3 * phase), np.sin(0.3 * phase)
    turn = np.stack([np.stack([c, 0 * c, s], -1), np.stack([0 * c, 0 * c + 1, 0 * c], -1), np.stack([-s, 0 * c, c], -1)], axis=1)
    return positions @ np.swapaxes(turn, 1, 2)


@pytest.fixture
def waving_m() -> np.ndarray:
    """(60, 17, 3) metres, +Y up."""
    return _waving(60)


@pytest.fixture
def standing_m() -> np.ndarray:
    """(17, 3) metres, facing +Z, the person's left = +X."""
    return np.array([_STANDING_M[name] for name in JOINTS])
