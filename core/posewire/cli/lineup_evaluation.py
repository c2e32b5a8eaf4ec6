"""The part of `posewire eval` that sets methods and lifters side by side on clips with a reference."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from posewire import plugins
from posewire.cli.options import print_json, remark, settings_of
from posewire.cli.recording import record_file
from posewire.cli.tables import show
from posewire.errors import SettingsError, TakeError
from posewire.evaluate import EvalReport, lineup, load_reference
from posewire.evaluate.lineup.rows import NO_LIFTER
from posewire.settings import Settings
from posewire.take import Take, TakeArrays


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What the comparison needs besides the flags of eval."""
    group = parser.add_argument_group(
        "methods side by side", "FILE ... --reference FILE.npz --methods NAME,NAME [--lifters none,vae]"
    )
    group.add_argument("--methods", metavar="NAME,NAME", help="compare these methods; also with --images")
    group.add_argument("--lifters", metavar="NAME,NAME", help="each with these lifters (default: none)")
    group.add_argument("--markdown", action="store_true", help="print the table as Markdown")


def evaluate_lineup(flags: argparse.Namespace) -> None:
    """`posewire eval CLIP ... --reference FILE.npz --methods NAME,NAME [--lifters none,NAME]`."""
    if flags.lifter is not None:
        raise SettingsError(
            "--methods goes with --lifters.", got="--lifter", hint=f"--methods {flags.methods} --lifters none,{flags.lifter}"
        )
    if not flags.sources or flags.reference is None:
        hint = "posewire eval clip.mp4 --reference reference.npz --methods blazepose,vnect --lifters none,vae"
        raise SettingsError("--methods needs something to compare on.", got="no FILE, or no --reference", hint=hint)
    methods, lifters = names_of(flags.methods), names_of(flags.lifters or NO_LIFTER)
    check_names(methods, lifters, settings_of(flags).weights)
    rows: list[lineup.LineupRow] = []
    try:
        for clip in flags.sources:
            rows.extend(_rows(clip, flags, methods, lifters))
    finally:  # Ctrl-C, or a clip that cannot be read, does not cost what was measured
        if rows:
            _tell(rows, flags)


def _tell(rows: Sequence[lineup.LineupRow], flags: argparse.Namespace) -> None:
    if flags.json:
        print_json(lineup.as_json(rows))
    elif flags.markdown:
        print(lineup.to_markdown(rows))
    else:
        show(lineup.to_table(rows, f"{flags.reference.stem}: 12 limb joints"))


def names_of(listed: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in listed.split(",") if name.strip()]


def check_names(methods: Sequence[str], lifters: Sequence[str] = (), weights: Sequence[Path] = ()) -> None:
    """A wrong name is said before anything is measured.

    Raises:
        PluginError: one of the names is no estimator, or no lifter.
        SettingsError, ModelError: the weights are not those of every method.
    """
    known = plugins.load()
    for name in methods:
        plugins.check_weights(known.estimator(name), weights)
    for name in lifters:
        if name != NO_LIFTER:
            known.lifter(name)


def _rows(clip: Path, flags: argparse.Namespace, methods: list[str], lifters: list[str]) -> Iterator[lineup.LineupRow]:
    """A row for each method and lifter, the constant pose at the end."""
    settings = settings_of(flags)
    reference = load_reference(flags.reference, flags.view, str(clip))
    true_px = lineup.projected_limbs(flags.reference, reference)
    report: EvalReport | None = None
    for method in methods:
        for lifter in lifters:
            chosen = replace(settings, method=method, lifter=None if lifter == NO_LIFTER else lifter)
            try:
                row, report = lineup.row_of(_recorded(clip, chosen), clip.stem, method, lifter, reference, true_px)
            except TakeError as error:
                remark(f"{clip.name}, {method}, {lifter}:", error)
                row = lineup.LineupRow(clip.stem, method, lifter, 0.0, 0.0, None, None)
            yield row
    if report is not None:
        yield lineup.constant_row(clip.stem, report)


def _recorded(clip: Path, settings: Settings) -> TakeArrays:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{clip.stem}.pwt"
        record_file(str(clip), path, settings, title=f"{clip.name} {settings.method} {settings.lifter or ''}".rstrip())
        return Take.open(path).arrays()
