"""Several people: who of the prediction is who of the reference in a frame, and the score over all or over the matched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from posewire.data import FloatArray
from posewire.metrics.missing import finite_mean, seen_points
from posewire.metrics.position import PCK_THRESHOLD_M, joint_errors_m, pck_curve

_FORBIDDEN = 1e9


@dataclass(frozen=True, slots=True)
class PeopleScore:
    """MuPoTS-3D's two ways of counting (Mehta et al. 2018, "Single-shot multi-person 3D pose estimation", sec. 5)."""

    pck_matched_only: float
    """3DPCK 0..1 over the annotated people that were matched."""
    pck_all_annotated: float
    """3DPCK 0..1 over everybody annotated; all joints of somebody not matched are wrong."""
    matched_fraction: float
    """Annotated people that were matched, 0..1."""
    mpjpe_matched_m: float
    """MPJPE over the matched people."""


def match_people(prediction_px: FloatArray, reference_px: FloatArray, gate_px: float) -> NDArray[np.int64]:
    """For each annotated person (L, N, 2) the row of the prediction (K, N, 2), or -1: the least mean keypoint distance in total.

    Mean over the keypoints seen in both; a pair farther than `gate_px`, or without a common keypoint, is no match.
    """
    matches = np.full(len(reference_px), -1, dtype=np.int64)
    if len(prediction_px) == 0 or len(reference_px) == 0:
        return matches
    distance = np.linalg.norm(reference_px[:, None] - prediction_px[None], axis=-1)  # (L, K, N)
    seen = np.isfinite(distance)
    mean = np.where(seen, distance, 0.0).sum(axis=-1) / np.maximum(seen.sum(axis=-1), 1)
    mean = np.where(seen.any(axis=-1) & (mean <= gate_px), mean, _FORBIDDEN)
    rows, columns = linear_sum_assignment(mean)
    near = mean[rows, columns] < _FORBIDDEN
    matches[rows[near]] = columns[near]
    return matches


def score_people(
    prediction_m: FloatArray, reference_m: FloatArray, matches: NDArray[np.int64], threshold_m: float = PCK_THRESHOLD_M
) -> PeopleScore:
    """Scores people of one or many frames: reference (L, N, 3), prediction (K, N, 3), both root-relative, `matches` (L,).

    For a sequence, stack the people of all frames along L and K and add each frame's offset to its matches.
    """
    found = matches >= 0
    chosen = np.full_like(reference_m, np.nan)
    chosen[found] = prediction_m[matches[found]]
    annotated = seen_points(reference_m)
    errors = joint_errors_m(chosen, reference_m)
    threshold = np.array([threshold_m])
    return PeopleScore(
        pck_matched_only=float(pck_curve(errors[found], annotated[found], threshold)[0]),
        pck_all_annotated=float(pck_curve(errors, annotated, threshold)[0]),
        matched_fraction=float(found.mean()) if len(found) else float("nan"),
        mpjpe_matched_m=finite_mean(errors),
    )
