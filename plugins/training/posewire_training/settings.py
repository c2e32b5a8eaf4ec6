"""How a training run goes; saved with its weights, so that a file says how it was made. Plugins derive their own from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from posewire.errors import ModelError, SettingsError


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """The part of a run that does not depend on the network."""

    steps: int = 40_000
    batch: int = 512
    """Samples a step."""
    learning_rate: float = 1e-3
    warm_up_steps: int = 500
    weight_decay: float = 1e-4
    average: float = 0.999
    """Share of the old weights in the running average that is validated and exported; 0 = the last weights."""
    largest_gradient: float = 1.0
    """Norm at which gradients are cut."""
    bf16: bool = False
    """Multiplies in bfloat16, where the processor gains by it; weights, losses and optimiser stay float32."""
    device: str = "cpu"
    """As torch says it: cpu, cuda."""
    threads: int = 1
    seed: int = 0
    validate_every: int = 1000
    """Steps between two validations; each one writes a line of curves.csv and a checkpoint."""

    COUNTS: ClassVar[tuple[str, ...]] = ("steps", "batch", "threads", "validate_every")
    """Fields that count: 1 and above."""
    SHARES: ClassVar[tuple[str, ...]] = ()
    """Fields that are shares, 0 to 1."""

    def __post_init__(self) -> None:
        if bad := [name for name in self.COUNTS if getattr(self, name) < 1]:
            raise SettingsError(f"{bad[0]} must be at least 1.", got=getattr(self, bad[0]), allowed="1 and above")
        if bad := [name for name in ("learning_rate", "weight_decay", "largest_gradient") if not getattr(self, name) >= 0.0]:
            raise SettingsError(f"{bad[0]} must not be negative.", got=getattr(self, bad[0]), allowed="0 and above")
        if not 0.0 <= self.average < 1.0:
            raise SettingsError("average is no share of old weights.", got=self.average, allowed="0 to below 1")
        if bad := [name for name in self.SHARES if not 0.0 <= getattr(self, name) <= 1.0]:
            raise SettingsError(f"{bad[0]} must be a share.", got=getattr(self, bad[0]), allowed="0 to 1")

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a weights file."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The settings of a weights file.

        Raises:
            ModelError: a field is not known: the weights are of another version.
        """
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise ModelError(
                "These weights are of another version of the trainer.",
                got=", ".join(unknown),
                allowed=", ".join(known),
                hint="train again, or use the version of Posewire that made them",
            )
        return cls(**values)
