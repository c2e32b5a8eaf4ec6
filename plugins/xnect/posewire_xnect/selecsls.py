"""SelecSLS, the core network (thesis 002, section 7.2.3 and Table 7.9): short and long concatenation skips, chosen with care.

A module is six convolutions, 3x3 and 1x1 in turn; the outputs of its three 3x3 (k + k/2 + k/2 = 2k features) and the skip from
another module meet in a last 1x1. Every convolution is followed by batch norm and ReLU. Names of layers (stem, features.N.convM)
are those of the published weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from posewire.errors import SettingsError

Module: TypeAlias = Literal["CS", "AS"]
"""Concatenation skip or addition skip (Figure 7.5 a, b)."""
Skip: TypeAlias = Literal["first", "prev"]
"""From the first module of the level, or from the one before (Figure 7.5 c, d)."""
Outputs: TypeAlias = Literal["wide", "base"]

STEM = 32
"""Outputs of level L0, a 3x3 convolution of stride 2."""


class Level(NamedTuple):
    """One resolution: k, and the outputs of its modules; the first of them halves the resolution."""

    k: int
    base: tuple[int, ...]
    wide: tuple[int, ...]


TABLE_7_9: tuple[Level, ...] = (
    Level(64, (64, 64), (64, 128)),
    Level(128, (128, 128, 128), (128, 128, 288)),
    Level(288, (288, 288, 288, 416), (288, 288, 288, 416)),
)
"""L1 at w/4, L2 at w/8, L3 at w/16."""


@dataclass(frozen=True, slots=True)
class SelecSlsSettings:
    """Which network of Table 7.9. The defaults are what the thesis takes (end of section 7.2.4)."""

    module: Module = "CS"
    skip: Skip = "first"
    outputs: Outputs = "wide"
    grouped: bool = True
    """Group convolution, as for pose; ImageNet goes without."""
    levels: tuple[Level, ...] = TABLE_7_9

    def __post_init__(self) -> None:
        for name, allowed in (("module", ("CS", "AS")), ("skip", ("first", "prev")), ("outputs", ("wide", "base"))):
            if getattr(self, name) not in allowed:
                raise SettingsError(f"SelecSLS knows no such {name}.", got=getattr(self, name), allowed=allowed)


def groups_of(outputs: int) -> int:
    """Groups of a 3x3 convolution: "with more than 96 outputs 2, with more than 192 outputs 4" (section 7.2.3)."""
    return 4 if outputs > 192 else 2 if outputs > 96 else 1


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, *, grouped: bool = False) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    groups = groups_of(outputs) if grouped and kernel == 3 else 1
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class SelecSlsModule(nn.Module):
    """One module; `skip` is None in the first of a level, else the features of another module of the same resolution.

    Args:
        inputs: Features that come in.
        skipped: Features of the skip; 0 for none.
        k: Features inside.
        outputs: n_o.
        stride: Of the first 3x3.
        settings: Module type and grouping.
    """

    def __init__(self, inputs: int, skipped: int, k: int, outputs: int, stride: int, settings: SelecSlsSettings) -> None:
        super().__init__()
        grouped, half = settings.grouped, k // 2
        self.adds = settings.module == "AS" and skipped > 0
        self.conv1 = convolution(inputs, k, 3, stride, grouped=grouped)
        self.conv2 = convolution(k, k, 1)
        self.conv3 = convolution(k, half, 3, grouped=grouped)
        self.conv4 = convolution(half, k, 1)
        self.conv5 = convolution(k, half, 3, grouped=grouped)
        self.inside = k + 2 * half
        """Features that conv6 gets from within, before the skip's."""
        self.conv6 = convolution(self.inside + (0 if self.adds else skipped), outputs, 1)
        if self.adds:
            del self.conv6[2]  # "the ReLU is placed after the sum"
            fits = skipped == outputs
            self.match = (
                nn.Identity() if fits else nn.Sequential(nn.Conv2d(skipped, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
            )

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """x (B, inputs, H, W) and skip (B, skipped, H / stride, W / stride) to (B, outputs, H / stride, W / stride)."""
        first = self.conv1(x)
        second = self.conv3(self.conv2(first))
        third = self.conv5(self.conv4(second))
        inside = [first, second, third]
        if skip is None:
            return self.conv6(torch.cat(inside, dim=1))
        if self.adds:
            return torch.relu(self.conv6(torch.cat(inside, dim=1)) + self.match(skip))
        return self.conv6(torch.cat([*inside, skip], dim=1))


class SelecSls(nn.Module):
    """(B, 3, h, w) to (B, features_out, h/16, w/16)."""

    def __init__(self, settings: SelecSlsSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or SelecSlsSettings()
        self.stem = convolution(3, STEM, 3, 2)
        self.sources = skip_sources(self.settings)
        self.features = nn.ModuleList(self._modules_of())
        self.features_out = (
            self.settings.levels[-1].wide[-1] if self.settings.outputs == "wide" else self.settings.levels[-1].base[-1]
        )

    def _modules_of(self) -> list[SelecSlsModule]:
        plan = [(level.k, outputs) for level in self.settings.levels for outputs in _outputs(level, self.settings)]
        widths = [STEM, *(outputs for _, outputs in plan)]
        made: list[SelecSlsModule] = []
        for number, (k, outputs) in enumerate(plan):
            source = self.sources[number]
            skipped, stride = (0, 2) if source is None else (plan[source][1], 1)
            made.append(SelecSlsModule(widths[number], skipped, k, outputs, stride, self.settings))
        return made

    def modules_in_order(self) -> list[SelecSlsModule]:
        """The modules, typed."""
        return [module for module in self.features if isinstance(module, SelecSlsModule)]

    def forward(self, image: Tensor) -> Tensor:
        """All skips come from outputs of the same level."""
        x = self.stem(image)
        outputs: list[Tensor] = []
        for module, source in zip(self.features, self.sources, strict=True):
            x = module(x, None if source is None else outputs[source])
            outputs.append(x)
        return x


def _outputs(level: Level, settings: SelecSlsSettings) -> tuple[int, ...]:
    return level.wide if settings.outputs == "wide" else level.base


def skip_sources(settings: SelecSlsSettings) -> list[int | None]:
    """For each module the number of the one whose output it gets besides; None for the first of a level."""
    sources: list[int | None] = []
    for level in settings.levels:
        first = len(sources)
        sources.append(None)
        for _ in level.base[1:]:
            sources.append(first if settings.skip == "first" else len(sources) - 1)
    return sources


class Classifier(nn.Module):
    """The core with the ImageNet head (Figure 7.6 right), ungrouped: to be pre-trained, and to be counted against Table 7.15.

    The figure's text is not in our copy of the thesis; the head's sizes are those of the published network.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.core = SelecSls(SelecSlsSettings(grouped=False))
        widths = ((3, 2), (3, 1), (3, 2), (1, 1))
        sizes = pairwise((self.core.features_out, 756, 1024, 1024, 1280))
        self.head = nn.Sequential(*(convolution(a, b, *kind) for (a, b), kind in zip(sizes, widths, strict=True)))
        self.classifier = nn.Linear(1280, classes)

    def forward(self, image: Tensor) -> Tensor:
        return self.classifier(self.head(self.core(image)).mean((2, 3)))
