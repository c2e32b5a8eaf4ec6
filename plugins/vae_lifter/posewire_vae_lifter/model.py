"""The networks: features of a view, the VAE's encoder and decoder, and the baseline. Readable top to bottom.

Thesis 000, sections 3.3 (normalisation), 4.1 (architecture), 5.1.2 (sizes). Shapes: B batch, T frames, S samples, J = 17,
L latent, D directions of hypotheses.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posewire_data.joints import JOINTS, ROOT
from posewire_vae_lifter.settings import VaeSettings

assert ROOT == 0, "the slices below leave the first joint out"
OTHERS = len(JOINTS) - 1
"""The 16 joints less the root, which is zero in 3D and left out of the 2D "to remain consistent" (section 3.3)."""
FEATURES = 3 * OTHERS + 1
"""x, y and seen of each, and the size."""
LOGVAR_RANGE = (-12.0, 6.0)


class Scaler(nn.Module):
    """Mean and standard deviation of the training data; buffers, so that they travel with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(shape))

    def fit(self, values: Tensor, weight: Tensor | None = None) -> None:
        """Takes them from values (N, ...), of which weight (N, ...) 0 leaves one out."""
        weight = torch.ones_like(values) if weight is None else weight.expand_as(values)
        count = weight.sum(0).clamp_min(1)
        self.mean.copy_((values * weight).sum(0) / count)
        self.deviation.copy_((((values - self.mean) ** 2 * weight).sum(0) / count).sqrt().clamp_min(1e-3))

    def forward(self, values: Tensor) -> Tensor:
        return (values - self.mean) / self.deviation

    def inverse(self, values: Tensor) -> Tensor:
        """From standardised back to the unit of the data."""
        return values * self.deviation + self.mean


class Features(nn.Module):
    """A view as a row of numbers: standardised 2D, 0 (the mean) where unseen; which joints are seen; the person's size."""

    def __init__(self) -> None:
        super().__init__()
        self.points = Scaler(OTHERS, 2)
        self.size = Scaler(1)

    def fit(self, points: Tensor, seen: Tensor, size: Tensor) -> None:
        """Measures the training data: points (N, T, J, 2), seen (N, T, J), size (N, 1)."""
        self.points.fit(points[:, :, 1:].flatten(0, 1), (seen[:, :, 1:, None] == 1).flatten(0, 1))
        self.size.fit(size)

    def forward(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        """To (B, T, FEATURES)."""
        seen = seen[:, :, 1:]
        off = points[:, :, 1:] - self.points.mean * seen[..., None]  # the view's points are times `seen` already
        points = off / self.points.deviation * (seen > 0)[..., None]
        size = self.size(size)[:, None].expand(-1, points.shape[1], -1)
        return torch.cat([points.flatten(2), seen, size], dim=-1)


class Poses(nn.Module):
    """Standardised outputs (..., 48) to joints (..., 17, 3), the root at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.scaler = Scaler(OTHERS, 3)

    def standardised(self, joints_m: Tensor) -> Tensor:
        """Joints (..., 17, 3), metres, to what a network has to say (..., 48)."""
        return self.scaler(joints_m[..., 1:, :]).flatten(-2)

    def forward(self, outputs: Tensor) -> Tensor:
        joints_m = self.scaler.inverse(outputs.unflatten(-1, (OTHERS, 3)))
        return nn.functional.pad(joints_m, (0, 0, 1, 0))


class Blocks(nn.Module):
    """Blocks of a linear layer and a ReLU. All but the first add their input: ten plain ones in a row learn much slower."""

    def __init__(self, width_in: int, hidden: int, count: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(hidden if block else width_in, hidden) for block in range(count))

    def forward(self, x: Tensor, history: Tensor | None = None) -> Tensor:
        """(B, width_in) to (B, hidden); history (B, hidden) is added behind the first block."""
        first, *others = self.layers
        x = torch.relu(first(x))
        x = x if history is None else x + history
        for layer in others:
            x = x + torch.relu(layer(x))
        return x


class CausalStack(nn.Module):
    """(B, T, C) to (B, out): causal convolutions of three with dilations 1, 3, 9, ..., residual from the second on.

    Only the newest output is wanted, so each layer looks at three rows, then at the next three: that gives the very numbers of
    the dilated convolutions at their last row (Pavllo et al. 2019, VideoPose3D, appendix A.5). A convolution of three rows with a
    stride of three is a linear layer on the rows laid end to end.
    """

    def __init__(self, channels: int, hidden: int, frames: int, out: int) -> None:
        super().__init__()
        widths = [channels]
        while 3 ** len(widths) < frames:
            widths.append(hidden)
        self.convolutions = nn.ModuleList(nn.Linear(3 * width, hidden) for width in widths)
        self.mixers = nn.ModuleList(nn.Linear(hidden, hidden) for _ in widths[1:])
        self.out = nn.Linear(hidden, out)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, rows: Tensor) -> Tensor:
        first, *others = self.convolutions
        x = torch.relu(first(_by_three(rows)))
        for convolution, mixer in zip(others, self.mixers, strict=True):
            x = x[:, 2::3] + torch.relu(mixer(torch.relu(convolution(_by_three(x)))))
        return self.out(x[:, -1])


def _by_three(rows: Tensor) -> Tensor:
    """(B, T, C) to (B, T / 3, 3 C)."""
    return rows.unflatten(1, (-1, 3)).flatten(2)


class Encoder(nn.Module):
    """Features to the mean and the log-variance of the latent's distribution.

    The newest frame goes through the blocks. What the frames before it say is added behind the first of them: nothing at first,
    so that a temporal network can begin where the one of a single frame ended.
    """

    def __init__(self, settings: VaeSettings) -> None:
        super().__init__()
        hidden, frames = settings.hidden, settings.frames
        self.stack = CausalStack(FEATURES, settings.channels, frames, hidden) if frames > 1 else None
        self.blocks = Blocks(FEATURES, hidden, settings.blocks)
        self.mean = nn.Linear(hidden, settings.latent)
        self.logvar = nn.Linear(hidden, settings.latent)

    @property
    def first_layers(self) -> tuple[nn.Linear, ...]:
        """Those that take the features, of one frame or of three laid end to end."""
        layers = [self.blocks.layers[0], *(self.stack.convolutions[:1] if self.stack else ())]
        return tuple(layer for layer in layers if isinstance(layer, nn.Linear))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (B, T, F) to mean (B, L), log-variance (B, L) and the last hidden layer."""
        hidden = self.blocks(features[:, -1], self.stack(features) if self.stack else None)
        return self.mean(hidden), self.logvar(hidden).clamp(*LOGVAR_RANGE), hidden


class Decoder(nn.Module):
    """Latent to standardised pose: a linear layer up to the hidden width, then the blocks."""

    def __init__(self, settings: VaeSettings) -> None:
        super().__init__()
        self.blocks = Blocks(settings.latent, settings.hidden, settings.blocks)
        self.out = nn.Linear(settings.hidden, 3 * OTHERS)

    def forward(self, latent: Tensor) -> Tensor:
        return self.out(self.blocks(latent))


class Belief(NamedTuple):
    """The encoder's q(z|x), and what was drawn from it."""

    mean: Tensor
    logvar: Tensor
    drawn: Tensor

    def divergence(self) -> Tensor:
        """D_KL(q(z|x) || N(0, I)) of each row (B,): Kingma and Welling 2014, appendix B."""
        return 0.5 * (self.mean**2 + self.logvar.exp() - 1.0 - self.logvar).sum(dim=-1)


class Vae(nn.Module):
    """2D -> latent -> 3D. `forward` is training; `live.LiveVae` is what ships."""

    def __init__(self, settings: VaeSettings) -> None:
        super().__init__()
        self.features, self.poses = Features(), Poses()
        self.encoder, self.decoder = Encoder(settings), Decoder(settings)

    def believe(self, points: Tensor, seen: Tensor, size: Tensor) -> Belief:
        """Encodes, and draws by the reparametrisation trick (section 2.1.2): z = mean + deviation * epsilon."""
        mean, logvar, _ = self.encoder(self.features(points, seen, size))
        return Belief(mean, logvar, mean + (0.5 * logvar).exp() * torch.randn_like(mean))

    def forward(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        """The mode: joints (B, 17, 3), metres."""
        mean, _, _ = self.encoder(self.features(points, seen, size))
        return self.poses(self.decoder(mean))


class Baseline(nn.Module):
    """The supervised residual MLP to compare with (Martinez et al. 2017, figure 1): two residual blocks, batch norm, dropout."""

    def __init__(self, settings: VaeSettings) -> None:
        super().__init__()
        width = settings.width
        self.features, self.poses = Features(), Poses()
        self.first = _layer(FEATURES * settings.frames, width)
        self.residual = nn.ModuleList(nn.Sequential(_layer(width, width), _layer(width, width)) for _ in range(2))
        self.out = nn.Linear(width, 3 * OTHERS)

    def outputs(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        """Standardised (B, 48)."""
        x = self.first(self.features(points, seen, size).flatten(1))
        for block in self.residual:
            x = x + block(x)
        return self.out(x)

    def forward(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        """Joints (B, 17, 3), metres."""
        return self.poses(self.outputs(points, seen, size))


def _layer(width_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width_in, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.1))
