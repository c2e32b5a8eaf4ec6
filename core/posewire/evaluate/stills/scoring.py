"""PCK in the picture: joints within a share of the torso, or of the box (Yang and Ramanan 2013; Johnson and Everingham 2011)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from posewire.data import FloatArray
from posewire.evaluate.motions import LIMB_JOINTS
from posewire.evaluate.stills.report import NAN, StillsReport
from posewire.metrics import seen_points
from posewire.metrics.missing import BoolArray

SHARE = 0.2
_DIAGONALS = (("left_shoulder", "right_hip"), ("right_shoulder", "left_hip"))
"""The torso's length, the first one that can be seen."""


def score(
    method: str,
    boxes: str,
    joint_names: tuple[str, ...],
    card_joints: tuple[str, ...],
    pairs: Iterable[tuple[FloatArray, FloatArray]],
) -> StillsReport:
    """Scores said and true points.

    Args:
        method, boxes: For the report.
        joint_names: J of the labels.
        card_joints: What the method has at all: other joints do not count.
        pairs: For each picture said and true points (J, 2); NaN = missing, or not visible.

    Returns:
        Pictures without a visible torso are left out; somebody who was not found is wrong in every joint.
    """
    said_px, true_px = (np.stack(side) for side in zip(*pairs, strict=True))  # (F, J, 2)
    torso_px = torsos_px(true_px, joint_names)
    counted = np.isfinite(torso_px)
    said_px, true_px, torso_px = said_px[counted], true_px[counted], torso_px[counted]
    far_px = np.linalg.norm(said_px - true_px, axis=-1)  # (F, J)
    has = np.isin(joint_names, card_joints)
    visible = seen_points(true_px) & has
    by_torso, by_box = far_px <= SHARE * torso_px[:, None], far_px <= SHARE * _box_sides_px(true_px)[:, None]
    limbs = np.isin(joint_names, LIMB_JOINTS)
    found = np.logical_or.reduce(seen_points(said_px), axis=1)
    parts = dict.fromkeys(name.rsplit("_", 1)[-1] if name != "head_top" else "head" for name in joint_names)
    return StillsReport(
        method,
        boxes,
        pictures=len(said_px),
        left_out=int(np.count_nonzero(~counted)),
        found_percent=_percent(found, np.ones_like(found)),
        pck_torso_percent=_percent(by_torso, visible & limbs),
        pck_torso_found_percent=_percent(by_torso, visible & limbs & found[:, None]),
        pck_torso_all_percent=_percent(by_torso, visible) if has.all() else NAN,
        pck_box_percent=_percent(by_box, visible & limbs),
        pck_torso_percent_of={part: _percent(by_torso, visible & _of_part(part, joint_names)) for part in parts},
    )


def torsos_px(points_px: FloatArray, joint_names: tuple[str, ...]) -> FloatArray:
    """(F,) length of each torso; NaN where neither diagonal can be seen."""
    lengths = [
        np.linalg.norm(points_px[:, joint_names.index(start)] - points_px[:, joint_names.index(end)], axis=-1)
        for start, end in _DIAGONALS
    ]
    return np.where(np.isfinite(lengths[0]), *lengths)


def _box_sides_px(points_px: FloatArray) -> FloatArray:
    """(F,) longer side of the box around the visible points."""
    return np.max(np.nanmax(points_px, axis=1) - np.nanmin(points_px, axis=1), axis=-1)


def _of_part(part: str, joint_names: tuple[str, ...]) -> BoolArray:
    return np.array([part in name.split("_") for name in joint_names])


def _percent(right: BoolArray, counted: BoolArray) -> float:
    return 100 * float(right[counted].mean()) if counted.any() else NAN
