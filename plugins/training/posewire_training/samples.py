"""Training samples out of motion alone: random bodies, cameras, noise and missing joints; 2D in, 3D out. Vectorised numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire_data import bodies
from posewire_data.joints import JOINTS, MIRROR, ROOT, SELDOM_SEEN
from posewire_data.motion import MotionSet
from posewire_data.virtual_cameras import CameraRanges, projected, random_cameras
from posewire_lifting.view import View, seen_by
from posewire_training.mixing import Mixing, mixed
from posewire_training.real import RealClips

Floats = NDArray[np.floating[Any]]
Noise: TypeAlias = Callable[[np.random.Generator, Floats], Floats]
"""Clean rays (B, T, J, 2) to what an estimator would say of them; NaN where it would say nothing."""

LIMBS: tuple[tuple[str, ...], ...] = (
    *((f"{side}_elbow", f"{side}_wrist") for side in ("left", "right")),
    *((f"{side}_knee", f"{side}_ankle") for side in ("left", "right")),
    tuple(f"{side}_{part}" for side in ("left", "right") for part in ("knee", "ankle")),
    tuple(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "ankle")),
    ("nose", "head_top"),
)
"""Joints that are hidden together: behind the body, a table, the picture's edge."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """How joints go missing in training; the shares are of the samples."""

    seldom: float = 0.4
    """Without the joints that BlazePose and COCO-style methods do not give."""
    some: float = 0.5
    """Each joint is hidden by a chance that is drawn between `least` and `most`."""
    least: float = 0.0
    most: float = 0.6
    steady: float = 0.0
    """Share of the windows in which such a joint is hidden in all frames; in the others each frame has its own chance."""
    limb: float = 0.15
    """A whole limb, for the whole window."""
    spell: float = 0.0
    """Three joints in ten, each for a stretch of the window's frames."""
    until_now: bool = False
    """Such a stretch goes on to the newest frame."""

    def draw(self, rng: np.random.Generator, windows: int, frames: int) -> NDArray[np.bool_]:
        """(B, T, J) True = seen."""
        chance = rng.uniform(self.least, self.most, (windows, 1, 1)) * (rng.random((windows, 1, 1)) < self.some)
        drawn = rng.random((windows, frames, len(JOINTS)))
        if self.steady:
            drawn = np.where(rng.random((windows, 1, 1)) < self.steady, drawn[:, -1:], drawn)
        seen = drawn >= chance
        seldom = np.flatnonzero(rng.random(windows) < self.seldom)
        seen[seldom[:, None], :, np.array(SELDOM_SEEN)[None]] = False
        for row in np.flatnonzero(rng.random(windows) < self.limb):
            seen[row][:, [JOINTS.index(name) for name in LIMBS[rng.integers(len(LIMBS))]]] = False
        return seen & ~self._spells(rng, windows, frames) if self.spell else seen

    def _spells(self, rng: np.random.Generator, windows: int, frames: int) -> NDArray[np.bool_]:
        """(B, T, J) True = hidden."""
        each = (windows, 1, len(JOINTS))
        first, count, at = rng.integers(frames, size=each), rng.integers(1, frames + 1, size=each), np.arange(frames)[:, None]
        count = frames if self.until_now else count
        chosen = (rng.random(each) < 0.3) & (rng.random((windows, 1, 1)) < self.spell)
        return chosen & (at >= first) & (at < first + count)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A plain model of what estimators do to 2D; lengths are shares of the person's size in the picture (rms from the centre)."""

    share: float = 0.6
    """Of the samples that are disturbed at all."""
    definition: float = 0.04
    """Another idea of where a joint lies: the same in a whole window. The mean over samples of its standard deviation."""
    jitter: float = 0.03
    """Anew in every frame."""
    wild: float = 0.01
    """Chance of a point to be somewhere else."""
    wild_size: float = 0.4

    def __call__(self, rng: np.random.Generator, rays: Floats) -> Floats:
        count, frames, joints = rays.shape[:3]
        size = np.nanstd(rays[:, -1], axis=1).mean(axis=-1)  # (B,)
        level = size * rng.exponential(1.0, count) * (rng.random(count) < self.share)
        off = self.definition * rng.standard_normal((count, 1, joints, 2), np.float32)
        off = off + self.jitter * rng.standard_normal((count, frames, joints, 2), np.float32)
        off *= level[:, None, None, None].astype(np.float32)
        wild = (rng.random((count, frames, joints, 1)) < self.wild) & (level > 0)[:, None, None, None]
        shift = rng.standard_normal(off.shape, np.float32) * (self.wild_size * size[:, None, None, None])
        return rays + off + wild * shift.astype(np.float32)


NOTHING_HIDDEN = Hiding(seldom=0.0, some=0.0, limb=0.0)
THIRTY_PERCENT = Hiding(seldom=0.0, some=1.0, least=0.3, most=0.3, limb=0.0)
"""Each joint of each frame is hidden by a chance of 30 %."""
THIRTY_PERCENT_LATELY = Hiding(seldom=0.0, some=0.0, limb=0.0, spell=1.0, until_now=True)
"""Each joint is hidden now by a chance of 30 %, since any of the window's frames: as behind something that a person passes."""
THIRTY_PERCENT_THROUGHOUT = Hiding(seldom=0.0, some=1.0, least=0.3, most=0.3, steady=1.0, limb=0.0)
"""Each joint is hidden by a chance of 30 % in the whole window, so that its history says nothing of it."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Everything random about a sample; pure data, so that it is saved with the weights."""

    proportions: float = 0.06
    """Standard deviation of each bone's length, as a share."""
    mirror: bool = True
    mixing: Mixing = field(default_factory=Mixing)
    focal_error: float = 0.15
    """Standard deviation of the logarithm by which the assumed focal length is wrong: most cameras are not calibrated."""
    steps: tuple[int, ...] = (1, 2, 3)
    """Spacing of a window's frames in frames of the pack: 60 Hz to 60, 30, 20 frames a second."""
    late: float = 0.2
    """Share of windows whose first frames are unseen: the person has just come."""


CLEAN = Augmentation(proportions=0.0, mirror=False, mixing=Mixing(share=0.0), focal_error=0.0, steps=(2,), late=0.0)
"""Ground-truth 2D of the motion as it is: for testing."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """A batch: what the network sees and what it has to say."""

    view: View
    points: Tensor
    """(B, T, 17, 2)"""
    seen: Tensor
    """(B, T, 17)"""
    size: Tensor
    """(B, 1)"""
    target_m: Tensor
    """(B, 17, 3) root-relative, turned camera, metres."""
    clean: Tensor
    """(B, 17, 2) the newest row without noise, nothing hidden: normalised image points of the turned camera."""
    root_m: Tensor
    """(B, 3) pelvis in the turned camera."""

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        """In the order of a network's forward."""
        return self.points, self.seen, self.size


class Sampler:
    """Draws samples from motion.

    Args:
        motion: The clips; training and testing sets differ by type, so they are never mixed here.
        frames: T of a window; the last row is the one to lift.
        augmentation: What is random.
        hiding: Which joints go missing.
        noise: What an estimator does to 2D; None = ground truth.
        ranges: What cameras are drawn from.
        real: Which of the samples are like real clips, and how; None = none of them.
    """

    def __init__(
        self,
        motion: MotionSet,
        frames: int = 1,
        augmentation: Augmentation = CLEAN,
        hiding: Hiding = NOTHING_HIDDEN,
        noise: Noise | None = None,
        ranges: CameraRanges | None = None,
        real: RealClips | None = None,
    ) -> None:
        self._positions_m = motion.frames_m()
        self._first = np.concatenate([[0], np.cumsum([len(clip) for clip in motion.clips])])[motion.frame_clips()]
        self._frames, self._augmentation, self._hiding = frames, augmentation, hiding
        self._noise, self._ranges, self._real = noise, ranges, real

    def __len__(self) -> int:
        return len(self._positions_m)

    def draw(self, rng: np.random.Generator, count: int, device: str = "cpu") -> Samples:
        """`count` samples of random frames."""
        return self.at(rng, rng.integers(len(self), size=count), device)

    def at(self, rng: np.random.Generator, newest: NDArray[np.integer[Any]], device: str = "cpu") -> Samples:
        """Samples whose newest rows are these frames of `motion.frames_m()`; rows before the clip's first are unseen."""
        rows, before = self._rows(rng, newest)
        real = np.flatnonzero(rng.random(len(newest)) < (self._real.share if self._real else 0.0))
        positions_m = self._bodies(rng, self._positions_m[rows], real)
        cameras = random_cameras(rng, positions_m[:, :, ROOT].mean(axis=1).astype(np.float64), self._ranges)
        camera_m = cameras.to_camera(positions_m).astype(np.float32)
        clean = projected(camera_m)
        rays = self._said(rng, clean, real)
        wrong = np.exp(rng.normal(0.0, self._augmentation.focal_error, (len(newest), 1, 1, 1))).astype(np.float32)
        seen = self._hiding.draw(rng, *rows.shape) & ~before[..., None]
        return _packed(seen_by((rays * wrong).astype(np.float32), seen), camera_m[:, -1], device)

    def _rows(self, rng: np.random.Generator, newest: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(B, T) frames of each window, and which of them lie before its start."""
        back = np.arange(self._frames - 1, -1, -1)[None]
        step = rng.choice(np.array(self._augmentation.steps), (len(newest), 1))
        rows = newest[:, None] - step * back
        start = rng.integers(0, self._frames, (len(newest), 1)) * (rng.random((len(newest), 1)) < self._augmentation.late)
        before = (rows < self._first[newest][:, None]) | (self._frames - 1 - back < start)
        return np.where(before, newest[:, None], rows), before

    def _said(self, rng: np.random.Generator, clean: Floats, real: NDArray[np.integer[Any]]) -> Floats:
        """Clean rays as estimators say them."""
        rays = self._noise(rng, clean) if self._noise else clean
        if self._real and len(real):
            rays = rays.copy()
            rays[real] = self._real.said(rng, clean[real])
        return rays

    def _bodies(self, rng: np.random.Generator, positions_m: Floats, real: NDArray[np.integer[Any]]) -> Floats:
        """Other poses, other proportions, and half of them in the mirror."""
        positions_m = mixed(rng, positions_m, self._augmentation.mixing)
        if self._augmentation.proportions:
            factors = bodies.random_proportions(rng, len(positions_m), self._augmentation.proportions)
            positions_m = bodies.resized(positions_m, factors.astype(np.float32))
        if self._real and len(real):
            positions_m = positions_m.copy()
            positions_m[real] = self._real.bodies(rng, positions_m[real])
        if self._augmentation.mirror:
            flip = rng.random(len(positions_m)) < 0.5
            positions_m[flip] = positions_m[flip][..., list(MIRROR), :] * np.array([-1, 1, 1], np.float32)
        return positions_m


def _packed(view: View, newest_m: Floats, device: str) -> Samples:
    root_m = newest_m[:, ROOT : ROOT + 1]
    target_m = view.to_turned(newest_m - root_m)
    placed_m = view.to_turned(newest_m)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)).to(device) for name, value in view.inputs().items()}
    return Samples(
        view,
        **tensors,
        target_m=_tensor(target_m, device),
        clean=_tensor(placed_m[..., :2] / placed_m[..., 2:], device),
        root_m=_tensor(placed_m[:, ROOT], device),
    )


def _tensor(values: Floats, device: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)
