"""`posewire detect`: people in single pictures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.progress import Progress

from posewire import capture, plugins
from posewire.cli.options import (
    Commands,
    add_json_flag,
    add_method_flags,
    add_settings_file,
    console,
    counted,
    json_alone,
    print_json,
    settings_of,
    warn_of_one_person,
)
from posewire.data import Detections
from posewire.detect import detect, gather
from posewire.errors import PosewireError, SourceError
from posewire.image_file import SUFFIXES
from posewire.output_path import check_new_file
from posewire.shell import typed


def add_commands(commands: Commands) -> None:
    """Adds detect."""
    parser = commands.add_parser(
        "detect", help="people in single images, into an .npz", description="People in single images, each by itself."
    )
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files or folders of images")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz", help="where the keypoints go")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    add_method_flags(parser)
    add_settings_file(parser)
    add_json_flag(parser)
    parser.set_defaults(run=_detect)


def _detect(flags: argparse.Namespace) -> None:
    settings = settings_of(flags)
    check_new_file(flags.out, "--out", overwrite=flags.overwrite)
    if flags.out.suffix != ".npz":
        raise PosewireError("--out must be an .npz file.", got=flags.out.name, hint=f"--out {flags.out.stem}.npz")
    images = [image for path in flags.images for image in (capture.image_files(path) if path.is_dir() else [path])]
    _refuse_videos(images)
    card = plugins.load().estimator(settings.method)
    warn_of_one_person(card, settings)
    rows: list[tuple[str, Detections]] = []
    try:
        with json_alone(flags), Progress(console=console) as progress:
            bar = progress.add_task("detecting", total=len(images))
            for path, found in detect(images, settings):
                rows.append((str(path), found))
                progress.advance(bar)
    finally:  # Ctrl-C, an image that cannot be read or a method that fails to close does not cost what was seen
        if rows:
            gather(rows, card.joints).save(flags.out)
            _say(rows, flags, len(images))
    if len(rows) != len(images):
        raise SourceError("Not every image gave a picture.", got=f"{len(rows)} of {len(images)}")


def _say(rows: Sequence[tuple[str, Detections]], flags: argparse.Namespace, asked: int) -> None:
    if len(rows) < asked:
        console.print(f"Kept, up to here: {flags.out}, {len(rows)} of {asked} images")
        return
    counts = {name: found.people for name, found in rows}
    if flags.json:
        print_json({"out": str(flags.out), "people": counts})
    else:
        people, pictures = sum(counts.values()), len(rows)
        console.print(f"{counted(people, 'person', 'people')} in {counted(pictures, 'image', 'images')} -> {flags.out}")


def _refuse_videos(images: Sequence[Path]) -> None:
    for path in images:
        if path.is_file() and path.suffix.lower() not in SUFFIXES:
            raise SourceError(f"{path} is no image.", allowed=SUFFIXES, hint=f"a video: {typed('posewire', 'run', path)}")
