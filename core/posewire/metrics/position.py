"""Where the joints are: MPJPE and its aligned forms, 3DPCK and AUC, depth error, 2D PCK."""

from __future__ import annotations

import numpy as np

from posewire.data import FloatArray
from posewire.metrics.alignment import aligned, scaled
from posewire.metrics.missing import BoolArray, finite_mean, seen_points

PCK_THRESHOLD_M = 0.150
"""Half the size of a head (Mehta et al. 2017, MPI-INF-3DHP)."""
AUC_THRESHOLDS_M = np.arange(0, 151, 5) / 1000.0
"""0 to 150 mm in steps of 5 mm: 31 thresholds."""


def joint_errors_m(prediction_m: FloatArray, reference_m: FloatArray) -> FloatArray:
    """Distance of each joint, (..., N, 3) to (..., N); NaN where either is unseen."""
    return np.linalg.norm(prediction_m - reference_m, axis=-1)


def mpjpe_m(prediction_m: FloatArray, reference_m: FloatArray) -> float:
    """Mean per joint position error: mean |p - r|. Root-align both first (Ionescu et al. 2014, Human3.6M, eq. 8)."""
    return finite_mean(joint_errors_m(prediction_m, reference_m))


def n_mpjpe_m(prediction_m: FloatArray, reference_m: FloatArray) -> float:
    """MPJPE after the best scale of each frame (alignment.scaled); both root-relative."""
    return mpjpe_m(scaled(prediction_m, reference_m), reference_m)


def pa_mpjpe_m(prediction_m: FloatArray, reference_m: FloatArray) -> float:
    """MPJPE after the best similarity transform of each frame (alignment.aligned): "protocol 2", "P-MPJPE"."""
    return mpjpe_m(aligned(prediction_m, reference_m), reference_m)


def pck_curve(errors_m: FloatArray, annotated: BoolArray, thresholds_m: FloatArray = AUC_THRESHOLDS_M) -> FloatArray:
    """Fraction 0..1 of annotated joints with error <= threshold, for each threshold (H,). A missing joint (NaN error) is wrong.

    Args:
        errors_m: (..., N) metres; NaN = missing.
        annotated: (..., N) True where the reference has the joint.
    """
    errors = np.where(np.isfinite(errors_m), errors_m, np.inf)[annotated]
    if errors.size == 0:
        return np.full(len(thresholds_m), np.nan)
    return np.searchsorted(np.sort(errors), thresholds_m, side="right") / float(errors.size)


def pck_3d(prediction_m: FloatArray, reference_m: FloatArray, threshold_m: float = PCK_THRESHOLD_M) -> float:
    """3DPCK: fraction 0..1 of joints within the threshold; both root-relative (Mehta et al. 2017, MPI-INF-3DHP)."""
    return float(pck_curve(joint_errors_m(prediction_m, reference_m), seen_points(reference_m), np.array([threshold_m]))[0])


def auc_3d(prediction_m: FloatArray, reference_m: FloatArray) -> float:
    """Mean of 3DPCK, 0..1, over the thresholds 0, 5, ..., 150 mm; both root-relative (Mehta et al. 2017)."""
    return float(pck_curve(joint_errors_m(prediction_m, reference_m), seen_points(reference_m)).mean())


def depth_error_m(prediction_m: FloatArray, reference_m: FloatArray) -> float:
    """Mean |z_p - z_r| in camera axes (..., 3): of joints for the pose's own depth, of roots for the distance to the camera."""
    return finite_mean(np.abs(prediction_m[..., 2] - reference_m[..., 2]))


def pck_2d(prediction_px: FloatArray, reference_px: FloatArray, boxes_px: FloatArray, fraction: float = 0.2) -> float:
    """PCK: fraction 0..1 of keypoints (..., N, 2) within `fraction` of the longer side of the person's box (..., 4).

    Source: Yang and Ramanan 2013 (PAMI), "Articulated human detection with flexible mixtures of parts", sec. 6.
    """
    side_px = np.maximum(boxes_px[..., 2] - boxes_px[..., 0], boxes_px[..., 3] - boxes_px[..., 1])
    relative = np.linalg.norm(prediction_px - reference_px, axis=-1) / side_px[..., None]
    return float(pck_curve(relative, seen_points(reference_px), np.array([fraction]))[0])


def seen_fraction(prediction_m: FloatArray, reference_m: FloatArray) -> float:
    """Fraction 0..1 of annotated joints that the prediction has at all; stands beside every distance."""
    annotated = seen_points(reference_m)
    return float(seen_points(prediction_m)[annotated].mean()) if annotated.any() else float("nan")
