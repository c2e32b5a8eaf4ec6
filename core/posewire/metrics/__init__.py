"""How far a motion is from a reference: position, motion, picture and people. docs/METRICS.md has every definition.

Arrays (..., N, 3) are metres; N is the joints that both name, in one order. A joint with NaN in the *reference* is not annotated
and never counts. A joint with NaN in the *prediction* is missing: distances leave it out (report `seen_fraction` beside them),
and the PCK family counts it as wrong, so that leaving hard joints away cannot win.
"""

from posewire.metrics.alignment import aligned, centred, root_relative, scaled
from posewire.metrics.delay import delay_s
from posewire.metrics.missing import seen_points
from posewire.metrics.motion import (
    acceleration_error_m_s2,
    accelerations_m_s2,
    bone_length_std_m,
    contact_f1,
    mean_acceleration_m_s2,
    slide_speeds_m_s,
)
from posewire.metrics.people import PeopleScore, match_people, score_people
from posewire.metrics.position import (
    AUC_THRESHOLDS_M,
    PCK_THRESHOLD_M,
    auc_3d,
    depth_error_m,
    joint_errors_m,
    mpjpe_m,
    n_mpjpe_m,
    pa_mpjpe_m,
    pck_2d,
    pck_3d,
    pck_curve,
    seen_fraction,
)

__all__ = [
    "AUC_THRESHOLDS_M",
    "PCK_THRESHOLD_M",
    "PeopleScore",
    "acceleration_error_m_s2",
    "accelerations_m_s2",
    "aligned",
    "auc_3d",
    "bone_length_std_m",
    "centred",
    "contact_f1",
    "delay_s",
    "depth_error_m",
    "joint_errors_m",
    "match_people",
    "mean_acceleration_m_s2",
    "mpjpe_m",
    "n_mpjpe_m",
    "pa_mpjpe_m",
    "pck_2d",
    "pck_3d",
    "pck_curve",
    "root_relative",
    "scaled",
    "score_people",
    "seen_fraction",
    "seen_points",
    "slide_speeds_m_s",
]
