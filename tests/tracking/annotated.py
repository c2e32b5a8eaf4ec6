"""Who is really where in a recording, as the MOT challenge writes it down (Leal-Taixe et al. 2015, section 4.2).

A line a box: frame (from 1), person, left, top, width, height, counted (0 or 1), class, share that is visible. Only the first
six are needed. Frames between two lines of a person are interpolated, so that a few frames a second are enough.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posewire.data import FloatArray
from posewire.errors import SettingsError
from posewire.evaluate.identity.compositing import Truth

_FRAME, _PERSON, _BOX, _COUNTED, _VISIBLE = 0, 1, slice(2, 6), 6, 8
_FORM = "lines of frame,person,left,top,width,height,..."


def read_truth(path: Path, frame_count: int) -> list[Truth]:
    """Who is in each of the first frames.

    Raises:
        SettingsError: the file is not there, or holds something else.
    """
    try:
        rows = np.array([line.split(",") for line in path.read_text(encoding="utf-8").split()], dtype=np.float64)
    except (OSError, ValueError) as error:
        raise SettingsError("The annotation cannot be read.", got=str(path), allowed=_FORM) from error
    if rows.ndim != 2 or rows.shape[1] < _BOX.stop:
        raise SettingsError("The annotation holds no boxes.", got=str(path), allowed=_FORM)
    if rows.shape[1] > _COUNTED:
        rows = rows[rows[:, _COUNTED] != 0]
    if not len(rows):
        raise SettingsError("The annotation counts nobody.", got=str(path), allowed="a line whose seventh number is not 0")
    people = [_interpolated(rows[rows[:, _PERSON] == person], frame_count) for person in np.unique(rows[:, _PERSON])]
    boxes_px, visible = (np.stack(part, axis=1) for part in zip(*people, strict=True))  # (T, A, 4), (T, A)
    return [Truth(boxes, shares) for boxes, shares in zip(boxes_px, visible, strict=True)]


def _interpolated(rows: FloatArray, frame_count: int) -> tuple[FloatArray, FloatArray]:
    """Boxes (T, 4) x0 y0 x1 y1 and visibility (T,) of a person; NaN and 0 before the first line and after the last."""
    rows = rows[np.argsort(rows[:, _FRAME])]
    frames = np.arange(1, frame_count + 1)

    def at_frames(values: FloatArray, outside: float) -> FloatArray:
        return np.interp(frames, rows[:, _FRAME], values, left=outside, right=outside)

    left, top, width, height = (at_frames(side, np.nan) for side in rows[:, _BOX].T)
    shares = rows[:, _VISIBLE] if rows.shape[1] > _VISIBLE else np.ones(len(rows))
    return np.stack([left, top, left + width, top + height], axis=1), at_frames(shares, 0.0)
