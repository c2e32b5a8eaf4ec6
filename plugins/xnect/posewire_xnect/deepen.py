"""Teaching the 3D branch of an exported Stage I: `train deep`. It learns at the peaks that the file itself finds.

A picture gives some forty joints, and the branch learns 1,000 of them in a few milliseconds: what it lacks is people. The 2D part
stays, so a step needs no trunk: each picture is looked at once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from posewire.runtime import Session, open_session
from posewire_training import loop, tensors
from posewire_training.origin import to_learn_from
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, descend
from posewire_xnect import album, encodings, truth
from posewire_xnect.branches import Columns, bone_losses
from posewire_xnect.deep_file import COLUMNS, DeepFile
from posewire_xnect.networks import StageOneNet
from posewire_xnect.people import sizes_px
from posewire_xnect.skeleton import supervised
from posewire_xnect.targets import to_pixels
from posewire_xnect.truth import Scene

NEAR = 0.4
"""A peak is somebody's joint that lies nearer than this share of their size (people.sizes_px)."""
NOWHERE_PX = 1e6
"""Where the joints of empty places are."""
HELD = 3
"""Files of rendered pictures that are kept apart, to choose by."""


@dataclass(frozen=True, slots=True)
class DeepRun(TrainSettings):
    """A run of the 3D branch alone."""

    steps: int = 6000
    batch: int = 1024
    """Joints a step."""
    learning_rate: float = 2e-3
    warm_up_steps: int = 100
    weight_decay: float = 1e-6
    average: float = 0.995
    bf16: bool = True
    validate_every: int = 500
    filmed: float = 0.12
    """Share of the joints that are seen in films, where there are some."""
    dropped: float = 0.1
    """Share of the features that are dropped while it learns."""
    turn_m: float = 0.1
    """Where the loss turns from square to straight (Huber 1964): bones further off than this are outliers."""

    SHARES: ClassVar[tuple[str, ...]] = ("filmed", "dropped")


def columns_in(session: Session, files: Iterable[Path], *, crowds: bool = True) -> Columns:
    """What the branch is fed at every peak that is somebody's joint, hidden or not, in pictures and in crowds made of them.

    Args:
        session: Of `DeepFile.write_below`.
        files: Of album.py.
        crowds: Four pictures at half their size, too.
    """
    scenes = chain.from_iterable(_scenes(album.load(path), crowds) for path in files)
    return tensors.joined([_at_peaks(session, scene) for scene in scenes])


def _scenes(known: album.Album, crowds: bool) -> Iterator[Scene]:
    yield from (known.scene(slice(row, row + 1)) for row in range(len(known)))
    if crowds:
        yield from (truth.crowd(known.scene(slice(row, row + 4))) for row in range(0, len(known) - 3, 4))


def _at_peaks(session: Session, scene: Scene) -> Columns:
    """Of one picture."""
    said = session.run({"image": scene.image.numpy()})
    peaks, above = said["peaks"][0], torch.from_numpy(said[COLUMNS]).unflatten(1, said["peaks"].shape[1:3])[0]
    points_px = np.nan_to_num(scene.points_px[0].numpy().astype(np.float64), nan=NOWHERE_PX)  # (M, J, 2)
    away = np.linalg.norm(to_pixels(peaks[..., :2].astype(np.float64)) - points_px[:, :, None], axis=-1)  # (M, J, K)
    away /= sizes_px(points_px)[:, None, None]
    joint, candidate = np.nonzero((away.min(axis=0) < NEAR) & (peaks[..., 2] > 0))
    person = torch.from_numpy(away.argmin(axis=0)[joint, candidate])
    bones_m = torch.from_numpy(encodings.bones(scene.joints_m[0].numpy()))
    return Columns(above[joint, candidate].half(), torch.from_numpy(joint), bones_m[person])


class DeepenTask:
    """The branch.

    Args:
        settings: Of the run.
        layers: The branch, changed in place.
        table: Which bones are supervised at each joint, (J, J) bool (skeleton.supervised).
        rendered: To learn from.
        held: To choose by.
        films: Learned from besides.
    """

    def __init__(
        self, settings: DeepRun, layers: nn.Sequential, table: Tensor, rendered: Columns, held: Columns, films: Columns | None
    ) -> None:
        device = settings.device
        self.settings, self._table = settings, table.to(device)
        self._sources = [columns.to(device) for columns in (rendered, films) if columns is not None]
        self._held = held.to(device)
        self.modules: Mapping[str, nn.Module] = {"layers": layers.to(device)}
        adam = Adam(layers.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        self.optimizers: Mapping[str, Optimizer] = {"layers": adam}

    def step(self, number: int, progress: float) -> Scores:
        rng = np.random.default_rng([self.settings.seed, number])
        filmed = round(self.settings.filmed * self.settings.batch) if len(self._sources) > 1 else 0
        counts = (self.settings.batch - filmed, filmed)
        parts = [
            tensors.chosen(source, torch.from_numpy(rng.integers(0, len(source.joint), count)).to(self.settings.device))
            for source, count in zip(self._sources, counts, strict=False)
        ]
        squared, there = self._squared(tensors.joined(parts), self.settings.dropped)
        off_m = (squared + 1e-8).sqrt()
        turn_m = self.settings.turn_m
        huber = torch.where(off_m < turn_m, squared / (2 * turn_m), off_m - 0.5 * turn_m)
        loss = (huber * there).sum() / there.sum().clamp_min(1)
        descend(self.optimizers["layers"], 100.0 * loss, self.settings.largest_gradient)
        return {"bone_mm": 1e3 * float((off_m.detach() * there).sum() / there.sum().clamp_min(1))}

    def _squared(self, of: Columns, dropped: float = 0.0) -> tuple[Tensor, Tensor]:
        """(n, J) as bone_losses, and which of them count."""
        x = of.features.float()
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            for layer in self.modules["layers"].children():
                x = layer(nn.functional.dropout(x, dropped)) if isinstance(layer, nn.Linear) else layer(x)
        there = self._table[of.joint] & torch.isfinite(of.bones_m).all(-1)
        return bone_losses(x.float(), of.bones_m, there), there

    def validate(self) -> Scores:
        squared, there = self._squared(self._held)
        return {"validation_bone_mm": 1e3 * float((squared.sqrt() * there).sum() / there.sum().clamp_min(1))}


def deepen(
    settings: DeepRun, stage_one: Path, pictures: Path, out: Path, footage: Path | None = None, *, quiet: bool = False
) -> Path:
    """Trains the 3D branch of an exported Stage I; returns the file that has it, out/xnect_stage1.onnx.

    Args:
        settings: Of the run.
        stage_one: The exported file.
        pictures: Folder of rendered ones (album.py), the first HELD files (at most half of them) to choose by.
        out: Where everything goes.
        footage: Folder of labelled frames of films to learn from besides.
        quiet: Shows no progress.

    Raises:
        ModelError: the file is no Stage I, or its 3D branch is no perceptron (deep_file.py).
    """
    loop.set_up(settings)
    file = DeepFile(stage_one)
    known = album.paths(to_learn_from(pictures))
    held = min(HELD, len(known) // 2)
    films = [] if footage is None else album.paths(footage)
    with tempfile.TemporaryDirectory() as folder:
        below = Path(folder) / "below.onnx"
        file.write_below(below)
        net = StageOneNet(session := open_session(below, threads=settings.threads))
        learned, kept = (columns_in(session, files) for files in (known[held:], known[:held] or known))
        filmed = columns_in(session, films, crowds=False) if films else None
        net.close()
    table = torch.from_numpy(supervised(net.scheme))
    task = DeepenTask(settings, file.layers(), table, learned, kept, filmed)
    trained = loop.train(task, settings, out, quiet=quiet)["layers"]
    assert isinstance(trained, nn.Sequential)
    to = out / "xnect_stage1.onnx"
    file.write_with(trained.cpu(), to)
    return to
