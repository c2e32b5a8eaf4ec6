"""Transform re-projection: what one camera's pose must look like from the other (Ch. 3, eq. 3.1-3.7).

Two networks that share nothing: joints relative to the root, and the root's place. First eq. 3.6 brings the roots to where both
cameras agree; then eq. 3.7 makes every pose explain both pictures.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from posewire_data.joints import JOINTS
from posewire_selfsup_lifter import losses
from posewire_selfsup_lifter.batches import FEATURES, Batches, OneView, Pair
from posewire_selfsup_lifter.geometry import transform
from posewire_selfsup_lifter.networks import LiftingNet, RootNet
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_training.task import Scores, descend, numbers, validation_means


class ReprojectionTask:
    """eq. 3.7, or with terms="single-view" eq. 3.2 alone: the row of Table 3.1 that must fail."""

    def __init__(self, settings: SelfsupSettings, training: Batches, validation: Batches) -> None:
        self._settings, self._training, self._validation = settings, training, validation
        self.lifting = LiftingNet(FEATURES, len(JOINTS), settings.shape).to(settings.device)
        self.root = RootNet(FEATURES, settings.root_shape).to(settings.device)
        self.modules: Mapping[str, nn.Module] = {"lifting": self.lifting, "root": self.root}
        parameters = [*self.lifting.parameters(), *self.root.parameters()]
        self.optimizers: Mapping[str, Optimizer] = {
            "adam": torch.optim.AdamW(parameters, settings.learning_rate, weight_decay=settings.weight_decay)
        }

    def step(self, number: int, progress: float) -> Scores:
        """One batch of pairs."""
        pair = self._training.draw(number)
        scores = self.losses(pair, pretraining=progress < self._settings.pretraining_share)
        descend(self.optimizers["adam"], scores["loss"], self._settings.largest_gradient)
        return numbers(scores)

    def validate(self) -> Scores:
        """The same losses on other people's views. 2D is all there is to validate on."""
        return validation_means([self.losses(pair, pretraining=False) for pair in self._validation.in_order()])

    def losses(self, pair: Pair, *, pretraining: bool) -> dict[str, Tensor]:
        """eq. 3.6 while pretraining, then eq. 3.7; every term by its name."""
        first_m, second_m = self.place(pair.first), self.place(pair.second)
        if self._settings.terms != "transform":
            own = self._own(first_m, pair.first) + self._own(second_m, pair.second)
            return {"loss": own, "reprojection": own, "cross_view": torch.zeros_like(own)}
        in_second_m, in_first_m = transform(first_m, *pair.first_to_second()), transform(second_m, *pair.second_to_first())
        own = self._own(first_m, pair.first) + self._own(second_m, pair.second)
        cross = self._cross(in_second_m, pair.first, pair.second) + self._cross(in_first_m, pair.second, pair.first)
        loss = own + self._settings.cross_view_weight * cross  # eq. 3.7
        if pretraining:
            loss = losses.pretraining(in_second_m, second_m) + losses.pretraining(in_first_m, first_m)  # eq. 3.6
        return {"loss": loss, "reprojection": own, "cross_view": cross}

    def place(self, view: OneView) -> Tensor:
        """Both branches: joints (B, J, 3) in the camera's axes, the global pose of Ch. 3.4.1."""
        lifted_m = relative(self.lifting(view.features)) @ view.R_turned_lifted.mT
        return lifted_m + self.root(view.clean_features, view.size)[:, None]

    def _own(self, points_m: Tensor, view: OneView) -> Tensor:
        return losses.reprojection(points_m, view.rays, view.weights, view.size, self._settings.error)

    def _cross(self, points_m: Tensor, source: OneView, target: OneView) -> Tensor:
        return losses.transform_reprojection(
            points_m, target.rays, source.weights, target.seen, target.size, self._settings.error
        )


def relative(joints_m: Tensor) -> Tensor:
    """Joints less the pelvis, whatever the network said of it."""
    return joints_m - joints_m[:, :1]
