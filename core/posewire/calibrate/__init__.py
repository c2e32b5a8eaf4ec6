"""A board filmed by a camera to a camera file: intrinsics, distortion, and the floor if the board lies on it.

Corners, model and pose are OpenCV's; which views count and whether the answer is good enough is decided here.
"""

from __future__ import annotations

from posewire.calibrate.board import Board, parse_board
from posewire.calibrate.calibration import Calibration, calibrate, place_on_floor
from posewire.calibrate.floor import BoardFloor, floor_of
from posewire.calibrate.intrinsics import Intrinsics, solve_intrinsics
from posewire.calibrate.looking import Looked, look
from posewire.calibrate.paper import write_board
from posewire.calibrate.picture import write_picture
from posewire.calibrate.view import View

__all__ = [
    "Board",
    "BoardFloor",
    "Calibration",
    "Intrinsics",
    "Looked",
    "View",
    "calibrate",
    "floor_of",
    "look",
    "parse_board",
    "place_on_floor",
    "solve_intrinsics",
    "write_board",
    "write_picture",
]
