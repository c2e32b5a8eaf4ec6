"""What docs/CALIBRATION.md tells people to type is understood."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from posewire.calibrate import parse_board
from posewire.cli import calibration

DOCUMENT = (Path(__file__).parents[2] / "docs" / "CALIBRATION.md").read_text(encoding="utf-8")
LINES = re.findall(r"^    (posewire calibrate [^#\n]*)|`(posewire calibrate [^`]*)`", DOCUMENT, re.MULTILINE)
COMMANDS = [(a or b).strip() for a, b in LINES]


def test_the_document_shows_the_ways_to_calibrate():
    assert len(COMMANDS) >= 9


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_document_parses(line):
    parser = argparse.ArgumentParser()
    calibration.add_commands(parser.add_subparsers(required=True))
    flags = parser.parse_args(shlex.split(line)[1:])
    parse_board(flags.board, flags.square)
    assert flags.source == "board" or flags.out is not None


def test_the_large_board_of_the_document_fits_its_paper(tmp_path):
    from posewire.calibrate import write_board

    write_board(tmp_path / "board.pdf", parse_board("charuco:5x7", 0.075), "a2")
