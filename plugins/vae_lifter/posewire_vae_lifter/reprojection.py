"""Without any 3D label: the answer is compared with the 2D that it came from (thesis 000, section 4.1.1), and with nothing else.

2D alone leaves depth open, so such a lifter is far worse than a supervised one: it is here to be compared with.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posewire_data.bodies import KNEE_TO_NECK_M
from posewire_data.joints import JOINTS
from posewire_training.samples import Samples
from posewire_training.task import Scores, descend, numbers
from posewire_vae_lifter.tasks import VaeTask

_SPINE = [(JOINTS.index(a), JOINTS.index(b)) for a, b in (("chest", "pelvis"), ("neck", "chest"))]
_THIGHS = [(JOINTS.index(f"{side}_knee"), JOINTS.index(f"{side}_hip")) for side in ("left", "right")]


class ReprojectionTask(VaeTask):
    """Reprojection + divergence + the size of a person, which 2D cannot tell."""

    def step(self, number: int, progress: float) -> Scores:
        samples = self.draw(number)
        belief = self.net.believe(*samples.inputs)
        joints_m = self.net.poses(self.net.decoder(belief.drawn))
        error, divergence = reprojection_error(joints_m, samples), belief.divergence().mean() / joints_m.shape[-2] / 3
        size = ((knee_to_neck_m(joints_m) / KNEE_TO_NECK_M - 1.0) ** 2).mean()
        descend(
            self.optimizers["net"], error + size + self.settings.beta_at(progress) * divergence, self.settings.largest_gradient
        )
        losses = {"loss": error, "divergence": divergence, "size": size}
        return numbers(losses)

    def fit(self, samples: Samples) -> None:
        """The 2D is measured; the pose's scale is a guess, since 3D statistics are 3D labels too."""
        self.net.features.fit(*samples.inputs)
        self.net.poses.scaler.deviation.fill_(0.3)


def reprojection_error(joints_m: Tensor, samples: Samples) -> Tensor:
    """Mean squared distance of the seen points, in the person's own size, at the place that suits the 2D best.

    Args:
        joints_m: (B, 17, 3) root-relative, turned camera.
    """
    seen = samples.seen[:, -1] * torch.from_numpy(samples.view.usable).to(joints_m)[:, None]
    size = samples.size.exp()[:, None]  # (B, 1, 1)
    rays = samples.points[:, -1] * size
    placed = joints_m + best_place_m(joints_m, rays, seen)[:, None]
    image = placed[..., :2] / placed[..., 2:].clamp_min(0.3)
    off = ((image - rays) / size).square().sum(dim=-1).clamp_max(25.0)  # a point behind the camera must not blow up
    return (off * seen).sum() / seen.sum().clamp_min(1)


def best_place_m(joints_m: Tensor, rays: Tensor, seen: Tensor) -> Tensor:
    """Root (B, 3) that brings joints (B, J, 3) onto rays (B, J, 2): least squares of x + tx = u (z + tz), y + ty = v (z + tz)."""
    u, v = rays.unbind(-1)
    one, zero = torch.ones_like(u), torch.zeros_like(u)
    A = torch.cat([torch.stack([one, zero, -u], -1), torch.stack([zero, one, -v], -1)], dim=1)  # (B, 2J, 3)
    x, y, z = joints_m.unbind(-1)
    b = torch.cat([u * z - x, v * z - y], dim=1)
    w = seen.repeat(1, 2)[..., None]
    normal = (A * w).transpose(1, 2) @ A + 1e-4 * torch.eye(3).to(A)
    return torch.linalg.solve(normal, ((A * w).transpose(1, 2) @ b[..., None]))[..., 0]


def knee_to_neck_m(joints_m: Tensor) -> Tensor:
    """(B,) thigh plus spine."""
    spine, thighs = (
        torch.stack([(joints_m[:, a] - joints_m[:, b]).norm(dim=-1) for a, b in bones]) for bones in (_SPINE, _THIGHS)
    )
    return spine.sum(dim=0) + thighs.mean(dim=0)
