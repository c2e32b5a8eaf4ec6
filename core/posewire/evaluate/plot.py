"""The report as one picture: bars of each joint's error beside the 3DPCK curves. Drawn with OpenCV: no plotting library."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import cv2
import numpy as np

from posewire.data import ImageArray
from posewire.errors import TakeError
from posewire.evaluate.motions import LIMB_JOINTS
from posewire.evaluate.report import EvalReport, EvalRow

_WIDTH, _HEIGHT, _MARGIN = 720, 480, 60
_INK, _GRID = (40, 40, 40), (225, 225, 225)
_COLOURS = ((60, 80, 200), (170, 110, 30), (150, 150, 150), (60, 150, 70), (150, 60, 150), (30, 150, 200))
"""BGR, repeated for more rows."""


def plot(report: EvalReport, path: Path) -> None:
    """Writes a PNG: PA-MPJPE of each joint (left) and 3DPCK over the threshold (right), one colour for each motion.

    Raises:
        TakeError: the file cannot be written.
    """
    rows = [row for row in report.rows if row.pa_mpjpe_mm_of_joint]
    picture = np.concatenate([_bars(rows), _curves(rows)], axis=1)
    encoded, png = cv2.imencode(".png", picture)
    try:
        if not encoded:
            raise OSError("the picture could not be encoded")
        path.write_bytes(png.tobytes())
    except OSError as error:
        raise TakeError(f"{path} cannot be written.", got=error, allowed="a file name in an existing folder") from error


def round_top(value: float) -> float:
    """At least `value`, and four steps of a round number, which the grid's lines stand for; value >= 1."""
    steps = (digit * 10**power for power in count() for digit in (0.5, 1, 1.5, 2, 2.5, 3, 4))
    return next(4.0 * step for step in steps if 4.0 * step >= value)


def _panel(title: str) -> ImageArray:
    panel = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    _write(panel, title, (_MARGIN, 30), scale=0.6)
    return panel


def _bars(rows: list[EvalRow]) -> ImageArray:
    """Grouped bars, a group for each joint."""
    panel = _panel("PA-MPJPE of each joint, mm")
    top_mm = round_top(max([1.0, *(mm for row in rows for mm in row.pa_mpjpe_mm_of_joint.values() if np.isfinite(mm))]))
    _grid(panel, top_mm)
    joints = list(dict.fromkeys(joint for row in rows for joint in row.pa_mpjpe_mm_of_joint))
    group = (_WIDTH - 2 * _MARGIN) / max(len(joints), 1)
    for j, joint in enumerate(joints):
        left = _MARGIN + j * group
        for r, row in enumerate(rows):
            value = row.pa_mpjpe_mm_of_joint.get(joint, np.nan)
            if np.isfinite(value):
                x0, x1 = (round(left + group * (0.1 + 0.8 * k / len(rows))) for k in (r, r + 1))
                cv2.rectangle(panel, (x0, _y(value / top_mm)), (x1, _y(0.0)), _COLOURS[r % len(_COLOURS)], cv2.FILLED)
        side, _, name = joint.rpartition("_")
        scale = 0.35 if len(joints) <= len(LIMB_JOINTS) else 0.27
        _write(panel, side, (round(left), _HEIGHT - _MARGIN + 18), scale)
        _write(panel, name, (round(left), _HEIGHT - _MARGIN + 34), scale)
    return panel


def _curves(rows: list[EvalRow]) -> ImageArray:
    """3DPCK in percent over the threshold in mm, with the legend."""
    panel = _panel("3DPCK, %, over the threshold, mm")
    _grid(panel, 100.0)
    for r, row in enumerate(rows):
        colour = _COLOURS[r % len(_COLOURS)]
        points = [(_x(mm / 150), _y(percent / 100)) for mm, percent in row.pck_percent_at_mm.items() if np.isfinite(percent)]
        cv2.polylines(
            panel, [np.array(points, np.int32).reshape(-1, 1, 2)], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA
        )
        _write(panel, f"{row.name} (AUC {row.auc_percent:.1f})", (_MARGIN + 15, 70 + 20 * r), scale=0.45, colour=colour)
    for mm in range(0, 151, 25):
        _write(panel, str(mm), (_x(mm / 150) - 10, _HEIGHT - _MARGIN + 20), scale=0.4)
    return panel


def _grid(panel: ImageArray, top: float) -> None:
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        cv2.line(panel, (_x(0.0), _y(part)), (_x(1.0), _y(part)), _GRID if part else _INK, 1)
        _write(panel, f"{part * top:g}", (12, _y(part) + 5), scale=0.4)


def _x(part: float) -> int:
    return round(_MARGIN + part * (_WIDTH - 2 * _MARGIN))


def _y(part: float) -> int:
    return round(_HEIGHT - _MARGIN - part * (_HEIGHT - 2 * _MARGIN))


def _write(panel: ImageArray, text: str, at: tuple[int, int], scale: float, colour: tuple[int, int, int] = _INK) -> None:
    text = text.encode(errors="replace").decode()  # of a file name that is no UTF-8 OpenCV would crash
    cv2.putText(panel, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
