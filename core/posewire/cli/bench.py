"""`posewire bench NAME`: our speed beside a named peer, as a ratio within one run."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from posewire import bench
from posewire.cli.options import Commands, add_json_flag, console, print_json, remark
from posewire.cli.tables import show
from posewire.errors import SettingsError

_SETUP = "posewire bench --setup"


def add_commands(commands: Commands) -> None:
    """Adds bench."""
    parser = commands.add_parser("bench", help="speed beside named peers", description="Speed beside named peers, as ratios.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="one of: " + ", ".join(bench.NAMES) + "; without it: all")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where the peers are installed, see --setup")
    parser.add_argument("--setup", action="store_true", help="install the peers into --peers DIR (default: ./posewire-peers)")
    add_json_flag(parser)
    parser.set_defaults(run=_bench)


def _check_peers(folder: Path | None) -> None:
    """A folder that was named and is not there is a mistake; the usual one may be absent."""
    if folder is not None and not folder.is_dir():
        raise SettingsError("There is no such folder of peers.", got=folder, hint=f"{_SETUP} --peers {folder}")


def _bench(flags: argparse.Namespace) -> None:
    folder = flags.peers or bench.default_folder()
    if flags.setup:
        bench.setup(folder, console.print)
        if flags.name is None:
            return
    _check_peers(flags.peers)
    if not folder.is_dir():
        remark("There are no peers here:", f"only those that are installed are compared. Next: {_SETUP}")
    rows = bench.run(flags.name, folder, console.print)
    if flags.json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("bench", "workload", "peer", "unit", "ours", "peer's", "ratio", "note", box=None)
    for row in rows:
        peer, ratio = ("-" if value is None else f"{value:.4g}" for value in (row.peer_value, row.ratio))
        table.add_row(row.name, row.workload, row.peer, row.unit, f"{row.ours:.4g}", peer, ratio, row.note)
    show(table)
