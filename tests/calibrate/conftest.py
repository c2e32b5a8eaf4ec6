"""Rendered films of boards, made once, and the calibrate command by itself."""

import argparse
from dataclasses import dataclass

import numpy as np
import pytest
from rendering import BOARDS, Renderer, film, held, lens, lying, over_floor

from posewire.calibrate import parse_board
from posewire.cli import calibration
from posewire.errors import EXIT_CODE, PosewireError


@pytest.fixture(scope="session")
def camera():
    """The camera of every film here."""
    return over_floor(lens())


@pytest.fixture(scope="session")
def films(tmp_path_factory, camera):
    """Board name to a film: 26 poses in the hand, then one second on the floor."""
    folder, paths = tmp_path_factory.mktemp("films"), {}
    for name, square_m in BOARDS.items():
        board = parse_board(name, square_m)
        renderer = Renderer(board, camera)
        poses = [*held(np.random.default_rng(1), board, camera, 26), *[lying(camera)] * 5]
        paths[name] = film(folder / f"{board.kind}.mp4", [renderer.image(*pose) for pose in poses])
    return paths


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys):
    """Runs `posewire ...` with this one command, as the command line does."""

    def run(*arguments):
        parser = argparse.ArgumentParser(prog="posewire")
        calibration.add_commands(parser.add_subparsers(required=True))
        error, code = "", 0
        try:
            flags = parser.parse_args([str(argument) for argument in arguments])
            flags.run(flags)
        except PosewireError as problem:
            error, code = str(problem), EXIT_CODE
        except SystemExit as stop:
            code = stop.code
        said = capsys.readouterr()
        return Ran(code, said.out, said.err + error)

    return run
