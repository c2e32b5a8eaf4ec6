"""`posewire solve`: a recorded take fitted anew, with all of it known."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from posewire import camera as cameras
from posewire import fit
from posewire.cli.options import Commands, add_json_flag, add_settings_file, console, counted, print_json, remark, settings_of
from posewire.cli.takes import open_take
from posewire.errors import SettingsError
from posewire.lift import LiftStage
from posewire.output_path import check_take_name
from posewire.pipeline import open_lifter
from posewire.shell import typed
from posewire.solve import SolveReport, SolveSettings, settling, solve_take
from posewire.solve.reading import check_solvable
from posewire.solve.whole import Progress as Report
from posewire.solve.whole import check_files
from posewire.take import Take


def add_commands(commands: Commands) -> None:
    """Adds solve."""
    parser = commands.add_parser(
        "solve",
        help="fit a recorded take anew, steadier and without delay",
        description="Fits a take anew with all of it known: one skeleton a person, both directions of time. The take stays.",
    )
    parser.add_argument("take", type=Path, metavar="TAKE")
    parser.add_argument("--out", type=Path, required=True, metavar="NEW.pwt", help="the new take")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    _add_measuring_flags(parser)
    _add_solver_flags(parser)
    add_settings_file(parser)
    add_json_flag(parser)
    parser.set_defaults(run=_solve)


def _add_measuring_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("measuring", "without these: as recorded")
    group.add_argument("--height", type=float, metavar="M", help="stature of the person, 0.5-2.5 m")
    group.add_argument("--lifter", metavar="NAME", help="turn the recorded 2D into 3D with this lifter")
    camera = group.add_mutually_exclusive_group()
    camera.add_argument("--fov", type=float, metavar="DEG", help="vertical field of view, 5-175 degrees")
    camera.add_argument("--camera", type=Path, metavar="FILE", help="calibration file of the camera")


def _add_solver_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--smooth", default="auto", metavar="SECONDS|auto|none", help="width of the smoothing (auto: chosen at every instant)"
    )
    parser.add_argument(
        "--lock-feet",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a foot on the ground stays where it rests (default: yes)",
    )
    parser.add_argument(
        "--device",
        choices=["cpu", "gpu", "torch"],
        default="cpu",
        help="where all frames are solved in one batch, and where a --lifter runs; torch: PyTorch on the CPU",
    )
    parser.add_argument("--ground", choices=["keep", "auto"], default="keep", help="auto: stand on the floor that the feet show")


def _settings(flags: argparse.Namespace) -> SolveSettings:
    return SolveSettings(
        height_m=flags.height,
        camera=cameras.load(flags.camera) if flags.camera else None,
        vertical_fov_deg=flags.fov,
        smooth_s=_smooth_s(flags.smooth),
        ground=flags.ground,
        lock_feet=flags.lock_feet,
        device=flags.device,
    )


def _solve(flags: argparse.Namespace) -> None:
    settings = _settings(flags)
    settling.check_device(settings.device)
    take = open_take(flags.take)
    check_take_name(flags.out, "--out")
    check_files(flags.take, flags.out, overwrite=flags.overwrite)
    check_solvable(take)  # before the fit is compiled, which takes up to a minute
    lift = _lift(flags, take)
    try:
        fit.warm_up(console.print)
        settling.warm_up(console.print)
        with _progress(flags.take.name) as progress:
            report = solve_take(
                *(take, flags.out, settings), lift=lift, lifter=flags.lifter, overwrite=flags.overwrite, progress=progress
            )
    finally:
        if lift is not None:
            lift.close()
    _say(report, as_json=flags.json)


def _lift(flags: argparse.Namespace, take: Take) -> LiftStage | None:
    """Only --lifter chooses one: a lifter of the user's settings file is for new recordings."""
    if not flags.lifter:
        return None
    device = "gpu" if flags.device == "gpu" else "cpu"
    return open_lifter(settings_of(argparse.Namespace(**vars(flags) | {"device": device})), take.header.keypoint_names)


def _smooth_s(text: str) -> float | None:
    if text in ("auto", "none"):
        return None if text == "auto" else 0.0
    try:
        return float(text)
    except ValueError as error:
        raise SettingsError("--smooth is not usable.", got=text, allowed="seconds, auto or none", hint="--smooth auto") from error


@contextmanager
def _progress(name: str) -> Generator[Report]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"solving {name}, both ways", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _say(report: SolveReport, *, as_json: bool) -> None:
    if report.frames_without_camera:
        remark("left out:", f"{report.frames_without_camera} frames whose camera is damaged")
    if as_json:
        print_json(asdict(report) | {"path": str(report.path)})
        return
    for person_id, poses in report.poses.items():
        stretches = counted(report.stretches[person_id], "stretch", "stretches")
        console.print(f"person {person_id}: {poses} of {report.frames} frames, in {stretches}")
    if report.ground is not None:
        console.print(report.ground.remark)
    export_it = typed("posewire", "export", report.path, report.path.with_suffix(".bvh"))
    console.print(f"Solved: {report.path}. Next: {export_it}")
