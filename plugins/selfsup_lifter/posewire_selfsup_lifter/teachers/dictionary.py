"""The NRSfM auto-encoder's own training: it comes before the factorization and before the distillation (eq. 4 and 4.7)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from posewire_data.joints import JOINTS
from posewire_selfsup_lifter.batches import Batches, Pair
from posewire_selfsup_lifter.nrsfm import DISTILLATION_LEVELS, FACTORIZATION_LEVELS, SPARSITY, DeepNrsfm, nrsfm_loss
from posewire_selfsup_lifter.settings import SelfsupSettings, Teacher
from posewire_training.task import Scores, descend, numbers, validation_means


class DictionaryTask:
    """Single pictures, no pairing: the pair's two views are two samples."""

    def __init__(self, settings: SelfsupSettings, training: Batches, validation: Batches) -> None:
        self._settings, self._training, self._validation = settings, training, validation
        self.nrsfm = new_nrsfm(settings.teacher).to(settings.device)
        self._sparsity = SPARSITY if settings.teacher == "distillation" else 0.0  # eq. 4.7 has no such term
        self.modules: Mapping[str, nn.Module] = {"nrsfm": self.nrsfm}
        self.optimizers: Mapping[str, Optimizer] = {"adam": torch.optim.Adam(self.nrsfm.parameters(), settings.learning_rate)}

    def step(self, number: int, progress: float) -> Scores:
        """One batch of pictures."""
        loss = self._loss(self._training.draw(number))
        descend(self.optimizers["adam"], loss, self._settings.largest_gradient)
        return numbers({"loss": loss})

    def validate(self) -> Scores:
        """The same loss on other people's pictures."""
        return validation_means([{"loss": self._loss(pair)} for pair in self._validation.in_order()])

    def _loss(self, pair: Pair) -> Tensor:
        pictures = torch.cat([pair.first.normalised(), pair.second.normalised()])
        weights = torch.cat([pair.first.seen, pair.second.seen])
        return nrsfm_loss(self.nrsfm(pictures), pictures, weights, self._sparsity)


def new_nrsfm(teacher: Teacher) -> DeepNrsfm:
    """The auto-encoder as the document of that teacher has it."""
    return DeepNrsfm(len(JOINTS), DISTILLATION_LEVELS if teacher == "distillation" else FACTORIZATION_LEVELS)
