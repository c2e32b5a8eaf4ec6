"""`python -m posewire_xnect.ablation --cache TRAIN --test TEST --one WEIGHTS --motion M`: small Tables 6.10 and 6.11 (002).

The 2D branch is the trained one; the 3D branch is taught anew with each encoding, and Stage II anew for each choice of its
inputs, all for equally many steps on the same part of the cache, and judged on people whom no training saw. ORPM is read without
a Stage II (orpm.py).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from posewire_data.joints import root_relative
from posewire_data.motion import MotionSet, load
from posewire_training import loop
from posewire_training.command import command
from posewire_xnect import cache, orpm
from posewire_xnect.branches import Columns, DeepTask, StageOneRun, divided, gather
from posewire_xnect.likeness import HEIGHT_PX, Found, Maker, found_in, people_of
from posewire_xnect.movenet import Heads
from posewire_xnect.people import People
from posewire_xnect.rows import person_rows
from posewire_xnect.scores import Scores, Seen, score, table
from posewire_xnect.skeleton import Scheme
from posewire_xnect.stage_two import Inputs, StageTwo, StageTwoSettings
from posewire_xnect.stage_two_task import StageTwoRun, StageTwoTask
from posewire_xnect.targets import FloatArray
from posewire_xnect.train import heads_of

CHOICES: tuple[tuple[str, Scheme, Inputs | None], ...] = (
    ("ORPM, no Stage II", "orpm", None),
    ("2D points", "sparse", "points"),
    ("2D points, confidence", "sparse", "points and confidence"),
    ("all, channel-dense", "dense", "all"),
    ("all, channel-sparse", "sparse", "all"),
)


def seen_in(heads: Heads, posed: orpm.Posing, test: Sequence[Path]) -> list[Seen]:
    """What heads, and what reads poses behind them, say of the groups of a test cache; its crowds are left out."""
    seen: list[Seen] = []
    for path in test:
        part = cache.load(path)
        for picture, every in enumerate(people_of(heads, part)[: cache.GROUPS]):
            found, joints_m = posed(every)
            there = torch.isfinite(part.points_px[picture]).all(-1).all(-1)
            true_px, true_m = (value[picture][there].double().numpy() for value in (part.points_px, part.joints_m))
            seen.append(Seen(found.points_px, joints_m, true_px, root_relative(true_m), part.visible[picture][there].numpy()))
    return seen


class Ablation:
    """Everything that the choices share.

    Args:
        parts: Of the training cache.
        test: Of the test cache.
        one: Weights of Stage I.
        motion: For people who are made.
        steps: Of each 3D branch and each Stage II.
    """

    def __init__(self, parts: Sequence[Path], test: Sequence[Path], one: Path, motion: MotionSet, steps: int) -> None:
        self.parts, self.test, self.one, self.motion, self.steps = parts, test, one, motion, steps
        self.columns = gather(heads_of(one), parts)
        self._taught: dict[Scheme, Heads] = {}
        self._found: dict[Scheme, Found] = {}

    def of(self, scheme: Scheme, inputs: Inputs | None) -> Scores:
        """One line of the table. `inputs` of Stage II; None = there is none."""
        if scheme not in self._taught:
            self._taught[scheme] = self._heads(scheme, self.columns)
        heads = self._taught[scheme]
        return score(seen_in(heads, orpm.posed if inputs is None else self._stage_two(heads, scheme, inputs), self.test))

    def _stage_two(self, heads: Heads, scheme: Scheme, inputs: Inputs) -> orpm.Posing:
        if scheme not in self._found:
            self._found[scheme] = found_in(heads, self.parts)
        found = self._found[scheme]
        settings = StageTwoRun(steps=self.steps, batch=256, learning_rate=1.5e-3, scheme=scheme, inputs=inputs)
        loop.set_up(settings)
        net = StageTwo(StageTwoSettings(scheme=scheme, inputs=inputs))
        _learn(StageTwoTask(settings, net, found, Maker(found, self.motion, scheme), found), net, self.steps)
        return lambda people: (people, joints_of(net, people))

    def _heads(self, scheme: Scheme, columns: Columns) -> Heads:
        settings = replace(StageOneRun(), steps=self.steps, scheme=scheme)
        loop.set_up(settings)
        heads = heads_of(self.one)
        for layer in (*heads.branch_3d, heads.encodings):
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()
        _learn(DeepTask(settings, heads, columns, columns), heads, self.steps)
        return heads


def joints_of(net: nn.Module, found: People) -> FloatArray:
    """(P, J, 3) as a Stage II in torch says them."""
    rows = torch.from_numpy(person_rows(found.points_px, found.confidence, found.encodings, HEIGHT_PX))
    with torch.inference_mode():
        return net(rows).double().numpy()


def _learn(task: Any, net: nn.Module, steps: int) -> None:
    """All steps, the learning rate falling along a line; without validation and checkpoints, unlike posewire_training.loop."""
    (optimizer,) = task.optimizers.values()
    rates = [group["lr"] for group in optimizer.param_groups]
    net.train()
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * (1.0 - step / steps)
        task.step(step, step / steps)
    net.eval()


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_xnect.ablation", description=__doc__)
    for name in ("cache", "test", "one", "motion"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="PATH")
    parser.add_argument("--parts", type=int, default=120, help="of the training cache")
    parser.add_argument("--steps", type=int, default=1000)
    flags = parser.parse_args(arguments)
    torch.set_num_threads(1)
    parts = divided(flags.cache)[0][: flags.parts]
    ablation = Ablation(parts, cache.paths(flags.test), flags.one, load(flags.motion, "train"), flags.steps)
    for name, scheme, inputs in CHOICES:
        print(table([(name, ablation.of(scheme, inputs))]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
