"""`posewire synth`: a contact sheet of training images, what they are made from, and how fast they are made."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from posewire.cli import synth_making
from posewire.cli.options import Commands, add_json_flag, console, print_json
from posewire.errors import DeviceError, SettingsError
from posewire.image_file import write_image
from posewire.output_path import check_new_file

if TYPE_CHECKING:
    import torch

    from posewire_synth.layers import Painter
    from posewire_synth.pack import Pack
    from posewire_synth.studio import Batch, Studio

_EPILOG = """\
  posewire synth backgrounds --hdri hdri/ --out pictures/     views of panoramas, to stand behind people
  posewire synth pack --motion cmu/ --backgrounds pictures/   bodies, poses, pictures -> data/synth.npz
  posewire synth cutouts --data MPI_INF_3DHP/ --out real.npz  data/synth.npz and that data set's people
  posewire synth --out sheet.png                              24 labelled crops
  posewire synth --out sheet.png --kind groups --seed 5       pictures of several people
  posewire synth blender --out fine/ --python bpy/bin/python  the same pictures from Cycles, seconds each
  posewire synth speed --kind crops --size 256                samples a second
"""
_DOTS = "green dots are seen, red ones behind the person itself, purple behind a thing, yellow behind somebody else"
_SIZES = "a multiple of 16 from 64 to 1024"
_DEFAULT_PACK = Path("data") / "synth.npz"


def add_commands(commands: Commands) -> None:
    """Adds synth."""
    parser = commands.add_parser(
        "synth",
        help="rendered training images of people: show, pack, measure",
        description="Training images of rendered people with every label. See docs/SYNTH.md.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", choices=list(_ACTIONS), default="sheet", help="default: sheet")
    parser.add_argument(
        "--pack", type=Path, default=_DEFAULT_PACK, metavar="FILE", help=f"the pack (default: {_DEFAULT_PACK.as_posix()})"
    )
    parser.add_argument(
        "--out", type=Path, metavar="PATH", help="sheet: the picture; backgrounds, blender: a folder; cutouts: a pack"
    )
    parser.add_argument("--kind", choices=["crops", "groups"], default="crops", help="one person, or several (default: crops)")
    parser.add_argument("--size", type=int, metavar="PX", help="side of a crop (default: 256), height of a group (default: 320)")
    parser.add_argument("--count", type=int, default=24, metavar="N", help="pictures (default: 24)")
    parser.add_argument("--columns", type=int, metavar="N", help="sheet: pictures in a row")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other pictures (default: 0)")
    parser.add_argument("--split", choices=["train", "test"], default="train", help="test: held-out bodies, motions, backgrounds")
    parser.add_argument("--device", default="cpu", metavar="cpu|cuda", help="where to render (default: cpu)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads on the CPU (default: all cores)")
    parser.add_argument("--clean", action="store_true", help="no blur, noise, colour shift, compression, foreground")
    parser.add_argument("--no-labels", action="store_true", help="sheet: draw no keypoints")
    parser.add_argument("--motion", type=Path, metavar="DIR", help="pack: CMU's BVH files, or archives of them")
    parser.add_argument("--backgrounds", type=Path, metavar="DIR", help="pack: pictures of places without people")
    parser.add_argument("--people", type=int, default=320, metavar="N", help="pack: bodies to sample (default: 320)")
    parser.add_argument("--hdri", type=Path, metavar="DIR", help="backgrounds: panoramas, .hdr, .exr or .exr.js")
    parser.add_argument("--data", type=Path, metavar="DIR", help="cutouts: MPI-INF-3DHP, with its masks")
    parser.add_argument("--each", type=int, metavar="N", help="backgrounds: views of a panorama (16); cutouts: of a video (60)")
    parser.add_argument("--python", type=Path, metavar="FILE", help="blender: a Python that has bpy (default: this one)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    add_json_flag(parser)
    parser.set_defaults(run=_synth)


def _synth(flags: argparse.Namespace) -> None:
    _ACTIONS[flags.action](flags)


def _studio(flags: argparse.Namespace, painter: Callable[[Pack, torch.device], Painter] | None = None) -> Studio:
    _size(flags)
    with synth_making.installed():
        import torch

        from posewire_synth import layers, pack
        from posewire_synth.studio import Studio

    if flags.device not in ("cpu", "cuda"):
        raise SettingsError("There is no such device.", got=flags.device, allowed=["cpu", "cuda"], hint="--device cpu")
    if flags.device == "cuda" and not torch.cuda.is_available():
        raise DeviceError("torch sees no CUDA device.", hint="leave --device away")
    if flags.threads is not None:
        synth_making.check_range("--threads", flags.threads, 1, 1024)
        torch.set_num_threads(flags.threads)
    painter = painter or layers.Painter
    return Studio(pack.load(flags.pack), flags.split, flags.device, clean=flags.clean, painter=painter)


def _size(flags: argparse.Namespace) -> int:
    size = flags.size or (256 if flags.kind == "crops" else 320)
    if size % 16 or not 64 <= size <= 1024:
        raise SettingsError("--size is not usable.", got=size, allowed=_SIZES, hint="--size 256")
    return size


def _render(studio: Studio, flags: argparse.Namespace, seed: int, count: int) -> Batch:
    size = _size(flags)
    if flags.kind == "crops":
        return studio.crops(seed, count, size)
    return studio.groups(seed, count, (size, size * 8 // 5 // 16 * 16))


def _sheet(flags: argparse.Namespace) -> None:
    if flags.out is None:
        raise SettingsError("The sheet needs a file.", hint="posewire synth --out sheet.png")
    check_new_file(flags.out, "--out", overwrite=flags.overwrite)
    synth_making.check_range("--count", flags.count, 1, 400)
    synth_making.check_range("--seed", flags.seed, 0, 2**40)
    columns = flags.columns or (6 if flags.kind == "crops" else 3)
    synth_making.check_range("--columns", columns, 1, 50)
    studio = _studio(flags)
    from posewire_synth.sheet import contact_sheet

    picture = contact_sheet(_render(studio, flags, flags.seed, flags.count), columns, labels=not flags.no_labels)
    write_image(flags.out, picture)
    if flags.json:
        print_json({"out": str(flags.out), "pictures": flags.count})
    else:
        console.print(f"Drawn: {flags.out}. Left is orange, right blue; {_DOTS}.")


def _speed(flags: argparse.Namespace) -> None:
    synth_making.check_range("--count", flags.count, 1, 4096)
    studio = _studio(flags)
    import torch

    _render(studio, flags, flags.seed + 1, flags.count)  # warm up
    start = time.perf_counter()
    batch = _render(studio, flags, flags.seed, flags.count)
    if flags.device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    height, width = batch.image.shape[2:]
    result = {"pictures_per_s": flags.count / seconds, "batch": flags.count, "width_px": width, "height_px": height}
    if flags.json:
        print_json(result | {"device": flags.device, "threads": torch.get_num_threads()})
    else:
        console.print(
            f"{result['pictures_per_s']:.1f} pictures a second ({width} x {height}, {flags.count} a batch, {flags.device})"
        )


def _blender(flags: argparse.Namespace) -> None:
    synth_making.blender(flags, _studio, _render)


_ACTIONS: dict[str, Callable[[argparse.Namespace], None]] = {
    "sheet": _sheet,
    "pack": synth_making.pack,
    "backgrounds": synth_making.backgrounds,
    "cutouts": synth_making.cutouts,
    "blender": _blender,
    "speed": _speed,
}
