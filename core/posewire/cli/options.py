"""Flags that several commands share, and how they become Settings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.text import Text

from posewire.methods import MethodCard
from posewire.settings import DEFAULT_ADDRESS, Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]
"""What add_commands adds to."""

_WIDTH_IN_A_PIPE = None if sys.stdout.isatty() else 160


class _Console(Console):
    """Leaves it to `main` what a reader who went away means: rich would end the program with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


console = _Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Progress and remarks: standard error, so that standard output stays free for results. A file may be called clip[1].mp4, so
brackets are no markup; a long line is the terminal's to wrap, so that commands and paths can be copied."""
output = _Console(highlight=False, markup=False, width=_WIDTH_IN_A_PIPE)
"""What the user asked for, as a table or text."""


def remark(topic: str, text: object) -> None:
    """A remark on standard error whose first words stand out."""
    console.print(Text.assemble((topic, "yellow"), f" {text}"))


def counted(number: int, one: str, many: str) -> str:
    """1 frame, 2 frames."""
    return f"{number} {one if number == 1 else many}"


def add_settings_file(parser: argparse.ArgumentParser) -> None:
    """--settings."""
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML) instead of the user's own")


def add_method_flags(parser: argparse.ArgumentParser) -> None:
    """How people are seen: method and its weights, device, people."""
    group = parser.add_argument_group("seeing")
    group.add_argument("--method", metavar="NAME", help="pose method, see `posewire methods` (default: blazepose)")
    group.add_argument(
        "--weights",
        nargs="+",
        action="extend",
        type=Path,
        metavar="FILE",
        help="your own training's .onnx files instead of the method's, see `posewire methods NAME`; put it last",
    )
    group.add_argument("--device", metavar="cpu|gpu", help="where the network runs (default: cpu)")
    group.add_argument("--threads", type=int, metavar="N", help="threads of the network (default: all cores)")
    group.add_argument("--max-people", type=int, metavar="K", help="people to follow at most (default: 1)")


def add_fit_flags(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:  # pyright: ignore[reportPrivateUsage]
    """What makes metres: lifter, camera, stature."""
    group = parser.add_argument_group("measuring")
    group.add_argument("--lifter", metavar="NAME", help="turn the method's 2D into 3D with this lifter")
    camera = group.add_mutually_exclusive_group()
    camera.add_argument("--fov", type=float, metavar="DEG", help="vertical field of view, 5-175 degrees (default: 54)")
    camera.add_argument("--camera", type=Path, metavar="FILE", help="calibration file of the camera")
    person = group.add_mutually_exclusive_group()
    person.add_argument(
        "--height", type=float, metavar="M", help="stature of the person, 0.5-2.5 m (default: as seen, about 1.7)"
    )
    person.add_argument("--profile", metavar="NAME", help="bone lengths and stature of a person measured with --calibrate NAME")
    group.add_argument(
        "--floor", choices=("auto", "none"), help="stand the world on the floor that the feet show (default: auto)"
    )
    switch = argparse.BooleanOptionalAction
    group.add_argument("--contacts", action=switch, default=None, help="say which feet touch the ground (default: yes)")
    group.add_argument("--lock-feet", action=switch, default=None, help="hold a foot on the ground where it landed (default: no)")
    return group


def add_publish_flags(parser: argparse.ArgumentParser, *, picture: bool = False) -> None:
    """Where the stream goes; `picture` = there are pictures to send along."""
    group = parser.add_argument_group("streaming")
    group.add_argument(
        "--publish",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help=f"stream over ZeroMQ (default address: {DEFAULT_ADDRESS}); put it after SOURCE",
    )
    group.add_argument("--insecure", action="store_true", default=None, help="allow clear text beyond this machine")
    group.add_argument("--rig", action="append", metavar="NAME", help="also stream this rig (a name or a JSON file); may repeat")
    group.add_argument("--fast", action="store_true", help="publish a file as fast as it is processed, not at its own speed")
    if picture:
        group.add_argument("--publish-picture", action="store_true", help="let `posewire view` show the camera's picture, too")


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print JSON, and only JSON, on standard output")


def settings_of(flags: argparse.Namespace) -> Settings:
    """Settings from the file and from whatever of the shared flags this command has."""

    def flag(name: str) -> Any:
        return getattr(flags, name, None)

    return Settings.load(
        flag("settings"),
        method=flag("method"),
        weights=tuple(flag("weights")) if flag("weights") else None,
        lifter=flag("lifter"),
        device=flag("device"),
        threads=flag("threads"),
        max_people=flag("max_people"),
        rigs=tuple(flag("rig")) if flag("rig") else None,
        fov_deg=flag("fov"),
        camera=flag("camera"),
        rate_hz=flag("rate"),
        height_m=flag("height"),
        profile=flag("profile"),
        calibrate=flag("calibrate"),
        floor=flag("floor"),
        contacts=flag("contacts"),
        lock_feet=flag("lock_feet"),
        address=flag("publish") or flag("connect"),
        insecure=flag("insecure"),
    )


def warn_of_one_person(card: MethodCard, settings: Settings) -> None:
    """Says so where more people are wanted than the method sees."""
    if settings.max_people > 1 and not card.multi_person:
        remark(f"{card.name} sees one person,", f"not {settings.max_people}. Next: posewire methods")


@contextmanager
def json_alone(flags: argparse.Namespace) -> Generator[None]:
    """With --json whatever a plugin prints meanwhile, on whichever thread, goes to standard error."""
    with redirect_stdout(sys.stderr) if flags.json else nullcontext():
        yield


def print_json(value: object) -> None:
    """The only thing that a command with --json writes to standard output."""
    print(json.dumps(value, indent=1, allow_nan=False))
