"""`posewire eval`: how far takes are from a reference, in the units of the literature."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from posewire.cli.capture_commands import record_file
from posewire.cli.options import (
    Commands,
    add_fit_flags,
    add_json_flag,
    add_method_flags,
    add_settings_file,
    console,
    output,
    settings_of,
)
from posewire.evaluate import EvalReport, Prediction, evaluate, load_prediction, load_reference, plot


def add_commands(commands: Commands) -> None:
    """Adds eval."""
    parser = commands.add_parser(
        "eval",
        help="accuracy, jitter and bone lengths beside a reference",
        description="Compares takes or videos with a 3D reference: raw, fitted, and a constant pose. See docs/METRICS.md.",
    )
    parser.add_argument("sources", nargs="+", type=Path, metavar="FILE", help="takes, exported .npz, or videos to run first")
    parser.add_argument("--reference", type=Path, required=True, metavar="FILE.npz", help="the 3D reference")
    parser.add_argument("--view", metavar="NAME", help="which of the reference's cameras (default: by the file's name)")
    parser.add_argument("--person", type=int, metavar="ID", help="this person of the take")
    parser.add_argument("--per-joint", action="store_true", help="also a table by joint")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw errors by joint and the PCK curve")
    add_method_flags(parser)
    add_fit_flags(parser)
    add_settings_file(parser)
    add_json_flag(parser)
    parser.set_defaults(run=_eval)


def _eval(flags: argparse.Namespace) -> None:
    reports: list[EvalReport] = []
    for source in flags.sources:
        reference = load_reference(flags.reference, flags.view, str(source))
        reports.append(evaluate(_prediction(flags, source), reference))
    if flags.json:
        print("[" + ",\n".join(report.to_json() for report in reports) + "]")
    else:
        for report in reports:
            output.print(report.to_table(per_joint=flags.per_joint))
    if flags.plot:
        plot(reports[-1], flags.plot)
        console.print(f"Drawn: {flags.plot}")


def _prediction(flags: argparse.Namespace, source: Path) -> Prediction:
    if source.suffix in (".pwt", ".npz"):
        return load_prediction(source, flags.person)
    with tempfile.TemporaryDirectory() as folder:
        take = Path(folder) / f"{source.stem}.pwt"
        record_file(str(source), take, settings_of(flags))
        return load_prediction(take, flags.person)
