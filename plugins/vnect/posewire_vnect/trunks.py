"""Trunks that begin from nothing: SelecSLS (thesis 002, section 7.2), ResNet-50 up to level 4 (section 5.3.2), a tiny one."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from posewire_vnect.features import Features, Widths
from posewire_xnect.selecsls import SelecSls, SelecSlsSettings


def _pyramid(fine: Tensor, mid: Tensor) -> Features:
    """The coarser views of what has no layers of its own for them."""
    return Features(fine, mid, functional.avg_pool2d(mid, 2), mid.mean((2, 3)))


class SelecSlsTrunk(nn.Module):
    """SelecSLS as XNect has it; fine features are the outputs of its level L2."""

    def __init__(self, settings: SelecSlsSettings | None = None) -> None:
        super().__init__()
        self.core = SelecSls(settings)
        levels, out = self.core.settings.levels, self.core.features_out
        fine = levels[1].wide if self.core.settings.outputs == "wide" else levels[1].base
        self.widths = Widths(fine=fine[-1], mid=out, deep=out, vector=out)
        self._fine = len(levels[0].wide) + len(levels[1].wide) - 1

    def forward(self, image: Tensor) -> Features:
        x = self.core.stem(image - 0.5)  # section 4.1: "zero centered by subtracting 0.5"
        outputs: list[Tensor] = []
        for module, source in zip(self.core.features, self.core.sources, strict=True):
            x = module(x, None if source is None else outputs[source])
            outputs.append(x)
        return _pyramid(outputs[self._fine], x)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 and a shortcut (He et al. 2016)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.body = nn.Sequential(
            *(nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)),
            *(nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)),
            *(nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.shortcut(x))


class ResNetTrunk(nn.Module):
    """ResNet-50 up to level 4: what lies behind is the head."""

    widths = Widths(fine=512, mid=1024, deep=1024, vector=1024)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        )
        self.level_2, self.level_3, self.level_4 = _level(64, 64, 3, 1), _level(256, 128, 4, 2), _level(512, 256, 6, 2)

    def forward(self, image: Tensor) -> Features:
        fine = self.level_3(self.level_2(self.stem(image - 0.5)))
        return _pyramid(fine, self.level_4(fine))


def _level(inputs: int, width: int, count: int, stride: int) -> nn.Sequential:
    first = Bottleneck(inputs, width, stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1) for _ in range(count - 1)))


class TinyTrunk(nn.Module):
    """Exports in a second: for tests of what comes behind a network."""

    widths = Widths(fine=4, mid=8, deep=8, vector=8)

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.mid = nn.Conv2d(3, 4, 8, 8), nn.Conv2d(4, 8, 2, 2)

    def forward(self, image: Tensor) -> Features:
        fine = self.fine(image).relu()
        return _pyramid(fine, self.mid(fine).relu())
