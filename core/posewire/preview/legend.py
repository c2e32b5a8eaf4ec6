"""Who is there: a disc in each person's colour with the number that the picture's label has, in rows from the bottom up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.data import ImageArray
from posewire.preview.palette import OUTLINE, TEXT_DIM, person_colour
from posewire.preview.strokes import dot
from posewire.preview.text import put_text

ROWS = 2
"""More people are counted, not shown."""
_PITCH = 2.4
"""From disc to disc, in heights of the text."""


def height_px(text_px: int) -> int:
    """Rows of pixels that the legend takes."""
    return round(text_px * (_PITCH * ROWS + 0.8))


def draw_legend(panel: ImageArray, people: Sequence[int], text_px: int, width_px: int) -> None:
    """Draws the people's numbers into the lower left corner of the panel, at most so wide."""
    pitch = _PITCH * text_px
    columns = max(1, int((width_px - text_px) / pitch))
    places = ROWS * columns
    shown = people if len(people) <= places else people[: places - 1]
    for place, person_id in enumerate(shown):
        at = _middle_px(panel, place, columns, text_px)
        dot(panel, at, person_colour(person_id), 1.05 * text_px)
        put_text(panel, str(person_id), round(at[0]), round(at[1] - text_px / 2), text_px, OUTLINE, "centre")
    if len(shown) < len(people):
        x, y = _middle_px(panel, places - 1, columns, text_px)
        put_text(panel, f"+{len(people) - len(shown)}", round(x), round(y - text_px / 2), text_px, TEXT_DIM, "centre")


def _middle_px(panel: ImageArray, place: int, columns: int, text_px: int) -> np.ndarray:
    row, column = divmod(place, columns)
    pitch = _PITCH * text_px
    return np.array([text_px + pitch * (column + 0.5), panel.shape[0] - text_px / 2 - pitch * (row + 0.5)])
