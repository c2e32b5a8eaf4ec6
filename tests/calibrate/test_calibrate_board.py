"""Board names, boards on paper, and flags."""

import re
import struct

import cv2
import numpy as np
import pytest

from posewire.calibrate import parse_board, write_board
from posewire.errors import CalibrationError


def test_a_checkerboard_counts_inner_corners_and_a_charuco_board_squares():
    assert parse_board("checkerboard:9x6", 0.025).squares == (10, 7)
    assert len(parse_board("checkerboard:9x6", 0.025).corners_m) == 54
    assert parse_board("ChArUco:5x7", 0.035).squares == (5, 7)
    assert len(parse_board("charuco:5x7", 0.035).corners_m) == 24


def test_charuco_corners_are_where_opencv_has_them():
    board = parse_board("charuco:5x7", 0.035)
    np.testing.assert_allclose(board.corners_m, board.charuco.getChessboardCorners(), atol=1e-7)


@pytest.mark.parametrize("name", ["", "chess:9x6", "checkerboard:9", "checkerboard:1x6", "charuco:5x99", "checkerboard:9x6x2"])
def test_a_wrong_board_name_is_refused(name):
    with pytest.raises(CalibrationError, match="allowed"):
        parse_board(name, 0.025)


@pytest.mark.parametrize("square_m", [0.0, -1.0, 25.0, float("nan")])
def test_a_square_in_millimetres_is_refused(square_m):
    with pytest.raises(CalibrationError, match=r"--square 0\.025"):
        parse_board("checkerboard:9x6", square_m)


def pixels_per_metre(png):
    at = png.index(b"pHYs")
    x, y, unit = struct.unpack(">IIB", png[at + 4 : at + 13])
    assert x == y
    assert unit == 1
    return x


@pytest.mark.parametrize(("name", "square_m"), [("charuco:5x7", 0.035), ("checkerboard:9x6", 0.025), ("charuco:7x5", 0.03)])
def test_a_printed_png_is_found_at_true_scale(tmp_path, name, square_m):
    board = parse_board(name, square_m)
    write_board(tmp_path / "board.png", board)
    data = (tmp_path / "board.png").read_bytes()
    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if board.kind == "charuco":
        corners, ids, _, _ = cv2.aruco.CharucoDetector(board.charuco).detectBoard(grey)
        assert len(ids) == len(board.corners_m)
    else:
        found, corners = cv2.findChessboardCornersSB(cv2.resize(grey, None, fx=0.25, fy=0.25), (9, 6))
        assert found
        corners = corners * 4.0
    corners_m = corners.reshape(-1, 2) / pixels_per_metre(data)
    gaps = np.linalg.norm(np.diff(corners_m[: board.squares[0] - 1], axis=0), axis=1)
    np.testing.assert_allclose(gaps, square_m, rtol=0.01)
    assert np.mean(gaps) == pytest.approx(square_m, rel=0.002)


def pdf_boxes(data):
    """The page (2,) and the rectangles (N, 4) x y w h of a PDF, metres."""
    per_m = 72 / 0.0254
    page = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    boxes = [[float(v) for v in row.split()[:4]] for row in data.splitlines() if row.endswith(b" re")]
    return np.array([float(page[1]), float(page[2])]) / per_m, np.array(boxes) / per_m


def test_a_pdf_has_the_papers_size_and_the_boards_cells_at_true_scale(tmp_path):
    board = parse_board("charuco:5x7", 0.035)
    write_board(tmp_path / "board.pdf", board)
    page, boxes = pdf_boxes((tmp_path / "board.pdf").read_bytes())
    np.testing.assert_allclose(page, [0.210, 0.297], atol=1e-5)
    left, bottom = boxes[:, 0].min(), boxes[:, 1].min()
    np.testing.assert_allclose((boxes[:, 0] + boxes[:, 2]).max() - left, 5 * 0.035, atol=1e-5)
    cell = 0.035 / 8
    drawn = np.full(board.cells().shape, 255, np.uint8)
    for x, y, width, height in boxes:
        row = len(drawn) - 1 - round((y - bottom) / cell)
        drawn[row, round((x - left) / cell) : round((x - left + width) / cell)] = 0
        assert height == pytest.approx(cell, abs=1e-6)
    np.testing.assert_array_equal(drawn, board.cells())


def test_a_pdfs_table_points_at_its_objects(tmp_path):
    write_board(tmp_path / "board.pdf", parse_board("checkerboard:9x6", 0.025))
    data = (tmp_path / "board.pdf").read_bytes()
    start = int(re.search(rb"startxref\n(\d+)", data)[1])
    assert data[start : start + 4] == b"xref"
    offsets = [int(row[:10]) for row in data[start:].splitlines() if row.endswith(b"00000 n ")]
    assert len(offsets) == 5
    for number, offset in enumerate(offsets, start=1):
        assert data[offset:].startswith(f"{number} 0 obj".encode())
    length = int(re.search(rb"/Length (\d+)", data)[1])
    body = data.index(b"stream\n") + 7
    assert data[body + length :].startswith(b"\nendstream")


def test_a_board_larger_than_the_paper_names_the_square_that_fits(tmp_path):
    with pytest.raises(CalibrationError, match=r"--square 0\.03") as error:
        write_board(tmp_path / "board.pdf", parse_board("charuco:5x7", 0.08))
    assert "larger --paper" in str(error.value)
    write_board(tmp_path / "board.pdf", parse_board("charuco:5x7", 0.055), "a3")


def test_a_board_is_a_pdf_or_a_png(tmp_path):
    with pytest.raises(CalibrationError, match=r"\.pdf"):
        write_board(tmp_path / "board.svg", parse_board("charuco:5x7", 0.03))


def test_the_command_writes_a_board(command, tmp_path):
    ran = command("calibrate", "board", tmp_path / "board.pdf")
    assert ran.code == 0, ran.err
    assert ran.out.strip() == str(tmp_path / "board.pdf")
    assert (tmp_path / "board.pdf").read_bytes().startswith(b"%PDF-1.4")
    assert command("calibrate", "board", tmp_path / "board.pdf").code == 2
    assert command("calibrate", "board").code == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("film.mp4",), "--out camera.json"),
        (("film.mp4", "other.mp4", "--out", "c.json"), "one source too many"),
        (("film.mp4", "--out", "c.json", "--ground", "here"), "no such choice"),
        (("film.mp4", "--out", "c.json", "--ground", "nan"), "no such choice"),
        (("film.mp4", "--out", "c.json", "--seconds", "-1"), "--seconds"),
        (("film.mp4", "--out", "c.json", "--lens", "x.json", "--ground", "none"), "nothing is left to do"),
        (("film.mp4", "--out", "c.json", "--lens", "missing.json"), "missing.json"),
        (("missing.mp4", "--out", "c.json"), "not there"),
    ],
)
def test_a_wrong_flag_is_an_error_that_says_what_to_type(command, tmp_path, monkeypatch, flags, said):
    monkeypatch.chdir(tmp_path)
    ran = command("calibrate", *flags)
    assert ran.code == 2
    assert said in ran.err
