"""The training loop: steps, validations, checkpoints, curves. The same folder continues where it was stopped.

A folder holds `last.pt` (everything that the next step needs), `curves.csv` and `curves.png`. Where the run comes from another
machine, parts of last.pt (posewire_training.parts) will do instead.
"""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from posewire.errors import ModelError
from posewire_training import curves, device, parts
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, Task

FORMAT = 1
"""Of last.pt."""
_AVERAGE_EVERY = 10
"""Steps between two updates of the running average: it costs as much as a tenth of a small network's step."""


def set_up(settings: TrainSettings) -> None:
    """Seeds and threads; called before the networks are made, so that their first weights are seeded too.

    Raises:
        DeviceError: the device that the settings name is not there.
    """
    device.check(settings.device)
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)


def train(task: Task, settings: TrainSettings, folder: Path, *, quiet: bool = False) -> Mapping[str, nn.Module]:
    """Runs the task to its last step and returns its averaged networks, in eval mode.

    Args:
        task: Networks, optimisers, one step, one validation.
        settings: How long and how fast.
        folder: Made where it is missing. One that holds a checkpoint is continued.
        quiet: No progress bar.

    Raises:
        ModelError: the folder's checkpoint is of another run, or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(task, settings, folder)
    first = run.resume()
    with _progress(quiet) as progress:
        bar = progress.add_task(folder.name, total=settings.steps, completed=first, scores="")
        for step in range(first, settings.steps):
            scores = run.step(step)
            if (step + 1) % settings.validate_every == 0 or step + 1 == settings.steps:
                scores = run.validate(step + 1, scores)
                progress.update(bar, scores="  ".join(f"{name} {value:.4g}" for name, value in scores.items()))
            progress.update(bar, completed=step + 1)
    return run.average


def averaged(task: Task, settings: TrainSettings, folder: Path) -> Mapping[str, nn.Module]:
    """The averaged networks of a folder's checkpoint, in eval mode, without training any further.

    Raises:
        ModelError: the folder has no checkpoint, or one of another run, or a damaged one.
    """
    run = _Run(task, settings, folder)
    if run.resume() == 0:
        raise ModelError(f"{folder} holds no checkpoint.", allowed="a folder with last.pt", hint="leave --finish away to train")
    return run.average


class _Run:
    """One run's state between two steps."""

    def __init__(self, task: Task, settings: TrainSettings, folder: Path) -> None:
        self._task, self._settings, self._folder = task, settings, folder
        self._rates = {name: [group["lr"] for group in o.param_groups] for name, o in task.optimizers.items()}
        self._curves = curves.Curves(folder / "curves.csv")
        self.average = {name: deepcopy(module).eval() for name, module in task.modules.items()}

    def resume(self) -> int:
        """The first step to do: 0, or where the folder's checkpoint ends."""
        path = parts.or_first(self._folder / "last.pt")
        if not path.exists():
            return 0
        state = _loaded(path, self._settings)
        for name, module in self._task.modules.items():
            module.load_state_dict(state["modules"][name])
            self.average[name].load_state_dict(state["average"][name])
        for name, optimizer in self._task.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        torch.set_rng_state(state["random"].cpu())  # it came to the device with everything else
        if (chance := state.get("device_random")) is not None:
            device.set_chance(self._settings.device, chance.cpu())
        self._curves.forget_after(state["step"])
        return int(state["step"])

    def step(self, step: int) -> Scores:
        """One batch."""
        factor = rate_factor(step, self._settings)
        for name, optimizer in self._task.optimizers.items():
            for group, rate in zip(optimizer.param_groups, self._rates[name], strict=True):
                group["lr"] = rate * factor
        for module in self._task.modules.values():
            module.train()
        scores = self._task.step(step, step / self._settings.steps)
        if step % _AVERAGE_EVERY == 0:
            self._take_into_average(step)
        return scores

    def _take_into_average(self, step: int) -> None:
        """Running mean of the weights; early on a shorter one, so that the first random weights are soon forgotten."""
        keep = min(self._settings.average, (1 + step) / (10 + step)) ** _AVERAGE_EVERY if self._settings.average else 0.0
        for name, module in self._task.modules.items():
            mean, now = self.average[name].state_dict(), module.state_dict()
            floats = [key for key in mean if mean[key].is_floating_point()]
            for key in floats:
                mean[key].lerp_(now[key], 1.0 - keep)
            for key in set(mean) - set(floats):
                mean[key].copy_(now[key])

    def validate(self, done: int, scores: Scores) -> Scores:
        """Scores of the averaged networks; writes curves and checkpoint."""
        if not self._settings.average:
            self._take_into_average(done)
        with self._averaged(), torch.inference_mode():
            scores = {**scores, **self._task.validate()}
        self._curves.add(done, scores)
        curves.plot(self._folder / "curves.csv", self._folder / "curves.png")
        self._save(done)
        return scores

    @contextmanager
    def _averaged(self) -> Generator[None]:
        """The task's networks hold the averaged weights meanwhile, in eval mode."""
        learning = {name: deepcopy(module.state_dict()) for name, module in self._task.modules.items()}
        for name, module in self._task.modules.items():
            module.load_state_dict(self.average[name].state_dict())
            module.eval()
        try:
            yield
        finally:
            for name, module in self._task.modules.items():
                module.load_state_dict(learning[name])

    def _save(self, done: int) -> None:
        state: dict[str, Any] = {
            "format": FORMAT,
            "settings": self._settings.to_json(),
            "step": done,
            "modules": {name: module.state_dict() for name, module in self._task.modules.items()},
            "average": {name: module.state_dict() for name, module in self.average.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self._task.optimizers.items()},
            "random": torch.get_rng_state(),
            "device_random": device.chance(self._settings.device),
        }
        beside = self._folder / "last.pt.new"
        torch.save(state, beside)
        beside.replace(self._folder / "last.pt")  # never half a checkpoint


def rate_factor(step: int, settings: TrainSettings) -> float:
    """Share of the learning rate: up along a line, then down along half a cosine to 1 %."""
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    part = (step - settings.warm_up_steps) / max(1, settings.steps - settings.warm_up_steps)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * part))


def _loaded(path: Path, settings: TrainSettings) -> dict[str, Any]:
    state = parts.read(path, settings.device)
    was = state.get("settings", {})
    if state.get("format") != FORMAT or was != settings.to_json():
        changed = [name for name, value in settings.to_json().items() if was.get(name) != value]
        raise ModelError(
            f"{path} is of a run with other settings.",
            got=", ".join(f"{name}={was.get(name)}" for name in changed),
            allowed=", ".join(f"{name}={settings.to_json()[name]}" for name in changed),
            hint="give the same flags to continue it, or another --out folder",
        )
    return state


def _progress(quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("{task.fields[scores]}"), console=Console(stderr=True), disable=quiet)
