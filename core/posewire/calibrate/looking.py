"""A source to the views of the board in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from posewire import capture
from posewire.calibrate.board import Board
from posewire.calibrate.finding import find_view, other_board
from posewire.calibrate.view import View
from posewire.data import Frame, ImageArray
from posewire.errors import CalibrationError
from posewire.methods import Source

STEP_S = 0.2
"""Frames of a video nearer than this say the same."""
_MOST_VIEWS = 400
_ASKED_FOR_OTHERS = 12
"""Pictures without the board that are kept to say what is on them instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a source showed of the board."""

    views: tuple[View, ...]
    """In time order."""
    pictures: int
    """Pictures looked at."""
    width_px: int
    height_px: int
    single_images: bool
    """True for image files: each is a pose of its own, and time means nothing."""
    last_image: ImageArray
    """(H, W, 3) the picture of the last view."""


Report = Callable[[int, int], None]
"""Is told the pictures looked at and the views found, after each picture."""


def look(source: Source, board: Board, *, most_s: float | None = None, report: Report | None = None) -> Looked:
    """Finds the board in a source, until its end, `most_s` seconds or Ctrl-C on a live one.

    Raises:
        CalibrationError: the board is nowhere to be seen, or pictures differ in size.
    """
    single_images = isinstance(source, capture.ImageFiles)
    views: list[View] = []
    without: list[ImageArray] = []
    pictures, last_image = 0, None
    first: Frame | None = None
    try:
        for frame in _some(source, 0.0 if single_images else STEP_S, most_s):
            first = first or frame
            _check_size(first, frame)
            view, pictures = find_view(frame, board), pictures + 1
            if view is not None:
                views.append(view)
                last_image = frame.image
            elif len(without) < _ASKED_FOR_OTHERS:
                without.append(frame.image)
            if report is not None:
                report(pictures, len(views))
            if len(views) >= _MOST_VIEWS:
                break
    except KeyboardInterrupt:
        if not source.live:
            raise
    if first is None or last_image is None:
        raise _nothing(board, pictures, without)
    height_px, width_px = first.image.shape[:2]
    return Looked(tuple(views), pictures, width_px, height_px, single_images, last_image)


def _some(source: Source, step_s: float, most_s: float | None) -> Iterator[Frame]:
    """Frames at least `step_s` apart."""
    due_s, start = float("-inf"), time.monotonic()
    for frame in source:
        if frame.time_s >= due_s:
            yield frame
            due_s = frame.time_s + step_s - 1e-6
        if most_s is not None and (time.monotonic() - start if source.live else frame.time_s) >= most_s:
            return


def _check_size(first: Frame, frame: Frame) -> None:
    if first.image.shape != frame.image.shape:
        sizes = [f"{f.image.shape[1]}x{f.image.shape[0]}" for f in (first, frame)]
        raise CalibrationError(
            "The pictures differ in size.", got=" and ".join(sizes), hint="give the pictures of one camera, all held the same way"
        )


def _nothing(board: Board, pictures: int, without: list[ImageArray]) -> CalibrationError:
    others = [other for other in (other_board(image, board) for image in without) if other is not None]
    if others:
        other = max(set(others), key=others.count)
        named = other.startswith("checkerboard")
        return CalibrationError(
            f"The board {board.name} is not in the pictures, another one is.",
            got=other,
            allowed=f"{board.name}: a checkerboard counts inner corners, a charuco board squares",
            hint=f"--board {other}" if named else "give the size that is printed on the board",
        )
    return CalibrationError(
        f"The board {board.name} is nowhere to be seen.",
        got=f"{pictures} pictures looked at",
        allowed="the whole checkerboard (or a good part of a charuco board) sharp, flat and evenly lit, with a white margin",
        hint="film it nearer and slower; `posewire calibrate board board.pdf` makes one to print",
    )
