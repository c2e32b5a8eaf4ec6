"""`python -m posewire_xnect.train COMMAND ...`: from a pack of bodies to the two live files. Each continues where it stopped.

    cache   --pack synth.npz (or --pictures PICTURES) --trunk movenet_trunk.onnx --out CACHE --parts 480 [--split test]
    footage --video FILM --trunk movenet_trunk.onnx --one ONE/weights.pt --out FOOTAGE [--pictures 60] [--first FRAME]
    stage1  --cache CACHE --out ONE [--footage FOOTAGE]   heads on the frozen MoveNet trunk: for a CPU
    pictures --pack synth.npz --out PICTURES [--count 2560] [--kind singles] [--split test]
    label   --video FILM --out REAL [--pictures 60] [--first FRAME]
    tune    --trunk movenet_trunk.onnx --one ONE/weights.pt --pictures PICTURES ... --out TUNED [--footage REAL]
            the trunk's last part and the heads together; TUNED/trunk.onnx and TUNED/weights.pt then stand for both
    settle  --trunk TUNED/trunk.onnx --before movenet_trunk.onnx --pictures PICTURES --out SETTLED [--footage REAL]
            the trunk's own centres and reaches as they were before it learned: SETTLED/trunk.onnx
    blend   --trunks TRUNK.onnx ... --ones WEIGHTS.pt ... --out BLEND [--deep WEIGHTS.pt]   their mean
    whole   --pack synth.npz --out ONE [--footage REAL] [--footage-kept OTHERS] [--start WEIGHTS] [--device cpu]
            SelecSLS from nothing: 25 minutes of one large GPU
    export  --trunk movenet_trunk.onnx --one ONE/weights.pt --pack synth.npz --out FOLDER [--two TWO/weights.pt]
    deep    --stage1 FOLDER/xnect_stage1.onnx --pictures PICTURES --out DEEP [--footage REAL]
            the 3D branch of an exported file, int8 or not, learns on: DEEP/xnect_stage1.onnx
    stage2  --pictures OTHERS --stage1 FOLDER/xnect_stage1.onnx --motion motion.npz --out TWO [--footage REAL]
            on what the exported file finds in pictures that it did not learn from; or --cache CACHE --one ONE/weights.pt

stage1, tune, whole, deep and stage2 leave last.pt, curves.csv, curves.png and weights.pt in their folders, settle and
deep all but the last.
Motion: `python -m posewire_data.pack`; the trunk: models/convert/convert_movenet.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from posewire.errors import SettingsError
from posewire_data.joints import JOINTS
from posewire_synth.dataset import Pictures
from posewire_training import loop, weights
from posewire_training.command import at_least_one, command
from posewire_training.flags import add_flags, settings_of
from posewire_training.origin import to_learn_from
from posewire_xnect import album, cache, footage, stage_two_train, trunk_file, whole_train
from posewire_xnect.blend import blend
from posewire_xnect.branches import DeepTask, FlatTask, StageOneRun, divided, footage_in, gather
from posewire_xnect.deepen import DeepRun, deepen
from posewire_xnect.export import export_movenet, export_stage_one, export_stage_two
from posewire_xnect.frames import frames_of
from posewire_xnect.movenet import Heads, Trunk
from posewire_xnect.settle import SettleRun, settle
from posewire_xnect.stage_two_task import StageTwoRun
from posewire_xnect.stage_two_train import net_of
from posewire_xnect.tune import TuneRun, TuneTask
from posewire_xnect.whole_task import WholeRun

MOVENET = "xnect-movenet"
"""What weights files of heads call themselves."""


def stage_one(
    settings: StageOneRun, folder: Path, out: Path, start: Path | None = None, real: Path | None = None, *, quiet: bool = False
) -> Path:
    """Trains both branches of the heads on a cache; returns the weights file.

    Args:
        settings: Of the run.
        folder: The cache.
        out: Where everything goes.
        start: Weights to begin from, where they fit.
        real: Parts of real footage that are learned from besides (footage.py).
        quiet: Shows no progress.
    """
    loop.set_up(settings)
    heads = Heads()
    if start is not None:
        heads.begin_from(weights.load(start, MOVENET, JOINTS).states["heads"])
    flat = loop.train(FlatTask(settings, heads, folder, real), settings, out / "flat", quiet=quiet)
    heads.load_state_dict(flat["heads"].state_dict())
    training, held = divided(folder)
    task = DeepTask(settings, heads.eval(), gather(heads, [*training, *footage_in(real)]), gather(heads, held))
    deep = loop.train(task, replace(settings, steps=settings.deep_steps), out / "deep", quiet=quiet)
    weights.save(out / "weights.pt", MOVENET, JOINTS, settings.to_json(), deep)
    return out / "weights.pt"


def tune(
    settings: TuneRun,
    trunk: Path,
    one: Path,
    pictures: Sequence[Path],
    out: Path,
    real: Path | None = None,
    kept: Path | None = None,
    *,
    quiet: bool = False,
) -> Path:
    """Trains the trunk's last part and the heads together; writes out/trunk.onnx and returns the heads' weights file.

    Args:
        settings: Of the run.
        trunk: Of models/convert/convert_movenet.py, or of an earlier run.
        one: Trained heads on it.
        pictures: Folders of rendered ones (album.py); the first file of the first is kept apart.
        out: Where everything goes.
        real: Labelled frames of films, learned from besides.
        kept: Those of other films, to choose by.
        quiet: Shows no progress.
    """
    loop.set_up(settings)
    rendered = [path for folder in pictures for path in album.paths(to_learn_from(folder))]
    net = Trunk(trunk)
    task = TuneTask(settings, net, heads_of(one), rendered, frames_of(real, kept))
    trained = loop.train(task, settings, out, quiet=quiet)
    net.graph.load_state_dict(trained["trunk"].state_dict())
    trunk_file.write(trunk, net.graph.cpu(), settings.trunk_from, out / "trunk.onnx")
    weights.save(out / "weights.pt", MOVENET, JOINTS, settings.to_json(), {"heads": trained["heads"]})
    return out / "weights.pt"


def people_found(flags: argparse.Namespace) -> stage_two_train.People:
    """Whom Stage II learns from."""
    heads, file = (flags.cache, flags.one), (flags.pictures, flags.stage1)
    if None not in heads and (*file, flags.footage) == (None, None, None):
        return stage_two_train.by_heads(heads_of(flags.one), flags.cache)
    if None not in file and heads == (None, None):
        return stage_two_train.by_file(flags.stage1, flags.pictures, flags.footage)
    allowed = "--cache and --one, or --pictures and --stage1 (and --footage)"
    raise SettingsError("Stage II learns from people whom Stage I found.", got="neither or both", allowed=allowed)


def heads_of(one: Path) -> Heads:
    """Trained heads, in eval mode."""
    heads = Heads()
    weights.load(one, MOVENET, JOINTS).load_into({"heads": heads})
    return heads.eval()


def export(trunk: Path | None, one: Path, two: Path | None, pack: Path, out: Path) -> str:
    """Writes xnect_stage1.onnx and, where there is one, xnect_stage2.onnx; tells what was written.

    `trunk` is None where Stage I is SelecSLS.
    """
    image = next(iter(Pictures(pack, "groups", batch=2, split="test", seed=77))).image
    first, second = out / "xnect_stage1.onnx", out / "xnect_stage2.onnx"
    if trunk is None:
        net, settings = whole_train.net_of(one)
        made = export_stage_one(net, image, first, half=True, scheme=settings.scheme)
        told = f"difference {made.difference:.1e}\n{made.pruned}"
    else:
        scheme = weights.load(one, MOVENET, JOINTS).settings["scheme"]
        told = f"difference {export_movenet(Trunk(trunk), heads_of(one), image, first, scheme):.1e}"
    lines = [f"{first.name}: {first.stat().st_size} bytes, {told}"]
    if two is None:
        return lines[0]
    difference = export_stage_two(net_of(two), second, pack=True)
    return "\n".join([*lines, f"{second.name}: {second.stat().st_size} bytes, difference {difference:.1e}"])


def make_cache(flags: argparse.Namespace) -> str:
    """Tells progress as it goes."""
    torch.set_num_threads(1)
    scenes = cache.scenes_for(flags.out, flags.pack, flags.pictures, flags.split, flags.seed)
    for number in cache.make(scenes, flags.trunk, flags.out, flags.parts, flags.seed):
        print(f"part {number + 1} of {flags.parts}", file=sys.stderr)
    return _parts_in(flags.out)


def render_pictures(flags: argparse.Namespace) -> str:
    """Tells progress as it goes."""
    torch.set_num_threads(1)
    for path in album.render(flags.pack, flags.out, flags.count, flags.split, flags.seed, flags.kind):
        print(path.name, file=sys.stderr)
    return f"{len(album.paths(flags.out)) * album.SIZE} pictures in {flags.out}"


def add_footage(flags: argparse.Namespace) -> str:
    """Tells progress as it goes."""
    torch.set_num_threads(1)
    film = (flags.video, flags.trunk, heads_of(flags.one), flags.out)
    for number in footage.make(*film, flags.pictures, flags.first, flags.seed):
        print(f"part {number + 1}", file=sys.stderr)
    return _parts_in(flags.out)


def _parts_in(folder: Path) -> str:
    count = len(cache.paths(folder))
    return f"{count} {'part' if count == 1 else 'parts'} in {folder}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m posewire_xnect.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    files = {
        "cache": ("trunk", "out"),
        "footage": ("video", "trunk", "one", "out"),
        "stage1": ("cache", "out"),
        "pictures": ("pack", "out"),
        "label": ("video", "out"),
        "tune": ("trunk", "one", "out"),
        "settle": ("trunk", "before", "pictures", "out"),
        "blend": ("out",),
        "whole": ("pack", "out"),
        "stage2": ("motion", "out"),
        "export": ("one", "pack", "out"),
        "deep": ("stage1", "pictures", "out"),
    }
    for name, needed in files.items():
        command = commands.add_parser(name)
        for path in needed:
            command.add_argument(f"--{path}", type=Path, required=True, metavar="PATH")
        if name in _SETTINGS:
            add_flags(command, _SETTINGS[name])
    _add_own_flags(commands.choices)
    return parser


def _add_own_flags(commands: Mapping[str, argparse.ArgumentParser]) -> None:
    """What one or two of the commands take besides."""
    commands["export"].add_argument("--two", type=Path, metavar="PATH", help="left out: Stage I only")
    commands["tune"].add_argument("--pictures", type=Path, required=True, nargs="+", metavar="PATH", help="rendered ones")
    commands["pictures"].add_argument("--kind", choices=("groups", "singles"), default="groups", help="who is in them")
    commands["export"].add_argument("--trunk", type=Path, metavar="PATH", help="left out: Stage I is SelecSLS")
    for name, help_text in _FOUND.items():
        commands["stage2"].add_argument(f"--{name}", type=Path, metavar="PATH", help=help_text)
    for name in ("stage1", "tune", "settle", "whole", "deep", "stage2"):
        commands[name].add_argument("--footage", type=Path, metavar="PATH", help="real pictures to learn from besides")
    for name in ("tune", "whole"):
        told = "labelled frames of other films, to choose by instead of a tenth of --footage"
        commands[name].add_argument("--footage-kept", type=Path, metavar="PATH", help=told)
    for name in ("trunks", "ones"):
        commands["blend"].add_argument(f"--{name}", type=Path, required=True, nargs="+", metavar="PATH")
    commands["blend"].add_argument("--deep", type=Path, metavar="PATH", help="heads whose 3D branch is taken as it is")
    for name in ("footage", "label"):
        commands[name].add_argument("--pictures", type=int, default=60)
        commands[name].add_argument("--first", type=int, default=0, metavar="FRAME", help="where to begin")
        commands[name].add_argument("--seed", type=int, default=0)
    for name in ("stage1", "whole", "stage2"):
        commands[name].add_argument("--start", type=Path, metavar="PATH", help="begin from these weights")
    commands["cache"].add_argument("--pack", type=Path, metavar="PATH", help="render pictures")
    commands["cache"].add_argument("--pictures", type=Path, metavar="PATH", help="rendered pictures")
    commands["cache"].add_argument("--parts", type=at_least_one, default=480)
    commands["pictures"].add_argument("--count", type=at_least_one, default=2560, help=f"rounded up to files of {album.SIZE}")
    for name in ("cache", "pictures"):
        commands[name].add_argument("--split", choices=("train", "test"), default="train", help="of the pack")
        commands[name].add_argument("--seed", type=int, default=0)


_FOUND = {
    "cache": "of training pictures",
    "one": "weights of the heads that find people in the cache",
    "pictures": "rendered ones that Stage I did not learn from, the first file to choose by",
    "stage1": "the exported file that finds people in the pictures",
}
_SETTINGS = {
    "stage1": StageOneRun,
    "tune": TuneRun,
    "settle": SettleRun,
    "whole": WholeRun,
    "stage2": StageTwoRun,
    "deep": DeepRun,
}
_COMMANDS: dict[str, Callable[[argparse.Namespace], object]] = {
    "cache": make_cache,
    "footage": add_footage,
    "stage1": lambda flags: stage_one(settings_of(flags, StageOneRun), flags.cache, flags.out, flags.start, flags.footage),
    "pictures": render_pictures,
    "label": lambda flags: footage.add_pictures(flags.video, flags.out, flags.pictures, flags.first, flags.seed),
    "tune": lambda flags: tune(
        settings_of(flags, TuneRun), flags.trunk, flags.one, flags.pictures, flags.out, flags.footage, flags.footage_kept
    ),
    "settle": lambda flags: settle(
        settings_of(flags, SettleRun), flags.trunk, flags.before, flags.pictures, flags.out, flags.footage
    ),
    "blend": lambda flags: blend(MOVENET, flags.trunks, flags.ones, flags.out, flags.deep),
    "whole": lambda flags: whole_train.train(
        settings_of(flags, WholeRun), flags.pack, flags.out, flags.footage, flags.footage_kept, flags.start
    ),
    "stage2": lambda flags: stage_two_train.train(
        settings_of(flags, StageTwoRun), people_found(flags), flags.motion, flags.out, flags.start
    ),
    "deep": lambda flags: deepen(settings_of(flags, DeepRun), flags.stage1, flags.pictures, flags.out, flags.footage),
    "export": lambda flags: export(flags.trunk, flags.one, flags.two, flags.pack, flags.out),
}


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    flags = _parser().parse_args(arguments)
    print(_COMMANDS[flags.command](flags))


if __name__ == "__main__":
    sys.exit(main())
