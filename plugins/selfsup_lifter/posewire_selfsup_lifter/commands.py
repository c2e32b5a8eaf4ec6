"""The commands. Motion is projected here, before training is called; training gets views."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posewire import camera as cameras
from posewire.errors import SettingsError
from posewire_data.joints import JOINTS
from posewire_data.motion import load
from posewire_selfsup_lifter import studio
from posewire_selfsup_lifter.evaluate import HEADER, VALIDATION_SUBJECTS, motion_of, rows_of
from posewire_selfsup_lifter.export import METHOD, WEIGHTS, export
from posewire_selfsup_lifter.footage import views_of, with_cameras
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_selfsup_lifter.training import run
from posewire_selfsup_lifter.views import MultiView2D, read_views, write_views
from posewire_training import weights
from posewire_training.command import at_least_one, command
from posewire_training.flags import add_flags, settings_of
from posewire_training.real import RealClips

_VALIDATION_INSTANTS = 2_000
_VALIDATION_LIKE_REAL = 0.5
"""Share of the validation instants that are like a real clip, where some of the training's are."""

_PROJECTION = ("cameras", "instants", "proportions", "mixing", "mirror", "real_share")
"""Settings that say how motion is seen."""


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; 2 where something is not as it should be."""
    flags = _parser().parse_args(arguments)
    flags.call(flags)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m posewire_selfsup_lifter", description="A lifter that learns without 3D labels."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_project(commands.add_parser("project", help="motion to views: 2D and cameras, no 3D"))
    _add_footage(commands.add_parser("footage", help="synchronised clips of one person to views"))
    _add_train(commands.add_parser("train", help="trains a lifter; the same command again continues"))
    _add_export(commands.add_parser("export", help="a run's lifter as ONNX"))
    _add_evaluate(commands.add_parser("evaluate", help="errors of exported lifters"))
    return parser


def _add_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz", help="made by python -m posewire_data.pack")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    add_flags(parser, SelfsupSettings)
    parser.set_defaults(call=_project)


def _project(flags: argparse.Namespace) -> None:
    _written(_projected(flags.motion, settings_of(flags, SelfsupSettings))[0], flags.out)


def _projected(motion: Path, settings: SelfsupSettings) -> tuple[MultiView2D, MultiView2D]:
    """Views of the training subjects, and of the validation subjects."""
    kept, held_out = load(motion, "train").divided(VALIDATION_SUBJECTS)
    casting = studio.Casting(real=RealClips(_VALIDATION_LIKE_REAL)) if settings.real_share else studio.AS_RECORDED
    validation = studio.virtual_views(held_out, _VALIDATION_INSTANTS, settings.seed + 1, casting=casting)
    return studio.views_for(settings, kept, seed=settings.seed), validation


def _written(views: MultiView2D, path: Path) -> None:
    write_views(views, path)
    scale = views.extrinsics.scale if views.extrinsics else "no extrinsics"
    print(f"{path}: {views.instants} instants x {views.views} views, scale: {scale}")


def _add_footage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP", help="two or more clips that start together")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--camera", type=Path, action="append", default=[], metavar="JSON", help="a camera file a clip, in order")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--camera-distance", type=float, metavar="M", help="measured distance of the first two cameras")
    scale.add_argument("--stature", type=float, metavar="M", help="height of the person, where the distance is not known")
    parser.set_defaults(call=_footage)


def _footage(flags: argparse.Namespace) -> None:
    if flags.camera and len(flags.camera) != len(flags.clips):
        raise SettingsError("Each clip needs its camera file.", got=f"{len(flags.camera)} for {len(flags.clips)} clips")
    lenses = [cameras.load(path) for path in flags.camera] or [None] * len(flags.clips)
    views = views_of(flags.clips, lenses)
    _written(with_cameras(views, distance_m=flags.camera_distance, stature_m=flags.stature), flags.out)


def _add_train(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--motion", type=Path, metavar="FILE.npz", help="virtual cameras project it before training sees it")
    source.add_argument("--views", type=Path, metavar="FILE.npz", help="views of `project` or `footage`")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--start", type=Path, metavar="FOLDER", help="begin with the networks of another run of this shape")
    parser.add_argument("--finish", action="store_true", help="train no further: weights from the checkpoint as it is")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_flags(parser, SelfsupSettings)
    parser.set_defaults(call=_train)


def _train(flags: argparse.Namespace) -> None:
    if flags.views:
        _refuse_projection(flags)
        flags.cameras = "given"
    settings = settings_of(flags, SelfsupSettings)
    training, validation = _projected(flags.motion, settings) if flags.motion else _divided(read_views(flags.views))
    how = {"start": flags.start, "quiet": flags.quiet, "finish": flags.finish}
    networks = run(settings, training, validation, flags.out, **how)
    weights.save(flags.out / WEIGHTS, METHOD, JOINTS, settings.to_json(), networks)
    (flags.out / "settings.json").write_text(json.dumps(settings.to_json(), indent=1) + "\n", encoding="utf-8")
    print(f"{flags.out / WEIGHTS}: next, python -m posewire_selfsup_lifter export {flags.out} --to lifter.onnx")


def _refuse_projection(flags: argparse.Namespace) -> None:
    """Views of a file are as they are: a flag that says how motion is seen would do nothing."""
    if idle := [name for name in _PROJECTION if name in flags]:
        flag = "--" + idle[0].replace("_", "-")
        raise SettingsError(f"{flag} says how motion is seen, and --views has been seen.", hint=f"project ... {flag} ...")


def _divided(views: MultiView2D) -> tuple[MultiView2D, MultiView2D]:
    """The last tenth of the instants is for validation, in one stretch: neighbours in time are alike."""
    first = round(0.9 * views.instants)
    return views.rows(np.arange(first)), views.rows(np.arange(first, views.instants))


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="FOLDER", help="of train --out")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--single", action="store_true", help="store float32; otherwise large weights are stored as float16")
    parser.set_defaults(call=_export)


def _export(flags: argparse.Namespace) -> None:
    difference_m = export(flags.run, flags.to, half=not flags.single)
    print(f"{flags.to}: {flags.to.stat().st_size / 2**20:.2f} MiB, largest difference to torch {difference_m:.1e} m")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="+", metavar="LIFTER", help="an exported file, or a bundled network's name")
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--samples", type=at_least_one, default=5000)
    parser.set_defaults(call=_evaluate)


def _evaluate(flags: argparse.Namespace) -> None:
    rows = rows_of(flags.models, motion_of(flags.motion, flags.split), flags.samples)
    print("\n".join([HEADER, *map(str, rows)]))
