"""The board's corners in one picture, and what is wrong when they are not found."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.calibrate.board import Board
from posewire.calibrate.view import View, edge_width_px, spacing_px
from posewire.data import FloatArray, Frame, ImageArray

_SMALL_PX, _LARGE_PX = 1280, 2560
"""Longest side at which pictures are searched, the small one first; corners are refined in full."""
_SMALLEST_MARKER = 0.008
"""Least perimeter of a marker over the picture's longest side; OpenCV's 0.03 misses a board on the floor some metres off."""
_CELL_PX = 8
"""Pixels that a marker's cell is read with; twice OpenCV's, which reads more markers of a board that lies far off."""
_FEWEST_CHARUCO = 6
_REFINE = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 40, 1e-3)
_WINDOW_SHARE = {"checkerboard": 0.3, "charuco": 0.11}
"""Half side of the window in which a corner is refined, over the side of a square: a marker begins at 0.125 of it."""
_SMALLEST_WINDOW_PX, _LARGEST_WINDOW_PX = 2, 15


def find_view(frame: Frame, board: Board) -> View | None:
    """The board in a frame, or None where it is not seen (a checkerboard: not seen whole)."""
    grey = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    found = _checkerboard(grey, board) if board.kind == "checkerboard" else _charuco(grey, board)
    if found is None:
        return None
    rough_px, which = found
    spacing = spacing_px(rough_px)
    corners_px = _refined(grey, rough_px, _WINDOW_SHARE[board.kind] * spacing)
    return View(frame.index, frame.time_s, corners_px, board.corners_m[which], edge_width_px(grey, corners_px, spacing))


def _smaller(grey: ImageArray, longest_px: int) -> tuple[ImageArray, float]:
    """The picture for the search and its scale."""
    scale = min(1.0, longest_px / max(grey.shape))
    if scale == 1.0:
        return grey, 1.0
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8), scale


def _full_size(corners: FloatArray, scale: float) -> FloatArray:
    """Corners (N, 2) of the smaller picture in the full one; pixel centres are whole numbers in both."""
    return (corners + 0.5) / scale - 0.5


def _checkerboard(grey: ImageArray, board: Board) -> tuple[FloatArray, NDArray[np.int64]] | None:
    for longest_px in (_SMALL_PX, _LARGE_PX) if max(grey.shape) > _SMALL_PX else (_SMALL_PX,):
        small, scale = _smaller(grey, longest_px)
        found, corners = cv2.findChessboardCornersSB(small, (board.columns, board.rows), flags=cv2.CALIB_CB_NORMALIZE_IMAGE)
        if found:
            return _full_size(np.asarray(corners, dtype=np.float64).reshape(-1, 2), scale), np.arange(len(board.corners_m))
    return None


def _charuco(grey: ImageArray, board: Board) -> tuple[FloatArray, NDArray[np.int64]] | None:
    small, scale = _smaller(grey, _LARGE_PX)
    found: Any = _charuco_detector(board).detectBoard(small)
    if found[1] is None:  # OpenCV's stubs do not know that it may be
        return None
    corners, ids = found[0], np.asarray(found[1], dtype=np.int64).ravel()
    if len(ids) < _FEWEST_CHARUCO or _in_line(board.corners_m[ids]):
        return None
    return _full_size(np.asarray(corners, dtype=np.float64).reshape(-1, 2), scale), ids


def _charuco_detector(board: Board) -> Any:
    finder, reader = cv2.aruco.CharucoParameters(), cv2.aruco.DetectorParameters()
    finder.tryRefineMarkers = True  # looks again where the markers that were read say that others must be
    reader.perspectiveRemovePixelPerCell = _CELL_PX
    reader.minMarkerPerimeterRate = _SMALLEST_MARKER
    return cv2.aruco.CharucoDetector(board.charuco, finder, reader)


def _in_line(corners_m: FloatArray) -> bool:
    """True for corners of a single row or column, which have no plane."""
    return bool(min(np.ptp(corners_m[:, 0]), np.ptp(corners_m[:, 1])) == 0)


def _refined(grey: ImageArray, corners_px: FloatArray, window_px: float) -> FloatArray:
    half = int(np.clip(window_px, _SMALLEST_WINDOW_PX, _LARGEST_WINDOW_PX))
    start = np.ascontiguousarray(corners_px, dtype=np.float32).reshape(-1, 1, 2)
    refined = cv2.cornerSubPix(grey, start, (half, half), (-1, -1), _REFINE)
    return np.asarray(refined, dtype=np.float64).reshape(-1, 2)


def other_board(image: ImageArray, board: Board) -> str | None:
    """Name of the board that is seen instead of `board`, or None; for an error's text."""
    grey, _ = _smaller(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8), _SMALL_PX)
    return _other_charuco(grey, board) or _other_checkerboard(grey, board)


def _other_checkerboard(grey: ImageArray, board: Board) -> str | None:
    flags = cv2.CALIB_CB_NORMALIZE_IMAGE + cv2.CALIB_CB_LARGER
    found, _, meta = cv2.findChessboardCornersSBWithMeta(grey, (3, 3), flags)
    if not found:
        return None
    rows, columns = np.asarray(meta).shape[:2]
    columns, rows = max(columns, rows), min(columns, rows)
    inner = sorted(side - 1 for side in board.squares)
    same = [rows, columns] == inner
    # A ChArUco board's own squares, or some of them, look like a checkerboard where no marker can be read.
    part = board.kind == "charuco" and rows <= inner[0] and columns <= inner[1]
    return None if same or part else f"checkerboard:{columns}x{rows}"


def _other_charuco(grey: ImageArray, board: Board) -> str | None:
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_100)
    ids: Any = cv2.aruco.ArucoDetector(dictionary).detectMarkers(grey)[1]
    if ids is None or len(ids) < 4:
        return None
    expected = board.columns * board.rows // 2 if board.kind == "charuco" else 0
    return f"a ChArUco board with {int(ids.max()) + 1} or more markers (this one has {expected})"
