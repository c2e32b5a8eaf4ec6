"""Parses the command line and turns deliberate errors into a message and exit code 2."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from posewire import __version__
from posewire.cli import (
    bench,
    blender,
    calibration,
    capture_commands,
    detection,
    evaluation,
    gateway,
    listings,
    network,
    plugin_commands,
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


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="posewire",
        description="One ordinary camera in, characters moving out.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"posewire {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    groups = (capture_commands, detection, calibration, takes, solving, network, gateway, blender)
    for group in (*groups, evaluation, listings, plugin_commands, synth, bench):
        group.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code: 0, 2 for a PosewireError or a wrong flag, 130 for Ctrl-C."""
    parsed, unknown = build_parser().parse_known_args(arguments)
    try:
        _refuse(unknown, parsed.command)
        parsed.run(parsed)
    except PosewireError as error:
        print(f"posewire: {error}", file=sys.stderr)
        if error.hint is None:
            print(f"  next:    posewire {parsed.command} --help", file=sys.stderr)
        return EXIT_CODE
    except KeyboardInterrupt:
        print("posewire: stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # `posewire listen | head`: the reader went away, which is not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _refuse(unknown: Sequence[str], command: str) -> None:
    """argparse alone would answer with the usage of `posewire`, not with that of the command."""
    if unknown:
        hint = f"leave it out, or see: posewire {command} --help"
        raise SettingsError(f"{command} has no such flag or argument.", got=" ".join(unknown), hint=hint)
