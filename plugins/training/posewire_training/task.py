"""What a training run works on: networks, their optimisers, one step, one validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Scores: TypeAlias = Mapping[str, float]
"""Named numbers of a step or of a validation: losses, errors in mm. Each becomes a column of curves.csv."""


class Task(Protocol):
    """Implemented by each method; `train` calls it."""

    modules: Mapping[str, nn.Module]
    """Every network that learns, by name; a checkpoint holds them all."""
    optimizers: Mapping[str, Optimizer]
    """Their optimisers; the loop changes learning rates, the task steps them."""

    def step(self, number: int, progress: float) -> Scores:
        """Learns from one batch. What is random hangs on the number (numpy) and on torch's own generator, so that a run that was
        stopped goes on as if it had not been; progress runs from 0 to 1."""
        ...

    def validate(self) -> Scores:
        """Errors on the validation split; the networks are in eval mode and nothing is learned."""
        ...


def descend(optimizer: Optimizer, loss: Tensor, largest_gradient: float) -> None:
    """One step down the loss. A step whose gradient is not finite is left out: one bad batch must not end a run."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # pyright: ignore[reportUnknownMemberType] - torch leaves it untyped
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    norm = nn.utils.clip_grad_norm_(parameters, largest_gradient)
    if torch.isfinite(norm):
        optimizer.step()


def numbers(losses: Mapping[str, Tensor]) -> dict[str, float]:
    """A step's losses as Scores."""
    return {name: float(value.detach()) for name, value in losses.items()}


def validation_means(batches: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
    """The means of each loss over the batches of a validation, as Scores named validation_..."""
    return {f"validation_{name}": float(torch.stack([losses[name] for losses in batches]).mean()) for name in batches[0]}
