"""How a VNect training goes; saved with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from posewire.errors import SettingsError
from posewire_training.settings import TrainSettings

TrunkKind: TypeAlias = Literal["blazepose", "selecsls", "resnet50", "tiny"]
HeadKind: TypeAlias = Literal["locations", "regression"]


@dataclass(frozen=True, slots=True)
class VNectSettings(TrainSettings):
    """The defaults are those of a head's training; docs/VNECT.md says what the shipped weights were trained with."""

    steps: int = 6000
    batch: int = 32
    learning_rate: float = 2e-3
    warm_up_steps: int = 100
    weight_decay: float = 1e-2
    average: float = 0.995
    validate_every: int = 250
    trunk: Literal["blazepose", "selecsls", "resnet50", "tiny"] = "blazepose"
    """blazepose knows real people; the others start from nothing. tiny is for tests."""
    head: Literal["locations", "regression"] = "locations"
    trunk_rate: float = 0.0
    """The trunk's share of the learning rate, 0 = frozen: "a learning rate multiplier" (section 4.2.1)."""
    trunk_from: int = 0
    """The BlazePose trunk's first convolution that learns, by its number in the file; those before it stay as they are."""
    answers: bool = True
    """Whether the BlazePose trunk also says BlazePose's own answers; an exported file has taken them into its head."""
    distil: float = 0.0
    """Weight of what holds the trunk's features of real crops to those that it began with (posewire_vnect.fresh)."""
    module: Literal["CS", "AS"] = "CS"
    """Of the SelecSLS trunk, as the two below: posewire_xnect.selecsls."""
    skip: Literal["first", "prev"] = "first"
    outputs: Literal["wide", "base"] = "wide"
    dropout: float = 0.1
    """Of the trunk's channels."""
    side: int = 256
    """Pixels; BlazePose takes no other."""
    real_share: float = 0.15
    """Share of a batch that are real crops with pseudo-labels, where there are any."""

    COUNTS: ClassVar[tuple[str, ...]] = (*TrainSettings.COUNTS, "side")
    SHARES: ClassVar[tuple[str, ...]] = ("trunk_rate", "dropout", "real_share")

    def __post_init__(self) -> None:
        super(VNectSettings, self).__post_init__()  # a class with slots is made twice: plain super() means the first
        if self.trunk == "blazepose" and self.side != 256:
            raise SettingsError("The BlazePose trunk takes one size only.", got=self.side, allowed="256")
        if self.trunk_from and self.trunk != "blazepose":
            got = f"--trunk {self.trunk} --trunk-from {self.trunk_from}"
            raise SettingsError("Only the BlazePose trunk can learn in part.", got=got, allowed="--trunk-from 0")
        if self.trunk in ("selecsls", "resnet50") and self.trunk_rate == 0.0:
            hint = "--trunk-rate 1"
            raise SettingsError(f"A {self.trunk} from nothing cannot be frozen.", got=0.0, allowed="above 0", hint=hint)
        if self.trunk != "selecsls" and (self.module, self.skip, self.outputs) != ("CS", "first", "wide"):
            got = f"--trunk {self.trunk} --module {self.module} --skip {self.skip} --outputs {self.outputs}"
            raise SettingsError("Modules, skips and outputs are SelecSLS's.", got=got, allowed="with --trunk selecsls")
        if self.side % 32:
            raise SettingsError("side must be a multiple of 32.", got=self.side)
