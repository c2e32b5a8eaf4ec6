"""`posewire plugin new NAME`."""

from __future__ import annotations

import argparse
from pathlib import Path

from posewire import new_plugin
from posewire.cli.options import Commands, console


def add_commands(commands: Commands) -> None:
    """Adds plugin."""
    parser = commands.add_parser("plugin", help="write a plugin of your own", description="Write a plugin of your own.")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = actions.add_parser("new", help="a working plugin in a new folder")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--folder", type=Path, default=Path(), metavar="DIR", help="where to make it (default: here)")
    new.set_defaults(run=_new)


def _new(flags: argparse.Namespace) -> None:
    path = new_plugin.create(flags.name, flags.folder)
    print(path)
    console.print(f'Next:\n  pip install -e "{path}[test]"\n  posewire methods\n  pytest {path}')
