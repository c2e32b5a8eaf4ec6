"""Consistent factorization: one picture = one canonical pose times one viewpoint; two pictures share the pose (Ch. 4)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from posewire_data.joints import JOINTS
from posewire_selfsup_lifter import losses
from posewire_selfsup_lifter.batches import FEATURES, Batches, OneView, Pair
from posewire_selfsup_lifter.networks import FactorizationNet
from posewire_selfsup_lifter.nrsfm import FACTORIZATION_LEVELS, Dictionary
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_training.task import Scores, descend, numbers, validation_means

_DICTIONARY_RATE = 0.1
"""Of the network's learning rate: 0.0001 and 0.001 in Ch. 4.7.2."""


class FactorizationTask:
    """eq. 4.8. With `dictionary`, the decoder starts as NRSfM left it and learns slower; without, it is like any other layer."""

    def __init__(
        self, settings: SelfsupSettings, training: Batches, validation: Batches, dictionary: Dictionary | None = None
    ) -> None:
        self._settings, self._training, self._validation = settings, training, validation
        shape = settings.shape
        self.factors = FactorizationNet(FEATURES, FACTORIZATION_LEVELS[-1], shape).to(settings.device)
        self.dictionary = (dictionary or Dictionary(len(JOINTS), FACTORIZATION_LEVELS)).to(settings.device)
        self.modules: Mapping[str, nn.Module] = {"factors": self.factors, "dictionary": self.dictionary}
        rate = settings.learning_rate
        slower = rate * _DICTIONARY_RATE if dictionary is not None else rate
        groups = [{"params": self.factors.parameters(), "lr": rate}, {"params": self.dictionary.parameters(), "lr": slower}]
        self.optimizers: Mapping[str, Optimizer] = {"adam": torch.optim.Adam(groups)}

    def step(self, number: int, progress: float) -> Scores:
        """One batch of pairs."""
        scores = self.losses(self._training.draw(number))
        descend(self.optimizers["adam"], scores["loss"], self._settings.largest_gradient)
        return numbers(scores)

    def validate(self) -> Scores:
        """The same losses on other people's views."""
        return validation_means([self.losses(pair) for pair in self._validation.in_order()])

    def losses(self, pair: Pair) -> dict[str, Tensor]:
        """eq. 4.3, 4.4 and 4.8."""
        first, first_error = self._explained(pair.first)
        second, second_error = self._explained(pair.second)
        reprojection, consistency = first_error + second_error, losses.joint_distance(first, second)
        loss = reprojection + self._settings.consistency_weight * consistency
        return {"loss": loss, "reprojection": reprojection, "consistency": consistency}

    def _explained(self, view: OneView) -> tuple[Tensor, Tensor]:
        """The canonical pose (B, J, 3) of a picture, and its re-projection error."""
        canonical, rotation = self.factorized(view.features)
        turned = rotation @ view.R_turned_lifted.mT
        return canonical, losses.joint_distance(canonical @ turned[:, :, :2], view.normalised(), view.seen)

    def factorized(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Canonical pose (B, J, 3) and rotation R (B, 3, 3) with Y = Y^ R (eq. 4.1)."""
        code, rotation = self.factors(features)
        return self.dictionary(code)[0], rotation
