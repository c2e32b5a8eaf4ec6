"""NRSfM distillation: a lifter learns depth from a deep-NRSfM teacher, softly where the teacher is unsure (eq. 13-15).

The paper's student sees the picture, and that is where it knows better than its teacher. This one sees 2D keypoints only.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from posewire_data.joints import JOINTS
from posewire_selfsup_lifter import losses
from posewire_selfsup_lifter.batches import FEATURES, Batches, OneView, Pair
from posewire_selfsup_lifter.geometry import full_rotation
from posewire_selfsup_lifter.networks import LiftingNet
from posewire_selfsup_lifter.nrsfm import DeepNrsfm
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_training.task import Scores, descend, numbers, validation_means


class DistillationTask:
    """The student's training; the teacher is finished and fixed."""

    def __init__(self, settings: SelfsupSettings, training: Batches, validation: Batches, teacher: DeepNrsfm) -> None:
        self._settings, self._training, self._validation = settings, training, validation
        self._teacher = teacher.eval().requires_grad_(False).to(settings.device)
        self.lifting = LiftingNet(FEATURES, len(JOINTS), settings.shape).to(settings.device)
        self.modules: Mapping[str, nn.Module] = {"lifting": self.lifting}
        self.optimizers: Mapping[str, Optimizer] = {
            "adam": torch.optim.AdamW(self.lifting.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        }

    def step(self, number: int, progress: float) -> Scores:
        """One batch of pictures; the pair's two views are two samples."""
        scores = self.losses(self._training.draw(number))
        descend(self.optimizers["adam"], scores["loss"], self._settings.largest_gradient)
        return numbers(scores)

    def validate(self) -> Scores:
        """The same losses on other people's pictures."""
        return validation_means([self.losses(pair) for pair in self._validation.in_order()])

    def losses(self, pair: Pair) -> dict[str, Tensor]:
        """eq. 15: |f_xy - w|_1 + eq. 14, or with target="hard" the L1 distance to the teacher's depth."""
        terms = [self._terms(view) for view in (pair.first, pair.second)]
        picture, depth = terms[0][0] + terms[1][0], terms[0][1] + terms[1][1]
        return {"loss": picture + depth, "picture": picture, "depth": depth}

    def _terms(self, view: OneView) -> tuple[Tensor, Tensor]:
        pose, rays = self.lifting(view.features) @ view.R_turned_lifted.mT, view.normalised()
        picture = ((pose[..., :2] - rays).abs().sum(-1) * view.seen).sum(-1).mean()
        with torch.no_grad():
            shape, camera, code = self._teacher(rays)
        if self._settings.target == "hard":
            return picture, (pose[..., 2] - (shape @ full_rotation(camera))[..., 2]).abs().sum(-1).mean()
        depth = losses.distillation(pose[..., 2], rays, self._teacher.dictionary.first, camera, code, self._settings.l1_weight)
        return picture, depth
