"""Consistent factorization: one picture = one canonical pose times one viewpoint; two pictures share the pose (Ch. 4)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from posewire_data.joints import JOINTS
from posewire_selfsup_lifter import losses
from posewire_selfsup_lifter.batches import FEATURES, Batches, OneView, Pair
from posewire_selfsup_lifter.geometry import full_rotation
from posewire_selfsup_lifter.networks import FactorizationNet
from posewire_selfsup_lifter.nrsfm import FACTORIZATION_LEVELS, DeepNrsfm, Dictionary
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_training.task import Scores, descend, numbers, validation_means

_DICTIONARY_RATE = 0.1
"""Of the network's learning rate: 0.0001 and 0.001 in Ch. 4.7.2."""


class FactorizationTask:
    """eq. 4.8. With `nrsfm`, the decoder starts as NRSfM left it and learns slower; without, it is like any other layer.

    eq. 4.8 alone has a deep wrong minimum: one viewpoint for all pictures and flat shapes, turned by a few degrees (a bas-
    relief). So the network first says what NRSfM says of each picture, pose and viewpoint; that is ours.
    """

    def __init__(self, settings: SelfsupSettings, training: Batches, validation: Batches, nrsfm: DeepNrsfm | None = None) -> None:
        self._settings, self._training, self._validation = settings, training, validation
        shape = settings.shape
        self.factors = FactorizationNet(FEATURES, FACTORIZATION_LEVELS[-1], shape).to(settings.device)
        self._nrsfm = deepcopy(nrsfm).eval().requires_grad_(False).to(settings.device) if nrsfm is not None else None
        dictionary = nrsfm.dictionary if nrsfm is not None else Dictionary(len(JOINTS), FACTORIZATION_LEVELS)
        self.dictionary = dictionary.requires_grad_(True).to(settings.device)
        self.modules: Mapping[str, nn.Module] = {"factors": self.factors, "dictionary": self.dictionary}
        rate = settings.learning_rate
        slower = rate * _DICTIONARY_RATE if nrsfm is not None else rate
        groups = [{"params": self.factors.parameters(), "lr": rate}, {"params": self.dictionary.parameters(), "lr": slower}]
        self.optimizers: Mapping[str, Optimizer] = {"adam": torch.optim.Adam(groups)}

    def step(self, number: int, progress: float) -> Scores:
        """One batch of pairs."""
        scores = self.losses(self._training.draw(number), imitating=progress < self._settings.imitation_share)
        descend(self.optimizers["adam"], scores["loss"], self._settings.largest_gradient)
        return numbers(scores)

    def validate(self) -> Scores:
        """The same losses on other people's views."""
        return validation_means([self.losses(pair, imitating=False) for pair in self._validation.in_order()])

    def losses(self, pair: Pair, *, imitating: bool) -> dict[str, Tensor]:
        """eq. 4.3, 4.4 and 4.8; while imitating, the distance from what NRSfM says."""
        (first, turned_first), (second, turned_second) = self._explained(pair.first), self._explained(pair.second)
        reprojection = _seen_error(first, turned_first, pair.first) + _seen_error(second, turned_second, pair.second)
        consistency = losses.joint_distance(first, second)
        loss = reprojection + self._settings.consistency_weight * consistency
        if imitating and self._nrsfm is not None:
            loss = self._difference(first, turned_first, pair.first) + self._difference(second, turned_second, pair.second)
        return {"loss": loss, "reprojection": reprojection, "consistency": consistency}

    def _explained(self, view: OneView) -> tuple[Tensor, Tensor]:
        """The canonical pose (B, J, 3) of a picture, and the viewpoint (B, 3, 3) in the axes of its targets."""
        canonical, rotation = self.factorized(view.features)
        return canonical, rotation @ view.R_turned_lifted.mT

    def _difference(self, canonical: Tensor, turned: Tensor, view: OneView) -> Tensor:
        """How far pose and viewpoint are from NRSfM's."""
        assert self._nrsfm is not None
        with torch.no_grad():
            shape, camera, _ = self._nrsfm(view.normalised())
        return losses.joint_distance(canonical, shape) + losses.joint_distance(turned, full_rotation(camera))

    def factorized(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Canonical pose (B, J, 3) and rotation R (B, 3, 3) with Y = Y^ R (eq. 4.1)."""
        code, rotation = self.factors(features)
        return self.dictionary(code)[0], rotation


def _seen_error(canonical: Tensor, turned: Tensor, view: OneView) -> Tensor:
    """eq. 4.3 of one picture."""
    return losses.joint_distance(canonical @ turned[:, :, :2], view.normalised(), view.seen)
