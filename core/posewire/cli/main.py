"""Parses the command line and turns deliberate errors into a message and exit code 2."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn

from posewire import __version__
from posewire.cli import (
    bench,
    blender,
    calibration,
    demo,
    detection,
    evaluation,
    gateway,
    listings,
    network,
    plugin_commands,
    running,
    solving,
    synth,
    takes,
)
from posewire.errors import EXIT_CODE, PosewireError, SettingsError

_EPILOG = """\
first steps:
  posewire demo                          a real clip, from video to skeleton
  posewire run clip.mp4 --out clip.pwt   record a take
  posewire run 0 --publish               stream the webcam to Blender, Unreal, Python
  posewire export clip.pwt clip.bvh      take to animation
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as every command does, and not after a screen of flags."""

    def error(self, message: str) -> NoReturn:
        *_, missing = message.partition("arguments are required: ")
        is_word = missing and not missing.startswith("-")  # `run --publish clip.mp4` takes the clip for the flag's address
        hint = f"{self.prog} {missing} ..., flags after it" if is_word else f"see: {self.prog} --help"
        self.exit(EXIT_CODE, f"{SettingsError(f'{self.prog}: {message}', hint=hint)}\n")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves room for every command: argparse forgets that it indents them, and would break the line after the longest."""

    def add_argument(self, action: argparse.Action) -> None:
        self._indent()
        super().add_argument(action)
        self._dedent()


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="posewire",
        description="One ordinary camera in, characters moving out.",
        epilog=_EPILOG,
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"posewire {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    groups = (running, demo, detection, calibration, takes, solving, network, gateway, blender)
    for group in (*groups, evaluation, listings, plugin_commands, synth, bench):
        group.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code: 0, 2 for a PosewireError or a wrong flag, 130 for Ctrl-C, 143 for SIGTERM."""
    if isinstance(sys.stdout, TextIOWrapper):  # in a pipe Windows writes the letters of one country: a file may be called 人.pwt
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = build_parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help(sys.stderr)
        return EXIT_CODE
    parsed, unknown = parser.parse_known_args(arguments)
    try:
        _refuse(unknown, parsed.command)
        parsed.run(parsed)
    except PosewireError as error:
        return _told(error, parsed.command)
    except KeyboardInterrupt as stop:  # by Ctrl-C, or by the signal that __main__ says
        print("posewire: stopped", file=sys.stderr)
        return 128 + next(iter(stop.args), signal.SIGINT)
    except BrokenPipeError:  # `posewire listen | head`: the reader went away, which is not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EIO):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _told(PosewireError("The output cannot be written.", got=error, hint="make room on the disk"), parsed.command)
        if error.filename is None:
            raise
        # Asking whether a file exists can fail itself: in a folder that is another user's, under a name that is too long.
        hint = "check the name, and whether this user may read and write there"
        return _told(PosewireError("The system does not let this file be used.", got=error, hint=hint), parsed.command)
    return 0


def _told(error: PosewireError, command: str) -> int:
    """Says what is wrong and what to type next."""
    print(f"posewire: {error}", file=sys.stderr)
    if error.hint is None:
        print(f"  next:    posewire {command} --help", file=sys.stderr)
    return EXIT_CODE


def _refuse(unknown: Sequence[str], command: str) -> None:
    """argparse alone would answer with the usage of `posewire`, not with that of the command."""
    if unknown:
        hint = f"leave it out, or see: posewire {command} --help"
        raise SettingsError(f"{command} has no such flag or argument.", got=" ".join(unknown), hint=hint)
