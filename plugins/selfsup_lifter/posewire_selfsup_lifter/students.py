"""What is left of a run: one module that takes a lifter's inputs and says joints in metres. It is what gets exported."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from torch import Tensor, nn

from posewire_data.bodies import KNEE_TO_NECK_M
from posewire_data.joints import JOINTS
from posewire_selfsup_lifter.batches import FEATURES, stacked
from posewire_selfsup_lifter.chirality import Chirality
from posewire_selfsup_lifter.geometry import full_rotation
from posewire_selfsup_lifter.networks import FactorizationNet, LiftingNet
from posewire_selfsup_lifter.nrsfm import FACTORIZATION_LEVELS, Dictionary
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_selfsup_lifter.teachers.dictionary import new_nrsfm
from posewire_selfsup_lifter.teachers.reprojection import relative

Networks = Mapping[str, nn.Module]


class MetricStudent(nn.Module):
    """Of the re-projection teacher: the lifting branch alone (Ch. 3.6.2), already in metres."""

    def __init__(self, lifting: nn.Module) -> None:
        super().__init__()
        self.lifting = lifting

    def forward(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        """posewire_lifting's inputs (T = 1) to joints_m (B, J, 3), turned camera axes."""
        return relative(self.lifting(stacked(points, seen, size)))


class ScaledStudent(nn.Module):
    """Of the other two: poses without a unit. They get the universal skeleton's size, for lack of any other."""

    def __init__(self, shape: nn.Module, chirality: Chirality) -> None:
        super().__init__()
        self.shape, self.chirality = shape, chirality

    def forward(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        """As MetricStudent."""
        pose = relative(self.chirality(self.shape(stacked(points, seen, size))))
        return pose * (KNEE_TO_NECK_M / _knee_to_neck(pose).clamp(min=1e-3))[:, None, None]


class Factors(nn.Module):
    """Y = Y^ R, eq. 4.1."""

    def __init__(self, factors: nn.Module, dictionary: nn.Module) -> None:
        super().__init__()
        self.factors, self.dictionary = factors, dictionary

    def forward(self, features: Tensor) -> Tensor:
        """(B, FEATURES) to (B, J, 3)."""
        code, rotation = self.factors(features)
        return self.dictionary(code)[0] @ rotation


class Reconstruction(nn.Module):
    """The NRSfM auto-encoder itself as a lifter: what its camera sees of its shape, with depth. It knows no missing joints."""

    def __init__(self, nrsfm: nn.Module) -> None:
        super().__init__()
        self.nrsfm = nrsfm

    def forward(self, features: Tensor) -> Tensor:
        """(B, FEATURES) to (B, J, 3)."""
        points = features[:, : 2 * len(JOINTS)].reshape(-1, len(JOINTS), 2)
        centred = points - points[:, :1]
        distance = centred.norm(dim=-1).mean(1).clamp(min=1e-6)
        shape, camera, _ = self.nrsfm(centred / distance[:, None, None])
        return shape @ full_rotation(camera)


def new_networks(settings: SelfsupSettings) -> dict[str, nn.Module]:
    """The networks that a run of these settings leaves behind, with random weights: for loading a weights file."""
    if settings.teacher == "factorization":
        factors = FactorizationNet(FEATURES, FACTORIZATION_LEVELS[-1], settings.shape)
        return {"factors": factors, "dictionary": Dictionary(len(JOINTS), FACTORIZATION_LEVELS), "chirality": Chirality()}
    if settings.teacher == "distillation" and settings.target == "none":
        return {"nrsfm": new_nrsfm(settings.teacher), "chirality": Chirality()}
    networks: dict[str, nn.Module] = {"lifting": LiftingNet(FEATURES, len(JOINTS), settings.shape)}
    return networks if settings.teacher == "reprojection" else {**networks, "chirality": Chirality()}


def student(settings: SelfsupSettings, networks: Networks) -> nn.Module:
    """The lifter made of a run's networks, in eval mode."""
    if settings.teacher == "reprojection":
        return MetricStudent(networks["lifting"]).eval()
    chirality = networks["chirality"]
    assert isinstance(chirality, Chirality)
    return ScaledStudent(unscaled(settings, networks), chirality).eval()


def unscaled(settings: SelfsupSettings, networks: Networks) -> nn.Module:
    """Features to a pose without unit and with either handedness."""
    if settings.teacher == "factorization":
        return Factors(networks["factors"], networks["dictionary"])
    return Reconstruction(networks["nrsfm"]) if "nrsfm" in networks else networks["lifting"]


_PATHS = [[JOINTS.index(name) for name in (f"{side}_knee", f"{side}_hip")] for side in ("left", "right")]
_SPINE = [JOINTS.index(name) for name in ("pelvis", "chest", "neck")]


def _knee_to_neck(pose: Tensor) -> Tensor:
    """posewire_data.bodies.knee_to_neck_m of each pose (B,)."""
    thighs = [(pose[:, knee] - pose[:, hip]).norm(dim=-1) for knee, hip in _PATHS]
    spine = [(pose[:, a] - pose[:, b]).norm(dim=-1) for a, b in itertools.pairwise(_SPINE)]
    return (thighs[0] + thighs[1]) / 2 + spine[0] + spine[1]
