"""`python -m posewire_vnect.train --out FOLDER`: one command, from a synth pack to weights and the file that runs live.

With the frozen BlazePose trunk and --shots FOLDER (rendered by posewire_vnect.shots) features are cached in FOLDER/cache and the
head alone learns: a CPU will do. With --shots and a trunk that learns (--trunk-rate) or has learned (--begin), crops are seen
afresh every step (posewire_vnect.fresh):

    python -m posewire_vnect.train --out runs/tuned --shots shots/train --real shots/real --begin runs/head/weights.pt
        --trunk-rate 0.03 --trunk-from 15 --distil 1.0

Without --shots pictures are rendered where the network learns, from --pack, and real crops mixed in: on a GPU

    python -m posewire_vnect.train --out runs/gpu --device cuda --bf16 --batch 256 --steps 5000 --begin bundled --trunk-rate 0.03
        --trunk-from 15 --real shots/real --real-kept shots/others --distil 1.0 --real-share 0.2

The same command again continues where it was stopped. FOLDER gets last.pt, curves.csv, curves.png, and at the end weights.pt and
vnect.onnx; begun.pt, too, where it goes on from an exported file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from posewire.errors import SettingsError
from posewire_models import model_path
from posewire_synth.pack import load
from posewire_training import loop, weights
from posewire_training.command import command, parser_of
from posewire_training.flags import add_flags, settings_of
from posewire_training.origin import to_learn_from
from posewire_vnect import build, cache, export, shots, unfolded
from posewire_vnect.fresh import FreshTask
from posewire_vnect.names import INPUT_PX, JOINTS
from posewire_vnect.network import VNect
from posewire_vnect.real import RealCrops
from posewire_vnect.rounding import round_weights
from posewire_vnect.settings import VNectSettings
from posewire_vnect.tasks import CachedTask, PictureTask

METHOD = "vnect"
BUNDLED = "bundled"
BEGUN = "begun.pt"
"""What a run that goes on from an exported file began as: for posewire_vnect.between."""
MEASURED = 256
"""Crops that the batch norms of an exported file are measured on."""
VIEWS = 2
"""Of each rendered crop in the cache."""


def run(
    settings: VNectSettings,
    out: Path,
    *,
    pack: Path,
    rendered: Path | None = None,
    real: Path | None = None,
    real_kept: Path | None = None,
    begin: Path | None = None,
    quiet: bool = False,
    finish: bool = False,
    procedural: int | None = None,
) -> Path:
    """Trains (or, to finish, takes the checkpoint as it is) and returns the exported file; `procedural` as Studio says it."""
    if rendered is not None:
        to_learn_from(rendered)
    check_used(settings, real, real_kept, caches=rendered is not None and begin is None and settings.trunk_rate == 0)
    settings = settings if begin is None else as_begun(settings, begin)
    loop.set_up(settings)
    net = build.network(settings).to(settings.device)
    if begin is not None:
        take(net, begin)
    if rendered is not None and begin is None and settings.trunk_rate == 0:
        task = cached_task(settings, net, out, rendered, real)
    else:
        crops = real_crops(settings, real, real_kept)
        if rendered is not None:
            task = FreshTask(settings, net.trunk, net.head, shots.shards(rendered), crops, begun=begin is not None)
        else:
            task = PictureTask(settings, net.trunk, net.head, load(pack), procedural, crops, begun=begin is not None)
    if begin is not None and begin.suffix == unfolded.ENDING and not isinstance(task, CachedTask):
        unfolded.measure_norms(net, (task.batch(number)[0] for number in range(-(-MEASURED // settings.batch))))
        _save(net, settings, out / BEGUN)
    modules = loop.averaged(task, settings, out) if finish else loop.train(task, settings, out, quiet=quiet)
    finished = VNect(modules.get("trunk", net.trunk), modules["head"]).cpu().eval()
    _save(finished, settings, out / "weights.pt")
    export.export(finished, out / "vnect.onnx", side=settings.side)
    return out / "vnect.onnx"


def _save(net: VNect, settings: VNectSettings, path: Path) -> None:
    weights.save(path, METHOD, JOINTS, settings.to_json(), {"trunk": net.trunk, "head": net.head})


def check_used(settings: VNectSettings, real: Path | None, real_kept: Path | None, *, caches: bool) -> None:
    """Refuses what a run would not use; `caches`: whether the head alone learns, from cached features.

    Raises:
        SettingsError: real crops of another size than the network's, or to choose by where none are learned from or looked at, or
            --distil without real crops or without a trunk that learns.
    """
    if real is not None and settings.side != INPUT_PX:
        raise SettingsError("Real crops have one size only.", got=f"--side {settings.side} with --real", allowed=INPUT_PX)
    if real_kept is not None and (real is None or caches):
        got = "--real-kept with a frozen trunk's cached features" if caches else "--real-kept without --real"
        allowed = "with --real, and with --trunk-rate above 0, --begin or without --shots"
        raise SettingsError("--real-kept holds what a run chooses by that learns from real crops.", got=got, allowed=allowed)
    if settings.distil > 0 and (real is None or settings.trunk_rate == 0):
        got = f"--distil {settings.distil} --trunk-rate {settings.trunk_rate} {'with' if real else 'without'} --real"
        problem, allowed = "--distil holds what a trunk that learns says of real crops.", "with --trunk-rate above 0 and --real"
        raise SettingsError(problem, got=got, allowed=allowed)


def as_begun(settings: VNectSettings, begin: Path) -> VNectSettings:
    """The settings, with a trunk that says what the head of those weights reads."""
    exported = begin.suffix == unfolded.ENDING
    known = {} if exported else weights.load(begin, METHOD, JOINTS).settings
    return replace(settings, answers=not exported and bool(known.get("answers", True)))


def take(net: VNect, path: Path) -> None:
    """Gives the network the weights of an earlier run or of an exported file, its trunk rounded to what a file will hold
    (posewire_vnect.rounding)."""
    if path.suffix == unfolded.ENDING:
        unfolded.take(net, path)
    else:
        weights.load(path, METHOD, JOINTS).load_into({"trunk": net.trunk, "head": net.head})
    round_weights(net.trunk)


def real_crops(settings: VNectSettings, real: Path | None, kept: Path | None) -> RealCrops | None:
    """Of both folders."""
    return None if real is None else RealCrops(settings, shots.shards(real), shots.shards(kept) if kept else [])


def cached_task(settings: VNectSettings, net: VNect, out: Path, rendered: Path, real: Path | None) -> CachedTask:
    """The head's task; whatever is missing in the cache is computed first."""
    if settings.trunk != "blazepose" or settings.trunk_rate > 0 or not settings.answers:
        got = f"--trunk {settings.trunk} --trunk-rate {settings.trunk_rate} --{'' if settings.answers else 'no-'}answers"
        hint = "leave --shots away to render while training"
        raise SettingsError("Only a frozen BlazePose trunk can be cached.", got=got, hint=hint)
    drawn = shots.shards(rendered)
    shots.check_enough(drawn)
    files = list(cache.build(drawn, out / "cache", VIEWS, settings.threads))
    known = list(cache.build(shots.shards(real), out / "cache_real", VIEWS, settings.threads)) if real else []
    return CachedTask(settings, net.head, files, known)


def begun_at(text: str) -> Path:
    """Of --begin."""
    return model_path("vnect") if text == BUNDLED else Path(text)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = parser_of("posewire_vnect.train", __doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--pack", type=Path, default=Path("data") / "synth.npz", metavar="FILE.npz")
    parser.add_argument("--shots", type=Path, metavar="FOLDER", help="rendered crops (python -m posewire_vnect.shots)")
    parser.add_argument("--real", type=Path, metavar="FOLDER", help="pseudo-labelled crops (python -m posewire_vnect.footage)")
    told = "crops of other clips, to choose by instead of a fifth of --real"
    parser.add_argument("--real-kept", type=Path, metavar="FOLDER", help=told)
    parser.add_argument(
        "--begin",
        type=begun_at,
        metavar="WEIGHTS",
        help=f"weights.pt, its parts or vnect.onnx of an earlier run, or {BUNDLED}: what ships",
    )
    parser.add_argument("--finish", action="store_true", help="train no further: export the checkpoint")
    add_flags(parser, VNectSettings)
    flags = parser.parse_args(arguments)
    settings = settings_of(flags, VNectSettings)
    begun = partial(run, settings, flags.out, pack=flags.pack, begin=flags.begin, finish=flags.finish)
    print(begun(rendered=flags.shots, real=flags.real, real_kept=flags.real_kept))


if __name__ == "__main__":
    sys.exit(main())
