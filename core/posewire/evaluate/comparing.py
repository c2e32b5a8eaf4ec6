"""The comparison itself: every motion of every prediction against the reference, on the 12 limb joints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from posewire import metrics
from posewire.data import FloatArray
from posewire.errors import TakeError
from posewire.evaluate.motions import LIMB_BONES, LIMB_JOINTS, ROOT, Motion, Prediction, Reference, at_times
from posewire.evaluate.report import NAN, EvalReport, EvalRow


def evaluate(predictions: Prediction | Sequence[Prediction], reference: Reference, *, by_index: bool = False) -> EvalReport:
    """Compares on the 12 limb joints, frame by frame by media time.

    The constant pose is the mean root-relative pose of the reference: what somebody scores who knows the person and sees nothing.

    Args:
        predictions: One or several takes; with several, their names precede the names of their motions.
        reference: The motion that counts as true.
        by_index: Takes frame i of a prediction for frame i of the reference, whatever its time says.

    Raises:
        TakeError: a prediction and the reference have no instant in common.
    """
    many = [predictions] if isinstance(predictions, Prediction) else list(predictions)
    rows: list[EvalRow] = []
    for prediction in many:
        prefix = "" if len(many) == 1 else f"{prediction.name}: "
        motions = [_by_index(motion, reference) if by_index else motion for motion in prediction.motions]
        rows += [_row(motion, reference, prefix + motion.name) for motion in motions]
    rows += [_row(_constant_pose(reference), reference, "constant pose"), _reference_row(reference)]
    return EvalReport(reference.name, reference.view, tuple(rows))


def _by_index(motion: Motion, reference: Reference) -> Motion:
    """The motion on the reference's clock; what is longer than the reference is cut off."""
    time_s = reference.motion.time_s[: len(motion.time_s)]
    return replace(motion, time_s=time_s, positions_m=motion.positions_m[: len(time_s)])


def _constant_pose(reference: Reference) -> Motion:
    true_m = metrics.root_relative(reference.motion.limbs_m(), ROOT)
    mean_m = np.nansum(true_m, axis=0) / np.maximum(np.isfinite(true_m).sum(axis=0), 1)
    return Motion("constant pose", reference.motion.time_s, LIMB_JOINTS, np.broadcast_to(mean_m, true_m.shape))


def _reference_row(reference: Reference) -> EvalRow:
    limbs_m, time_s = reference.motion.limbs_m(), reference.motion.time_s
    return EvalRow(
        "reference",
        len(time_s),
        seen_percent=100.0,
        acceleration_m_s2=metrics.mean_acceleration_m_s2(metrics.centred(limbs_m), time_s),
        acceleration_as_given_m_s2=metrics.mean_acceleration_m_s2(limbs_m, time_s),
        bone_length_std_mm=1e3 * metrics.bone_length_std_m(limbs_m, LIMB_BONES),
    )


def _row(motion: Motion, reference: Reference, name: str) -> EvalRow:
    time_s = reference.motion.time_s
    true_m, said_m = reference.motion.limbs_m(), at_times(motion, time_s)
    frames = int(np.isfinite(said_m).any(axis=(1, 2)).sum())
    if frames == 0:
        raise TakeError(
            f"{motion.name} and the reference have no instant in common.",
            got=_span(motion.time_s),
            allowed=_span(time_s),
            hint="compare the clip that the reference was made from",
        )
    root_said_m, root_true_m = metrics.root_relative(said_m, ROOT), metrics.root_relative(true_m, ROOT)
    aligned_m = metrics.aligned(said_m, true_m)
    curve = metrics.pck_curve(metrics.joint_errors_m(root_said_m, root_true_m), metrics.seen_points(true_m))
    own_m, own_s = _within(motion, time_s)
    return EvalRow(
        name,
        frames,
        seen_percent=100 * metrics.seen_fraction(said_m, true_m),
        pa_mpjpe_mm=1e3 * metrics.mpjpe_m(aligned_m, true_m),
        n_mpjpe_mm=1e3 * metrics.n_mpjpe_m(root_said_m, root_true_m),
        mpjpe_mm=1e3 * metrics.mpjpe_m(root_said_m, root_true_m),
        pck150_percent=100 * metrics.pck_3d(root_said_m, root_true_m),
        auc_percent=100 * metrics.auc_3d(root_said_m, root_true_m),
        acceleration_m_s2=metrics.mean_acceleration_m_s2(metrics.centred(own_m), own_s),
        acceleration_as_given_m_s2=metrics.mean_acceleration_m_s2(own_m, own_s),
        bone_length_std_mm=1e3 * metrics.bone_length_std_m(own_m, LIMB_BONES),
        delay_frames=_delay_frames(root_said_m, root_true_m, time_s),
        pa_mpjpe_mm_of_joint=dict(zip(LIMB_JOINTS, _joint_means_mm(aligned_m, true_m), strict=True)),
        pck_percent_at_mm={round(1e3 * mm): 100 * float(pck) for mm, pck in zip(metrics.AUC_THRESHOLDS_M, curve, strict=True)},
    )


def _within(motion: Motion, time_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Limbs and times of the motion's own frames, at its own rate, over the span of `time_s`: jitter must not be resampled."""
    inside = (motion.time_s >= time_s[0] - 1e-3) & (motion.time_s <= time_s[-1] + 1e-3)
    return motion.limbs_m()[inside], motion.time_s[inside]


def _joint_means_mm(said_m: FloatArray, true_m: FloatArray) -> Iterator[float]:
    for joint in range(len(LIMB_JOINTS)):
        yield 1e3 * metrics.mpjpe_m(said_m[:, joint], true_m[:, joint])


def _delay_frames(said_m: FloatArray, true_m: FloatArray, time_s: FloatArray) -> float:
    return metrics.delay_s(said_m, true_m, time_s) / float(np.median(np.diff(time_s))) if len(time_s) > 1 else NAN


def _span(time_s: FloatArray) -> str:
    return f"{time_s.min():.3f} to {time_s.max():.3f} s" if len(time_s) else "no frame"
