"""Command about the camera: calibrate, by filming a board; and the board to print."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from posewire import camera as cameras
from posewire import capture, plugins
from posewire.calibrate import (
    Board,
    Calibration,
    Looked,
    calibrate,
    look,
    parse_board,
    place_on_floor,
    write_board,
    write_picture,
)
from posewire.calibrate.calibration import GroundChoice
from posewire.calibrate.paper import PAPERS_M
from posewire.cli.options import Commands, add_json_flag, console, output, print_json, remark
from posewire.errors import SettingsError
from posewire.image_file import SUFFIXES
from posewire.methods import SourceOptions
from posewire.output_path import check_new_file
from posewire.shell import typed

_DEFAULT_BOARD, _DEFAULT_SQUARE_M = "charuco:5x7", 0.035
_EPILOG = """\
  posewire calibrate board board.pdf                                 a board to print (A4, true scale)
  posewire calibrate film.mp4 --out camera.json                      film it from all sides, lay it on the floor at the end
  posewire calibrate photos/ --board checkerboard:9x6 --square 0.025 --ground none --out camera.json
  posewire calibrate floor.jpg --lens camera.json --out moved.json   the camera was moved: only the floor is new
  posewire run clip.mp4 --camera camera.json
"""


def add_commands(commands: Commands) -> None:
    """Adds calibrate."""
    parser = commands.add_parser(
        "calibrate",
        help="camera file from a filmed board; `calibrate board FILE` makes the board",
        description="The camera's lens, and the floor it stands over, from pictures of a board.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE|board", help="video, folder of images, image or camera; or the word board")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="after board: the .pdf or .png to write")
    parser.add_argument("--board", default=_DEFAULT_BOARD, metavar="KIND:CxR", help="charuco:5x7 (squares), the default, "
                        "or checkerboard:9x6 (inner corners)")  # fmt: skip
    parser.add_argument("--square", type=float, default=_DEFAULT_SQUARE_M, metavar="M", help="side of a square (default: 0.035)")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="the camera file to write")
    parser.add_argument("--ground", default="board", metavar="board|none|WHEN", help="the floor: where the board lies last "
                        "(default), none, or where it lies at WHEN (seconds, or an image's number from 1)")  # fmt: skip
    parser.add_argument("--lens", type=Path, metavar="FILE.json", help="keep this camera file's lens: only the floor is new")
    parser.add_argument("--preview", type=Path, metavar="FILE.png", help="write the picture of what was covered")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop looking after S seconds; Ctrl-C stops a camera too")
    parser.add_argument("--paper", choices=PAPERS_M, default="a4", help="after board: the paper (default: a4)")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    add_json_flag(parser)
    parser.set_defaults(run=_calibrate)


def _calibrate(flags: argparse.Namespace) -> None:
    board = parse_board(flags.board, flags.square)
    if flags.source == "board":
        _print_board(flags, board)
        return
    _check_flags(flags)
    ground, lens = _ground(flags.ground), None if flags.lens is None else cameras.load(flags.lens)
    looked = _look(flags, board)
    calibration = calibrate(looked, board, ground) if lens is None else place_on_floor(looked, board, lens, ground)
    cameras.save(calibration.camera, flags.out)
    if flags.preview:
        write_picture(flags.preview, looked, calibration)
    _tell(flags, looked, calibration)


def _print_board(flags: argparse.Namespace, board: Board) -> None:
    if flags.file is None:
        raise SettingsError("The board needs a file.", hint="posewire calibrate board board.pdf")
    check_new_file(flags.file, "FILE", overwrite=flags.overwrite)
    write_board(flags.file, board, flags.paper)
    if flags.json:
        print_json({"board": board.name, "square_m": board.square_m, "file": str(flags.file)})
        return
    print(flags.file)
    flag = f" --board {board.name} --square {board.square_m:g}"
    console.print("Print at 100 %, glue it flat on something stiff, measure a square, film it. Then:")
    console.print(f"  posewire calibrate film.mp4{flag} --out camera.json")


def _check_flags(flags: argparse.Namespace) -> None:
    if flags.file is not None:
        raise SettingsError("There is one source too many.", got=flags.file, hint="posewire calibrate board FILE writes one")
    if flags.out is None:
        raise SettingsError("The camera file needs a name.", hint="--out camera.json")
    if flags.lens is not None and flags.ground == "none":
        raise SettingsError("With a known lens and no floor nothing is left to do.", hint="leave --lens or --ground none away")
    if flags.seconds is not None and not (0.0 < flags.seconds < math.inf):
        raise SettingsError("--seconds must be a time.", got=flags.seconds, allowed="more than 0", hint="--seconds 30")
    for flag, path in (("--out", flags.out), ("--preview", flags.preview)):
        if path is not None:
            check_new_file(path, flag, overwrite=flags.overwrite, source=flags.source)
    if flags.preview is not None and flags.preview.suffix.lower() not in SUFFIXES:  # now, not after forty seconds of film
        hint = typed("--preview", flags.preview.with_suffix(".png"))
        raise SettingsError("--preview is a picture.", got=flags.preview, allowed=SUFFIXES, hint=hint)


def _ground(text: str) -> GroundChoice:
    if text == "board" or text == "none":
        return text
    try:
        when = float(text)
    except ValueError:
        when = math.nan
    if not 0.0 <= when < math.inf:
        allowed = ("board", "none", "a time in seconds, or an image's number")
        raise SettingsError("--ground has no such choice.", got=text, allowed=allowed, hint="--ground none")
    return when


def _look(flags: argparse.Namespace, board: Board) -> Looked:
    source = capture.open_source(flags.source, SourceOptions(), tuple(plugins.load().sources.values()))
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(f"looking for {board.name}", total=None)

            def report(pictures: int, views: int) -> None:
                progress.update(task, description=f"{board.name} in {views} of {pictures} pictures")

            return look(source, board, most_s=flags.seconds, report=report)
    finally:
        source.close()


def summary(looked: Looked, calibration: Calibration) -> dict[str, Any]:
    """What the calibration found, for --json."""
    camera, lens, floor = calibration.camera, calibration.lens, calibration.floor
    fov_deg = math.degrees(2 * math.atan(camera.height_px / (2 * camera.K[1, 1])))
    found: dict[str, Any] = {
        "pictures": looked.pictures,
        "seen": len(looked.views),
        "size_px": [camera.width_px, camera.height_px],
        "focal_px": [camera.K[0, 0], camera.K[1, 1]],
        "vertical_fov_deg": fov_deg,
        "centre_px": [camera.K[0, 2], camera.K[1, 2]],
        "distortion": camera.distortion.tolist(),
        "origin": camera.origin,
        "remarks": calibration.remarks,
    }
    if lens is not None:
        found["lens"] = {
            "views": len(lens.views),
            "left_out": len(lens.left_out),
            "rms_px": lens.rms_px,
            "focal_deviation_px": lens.focal_deviation_px,
            "coverage": lens.coverage,
        }
    if floor is not None:
        when = {"image": floor.view.index + 1} if looked.single_images else {"time_s": floor.view.time_s}
        found["floor"] = when | {
            "camera_height_m": floor.camera_height_m,
            "looks_down_deg": floor.pitch_deg,
            "rms_px": floor.rms_px,
        }
    return found


def _tell(flags: argparse.Namespace, looked: Looked, calibration: Calibration) -> None:
    found = summary(looked, calibration)
    if flags.json:
        print_json({"out": str(flags.out)} | found)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("board", f"seen in {found['seen']} of {found['pictures']} pictures")
    if calibration.lens is not None:
        lens = calibration.lens
        table.add_row("views", f"{len(lens.views)} used, {len(lens.left_out)} left out")
        table.add_row("covered", f"{lens.coverage:.0%} of the picture")
        table.add_row("error", f"{lens.rms_px:.3f} pixels RMS")
    focal = " x ".join(f"{value:.1f}" for value in found["focal_px"])
    deviation = "" if calibration.lens is None else f" +- {calibration.lens.focal_deviation_px:.1f}"
    table.add_row("focal length", f"{focal}{deviation} pixels: {found['vertical_fov_deg']:.1f} degrees high")
    table.add_row("distortion", " ".join(f"{value:.4f}" for value in found["distortion"]))
    table.add_row("floor", _floor_line(calibration))
    output.print(table)
    for said in calibration.remarks:
        remark("could be better:", said)
    console.print(f"Next: {typed('posewire', 'run', 'SOURCE', '--camera', flags.out)}")


def _floor_line(calibration: Calibration) -> str:
    floor = calibration.floor
    if floor is None:
        return "not asked for: the world stands at the camera"
    return f"camera {floor.camera_height_m:.2f} m above it, looking {floor.pitch_deg:.1f} degrees down"
