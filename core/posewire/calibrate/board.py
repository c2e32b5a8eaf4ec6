"""Calibration boards: what they look like, where their corners are, and how they are named on the command line.

checkerboard:9x6  has 9 x 6 inner corners, as OpenCV counts (10 x 7 squares).
charuco:5x7       has 5 x 7 squares with ArUco markers of 4x4 bits in the white ones, as `posewire calibrate board` prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

import cv2
import numpy as np

from posewire.data import FloatArray, ImageArray
from posewire.errors import CalibrationError

BoardKind = Literal["checkerboard", "charuco"]
MARKER_SHARE = 0.75
"""A marker's side over a square's: 6 cells (4 bits and a border) of the 8 that a square is drawn with."""
CELLS = 8
SQUARE_RANGE_M = (0.002, 1.0)
_DICTIONARY = cv2.aruco.DICT_4X4_100
_SIDES = {"checkerboard": (3, 30), "charuco": (3, 14)}
_EXAMPLES = ("checkerboard:9x6 (inner corners)", "charuco:5x7 (squares)")


@dataclass(frozen=True, eq=False)
class Board:
    """A flat board. Its axes: x along a row, y along a column, origin in the corner of its first square."""

    kind: BoardKind
    columns: int
    """Inner corners of a checkerboard's row; squares of a ChArUco board's row."""
    rows: int
    square_m: float
    """Side of a square: measure it on the print."""

    @property
    def squares(self) -> tuple[int, int]:
        """Columns and rows of squares."""
        extra = 1 if self.kind == "checkerboard" else 0
        return self.columns + extra, self.rows + extra

    @cached_property
    def corners_m(self) -> FloatArray:
        """(N, 3) inner corners, row by row, z = 0."""
        columns, rows = self.squares
        y, x = np.mgrid[1:rows, 1:columns]
        return np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1) * self.square_m

    @property
    def middle_m(self) -> FloatArray:
        """(3,) the middle of the board."""
        return np.array([*self.squares, 0.0]) * self.square_m / 2

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"{self.kind}:{self.columns}x{self.rows}"

    @cached_property
    def charuco(self) -> Any:
        """OpenCV's own board (ChArUco only)."""
        dictionary = cv2.aruco.getPredefinedDictionary(_DICTIONARY)
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square_m, MARKER_SHARE * self.square_m, dictionary)

    def cells(self) -> ImageArray:
        """The board as a tiny image (8 rows, 8 columns) per square: 0 black, 255 white."""
        columns, rows = self.squares
        if self.kind == "charuco":
            return np.asarray(self.charuco.generateImage((CELLS * columns, CELLS * rows)), dtype=np.uint8)
        y, x = np.mgrid[0 : CELLS * rows, 0 : CELLS * columns] // CELLS
        return np.where((x + y) % 2 == 0, 0, 255).astype(np.uint8)


def parse_board(text: str, square_m: float) -> Board:
    """The board that a flag names.

    Raises:
        CalibrationError: the name or the size of a square is not usable.
    """
    found = re.fullmatch(r"(checkerboard|charuco):(\d{1,3})x(\d{1,3})", text.strip().lower())
    if found is None:
        raise CalibrationError("This board has no meaning here.", got=text, allowed=_EXAMPLES, hint="--board charuco:5x7")
    kind, columns, rows = cast(BoardKind, found[1]), int(found[2]), int(found[3])
    low, high = _SIDES[kind]
    if not (low <= columns <= high and low <= rows <= high):
        raise CalibrationError(
            "The board's size is not usable.", got=text, allowed=f"{low} to {high} each way", hint=f"--board {kind}:5x7"
        )
    low_m, high_m = SQUARE_RANGE_M
    if not low_m <= square_m <= high_m:
        raise CalibrationError(
            "The size of a square is not usable.",
            got=f"{square_m:g} m",
            allowed=f"{low_m:g} to {high_m:g} m",
            hint="measure a square on the print: 25 mm is --square 0.025",
        )
    return Board(kind, columns, rows, square_m)
