"""How a self-supervised run goes; saved with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

from posewire.errors import SettingsError
from posewire_selfsup_lifter.losses import Error
from posewire_selfsup_lifter.networks import Shape
from posewire_training.settings import TrainSettings

Teacher = Literal["reprojection", "factorization", "distillation"]
ReprojectionTerms = Literal["transform", "single-view", "adversarial"]
"""transform: eq. 3.7. The other two are the ablation of Table 3.1: eq. 3.2 alone, and eq. 3.2 with a critic of 2D poses."""
Cameras = Literal["virtual", "studio", "studio+virtual", "given"]
"""virtual: every instant has random cameras of its own. studio: four fixed ones. studio+virtual: eight more (Ch. 3.6.1).
given: the views came in a file."""
DistillationTarget = Literal["distilled", "hard", "none"]
"""distilled: eq. 14. hard: the teacher's depth as it is (the paper's Table 1, Weaksup-bs). none: no student but the teacher."""

_RENAMED = {"real": "real_share"}
"""Fields by the names that they had."""


@dataclass(frozen=True, slots=True)
class SelfsupSettings(TrainSettings):
    """The part of a run that all teachers share, then each teacher's own."""

    steps: int = 8_000
    batch: int = 256
    teacher: Teacher = "reprojection"
    width: int = 256
    """Of every hidden layer; the documents use 1024."""
    blocks: int = 2
    """Residual blocks; the documents use four."""
    dropout: float = 0.0
    cameras: Cameras = "virtual"
    instants: int = 40_000
    """Poses that the virtual cameras look at, each once."""
    proportions: float = 0.06
    """Standard deviation of each bone's length in the motion that the virtual cameras see, as a share; 0 = as recorded."""
    mixing: bool = True
    """Limbs exchanged between poses before the cameras look, as for the supervised lifters."""
    mirror: bool = True
    """Half of the poses in the mirror."""
    real_share: float = 0.4
    """Share of the instants that are like a real clip (posewire_training.real): human proportions before the cameras look, and
    keypoints shown to the network as BlazePose says them."""
    hiding: bool = True
    """Keypoints hidden from the network, not from the loss: it learns to fill what is missing."""
    noise: float = 0.6
    """Share of the samples whose keypoints are disturbed as an estimator disturbs them, for the network, not for the loss."""
    focal_error: float = 0.15
    """Standard deviation of the logarithm of the wrong focal length that the network is shown."""

    terms: ReprojectionTerms = "transform"
    error: Error = "distance"
    """square: as eq. 3.2 and 3.5 are printed."""
    cross_view_weight: float = 1.0
    """lambda of eq. 3.7: 1 for Human3.6M, 1.5 for MPI-INF-3DHP."""
    pose_weight: float = 3.0
    """Of the pose alone: eq. 3.5 again, with the root where the other camera says it is. A picture says little of the root's
    depth, and what is wrong there moves the whole person in the other picture. 0 = eq. 3.7 as it is printed."""
    root_width: int = 256
    """Of the root's branch, which only helps training; Ch. 3.4.1 gives both branches one width."""
    pretraining_share: float = 0.06
    """Of the steps, under eq. 3.6: 20 of 320 epochs in Ch. 3.6.2."""
    critic_weight: float = 0.1

    dictionary: bool = True
    """False: the dictionary of the factorization starts at random instead of from NRSfM."""
    dictionary_steps: int = 3_000
    """Steps of the NRSfM auto-encoder that comes first (factorization and distillation)."""
    consistency_weight: float = 1.0
    """lambda of eq. 4.8; the document gives no number. 0 is the row "dictionary only" of Table 4.1."""

    imitation_share: float = 0.3
    """Of the steps of the factorization, in which it learns what NRSfM says; not where there is no dictionary."""

    target: DistillationTarget = "distilled"
    l1_weight: float = 0.3
    """Of the code in eq. 14."""

    COUNTS: ClassVar[tuple[str, ...]] = (*TrainSettings.COUNTS, "width", "root_width", "instants", "dictionary_steps")
    SHARES: ClassVar[tuple[str, ...]] = ("pretraining_share", "dropout", "noise", "real_share", "imitation_share")

    def __post_init__(self) -> None:
        TrainSettings.__post_init__(self)
        kinds = {"teacher": Teacher, "cameras": Cameras, "terms": ReprojectionTerms, "target": DistillationTarget, "error": Error}
        for name, choices in ((name, get_args(kind)) for name, kind in kinds.items()):
            if getattr(self, name) not in choices:
                raise SettingsError(f"{name} is not known.", got=getattr(self, name), allowed=list(choices))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """As TrainSettings; also of weights that were saved when a field had another name."""
        return super(SelfsupSettings, cls).from_json({_RENAMED.get(name, name): value for name, value in values.items()})

    @property
    def shape(self) -> Shape:
        """Of every body of the run."""
        return Shape(self.width, self.blocks, self.dropout, self.bf16)

    @property
    def root_shape(self) -> Shape:
        """Of the root's body."""
        return Shape(self.root_width, self.blocks, self.dropout, self.bf16)
