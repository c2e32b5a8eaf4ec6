"""Samples to a report: one row for everything, then by activity, sequence, joint type, visibility, and of those found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from posewire import metrics
from posewire.data import FloatArray
from posewire.evaluate.poses.report import NAN, PoseReport, PoseRow
from posewire.evaluate.poses.samples import PoseSamples
from posewire.metrics.missing import BoolArray, finite_mean
from posewire_data.joints import COMMON_14, JOINT_TYPES, JOINTS

_ANKLES = (JOINTS.index("left_ankle"), JOINTS.index("right_ankle"))
_STILL_M_S = 0.10
"""An ankle that truly moves slower than this stands: what it does there is slide."""
_COMMON = np.isin(np.arange(len(JOINTS)), COMMON_14)
_BOX_FRACTION = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class _Errors:
    """Everything by sample and joint (F, 17), computed once; rows are means over parts of it. NaN = missing."""

    root_m: FloatArray
    scaled_m: FloatArray
    aligned_m: FloatArray
    depth_m: FloatArray
    picture: FloatArray
    """2D distance, as a share of the box's longer side."""
    acceleration_m_s2: FloatArray
    """Difference to the true acceleration; NaN at the ends of a stretch."""
    slide_m_s: FloatArray
    """(F, 2) horizontal speed of an ankle that truly stands; NaN elsewhere."""
    annotated: BoolArray
    annotated_px: BoolArray


def score(name: str, samples: PoseSamples) -> PoseReport:
    """The report of one lifter or method, with the row of a constant pose: the mean of the true root-relative poses."""
    errors = _errors(samples)
    everybody = np.ones(len(samples), dtype=np.bool_)
    rows = [_row("all", name, errors, everybody, over_time=True)]
    rows += _groups(samples, errors)
    rows += [_row("joint", kind, errors, everybody, _mask(joints)) for kind, joints in JOINT_TYPES.items()]
    rows += _by_visibility(samples, errors)
    constant = _errors(_constant(samples))
    rows.append(_row("constant pose", "constant pose", constant, everybody))
    return PoseReport(name, tuple(rows), _of_joint(errors.aligned_m), _curve(errors))


def _groups(samples: PoseSamples, errors: _Errors) -> Iterator[PoseRow]:
    if not samples.matched.all():
        yield _row("matched only", "matched only", errors, samples.matched, over_time=True)
    for group, labels in (("activity", samples.activities), ("sequence", samples.sequences)):
        names = sorted(set(labels.tolist()) - {""})
        yield from (_row(group, name, errors, labels == name, over_time=True) for name in names if len(names) > 1)


def _by_visibility(samples: PoseSamples, errors: _Errors) -> list[PoseRow]:
    if samples.seen.all():
        return []
    everybody = np.ones(len(samples), dtype=np.bool_)
    kinds = (("visible", samples.seen), ("occluded", ~samples.seen))
    return [_row("visibility", name, errors, everybody, mask & _COMMON) for name, mask in kinds]


def _mask(joints: tuple[int, ...]) -> BoolArray:
    return np.isin(np.arange(len(JOINTS)), joints)


def _constant(samples: PoseSamples) -> PoseSamples:
    known = np.isfinite(samples.true_m)
    mean_m = np.where(known, samples.true_m, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    said_m = np.broadcast_to(mean_m, samples.true_m.shape)
    return replace(samples, said_m=said_m, said_px=np.full_like(samples.true_px, np.nan))


def _errors(samples: PoseSamples) -> _Errors:
    said_m, true_m = samples.said_m, samples.true_m
    given = metrics.seen_points(samples.said_px).any(axis=0)  # joints that the method has at all
    return _Errors(
        root_m=metrics.joint_errors_m(said_m, true_m),
        scaled_m=metrics.joint_errors_m(metrics.scaled(said_m, true_m), true_m),
        aligned_m=metrics.joint_errors_m(metrics.aligned(said_m, true_m), true_m),
        depth_m=np.where(metrics.seen_points(said_m), np.abs(said_m[..., 2] - true_m[..., 2]), np.nan),
        picture=np.linalg.norm(samples.said_px - samples.true_px, axis=-1) / _box_sides_px(samples.true_px)[:, None],
        acceleration_m_s2=_acceleration_errors(samples),
        slide_m_s=_slides(samples),
        annotated=metrics.seen_points(true_m),
        annotated_px=metrics.seen_points(samples.true_px) & given,
    )


def _box_sides_px(points_px: FloatArray) -> FloatArray:
    """(F,) longer side of the box around the annotated points; NaN where there is none."""
    seen = np.isfinite(points_px)
    sides = np.where(seen, points_px, -np.inf).max(axis=1) - np.where(seen, points_px, np.inf).min(axis=1)
    longest = sides.max(axis=-1)
    return np.where(longest > 0, longest, np.nan)


def _stretches(samples: PoseSamples) -> Iterator[NDArray[np.int64]]:
    """Rows of each stretch."""
    for number in np.unique(samples.stretches):
        yield np.flatnonzero(samples.stretches == number)


def _acceleration_errors(samples: PoseSamples) -> FloatArray:
    errors = np.full(samples.said_m.shape[:2], np.nan)
    for rows in _stretches(samples):
        time_s = samples.time_s[rows]
        if len(rows) > 2:
            said, true = (metrics.accelerations_m_s2(part[rows], time_s) for part in (samples.said_m, samples.true_m))
            errors[rows[1:-1]] = np.linalg.norm(said - true, axis=-1)
    return errors


def _slides(samples: PoseSamples) -> FloatArray:
    """The said pose is put at the true root: what slides then is the pose, not the person's place."""
    slides = np.full((len(samples), len(_ANKLES)), np.nan)
    for rows in _stretches(samples):
        if len(rows) < 2:
            continue
        said, true = (_ankle_speeds_m_s(samples, part, rows) for part in (samples.said_m, samples.true_m))
        slides[rows[1:]] = np.where(true < _STILL_M_S, said, np.nan)
    return slides


def _ankle_speeds_m_s(samples: PoseSamples, poses_m: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
    """(rows - 1, 2) horizontal."""
    placed_m = poses_m[rows][:, _ANKLES] + samples.root_m[rows, None]
    world_m = np.einsum("fij,fnj->fni", samples.R_world_camera[rows], placed_m)
    step_s = np.diff(samples.time_s[rows])
    return np.linalg.norm(np.diff(world_m, axis=0)[..., [0, 2]], axis=-1) / np.where(step_s > 0, step_s, np.nan)[:, None]


def _row(
    group: str, name: str, errors: _Errors, samples: BoolArray, joints: BoolArray | None = None, *, over_time: bool = False
) -> PoseRow:
    """Means over `samples` (F,) and `joints` ((17,) or (F, 17)). Without joints: all 17, and the common 14 for PCK and AUC."""
    part = samples[:, None] & (np.ones(len(JOINTS), dtype=np.bool_) if joints is None else joints)
    counted = part & (_COMMON if joints is None else joints) & errors.annotated
    curve = metrics.pck_curve(errors.root_m, counted)
    known = part & errors.annotated
    return PoseRow(
        group,
        name,
        int(np.count_nonzero(known.any(axis=1))),
        seen_percent=100 * float(np.isfinite(errors.root_m[known]).mean()) if known.any() else NAN,
        mpjpe_mm=1e3 * finite_mean(errors.root_m[part]),
        n_mpjpe_mm=1e3 * finite_mean(errors.scaled_m[part]),
        pa_mpjpe_mm=1e3 * finite_mean(errors.aligned_m[part]),
        pck150_percent=100 * float(curve[-1]),
        auc_percent=100 * float(curve.mean()),
        depth_error_mm=1e3 * finite_mean(errors.depth_m[part]),
        pck_2d_percent=_pck_2d_percent(errors, part),
        acceleration_error_m_s2=finite_mean(errors.acceleration_m_s2[part]) if over_time else NAN,
        foot_slide_m_s=finite_mean(errors.slide_m_s[samples]) if over_time else NAN,
    )


def _pck_2d_percent(errors: _Errors, part: BoolArray) -> float:
    counted = part & errors.annotated_px
    if not np.isfinite(errors.picture[counted]).any():
        return NAN
    return 100 * float(metrics.pck_curve(errors.picture, counted, np.array([_BOX_FRACTION]))[0])


def _of_joint(aligned_m: FloatArray) -> dict[str, float]:
    return {name: 1e3 * finite_mean(aligned_m[:, j]) for j, name in enumerate(JOINTS)}


def _curve(errors: _Errors) -> dict[int, float]:
    curve = metrics.pck_curve(errors.root_m, errors.annotated & _COMMON)
    return {round(1e3 * at): 100 * float(value) for at, value in zip(metrics.AUC_THRESHOLDS_M, curve, strict=True)}
