"""Commands about recordings: info, export."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from posewire.cli.options import Commands, add_json_flag, counted, output, print_json, remark
from posewire.take import EXPORTS, Take, TakeSummary, export


def add_commands(commands: Commands) -> None:
    """Adds info and export."""
    info = commands.add_parser("info", help="what a take holds", description="What a take holds.")
    info.add_argument("take", type=Path, metavar="TAKE")
    add_json_flag(info)
    info.set_defaults(run=_info)
    parser = commands.add_parser(
        "export", help="take to " + ", ".join(EXPORTS), description="A take as animation or data; the file's ending decides."
    )
    parser.add_argument("take", type=Path, metavar="TAKE")
    parser.add_argument("file", type=Path, metavar="FILE", help="ends in one of: " + " ".join(EXPORTS))
    parser.add_argument("--person", type=int, metavar="ID", help="only this person")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    add_json_flag(parser)
    parser.set_defaults(run=_export)


def open_take(path: Path) -> Take:
    """Opens a take and says what is damaged in it."""
    take = Take.open(path)
    for damage in take.damage:
        remark("damaged:", damage)
    return take


def _info(flags: argparse.Namespace) -> None:
    summary = open_take(flags.take).summary()
    if flags.json:
        print_json(summary.as_json())
    else:
        output.print(_summary_table(summary))


def _summary_table(summary: TakeSummary) -> Table:
    table = Table("", "", show_header=False, box=None, pad_edge=False)
    table.columns[1].overflow = "fold"  # a long path is told whole
    fps = "-" if summary.median_fps is None else f"{summary.median_fps:.2f}"
    table.add_row("take", f"{summary.path} ({summary.size_bytes / 1024:.0f} KiB)")
    table.add_row("recorded", f"{summary.created or 'unknown'} by posewire {summary.posewire_version}")
    table.add_row("source", summary.source)
    table.add_row("method", summary.method + (f", lifter {summary.lifter}" if summary.lifter else ""))
    weights = summary.settings.get("weights")
    if isinstance(weights, list) and weights:
        table.add_row("weights", " ".join(map(str, weights)))
    table.add_row("frames", f"{summary.frames} in {summary.duration_s:.2f} s, {fps} fps")
    if summary.camera is not None:
        camera = summary.camera
        table.add_row(
            "camera", f"{camera.width_px}x{camera.height_px}, {camera.vertical_fov_deg:.1f} degrees high, {camera.origin}"
        )
    for person in summary.people:
        fitted = "" if person.fitted else ", not fitted"
        frames = counted(person.frames, "frame", "frames")
        table.add_row(f"person {person.person_id}", f"{frames}, {person.first_s:.2f} to {person.last_s:.2f} s{fitted}")
    table.add_row("complete", "yes" if summary.complete else "no: the recording was cut off, what is listed here is intact")
    return table


def _export(flags: argparse.Namespace) -> None:
    paths = export(open_take(flags.take), flags.file, person=flags.person, overwrite=flags.overwrite)
    if flags.json:
        print_json([str(path) for path in paths])
    else:
        for path in paths:
            print(path)
