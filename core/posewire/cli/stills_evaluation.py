"""The part of `posewire eval` that scores methods on single pictures with known 2D joints."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.progress import track

from posewire.cli.options import console, counted, print_json, remark, settings_of
from posewire.cli.tables import show
from posewire.errors import SettingsError
from posewire.evaluate import stills
from posewire.pipeline import estimating
from posewire.settings import Settings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What single pictures need besides the flags of eval."""
    group = parser.add_argument_group("single pictures with 2D joints", "--images: PCK of one or several --methods")
    group.add_argument(
        "--images", type=Path, metavar="PATH", help="instead: a folder or tar file of pictures, see docs/METRICS.md"
    )
    group.add_argument("--joints", type=Path, metavar="FILE.npz", help="their joints (default: joints.npz inside PATH)")
    group.add_argument("--numbers", metavar="A-B", help="only pictures with these numbers in their names")
    group.add_argument("--limit", type=int, metavar="N", help="the first N of them")
    group.add_argument(
        "--boxes",
        choices=(*stills.BOXES, "both"),
        default="both",
        help="found by the method, true from the labels (default: both)",
    )


def evaluate_stills(flags: argparse.Namespace, methods: list[str]) -> None:
    """`posewire eval --images PATH [--methods NAME,NAME]`."""
    if flags.limit is not None and flags.limit < 1:
        raise SettingsError("--limit must be a number of pictures.", got=flags.limit, allowed="1 or more", hint="--limit 250")
    numbers = None if flags.numbers is None else stills.number_range(flags.numbers)
    pictures = stills.open_stills(flags.images, flags.joints, numbers, flags.limit)
    settings = settings_of(flags)
    boxes = stills.BOXES if flags.boxes == "both" else (flags.boxes,)
    reports = [report for method in methods for report in _reports(replace(settings, method=method), pictures, boxes)]
    if flags.json:
        print_json(stills.as_json(reports))
    else:
        count = counted(reports[0].pictures, "picture", "pictures")
        show(stills.to_table(reports, f"{flags.images.name}, {count}, 12 limb joints"))
        if left_out := reports[0].left_out:
            remark("left out:", f"{counted(left_out, 'picture', 'pictures')} without a visible torso")


def _reports(settings: Settings, pictures: stills.Stills, boxes: tuple[str, ...]) -> list[stills.StillsReport]:
    reports: list[stills.StillsReport] = []
    with estimating(settings) as (card, estimator):
        for where in boxes:
            said = stills.answers(estimator, card, pictures, where)
            shown = track(said, f"{card.name}, boxes {where}", len(pictures), console=console, transient=True)
            pairs = [(said_px, still.points_px) for still, said_px in shown]
            reports.append(stills.score(card.name, where, pictures.joint_names, card.joints, pairs))
    return reports
