"""Transform re-projection: what one camera's pose must look like from the other (Ch. 3, eq. 3.1-3.7).

Two networks that share nothing: joints relative to the root, and the root's place. First eq. 3.6 brings the roots to where both
cameras agree; then eq. 3.7 makes every pose explain both pictures. Ours: the pose explains the other picture once more, standing
where that picture's own camera sees the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """B lifted people in the axes of the camera turned to them, metres."""

    pose_m: Tensor
    """(B, J, 3) relative to the pelvis: what the lifting branch says."""
    root_m: Tensor
    """(B, 1, 3) where the pelvis is: what the root's branch says."""

    @property
    def joints_m(self) -> Tensor:
        """(B, J, 3) the global pose of Ch. 3.4.1."""
        return self.pose_m + self.root_m


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
        """eq. 3.6 while pretraining, then eq. 3.7 and the pose alone; every term by its name."""
        first, second = self.placed(pair.first), self.placed(pair.second)
        own = self._own(first, pair.first) + self._own(second, pair.second)
        if self._settings.terms != "transform":
            return {"loss": own, "reprojection": own}
        there = self._from_other(first, second, pair.first, pair.second, *pair.first_to_second())
        back = self._from_other(second, first, pair.second, pair.first, *pair.second_to_first())
        disagreement, cross, pose = (a + b for a, b in zip(there, back, strict=True))
        loss = own + self._settings.cross_view_weight * cross  # eq. 3.7
        loss = disagreement if pretraining else loss + self._settings.pose_weight * pose
        return {"loss": loss, "reprojection": own, "cross_view": cross, "pose_alone": pose}

    def placed(self, view: OneView) -> Placed:
        """What both branches say."""
        pose_m = relative(self.lifting(view.features)) @ view.R_turned_lifted.mT
        return Placed(pose_m, self.root(view.clean_features, view.size)[:, None])

    def _from_other(
        self, lifted: Placed, other: Placed, source: OneView, target: OneView, R_to_target: Tensor, t_to_target: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One term of eq. 3.6, of eq. 3.5, and of the pose alone: what one view lifted, in the other camera."""
        moved_m = transform(lifted.joints_m, R_to_target, t_to_target)
        alone_m = lifted.pose_m @ R_to_target.mT + other.root_m
        disagreement = losses.pretraining(moved_m, other.joints_m)
        return disagreement, self._cross(moved_m, source, target), self._cross(alone_m, source, target)

    def _own(self, placed: Placed, view: OneView) -> Tensor:
        return losses.reprojection(placed.joints_m, view.rays, view.weights, view.size, self._settings.error)

    def _cross(self, points_m: Tensor, source: OneView, target: OneView) -> Tensor:
        return losses.transform_reprojection(
            points_m, target.rays, source.weights, target.seen, target.size, self._settings.error
        )


def relative(joints_m: Tensor) -> Tensor:
    """Joints less the pelvis, whatever the network said of it."""
    return joints_m - joints_m[:, :1]
