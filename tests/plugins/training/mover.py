"""People made by hand who move every limb: motion for tests, nobody's recording."""

from __future__ import annotations

import numpy as np

from posewire_data.joints import JOINTS, PARENTS
from posewire_data.motion import Clip, MotionSet

_BONE_M = {
    **{f"{side}_{part}": bone for side, sign in (("left", 1), ("right", -1)) for part, bone in {
        "hip": (0.1 * sign, 0.0, 0.0),
        "knee": (0.0, -0.42, 0.0),
        "ankle": (0.0, -0.42, 0.0),
        "shoulder": (0.17 * sign, -0.05, 0.0),
        "elbow": (0.1 * sign, -0.25, 0.0),
        "wrist": (0.0, -0.25, 0.05),
    }.items()},
    "chest": (0.0, 0.25, 0.0),
    "neck": (0.0, 0.25, 0.0),
    "nose": (0.0, 0.12, 0.1),
    "head_top": (0.0, 0.28, 0.0),
}  # fmt: skip


def moving(subject: str = "1", frames: int = 200, seed: int = 0, split: str = "train") -> MotionSet:
    """One clip (frames, 17, 3) at 60 Hz: smooth random turns of every bone, the pelvis one metre above the floor."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(frames)[:, None] / 60.0
    positions = np.zeros((frames, len(JOINTS), 3))
    positions[:, 0] = [0.0, 1.0, 0.0]
    heading = rng.uniform(0, 6) + 0.5 * time_s[:, 0]
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            swing = (
                0.4
                * np.sin(rng.uniform(1, 4, 3) * time_s + rng.uniform(0, 6, 3))
                * (JOINTS[joint] not in ("left_hip", "right_hip"))
            )
            bone = _turned(np.broadcast_to(_BONE_M[JOINTS[joint]], (frames, 3)), swing)
            positions[:, joint] = positions[:, parent] + _about_y(bone, heading)
    return MotionSet(split, (Clip(f"made {subject}", "made_up", subject, "move", 60.0, positions.astype(np.float32)),))  # type: ignore[arg-type]


def _turned(bone: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Bones (F, 3) turned by small angles (F, 3): Rodrigues' formula."""
    angle = np.linalg.norm(angles, axis=1, keepdims=True) + 1e-12
    axis = angles / angle
    along = axis * (axis * bone).sum(axis=1, keepdims=True)
    return along + np.cos(angle) * (bone - along) + np.sin(angle) * np.cross(axis, bone)


def _about_y(bone: np.ndarray, angle: np.ndarray) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * bone[:, 0] + s * bone[:, 2], bone[:, 1], c * bone[:, 2] - s * bone[:, 0]], axis=1)


def crowd() -> MotionSet:
    """Three subjects, among them those that posewire_vae_lifter.train keeps for validation."""
    return MotionSet("train", tuple(clip for i, name in enumerate(("1", "10", "12")) for clip in moving(name, 120, i).clips))
