"""Stage I on a trunk that others trained: MoveNet MultiPose (Google, Apache-2.0), which knows many people in real pictures.

For training without a GPU: the trunk is run once over the training pictures (cache.py), and our heads on top learn from what it
said; then its last part learns with them (tune.py). Its file is made by models/convert/convert_movenet.py; its weights lie in it
as int8, and what it says here is what ships.

The 3D branch looks at single cells: its maps are read at the maxima only, so it learns and runs there only (`Heads.at`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posewire.errors import SettingsError
from posewire_training import onnx_graph
from posewire_xnect.movenet_own import FINER, CentreReadOut, with_own_heatmaps
from posewire_xnect.readout import Reading, ReadOut
from posewire_xnect.selecsls import convolution
from posewire_xnect.skeleton import LINKS, J
from posewire_xnect.stage_one import Maps

FEATURES = ("fpn_4", "fpn_8", "fpn_16", "block_8", "block_16", "block_32", "keypoints_4", "centre_4")
"""Outputs of the trunk's file that the heads see; the number is the stride."""
REACH = "reach_4"
"""Where a person's keypoints lie from a centre: 17 times y and x, cells (Zhou et al. 2019, section 4.2)."""
CHANNELS = (4 * 24 + 2 * 18 + 24 + 48, 32 + 144, 480)
"""Of Features."""
DROPPED = 0.25
"""Share of the 3D branch's features that are dropped while it learns: it sees few people."""


class Features(NamedTuple):
    """What the trunk says of B pictures, h and w an eighth of theirs."""

    fine: Tensor
    """(B, CHANNELS[0], h, w)."""
    middle: Tensor
    """(B, CHANNELS[1], h / 2, w / 2)."""
    coarse: Tensor
    """(B, CHANNELS[2], h / 4, w / 4)."""


def gathered(said: tuple[Tensor, ...]) -> Features:
    """The trunk's FEATURES by stride. Features at stride 4 become four channels, logits the best of four cells; logits come as
    they are and as probabilities, because each is steep where the other is flat."""
    fpn_4, fpn_8, fpn_16, block_8, block_16, block_32, keypoints_4, centre_4 = said
    logits = nn.functional.max_pool2d(torch.cat([keypoints_4, centre_4], dim=1), 2)
    fine = [nn.functional.pixel_unshuffle(fpn_4, 2), logits.clamp(-10.0, 10.0), logits.sigmoid(), fpn_8, block_8]
    return Features(torch.cat(fine, dim=1), torch.cat([fpn_16, block_16], dim=1), block_32)


class Trunk(nn.Module):
    """(B, 3, H, W) RGB 0..1, sides multiples of 32, to Features. Its weights learn only where tune.py lets them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.graph = onnx_graph.read(path, (*FEATURES, REACH)).requires_grad_(False)

    def forward(self, image: Tensor) -> Features:
        return gathered(self.said(image)[: len(FEATURES)])

    def said(self, image: Tensor) -> tuple[Tensor, ...]:
        """FEATURES and REACH."""
        if image.shape[2] % 32 or image.shape[3] % 32:
            got = f"{image.shape[3]} x {image.shape[2]}"
            raise SettingsError("The MoveNet trunk takes sides that are multiples of 32.", got=got, hint="pad the picture")
        return self.graph(image)


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Sizes of the branches."""

    width: int = 128
    """Features of the 2D branch."""
    blocks: int = 6
    hidden: int = 256
    """Features of the 3D branch."""


class Block(nn.Module):
    """A look around, channel by channel, and a mix of channels, added to what came in: cheap on a CPU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        around = nn.Conv2d(width, width, 3, 1, 1, groups=width, bias=False)
        self.around = nn.Sequential(around, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.mix = convolution(width, width, 1)
        nn.init.constant_(self.mix[1].weight, 0.1)  # pyright: ignore[reportArgumentType] - a new block changes little at first

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(self.around(x))


class Merge(nn.Module):
    """Features of three strides to `width` channels at the finest; they grow by bilinear upsampling (section 7.2.1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fine, self.middle, self.coarse = (nn.Conv2d(inputs, width, 1) for inputs in CHANNELS)
        self.norm = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True))

    def forward(self, features: Features) -> Tensor:
        return self.norm(self.fine(features.fine) + doubled(self.middle(features.middle) + doubled(self.coarse(features.coarse))))


def doubled(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear")


class Flat(NamedTuple):
    """What the 2D branch says."""

    heatmaps: Tensor
    """(B, J, h, w)."""
    fields: Tensor
    """(B, A, 2, h, w)."""
    beside: Tensor
    """(B, width, h, w) its features, for the 3D branch."""


class Heads(nn.Module):
    """Features to Maps: the 2D branch, and the 3D branch that sees the 2D branch's features besides (section 6.3.1)."""

    def __init__(self, settings: HeadSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or HeadSettings()
        for level, channels in enumerate(CHANNELS):
            self.register_buffer(f"mean_{level}", torch.zeros(channels, 1, 1))
            self.register_buffer(f"deviation_{level}", torch.ones(channels, 1, 1))
        width, hidden = settings.width, settings.hidden
        self.merge = Merge(width)
        self.branch_2d = nn.Sequential(*(Block(width) for _ in range(settings.blocks)))
        self.heatmaps = nn.Conv2d(width, J, 1)
        self.fields = nn.Conv2d(width, 2 * len(LINKS), 1)
        self.branch_3d = nn.Sequential(
            *(nn.Dropout(DROPPED), nn.Linear(sum(CHANNELS) + width, hidden), nn.ReLU()),
            *(nn.Dropout(DROPPED), nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(DROPPED)),
        )
        self.encodings = nn.Linear(hidden, 3 * J)

    def begin_from(self, state: Mapping[str, Tensor]) -> None:
        """Takes over every tensor that there is: a deeper 2D branch begins with the blocks of a shallower one."""
        mine = self.state_dict()
        self.load_state_dict({**mine, **{name: value for name, value in state.items() if name in mine}})

    def fit(self, features: Features) -> None:
        """Measures the trunk's features, so that all of them come in at one size."""
        for level, values in enumerate(features):
            self.get_buffer(f"mean_{level}").copy_(values.mean((0, 2, 3), keepdim=True)[0])
            self.get_buffer(f"deviation_{level}").copy_(values.std((0, 2, 3), keepdim=True)[0].clamp_min(1e-2))

    def standardised(self, features: Features) -> Features:
        """As both branches take them."""
        means, deviations = ([self.get_buffer(f"{name}_{level}") for level in range(3)] for name in ("mean", "deviation"))
        return Features(*((value - mean) / spread for value, mean, spread in zip(features, means, deviations, strict=True)))

    def flat(self, features: Features) -> Flat:
        """The 2D branch, of standardised features."""
        beside = self.branch_2d(self.merge(features))
        return Flat(self.heatmaps(beside), self.fields(beside).unflatten(1, (-1, 2)), beside)

    def at(self, features: Features, beside: Tensor, cell: Tensor) -> Tensor:
        """(B, N, 3 J) encodings at the cells (B, N), each counted row by row."""
        return self.encodings(self.branch_3d(columns(features, beside, cell)))

    def forward(self, features: Features) -> Maps:
        """Whole maps; the exported graph reads the encodings at the maxima only, which is the same."""
        features = self.standardised(features)
        heatmaps, fields, beside = self.flat(features)
        height, width = heatmaps.shape[2:]
        everywhere = torch.arange(height * width, device=heatmaps.device).expand(len(heatmaps), -1)
        said = self.at(features, beside, everywhere).transpose(1, 2).unflatten(2, (height, width))
        return Maps(heatmaps, fields, said)


def columns(features: Features, beside: Tensor, cell: Tensor) -> Tensor:
    """(B, N, all channels): what lies above the cells (B, N); coarser features are interpolated."""
    height, width = beside.shape[2:]
    own = [value.flatten(2).gather(2, cell[:, None].expand(-1, value.shape[1], -1)) for value in (features.fine, beside)]
    row = cell // width
    column = cell - row * width  # the exporter knows no remainder by a width that is free
    x, y = (column + 0.5) / width, (row + 0.5) / height
    coarser = [between_cells(value, x, y) for value in (features.middle, features.coarse)]
    return torch.cat([*own, *coarser], dim=1).transpose(1, 2)


def between_cells(value: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(B, C, N) of maps (B, C, h, w) at places (B, N), 0..1 from edge to edge.

    Bilinear, as a product: ONNX Runtime takes much longer for grid_sample.
    """
    height, width = value.shape[2:]
    share = shares(y, height)[..., None] * shares(x, width)[..., None, :]  # (B, N, h, w)
    return value.flatten(2) @ share.flatten(2).transpose(1, 2)


def shares(where: Tensor, cells: int) -> Tensor:
    """(B, N, cells) how much each cell of a row counts at places (B, N), 0..1; beyond the last one's centre, it alone."""
    at = (where * cells - 0.5).clamp(0, cells - 1)
    return (1.0 - (at[..., None] - torch.arange(cells, device=where.device)).abs()).clamp_min(0.0)


class LiveMovenet(nn.Module):
    """Picture to Reading, centres (B, C) and guesses (B, C, J, 2): what is exported.

    Joints that MoveNet knows have its own heatmaps, which it learned on many real pictures: on Leeds Sports Pictures 601 to 800
    their average precision is 36 %, that of the heads, taught on rendered people and two films, 17 %; on rendered people kept
    apart both have 61 %.
    """

    def __init__(self, trunk: Trunk, heads: Heads) -> None:
        super().__init__()
        self.trunk, self.heads, self.read_out, self.centres = trunk, heads, ReadOut(finer=FINER), CentreReadOut()

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        said = self.trunk.said(image)
        keypoints, centre, reach = said[-3:]
        features = self.heads.standardised(gathered(said[: len(FEATURES)]))
        flat = self.heads.flat(features)
        reading = _read(self.heads, features, flat, with_own_heatmaps(flat.heatmaps, keypoints), self.read_out)
        return *reading, *self.centres(centre, reach)


def read(heads: Heads, features: Features, read_out: ReadOut) -> Reading:
    """The people of features as the trunk gives them, by the heads alone: of a cache, which keeps no more of the trunk."""
    features = heads.standardised(features)
    flat = heads.flat(features)
    return _read(heads, features, flat, flat.heatmaps, read_out)


def _read(heads: Heads, features: Features, flat: Flat, heatmaps: Tensor, read_out: ReadOut) -> Reading:
    peaks, integrals, cell = read_out.find(heatmaps.float(), flat.fields.float())  # peaks lie between cells: not in bfloat16
    told = heads.at(features, flat.beside.float(), cell.flatten(1)).unflatten(1, cell.shape[1:])
    return Reading(peaks, integrals, told * (peaks[..., 2:] > 0).float())
