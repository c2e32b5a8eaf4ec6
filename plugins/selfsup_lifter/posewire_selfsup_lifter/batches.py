"""Pairs of views as torch batches. What the network sees is corrupted; what the loss compares with is what was seen.

Everything is in the axes of the *turned* cameras of posewire_lifting.view: they are cameras like any other, and their rays are
small numbers around zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire.errors import PosewireError
from posewire_data.joints import JOINTS
from posewire_lifting.view import View, seen_by
from posewire_selfsup_lifter.geometry import relative_pose
from posewire_selfsup_lifter.views import MultiView2D
from posewire_training.samples import NOTHING_HIDDEN, Hiding, Noise

Floats = NDArray[np.floating[Any]]

FEATURES = 3 * len(JOINTS) + 1
"""What a network of one frame sees: 2D and seen or not of each joint, and the size."""
_SIZE_MIDDLE, _SIZE_SPREAD = -2.3, 0.6
"""log of an angle: a person at 3-6 m is about a tenth of a radian around the middle."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """What is done to the keypoints that the network sees, and to no target."""

    hiding: Hiding = NOTHING_HIDDEN
    noise: Noise | None = None
    """None = the keypoints as they are."""
    focal_error: float = 0.0
    """Standard deviation of the logarithm by which the assumed focal length is wrong."""
    estimator: Noise | None = None
    """Takes the place of `noise` where an instant is like a real clip; says NaN of what it does not find."""

    def of(
        self, rays: Floats, seen: NDArray[np.bool_], like_real: NDArray[np.intp], rng: np.random.Generator
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Keypoints (B, J, 2) and seen (B, J) as a worse camera and a worse detector would have given them.

        Args:
            rays: (B, J, 2) the keypoints.
            seen: (B, J) False: there is none.
            like_real: Rows that are like a real clip.
            rng: Draws everything.
        """
        clean = rays[like_real, None]
        seen = seen & self.hiding.draw(rng, len(rays), 1)[:, 0]
        if self.noise is not None:
            rays = self.noise(rng, rays[:, None])[:, 0]
        if self.estimator is not None and len(like_real):
            rays = rays.copy()
            rays[like_real] = self.estimator(rng, clean)[:, 0]
        if self.focal_error:
            rays = rays * np.exp(rng.normal(0.0, self.focal_error, (len(rays), 1, 1)))
        return rays, seen


@dataclass(frozen=True, slots=True, eq=False)
class OneView:
    """B people, each in one picture, in the axes of the camera turned to what was seen of them."""

    features: Tensor
    """(B, FEATURES) what the lifter sees: corrupted."""
    R_turned_lifted: Tensor
    """(B, 3, 3) from the axes in which the lifter speaks (those of what it sees) to these."""
    clean_features: Tensor
    """(B, FEATURES) what was seen: for the root's branch, which is only there for training and should be as good as it can."""
    size: Tensor
    """(B,) angle, radians: how large the person is in the picture."""
    rays: Tensor
    """(B, J, 2) where the joints were seen; 0 where not."""
    weights: Tensor
    """(B, J) their confidence: w of eq. 3.2."""
    R_camera_world: Tensor | None
    """(B, 3, 3) of the turned camera."""
    centre_m: Tensor | None
    """(B, 3)"""

    @property
    def seen(self) -> Tensor:
        """(B, J) 1 or 0."""
        return (self.weights > 0).to(self.weights.dtype)

    def normalised(self) -> Tensor:
        """(B, J, 2) the picture of Ch. 4.7.2: less the pelvis, over the mean distance of the joints from it; 0 where unseen."""
        centred = (self.rays - self.rays[:, :1]) * self.seen[..., None]
        distance = centred.norm(dim=-1).sum(1) / self.seen.sum(1).clamp(min=1)
        return centred / distance.clamp(min=1e-6)[:, None, None]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The same B people at the same instants from two places."""

    first: OneView
    second: OneView

    def first_to_second(self) -> tuple[Tensor, Tensor]:
        """eq. 3.4 of the two turned cameras."""
        return _relative(self.first, self.second)

    def second_to_first(self) -> tuple[Tensor, Tensor]:
        """The other way round."""
        return _relative(self.second, self.first)


def _relative(a: OneView, b: OneView) -> tuple[Tensor, Tensor]:
    if a.R_camera_world is None or a.centre_m is None or b.R_camera_world is None or b.centre_m is None:
        raise PosewireError(
            "These views have no extrinsics.",
            allowed="extrinsics for the teacher 'reprojection'",
            hint="python -m posewire_selfsup_lifter footage finds them; 'factorization' and 'distillation' need none",
        )
    return relative_pose(a.R_camera_world, a.centre_m, b.R_camera_world, b.centre_m)


def features_of(view: View) -> Tensor:
    """(B, FEATURES) of windows of one row."""
    inputs = view.inputs()
    return stacked(*(torch.from_numpy(inputs[name]) for name in ("points", "seen", "size")))


def stacked(points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
    """The network's inputs side by side; also the first layer of the exported network."""
    return torch.cat([points.flatten(1), seen.flatten(1), (size - _SIZE_MIDDLE) / _SIZE_SPREAD], dim=1)


class Batches:
    """Draws pairs from views. What is random hangs on the step's number alone, so that a run resumes exactly."""

    def __init__(self, views: MultiView2D, batch: int, corruption: Corruption, *, seed: int = 0, device: str = "cpu") -> None:
        if views.joints != JOINTS:
            raise PosewireError("These views have another skeleton.", got=", ".join(views.joints), allowed=", ".join(JOINTS))
        self._views, self._batch, self._corruption, self._seed, self._device = views, batch, corruption, seed, device
        self._usable = np.flatnonzero((views.seen().sum(axis=-1) >= len(JOINTS) // 2).sum(axis=-1) >= 2)
        if not len(self._usable):
            raise PosewireError("No instant shows the person in two views.", got=f"{views.instants} instants")

    def draw(self, number: int) -> Pair:
        """B instants, two different views of each; the same number gives the same pair."""
        rng = np.random.default_rng((self._seed, number))
        instants = rng.choice(self._usable, self._batch)
        first = rng.integers(self._views.views, size=self._batch)
        second = (first + rng.integers(1, self._views.views, size=self._batch)) % self._views.views
        return Pair(self._one(instants, first, self._corruption, rng), self._one(instants, second, self._corruption, rng))

    def in_order(self) -> Iterator[Pair]:
        """Every instant once, its first and second view: for validation."""
        rng = np.random.default_rng(0)
        for start in range(0, len(self._usable), self._batch):
            instants = self._usable[start : start + self._batch]
            yield Pair(*(self._one(instants, np.full(len(instants), view), self._corruption, rng) for view in (0, 1)))

    def _one(self, instants: Any, cameras: Any, corruption: Corruption, rng: np.random.Generator) -> OneView:
        rays = self._views.rays[instants, cameras].astype(np.float32)
        weights = self._views.confidence[instants, cameras].astype(np.float32)
        clean = seen_by(rays[:, None], weights[:, None] > 0)
        real = self._views.like_real
        like_real = np.flatnonzero(real[instants]) if real is not None else np.empty(0, np.intp)
        shown, seen = corruption.of(rays, weights > 0, like_real, rng)
        view = seen_by(shown[:, None].astype(np.float32), seen[:, None])
        weights = weights * (view.usable & clean.usable)[:, None]
        R, centre = self._camera(instants, cameras, clean)
        return OneView(
            features_of(view).to(self._device),
            self._tensor(np.swapaxes(clean.R_camera_turned, 1, 2) @ view.R_camera_turned),
            features_of(clean).to(self._device),
            self._tensor(np.exp(clean.size[:, 0])),
            self._tensor(np.where(weights[..., None] > 0, _turned(rays, clean.R_camera_turned), 0.0)),
            self._tensor(weights),
            R,
            centre,
        )

    def _camera(self, instants: Any, cameras: Any, view: View) -> tuple[Tensor | None, Tensor | None]:
        extrinsics = self._views.extrinsics
        if extrinsics is None:
            return None, None
        rows = instants if extrinsics.centre_m.shape[0] > 1 else np.zeros_like(instants)
        R_turned_world = np.swapaxes(view.R_camera_turned, 1, 2) @ extrinsics.R_camera_world[rows, cameras]
        return self._tensor(R_turned_world), self._tensor(extrinsics.centre_m[rows, cameras])

    def _tensor(self, values: Floats) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(self._device)


def _turned(rays: Floats, R_camera_turned: Floats) -> Floats:
    """Rays (B, J, 2) of the real cameras in the turned ones."""
    lines = np.concatenate([np.nan_to_num(rays), np.ones_like(rays[..., :1])], axis=-1) @ R_camera_turned
    return lines[..., :2] / np.maximum(lines[..., 2:], 0.05)
