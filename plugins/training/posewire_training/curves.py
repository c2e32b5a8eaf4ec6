"""What a run learned, step by step: curves.csv, and the same as a picture. Drawn with OpenCV: no plotting library."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from posewire.data import FloatArray, ImageArray
from posewire.errors import ModelError

_WIDTH, _HEIGHT, _MARGIN = 420, 280, 45
_COLUMNS = 3
_INK, _LINE, _GRID = (40, 40, 40), (170, 110, 30), (225, 225, 225)
"""BGR"""


class Curves:
    """A CSV file that grows: the column `step`, then one column a score. The first line that is written decides the columns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def forget_after(self, step: int) -> None:
        """Drops what a run wrote beyond the checkpoint from which it is continued, and half a line, if it was killed at one."""
        if not self._path.exists():
            return
        with self._path.open(newline="", encoding="utf-8") as stream:
            header, *rows = list(csv.reader(stream)) or [[]]
        beside = self._path.with_suffix(".new")
        with beside.open("w", newline="", encoding="utf-8") as stream:
            kept = (row for row in rows if len(row) == len(header) and int(row[0]) <= step)
            csv.writer(stream).writerows([header, *kept] if header else [])
        beside.replace(self._path)

    def add(self, step: int, scores: Mapping[str, float]) -> None:
        """Appends a line."""
        new = not self._path.exists() or not self._path.stat().st_size
        with self._path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            if new:
                writer.writerow(["step", *scores])
            writer.writerow([step, *(f"{value:.6g}" for value in scores.values())])


def read(path: Path) -> dict[str, FloatArray]:
    """The columns of a curves.csv by name.

    Raises:
        ModelError: the file is missing or is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            header, *rows = list(csv.reader(stream))
        values = np.array([[float(cell) for cell in row] for row in rows]).reshape(len(rows), len(header))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} holds no curves.", got=error, allowed="a curves.csv that posewire_training wrote") from error
    return {name: values[:, column] for column, name in enumerate(header)}


def plot(path: Path, picture: Path) -> None:
    """Draws every column of a curves.csv over the steps, one panel each."""
    table = read(path)
    steps = table.pop("step")
    panels = [_panel(name, steps, values) for name, values in table.items()]
    panels += [np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)] * (-len(panels) % _COLUMNS)
    rows = [np.concatenate(panels[first : first + _COLUMNS], axis=1) for first in range(0, len(panels), _COLUMNS)]
    _, png = cv2.imencode(".png", np.concatenate(rows))
    picture.write_bytes(png.tobytes())  # cv2.imwrite cannot write to every path of Windows


def _panel(name: str, steps: FloatArray, values: FloatArray) -> ImageArray:
    panel = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    _write(panel, name, (_MARGIN, 22), 0.5)
    good = np.isfinite(values)
    if not good.any():
        return panel
    low, high = float(values[good].min()), float(values[good].max())
    span, last = max(high - low, 1e-9), max(float(steps[-1]), 1.0)
    for part in (0.0, 0.5, 1.0):
        y = round(_HEIGHT - _MARGIN - part * (_HEIGHT - 2 * _MARGIN))
        cv2.line(panel, (_MARGIN, y), (_WIDTH - 10, y), _GRID, 1)
        _write(panel, f"{low + part * span:.3g}", (2, y + 4), 0.35)
    x = _MARGIN + steps[good] / last * (_WIDTH - _MARGIN - 10)
    y = _HEIGHT - _MARGIN - (values[good] - low) / span * (_HEIGHT - 2 * _MARGIN)
    points = np.stack([x, y], axis=-1).round().astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(panel, [points], isClosed=False, color=_LINE, thickness=2, lineType=cv2.LINE_AA)
    _write(panel, f"{last:.0f} steps", (_WIDTH - 100, _HEIGHT - _MARGIN + 20), 0.35)
    return panel


def _write(panel: ImageArray, text: str, at: tuple[int, int], scale: float) -> None:
    cv2.putText(panel, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA)
