"""The ablation of Table 3.1, row "Reproj+ADV": one view explains itself, and a critic judges the pose from elsewhere.

The thesis' critic compares with unpaired 3D poses; here no 3D may be seen, so it is the critic of Drover et al. 2018 ("Can 3D
pose be learned from 2D projections alone?"): the lifted pose is turned by a random angle and projected, and must look like a 2D
pose that some camera saw.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from posewire_data.joints import JOINTS
from posewire_selfsup_lifter.batches import Batches, OneView
from posewire_selfsup_lifter.geometry import project, rotation_matrix
from posewire_selfsup_lifter.networks import Critic
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_selfsup_lifter.teachers.reprojection import ReprojectionTask, relative
from posewire_training.task import Scores, descend, numbers

_TILT_RAD = 0.2
"""Standard deviation of how far the new viewpoint is tilted; around the person it may stand anywhere."""
_DISTANCE_SIZES = 10.0
"""The new viewpoint stands this many body sizes away: perspective as weak as in most clips."""


class AdversarialTask(ReprojectionTask):
    """eq. 3.2 and a critic of 2D poses."""

    def __init__(self, settings: SelfsupSettings, training: Batches, validation: Batches) -> None:
        super().__init__(settings, training, validation)
        self.critic = Critic(len(JOINTS), settings.width).to(settings.device)
        self.modules: Mapping[str, nn.Module] = {**self.modules, "critic": self.critic}
        judge = torch.optim.Adam(self.critic.parameters(), settings.learning_rate, betas=(0.5, 0.9))
        self.optimizers: Mapping[str, Optimizer] = {**self.optimizers, "critic": judge}

    def step(self, number: int, progress: float) -> Scores:
        """One step of the critic, one of the lifter."""
        pair = self._training.draw(number)
        invented = seen_from_elsewhere(self._pose(pair.first))
        critic_loss = hinge(self.critic(_picture(pair.second)), self.critic(invented.detach()))
        descend(self.optimizers["critic"], critic_loss, self._settings.largest_gradient)
        scores = self.losses(pair, pretraining=False)
        persuasion = -self.critic(invented).mean()
        descend(
            self.optimizers["adam"], scores["loss"] + self._settings.critic_weight * persuasion, self._settings.largest_gradient
        )
        return numbers({**scores, "critic": critic_loss})

    def _pose(self, view: OneView) -> Tensor:
        return relative(self.lifting(view.features))


def hinge(real: Tensor, invented: Tensor) -> Tensor:
    """The critic's loss: real above 1, invented below -1."""
    return torch.relu(1 - real).mean() + torch.relu(1 + invented).mean()


def seen_from_elsewhere(pose: Tensor) -> Tensor:
    """Root-relative poses (B, J, 3) as a camera anywhere around the person would see them (B, J, 2), in the critic's units."""
    size = pose.norm(dim=-1).mean(-1).clamp(min=1e-6)[:, None, None]
    around = torch.zeros(len(pose), 3, dtype=pose.dtype, device=pose.device)
    around[:, 1] = 2 * torch.pi * torch.rand(len(pose), dtype=pose.dtype, device=pose.device)
    tilt = torch.randn_like(around) * around.new_tensor([_TILT_RAD, 0.0, _TILT_RAD / 2])
    turned = pose / size @ rotation_matrix(around).mT @ rotation_matrix(tilt).mT
    return in_critics_units(project(turned + turned.new_tensor([0.0, 0.0, _DISTANCE_SIZES])))


def _picture(view: OneView) -> Tensor:
    return in_critics_units(view.rays)


def in_critics_units(rays: Tensor) -> Tensor:
    """Pictures (B, J, 2) less their pelvis, over their mean distance from it: place and size say nothing about the pose."""
    centred = rays - rays[:, :1]
    return centred / centred.norm(dim=-1).mean(-1).clamp(min=1e-6)[:, None, None]
