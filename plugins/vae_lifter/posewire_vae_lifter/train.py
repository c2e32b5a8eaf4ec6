"""`python -m posewire_vae_lifter.train --motion FILE.npz --out FOLDER`: one command, from motion to weights.

The same command again continues where it was stopped. FOLDER gets last.pt, curves.csv, curves.png and at the end weights.pt;
with --finish it gets weights.pt now, from the checkpoint as it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from posewire.errors import SettingsError
from posewire_data.joints import JOINTS
from posewire_data.motion import MotionSet, load
from posewire_training import loop, weights
from posewire_training.command import command
from posewire_training.flags import add_flags, settings_of
from posewire_training.real import RealClips
from posewire_training.samples import CLEAN, THIRTY_PERCENT_LATELY, Augmentation, Disturbance, Hiding, Sampler
from posewire_vae_lifter.adversary import AdversarialTask
from posewire_vae_lifter.crossmodal import CrossModalTask
from posewire_vae_lifter.model import Baseline, Vae
from posewire_vae_lifter.reprojection import ReprojectionTask
from posewire_vae_lifter.settings import VaeSettings
from posewire_vae_lifter.tasks import BaselineTask, VaeTask

VALIDATION_SUBJECTS = ("10", "12")
"""Two of the training subjects are kept apart: every choice was made on them, none on the test subject 13."""


_OF_A_VAE = ("annealing", "adversary", "supervision")


def task_of(settings: VaeSettings, motion: MotionSet) -> BaselineTask | VaeTask | CrossModalTask:
    """The task that the settings ask for, on training motion.

    Raises:
        SettingsError: one of the settings would change nothing.
    """
    check_used(settings)
    training, validation = motion.divided(VALIDATION_SUBJECTS)
    drawn = training_sampler(settings, training)
    judged = {
        "clean": Sampler(validation, settings.frames),
        "hidden": Sampler(validation, settings.frames, CLEAN, THIRTY_PERCENT_LATELY),
        "disturbed": Sampler(validation, settings.frames, Augmentation(), Hiding(), Disturbance(1.0)),
        "real": Sampler(validation, settings.frames, CLEAN, real=RealClips(1.0)),
    }
    if settings.form == "baseline":
        return BaselineTask(settings, Baseline(settings), drawn, judged)
    return _kind(settings)(settings, Vae(settings), drawn, judged)


def check_used(settings: VaeSettings) -> None:
    """Refuses what a task would not look at.

    Raises:
        SettingsError: a setting was changed that the form, supervision or adversary has no use for.
    """
    if settings.form != "vae":
        told, idle = f"--form {settings.form}", {"baseline": _OF_A_VAE, "cross-modal": (*_OF_A_VAE[1:], "error")}[settings.form]
    elif settings.supervision == "reprojection":
        told, idle = "--supervision reprojection", ("adversary", "error")
    elif settings.adversary != "none":
        told, idle = f"--adversary {settings.adversary}", ("error",)
    else:
        return
    plain = VaeSettings()
    if typed := [f"--{name} {getattr(settings, name)}" for name in idle if getattr(settings, name) != getattr(plain, name)]:
        raise SettingsError(f"{told} has no use for {typed[0]}.", got=f"{told} {' '.join(typed)}", allowed="one of the two")


def training_sampler(settings: VaeSettings, motion: MotionSet) -> Sampler:
    """What a network of these settings learns from."""
    hiding = Hiding(spell=0.5, steady=0.5) if settings.frames > 1 else Hiding()
    return Sampler(motion, settings.frames, Augmentation(), hiding, Disturbance(settings.noise), real=RealClips(settings.real))


def _kind(settings: VaeSettings) -> type[VaeTask] | type[CrossModalTask]:
    if settings.form == "cross-modal":
        return CrossModalTask
    if settings.supervision == "reprojection":
        return ReprojectionTask
    return VaeTask if settings.adversary == "none" else AdversarialTask


def run(
    settings: VaeSettings,
    motion: MotionSet,
    out: Path,
    *,
    start: Path | None = None,
    quiet: bool = False,
    finish: bool = False,
) -> Path:
    """Trains (or, to finish, takes the checkpoint) and returns the weights file; `start`: weights to begin from."""
    loop.set_up(settings)
    task = task_of(settings, motion)
    if start is not None:
        begin_from(task.net, weights.load(start, settings.form, JOINTS).states["net"])
    modules = loop.averaged(task, settings, out) if finish else loop.train(task, settings, out, quiet=quiet)
    weights.save(out / "weights.pt", settings.form, JOINTS, settings.to_json(), modules)
    return out / "weights.pt"


def begin_from(net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Takes over every tensor that fits: a temporal encoder begins with the decoder of the lifter of one frame."""
    mine = net.state_dict()
    fitting = {name: value for name, value in state.items() if name in mine and mine[name].shape == value.shape}
    net.load_state_dict({**mine, **fitting})


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vae_lifter.train", description=__doc__)
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz", help="made by python -m posewire_data.pack")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--start", type=Path, metavar="FILE.pt", help="begin from these weights, as far as they fit")
    parser.add_argument("--finish", action="store_true", help="train no further")
    add_flags(parser, VaeSettings)
    flags = parser.parse_args(arguments)
    settings, motion = settings_of(flags, VaeSettings), load(flags.motion, "train")
    print(run(settings, motion, flags.out, start=flags.start, finish=flags.finish))


if __name__ == "__main__":
    sys.exit(main())
