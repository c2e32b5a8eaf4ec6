"""A board to print, at true scale: PDF with exact rectangles, or PNG that says its pixels per metre."""

from __future__ import annotations

import struct
import zlib
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from posewire.calibrate.board import CELLS, Board
from posewire.data import ImageArray
from posewire.errors import CalibrationError

PAPERS_M = {"a4": (0.210, 0.297), "a3": (0.297, 0.420), "a2": (0.420, 0.594), "a1": (0.594, 0.841), "letter": (0.2159, 0.2794)}
_EDGE_M = 0.006
"""What printers leave white."""
_POINTS_PER_M = 72 / 0.0254
_PIXELS_PER_M = 300 / 0.0254
_LINE_M = 0.0035
"""Height of the line of text."""


def write_board(path: Path, board: Board, paper: str = "a4") -> None:
    """Writes the board as .pdf or .png, portrait or landscape as it fits.

    Raises:
        CalibrationError: it does not fit the paper, or the file cannot be written.
    """
    size_m = _page(board, paper)
    writers = {".pdf": _pdf, ".png": _png}
    if path.suffix.lower() not in writers:
        hint = f"posewire calibrate board {path.stem}.pdf"
        raise CalibrationError("A board is a PDF or PNG file.", got=path.name, allowed=tuple(writers), hint=hint)
    try:
        path.write_bytes(writers[path.suffix.lower()](board, size_m))
    except OSError as error:
        raise CalibrationError(f"The board {path} cannot be written.", got=error.strerror) from error


def text_of(board: Board) -> str:
    """The line under the board: what to type, and what to check."""
    mm = f"{1000 * board.square_m:g} mm"
    return f"--board {board.name} --square {board.square_m:g}   Print at 100 %. A square must measure {mm}."


def _page(board: Board, paper: str) -> tuple[float, float]:
    """Width and height of the page in metres."""
    if paper not in PAPERS_M:
        raise CalibrationError("This paper is not known.", got=paper, allowed=tuple(PAPERS_M))
    short, long = PAPERS_M[paper]
    columns, rows = board.squares
    page = (short, long) if columns <= rows else (long, short)
    room = min((page[0] - 2 * _EDGE_M) / columns, (page[1] - 2 * _EDGE_M - 4 * _LINE_M) / rows)
    if board.square_m > room + 1e-9:
        raise CalibrationError(
            f"The board does not fit {paper}.",
            got=f"squares of {1000 * board.square_m:g} mm",
            allowed=f"up to {1000 * room:.1f} mm",
            hint=f"--square {int(1000 * room) / 1000:g}, or a larger --paper",
        )
    return page


def _corner_m(board: Board, size_m: tuple[float, float]) -> tuple[float, float]:
    """Left and top of the board on the page."""
    columns, rows = board.squares
    return (size_m[0] - columns * board.square_m) / 2, (size_m[1] - rows * board.square_m) / 2


def _pdf(board: Board, size_m: tuple[float, float]) -> bytes:
    left_m, top_m = _corner_m(board, size_m)
    cell_m = board.square_m / CELLS
    page_width, page_height = (side * _POINTS_PER_M for side in size_m)
    drawing = ["0 g"]
    for y, row in enumerate(board.cells()):
        bottom = page_height - (top_m + (y + 1) * cell_m) * _POINTS_PER_M
        for x, length in _black_runs(row):
            box = ((left_m + x * cell_m) * _POINTS_PER_M, bottom, length * cell_m * _POINTS_PER_M, cell_m * _POINTS_PER_M)
            drawing.append(" ".join(f"{value:.4f}" for value in box) + " re")
    drawing.append("f")
    baseline = (_EDGE_M + _LINE_M) * _POINTS_PER_M
    drawing.append(f"BT /F1 8 Tf {left_m * _POINTS_PER_M:.2f} {baseline:.2f} Td ({text_of(board)}) Tj ET")
    return _pdf_file("\n".join(drawing).encode("ascii"), page_width, page_height)


def _black_runs(row: ImageArray) -> list[tuple[int, int]]:
    """Start and length of the black stretches of a row of cells."""
    runs: list[tuple[int, int]] = []
    start = 0
    for value, group in groupby(row.tolist()):
        length = len(list(group))
        if value == 0:
            runs.append((start, length))
        start += length
    return runs


def _pdf_file(drawing: bytes, width: float, height: float) -> bytes:
    """One page (PDF 1.4, ISO 32000-1 section 7.5); sizes in points."""
    objects = [
        # PrintScaling: viewers then offer 100 % instead of "fit to page", which would spoil the scale.
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> "
        + f"/MediaBox [0 0 {width:.3f} {height:.3f}] >>".encode(),
        f"<< /Length {len(drawing)} >>\nstream\n".encode() + drawing + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
    return out + (end + f"startxref\n{len(out)}\n%%EOF\n").encode()


def _png(board: Board, size_m: tuple[float, float]) -> bytes:
    cell_m = board.square_m / CELLS
    cell_px = max(1, round(cell_m * _PIXELS_PER_M))
    per_m = cell_px / cell_m  # the resolution that makes a cell a whole number of pixels
    board_px = np.kron(board.cells(), np.ones((cell_px, cell_px), np.uint8))
    page = np.full((round(size_m[1] * per_m), round(size_m[0] * per_m)), 255, np.uint8)
    left, top = (page.shape[1] - board_px.shape[1]) // 2, (page.shape[0] - board_px.shape[0]) // 2
    page[top : top + board_px.shape[0], left : left + board_px.shape[1]] = board_px
    baseline = page.shape[0] - round(_EDGE_M * per_m)
    scale = _LINE_M * per_m / 30  # OpenCV's letters are about 30 pixels high at scale 1
    cv2.putText(page, text_of(board), (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, 0, max(1, round(2 * scale)), cv2.LINE_AA)
    data = cv2.imencode(".png", page)[1].tobytes()
    return _with_resolution(data, round(per_m))


def _with_resolution(png: bytes, pixels_per_m: int) -> bytes:
    """The PNG with a pHYs chunk after its header (33 bytes), so that programs print it at true scale."""
    chunk = b"pHYs" + struct.pack(">IIB", pixels_per_m, pixels_per_m, 1)
    return png[:33] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[33:]
