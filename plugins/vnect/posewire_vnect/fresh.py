"""A training on crops from disk, each seen through a new view and a new lens every time, with a trunk that may learn.

What the frozen trunk's cached features cannot give: views never repeat, and the trunk gets to know rendered people. So that it
does not forget real ones, a share of each batch are real crops, on which its features are held to those of the trunk it began as
(feature distillation), and its first layers may stay as they are (--trunk-from).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor, nn

from posewire_vnect import looks
from posewire_vnect.real import RealCrops
from posewire_vnect.settings import VNectSettings
from posewire_vnect.shots import check_enough, load, read_all
from posewire_vnect.tasks import SeeingTask
from posewire_vnect.truth import Truth

_FIT_VIEWS = 1024
"""From which the coarse pose of a head that never learned begins."""


class FreshTask(SeeingTask):
    """Trunk and head; the first rendered shard is kept for validation.

    Args:
        settings: Of the run.
        trunk: Learns where `settings.trunk_rate` is above 0.
        head: Of `build.head`.
        rendered: Shards of posewire_vnect.shots, all held in memory: 0.2 MB a crop.
        real: Crops of real people, or none.
        begun: See Learning.
    """

    def __init__(
        self,
        settings: VNectSettings,
        trunk: nn.Module,
        head: nn.Module,
        rendered: list[Path],
        real: RealCrops | None,
        *,
        begun: bool,
    ) -> None:
        check_enough(rendered)
        super().__init__(settings, trunk, head, load(rendered[0]), real, begun=begun)
        self._rendered = read_all(rendered[1:])
        self.beginning = range(-(-_FIT_VIEWS // settings.batch))

    def rendered(self, rng: np.random.Generator, number: int, count: int) -> tuple[Tensor, Truth]:
        chosen = looks.next_of(self._rendered, number, count, self.settings.seed)
        return looks.seen(rng, chosen.to(self.settings.device))
