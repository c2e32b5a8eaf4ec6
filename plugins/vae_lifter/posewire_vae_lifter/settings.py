"""Everything that a training run of this plugin can be told; saved with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from posewire.errors import SettingsError
from posewire_training.settings import TrainSettings

Form = Literal["vae", "baseline", "cross-modal"]
Annealing = Literal["none", "monotonic", "cyclical"]
Adversary = Literal["none", "gan", "wgan-gp"]
Supervision = Literal["3d", "reprojection"]
Measure = Literal["squared", "distance"]


@dataclass(frozen=True, slots=True)
class VaeSettings(TrainSettings):
    """Defaults are the document's (thesis 000, section 5.1.2) where it names a number."""

    form: Form = "vae"
    frames: int = 1
    """1: one frame; 27: dilated causal convolutions over the person's history."""
    channels: int = 256
    """Of those convolutions."""
    hidden: int = 512
    blocks: int = 5
    latent: int = 100
    beta: float = 1e-3
    """Weight of the Kullback-Leibler divergence, which is divided by the number of outputs (section 4.2)."""
    annealing: Annealing = "none"
    """monotonic: beta rises from 0 over the first half of the run; cyclical: four times over (Fu et al. 2019)."""
    supervision: Supervision = "3d"
    """reprojection: the answer is only compared with the 2D that it came from (section 4.1.1)."""
    adversary: Adversary = "none"
    """A second network that tells invented poses from real ones (sections 2.1.5 and 2.1.6)."""
    adversary_weight: float = 1e-2
    width: int = 1024
    """Of the baseline."""
    noise: float = 0.6
    """Share of the samples whose 2D is disturbed as an estimator's is."""
    real: float = 0.4
    """Share of the samples that are like a real clip: human proportions, BlazePose's 13 joints and its noise."""
    error: Measure = "squared"
    """distance: of each joint to its truth, which is what MPJPE counts; squared (eq. 2.4) gives more to what cannot be known."""

    COUNTS: ClassVar[tuple[str, ...]] = (*TrainSettings.COUNTS, "channels", "hidden", "blocks", "latent", "width")
    SHARES: ClassVar[tuple[str, ...]] = ("noise", "real")

    def __post_init__(self) -> None:
        TrainSettings.__post_init__(self)
        choices = {"form": Form, "annealing": Annealing, "adversary": Adversary, "supervision": Supervision, "error": Measure}
        for name, allowed in choices.items():
            if getattr(self, name) not in get_args(allowed):
                raise SettingsError(f"There is no such {name}.", got=getattr(self, name), allowed=list(get_args(allowed)))
        if self.frames not in (1, 3, 9, 27, 81):
            raise SettingsError(
                "A window has as many frames as convolutions of three can take.", got=self.frames, allowed="1, 3, 9, 27, 81"
            )
        if not self.beta >= 0.0:
            raise SettingsError("beta must not be negative.", got=self.beta, allowed="0 and above")

    def beta_at(self, progress: float) -> float:
        """beta at a point 0..1 of the run."""
        if self.annealing == "none":
            return self.beta
        part = progress * (4.0 if self.annealing == "cyclical" else 1.0) % 1.0
        return self.beta * min(1.0, 2.0 * part)
