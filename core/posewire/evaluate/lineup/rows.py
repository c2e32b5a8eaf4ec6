"""A take beside the reference as one row."""

from __future__ import annotations

import numpy as np

from posewire.data import FloatArray
from posewire.evaluate.comparing import evaluate
from posewire.evaluate.lineup.picture import pck_2d_percent
from posewire.evaluate.lineup.report import NAN, LineupRow
from posewire.evaluate.motions import Reference, nearest_rows
from posewire.evaluate.reading import prediction_of
from posewire.evaluate.report import EvalReport, EvalRow
from posewire.metrics import seen_points
from posewire.take import TakeArrays

NO_LIFTER = "none"


def row_of(
    take: TakeArrays, clip: str, method: str, lifter: str, reference: Reference, true_px: FloatArray | None
) -> tuple[LineupRow, EvalReport]:
    """The row of a take, and the whole comparison, from which the constant pose's row comes.

    Raises:
        TakeError: nobody is in the take, or it and the reference have no instant in common.
    """
    prediction = prediction_of(take, clip)
    report = evaluate(prediction, reference)
    rows = {row.name: row for row in report.rows}
    return LineupRow(
        clip,
        method,
        lifter,
        found_percent=_found_percent(take, prediction.person_id, reference),
        pck_2d_percent=NAN if true_px is None else pck_2d_percent(take, prediction.person_id, reference, true_px),
        raw=rows.get("raw"),
        fitted=rows.get("fitted"),
    ), report


def constant_row(clip: str, report: EvalReport) -> LineupRow:
    """What somebody scores who sees nothing."""
    constant: EvalRow = report.row("constant pose")
    return LineupRow(clip, "constant pose", "", NAN, NAN, constant, None)


def _found_percent(take: TakeArrays, person_id: int, reference: Reference) -> float:
    """Reference frames in which the method saw the person."""
    person = take.person_ids.tolist().index(person_id)
    rows, met = nearest_rows(take.time_s, reference.motion.time_s)
    seen = seen_points(take.keypoints_px[rows, person])  # (T, J)
    return 100 * float((np.any(seen, axis=1) & met).mean())
