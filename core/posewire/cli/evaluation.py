"""`posewire eval`: takes beside a reference, recorded motion found back from noise, and whether identities last."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from rich.progress import track

from posewire.cli import lineup_evaluation, pose_evaluation, stills_evaluation
from posewire.cli.options import (
    Commands,
    add_fit_flags,
    add_json_flag,
    add_method_flags,
    add_settings_file,
    console,
    print_json,
    settings_of,
)
from posewire.cli.recording import record_file
from posewire.cli.tables import show
from posewire.errors import SettingsError
from posewire.evaluate import EvalReport, Prediction, evaluate, identity, load_prediction, load_reference, plot, refit
from posewire.fit import FitSettings
from posewire.output_path import check_new_file
from posewire.shell import typed

Step = TypeVar("Step")
Comparison: TypeAlias = Callable[[argparse.Namespace], None]


def add_commands(commands: Commands) -> None:
    """Adds eval."""
    parser = commands.add_parser(
        "eval",
        help="accuracy, jitter and bone lengths beside a reference",
        description="Compares takes or videos with a 3D reference: raw, fitted, and a constant pose. See docs/METRICS.md.",
    )
    parser.add_argument("sources", nargs="*", type=Path, metavar="FILE", help="takes, exported .npz, or videos to run first")
    parser.add_argument("--reference", type=Path, metavar="FILE.npz", help="the 3D reference")
    parser.add_argument("--identity", action="store_true", help="instead: do identities last? On scenes made of the bundled clip")
    parser.add_argument(
        "--motion",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="instead: recorded motion (BVH files or folders), made noisy and fitted",
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="with --motion: only every so many of the files")
    parser.add_argument("--ablation", action="store_true", help="with --motion: what each part of the fit is worth")
    parser.add_argument("--view", metavar="NAME", help="which of the reference's cameras (default: by the file's name)")
    parser.add_argument("--person", type=int, metavar="ID", help="this person of the take")
    parser.add_argument("--per-joint", action="store_true", help="also a table by joint")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw errors by joint and the PCK curve, of the last FILE")
    pose_evaluation.add_flags(parser)
    lineup_evaluation.add_flags(parser)
    stills_evaluation.add_flags(parser)
    add_method_flags(parser)
    add_fit_flags(parser)
    add_settings_file(parser)
    add_json_flag(parser)
    usual = {name: parser.get_default(name) for name in _ONLY}
    parser.set_defaults(run=lambda flags: _eval(flags, usual))


def _eval(flags: argparse.Namespace, usual: Mapping[str, object]) -> None:
    if flags.plot is not None:
        check_new_file(flags.plot, "--plot", overwrite=True)  # now, not after all was measured
        if flags.plot.suffix.lower() != ".png":  # it replaces what is there: `--plot clip.pwt` must not cost the take
            hint = typed("--plot", flags.plot.with_suffix(".png"))
            raise SettingsError("--plot is a picture.", got=flags.plot, allowed=".png", hint=hint)
    comparison = _comparison(flags)
    _check_flags({name for name in _ONLY if getattr(flags, name) != usual[name]}, comparison)
    comparison(flags)


def _check_flags(given: Iterable[str], comparison: Comparison) -> None:
    """What another comparison is told would do nothing in this one, and nobody would notice."""
    for name in sorted(given):
        if comparison not in _ONLY[name]:
            flag = f"--{name.replace('_', '-')}"
            allowed = " or ".join(f"with {_CALLED[one]}" for one in _ONLY[name])
            hint = f"leave {flag} out"
            raise SettingsError(f"{flag} changes nothing of this comparison.", got=flag, allowed=allowed, hint=hint)


def _comparison(flags: argparse.Namespace) -> Comparison:
    """Which of the comparisons the flags ask for."""
    if flags.identity:
        return _eval_identity
    _check_lists(flags)
    if flags.images:
        return _eval_stills
    if flags.methods is not None:
        return lineup_evaluation.evaluate_lineup
    if flags.dataset:
        return pose_evaluation.evaluate_dataset
    if flags.motion:
        return pose_evaluation.evaluate_lifters if flags.lifter else _eval_motion
    return _eval_files


def _check_lists(flags: argparse.Namespace) -> None:
    if flags.methods is not None and not lineup_evaluation.names_of(flags.methods):
        raise SettingsError("--methods names none.", got=repr(flags.methods), hint="--methods blazepose,vnect")
    if flags.lifters is not None and flags.methods is None:
        hint = f"--methods blazepose --lifters {flags.lifters}"
        raise SettingsError("--lifters goes with --methods.", got="no --methods", hint=hint)


def _eval_files(flags: argparse.Namespace) -> None:
    """Takes and videos beside one reference."""
    if not flags.sources or flags.reference is None:
        raise SettingsError(
            "There is nothing to compare.",
            got="no FILE" if not flags.sources else "no --reference",
            allowed="FILE --reference FILE.npz, --motion PATH, --dataset NAME, or --identity",
            hint="posewire eval clip.mp4 --reference reference.npz",
        )
    references = [load_reference(flags.reference, flags.view, str(source)) for source in flags.sources]
    compared = [(_prediction(flags, source), reference) for source, reference in zip(flags.sources, references, strict=True)]
    reports = [evaluate(prediction, reference) for prediction, reference in compared]
    _show_reports(flags, reports)
    if flags.by and not flags.json:
        pose_evaluation.print_groups(flags, compared)
    if flags.plot:
        plot(reports[-1], flags.plot)
        console.print(f"Drawn: {flags.plot}")


def _show_reports(flags: argparse.Namespace, reports: Sequence[EvalReport]) -> None:
    named = list(zip(flags.sources, reports, strict=True))
    if flags.json:
        print_json([{"file": str(source), **json.loads(report.to_json())} for source, report in named])
        return
    for source, report in named:
        for per_joint in (False, True) if flags.per_joint else (False,):
            table = report.to_table(per_joint=per_joint)
            table.title = f"{source.name} beside {table.title}"
            show(table)


def _eval_stills(flags: argparse.Namespace) -> None:
    stills_evaluation.evaluate_stills(flags, _methods(flags))


def _methods(flags: argparse.Namespace) -> list[str]:
    """The methods to compare: --methods, or the one of the settings."""
    settings = settings_of(flags)
    names = lineup_evaluation.names_of(flags.methods) if flags.methods is not None else [settings.method]
    lineup_evaluation.check_names(names, weights=settings.weights)
    return names


def _eval_identity(flags: argparse.Namespace) -> None:
    settings = settings_of(flags)
    lineup_evaluation.check_names([settings.method], weights=settings.weights)
    console.print("Cutting the walker out of the bundled clip, then running the scenes: about two minutes.")
    scores: list[identity.SceneScore] = []
    for score in identity.follow_scenes(settings):
        console.print(f"{score.scene}: {score.score.switches} switches")
        scores.append(score)
    if flags.json:
        print_json(identity.identity_json(scores, settings.method))
    else:
        show(identity.identity_table(scores, settings.method))


def _eval_motion(flags: argparse.Namespace) -> None:
    if flags.every < 1:
        raise SettingsError("--every is not usable.", got=flags.every, allowed="1 or more", hint="--every 4")
    clips = refit.read_clips(flags.motion, every=flags.every)
    settings = FitSettings(height_m=settings_of(flags).height_m)
    if flags.ablation:
        ablated = _shown(refit.ablate(clips, settings), 2 * len(clips) * (1 + len(refit.ABLATIONS)))
        rows = refit.ablation_rows(ablated)
        tables = [refit.ablation_table(rows)]
    else:
        rows = refit.refit_rows(_shown(refit.refit(clips, settings), 2 * len(clips)))
        tables = [refit.refit_table(rows), refit.feet_table(rows)]
    if flags.json:
        print_json(refit.as_json(rows))
    else:
        for table in tables:
            show(table)


def _shown(steps: Iterable[Step], total: int) -> list[Step]:
    """All of them, with a bar that fills."""
    return list(track(steps, "fitting", total, console=console, transient=True))


def _prediction(flags: argparse.Namespace, source: Path) -> Prediction:
    if source.suffix.lower() in (".pwt", ".npz"):
        return load_prediction(source, flags.person)
    with tempfile.TemporaryDirectory() as folder:
        take = Path(folder) / f"{source.stem}.pwt"
        record_file(str(source), take, settings_of(flags))
        return load_prediction(take, flags.person)


_CALLED: dict[Comparison, str] = {
    _eval_files: "FILE --reference",
    lineup_evaluation.evaluate_lineup: "--methods",
    _eval_stills: "--images",
    _eval_motion: "--motion",
    pose_evaluation.evaluate_lifters: "--motion and --lifter",
    pose_evaluation.evaluate_dataset: "--dataset",
}
_SCORED = (_eval_files, pose_evaluation.evaluate_lifters, pose_evaluation.evaluate_dataset)
_ONLY: dict[str, tuple[Comparison, ...]] = {
    "view": (_eval_files, lineup_evaluation.evaluate_lineup),
    "person": (_eval_files,),
    "per_joint": (_eval_files,),
    "plot": _SCORED,
    "by": _SCORED,
    "markdown": (lineup_evaluation.evaluate_lineup,),
    "every": (_eval_motion,),
    "ablation": (_eval_motion,),
    **dict.fromkeys(("data", "split", "frames"), (pose_evaluation.evaluate_dataset,)),
    **dict.fromkeys(("noise", "missing", "bodies", "samples", "seed"), (pose_evaluation.evaluate_lifters,)),
    **dict.fromkeys(("joints", "numbers", "limit", "boxes"), (_eval_stills,)),
}
"""Flags of some of the comparisons."""
