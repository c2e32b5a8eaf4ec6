"""The parts of `posewire eval` that score single poses: lifters under virtual cameras, and datasets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from posewire import plugins
from posewire.cli.options import console, print_json, settings_of
from posewire.cli.tables import show
from posewire.errors import SettingsError
from posewire.evaluate import Prediction, Reference, poses
from posewire.methods import Device, Lifter, MethodCard, MethodOptions
from posewire.pipeline import estimating, open_lifter
from posewire.settings import Settings
from posewire_data import cmu
from posewire_data.motion import TEST_SUBJECTS, MotionSet, load
from posewire_data.readers import READERS

GROUPS = ("activity", "sequence", "joint", "visibility")
_ALWAYS = ("all", "matched only", "constant pose")
_MOST_FRAMES = 10**9


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What lifters and datasets need besides the flags of eval."""
    group = parser.add_argument_group("single poses", "--motion with --lifter NAME[,NAME]: CMU subject 13 under virtual cameras; "
                                      "--dataset: its pictures (or, with --lifter alone, its true 2D)")  # fmt: skip
    group.add_argument("--dataset", choices=READERS, help="a dataset in its published layout, see docs/DATA.md")
    group.add_argument("--data", type=Path, metavar="FOLDER", help="where the dataset lies")
    group.add_argument("--split", choices=("test", "train"), default="test", help="of the dataset (default: test)")
    group.add_argument("--frames", type=int, metavar="N", help="of each sequence at most (default: all)")
    group.add_argument("--by", choices=GROUPS, action="append", default=[], help="also these rows; may repeat")
    group.add_argument("--noise", action="store_true", help="virtual cameras see with BlazePose's errors")
    group.add_argument("--missing", type=float, default=0.0, metavar="SHARE", help="and miss this share of the joints, 0 to 0.9")
    group.add_argument("--bodies", type=float, default=0.0, metavar="SHARE", help="vary bone lengths by this deviation, 0-0.3")
    group.add_argument("--samples", type=int, default=2000, metavar="N", help="poses to score (default: 2000)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the virtual cameras (default: 0)")


def evaluate_lifters(flags: argparse.Namespace) -> None:
    """`posewire eval --motion PATH --lifter NAME[,NAME]`."""
    _check(flags)
    settings = settings_of(flags)
    wanted = poses.Synthetic(flags.samples, noise=flags.noise, missing=flags.missing, bodies=flags.bodies, seed=flags.seed)
    opened = [(name, *_lifter(name, settings)) for name in str(settings.lifter).split(",")]
    motion = _test_motion(flags.motion)
    reports: list[poses.PoseReport] = []
    for name, card, lifter in opened:
        try:
            reports.append(poses.score(name, poses.evaluate_lifter(lifter, card, motion, wanted)))
        finally:
            lifter.close()
    shown = "BlazePose's errors" if flags.noise else "true 2D"
    missing = f", {100 * flags.missing:.0f} % of the joints missing" if flags.missing else ""
    varied = f", bones vary by {100 * flags.bodies:.0f} %" if flags.bodies else ""
    _tell(flags, reports, f"subjects {' '.join(motion.subjects)}, virtual cameras, {shown}{missing}{varied}")


def evaluate_dataset(flags: argparse.Namespace) -> None:
    """`posewire eval --dataset NAME --data FOLDER`."""
    _check(flags)
    if flags.data is None:
        hint = f"posewire eval --dataset {flags.dataset} --data FOLDER"
        raise SettingsError("The dataset's folder is missing.", got="no --data", hint=hint)
    settings, sequences = settings_of(flags), READERS[flags.dataset](flags.data, flags.split)
    most = flags.frames or _MOST_FRAMES
    if settings.lifter is not None and flags.method is None:
        card, lifter = _lifter(settings.lifter, settings)
        try:
            samples = poses.evaluate_sequences(sequences, poses.by_lifter(lifter, card), most)
        finally:
            lifter.close()
        name = f"{settings.lifter} on true 2D"
    else:
        with ExitStack() as opened:
            card, estimator = opened.enter_context(estimating(settings))
            lift = open_lifter(settings, card.joints)
            if lift is not None:
                opened.callback(lift.close)
            samples = poses.evaluate_sequences(sequences, poses.by_method(estimator, card, lift), most)
        name = settings.method if lift is None else f"{settings.method} + {settings.lifter}"
    _tell(flags, [poses.score(name, samples)], f"{flags.dataset} {flags.split}")


def print_groups(flags: argparse.Namespace, predictions: Sequence[tuple[Prediction, Reference]]) -> None:
    """For takes with --by: the motions once more, on all joints that both have, group by group."""
    for prediction, reference in predictions:
        reports = [poses.score(motion.name, poses.of_motion(motion, reference)) for motion in prediction.motions]
        title = f"{prediction.name} beside {reference.name}, {reference.view}: all joints of the reference"
        show(poses.to_table(reports, title, groups=(*_ALWAYS, *flags.by)))


def _check(flags: argparse.Namespace) -> None:
    if not 0.0 <= flags.missing <= 0.9:
        raise SettingsError("--missing must be a share.", got=flags.missing, allowed="0 to 0.9", hint="--missing 0.3")
    if not 0.0 <= flags.bodies <= 0.3:
        raise SettingsError("--bodies must be a deviation.", got=flags.bodies, allowed="0 to 0.3", hint="--bodies 0.08")
    for name in ("samples", "frames"):
        value = getattr(flags, name)
        if value is not None and value < 1:
            raise SettingsError(f"--{name} must be a number of poses.", got=value, allowed="1 or more", hint=f"--{name} 500")


def _lifter(name: str, settings: Settings) -> tuple[MethodCard, Lifter]:
    card = plugins.load().lifter(name)
    options = MethodOptions(cast(Device, settings.device), threads=settings.threads)
    return card, cast(Lifter, plugins.open_method(card, options))


def _test_motion(paths: Sequence[Path]) -> MotionSet:
    """The test subject's clips, and no other, of one packed file or one folder of CMU's BVH files."""
    if len(paths) != 1:
        allowed, hint = "a packed .npz, or a folder of CMU BVH files", f"--motion {paths[0]}"
        raise SettingsError("--lifter takes one motion.", got=f"{len(paths)} paths", allowed=allowed, hint=hint)
    if paths[0].suffix == ".npz":
        return load(paths[0], "test")
    return MotionSet("test", tuple(cmu.read_clips(paths[0], 60.0, subjects=TEST_SUBJECTS["cmu"])))


def _tell(flags: argparse.Namespace, reports: list[poses.PoseReport], title: str) -> None:
    if flags.json:
        print_json([report.as_json() for report in reports])
    else:
        show(poses.to_table(reports, title, groups=(*_ALWAYS, *flags.by)))
    if flags.plot:
        poses.to_picture(reports, flags.plot)
        console.print(f"Drawn: {flags.plot}")
