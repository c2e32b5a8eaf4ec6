"""The keypoints of every trained lifter, in the order of its card."""

from __future__ import annotations

from posewire_data.joints import JOINTS

LIFTER_JOINTS: tuple[str, ...] = JOINTS
"""The universal skeleton: matched by name with what the estimator gives; the rest is unseen, and the lifter fills it."""
