"""`posewire blender build`: the Blender extension's zips, made from a checkout of Posewire."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import cast

import posewire
from posewire.cli.options import Commands
from posewire.errors import PosewireError

BUILDER = Path("blender_addon") / "build.py"
"""The extension is GPL, a work of its own: it speaks the wire, is no part of the wheel, and is run here, not imported."""
PLATFORMS = ("linux-x64", "windows-x64", "macos-arm64", "macos-x64")


def add_commands(commands: Commands) -> None:
    """Adds blender."""
    summary = "make the Blender extension's zips"
    parser = commands.add_parser("blender", help=summary, description=summary[0].upper() + summary[1:] + ".")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    build = actions.add_parser("build", help="zips for every Blender and system, checked by Blender's own validator")
    build.add_argument("--out", type=Path, default=Path("dist"), metavar="DIR", help="where the zips go (%(default)s)")
    build.add_argument("--python", choices=("py311", "py313"), action="append", help="only for Blender 4.2-5.0 / 5.1 and later")
    build.add_argument("--platform", choices=PLATFORMS, action="append", help="only for this system; may repeat")
    build.add_argument("--no-wheels", action="store_true", help="without pyzmq, so no download; listens on its own computer only")
    build.set_defaults(run=_build)


def find_builder() -> Path:
    """The builder in the checkout that the user stands in, or else in the one that this engine is installed from with -e.

    It is run, so a file of that name is not enough: the folder must be Posewire's.

    Raises:
        PosewireError: in neither.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(posewire.__file__).parents[2]):
        if (folder / BUILDER).is_file() and _is_checkout(folder):
            return folder / BUILDER
    raise PosewireError(
        "The Blender extension's sources are not here: an installed wheel holds only the engine.",
        got=f"no {BUILDER} in {here} or above it",
        hint="download the finished zip, or: git clone the repository (or unpack the sdist), posewire blender build in it",
    )


def _is_checkout(folder: Path) -> bool:
    """Whether its pyproject.toml names the project posewire."""
    try:
        content = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or none that can be read: somebody else's folder
        return False
    project = content.get("project")
    return isinstance(project, dict) and cast("dict[str, object]", project).get("name") == "posewire"


def _build(flags: argparse.Namespace) -> None:
    command = [sys.executable, str(find_builder()), "--out", str(flags.out)]
    for name in ("python", "platform"):
        command += [part for value in getattr(flags, name) or () for part in (f"--{name}", value)]
    done = subprocess.run(command + (["--no-wheels"] if flags.no_wheels else []), check=False)
    if done.returncode != 0:
        hint = "mend that, and: posewire blender build --out dist"
        raise PosewireError("The zips could not be made; the lines above say why.", hint=hint)
