"""`posewire synth` pack, backgrounds, cutouts: what training images are made from; and blender: fine ones, kept in files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, track

from posewire.cli.options import console, counted, print_json
from posewire.errors import PluginError, SettingsError
from posewire.image_file import write_image
from posewire.output_path import check_new_file

if TYPE_CHECKING:
    from posewire_synth.studio import Batch, Studio


@contextmanager
def installed() -> Generator[None]:
    """Turns a missing package into an error that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise PluginError(
            "Rendering training images needs packages of the extra [train].",
            got=f"{error.name} is not installed",
            hint="pip install 'posewire[train]'",
        ) from error


def check_range(flag: str, value: int, low: int, high: int) -> None:
    """Refuses a number out of range."""
    if not low <= value <= high:
        hint = f"{flag} {min(max(value, low), high)}"
        raise SettingsError(f"{flag} is out of range.", got=value, allowed=f"{low} to {high}", hint=hint)


def pack(flags: argparse.Namespace) -> None:
    """Bodies, poses and pictures in one file."""
    if flags.motion is None:
        raise SettingsError("A pack needs motion.", hint="posewire synth pack --motion FOLDER (CMU mocap as BVH)")
    check_new_file(flags.pack, "--pack", overwrite=flags.overwrite)
    check_range("--people", flags.people, 20, 5000)
    with installed():
        from posewire_synth import pack as packs
    packs.write(flags.pack, motion=flags.motion, backgrounds=flags.backgrounds, people=flags.people, report=console.print)
    size = flags.pack.stat().st_size
    if flags.json:
        print_json({"out": str(flags.pack), "bytes": size})
    else:
        console.print(f"{flags.pack}: {size / 2**20:.1f} MiB")


def backgrounds(flags: argparse.Namespace) -> None:
    """Panoramas to pictures."""
    if flags.hdri is None or flags.out is None:
        raise SettingsError("Backgrounds need panoramas.", hint="posewire synth backgrounds --hdri FOLDER --out pictures/")
    each = 16 if flags.each is None else flags.each
    check_range("--each", each, 1, 360)
    with installed():
        from posewire_synth import hdri
    _check_folder(flags)
    shown = partial(track, description="panoramas", console=console, transient=True)
    _written(flags, hdri.write_views(flags.hdri, flags.out, each=each, seed=flags.seed, track=shown), "picture", "pictures")


def cutouts(flags: argparse.Namespace) -> None:
    """A pack and MPI-INF-3DHP's people to another pack."""
    if flags.data is None or flags.out is None:
        raise SettingsError("Cut-outs need a data set.", hint="posewire synth cutouts --data MPI_INF_3DHP/ --out real.npz")
    check_new_file(flags.out, "--out", overwrite=flags.overwrite)
    each = 60 if flags.each is None else flags.each
    check_range("--each", each, 1, 6000)
    with installed():
        from posewire_synth import pack_3dhp
    shown = partial(track, description="videos", console=console, transient=True)
    people = pack_3dhp.add(flags.pack, flags.data, flags.out, each=each, seed=flags.seed, track=shown)
    _written(flags, people, "cut-out", "cut-outs")


def blender(
    flags: argparse.Namespace,
    open_studio: Callable[..., Studio],
    render: Callable[[Studio, argparse.Namespace, int, int], Batch],
) -> None:
    """The sheet's pictures from Cycles, as files of batches."""
    if flags.out is None:
        raise SettingsError("Pictures need a folder.", hint="posewire synth blender --out fine/ --python bpy/bin/python")
    check_range("--count", flags.count, 1, 100_000)
    with installed():
        from posewire_synth import blender as by_blender
        from posewire_synth import saved
        from posewire_synth.sheet import contact_sheet
    python = flags.python or Path(sys.executable)
    by_blender.check(python)
    _check_folder(flags)
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("pictures, {task.fields[people]} people"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=flags.count, people=0)
        seen = count(1)
        painter = partial(
            by_blender.BlenderPainter, python=python, seen=lambda: progress.update(task, people=next(seen), refresh=True)
        )
        studio = open_studio(flags, painter)
        flags.out.mkdir(parents=True, exist_ok=True)
        for number, size in enumerate(saved.sizes(flags.count)):
            batch = render(studio, flags, flags.seed + number, size)
            saved.save(batch, flags.out / saved.name(number))
            write_image(flags.out / f"sheet_{number:05d}.png", contact_sheet(batch, 4))
            progress.advance(task, size)
    _written(flags, flags.count, "picture", "pictures")


def _check_folder(flags: argparse.Namespace) -> None:
    """Refuses a folder that holds anything, unless it may be written over."""
    if flags.out.is_dir() and any(flags.out.iterdir()) and not flags.overwrite:
        raise SettingsError("The folder for --out is not empty.", got=flags.out, hint="another folder, or --overwrite")


def _written(flags: argparse.Namespace, number: int, one: str, many: str) -> None:
    if flags.json:
        print_json({"out": str(flags.out), many: number})
    else:
        console.print(f"{flags.out}: {counted(number, one, many)}")
