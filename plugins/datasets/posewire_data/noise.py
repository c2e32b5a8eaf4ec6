"""What BlazePose does to 2D: errors that last, confidence that knows something of them, exchanged sides, missing points.

    said = exchanged sides of ( truth + size * (steady_j + g(confidence) * quick_j(t)) + slips )

`size` is the longer side of the person's box; quick_j is a Gauss-Markov process with a deviation and a time constant for each
joint, steady_j stays for a whole window, g says how much worse an unsure point is. Slips and exchanges come and go as a two-state
Markov process. noise.json holds the numbers; `python -m posewire_data.fit_noise` makes them from clips.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS, MIRROR, SELDOM_SEEN

FloatArray = NDArray[np.floating[Any]]
CONFIDENCE_BINS = (0.0, 0.2, 0.5, 0.8, 0.95, 1.0)
LIMB_GROUPS: dict[str, tuple[str, ...]] = {"arms": ("elbow", "wrist"), "legs": ("knee", "ankle")}
"""What is exchanged together, left for right."""


@dataclass(frozen=True, slots=True)
class JointNoise:
    """One joint; lengths as shares of the person's size, in each image coordinate."""

    steady: float
    """Deviation of the error that stays."""
    quick: float
    """Deviation of the error that changes, of a point that is sure (confidence in the highest bin)."""
    memory_s: float
    """Time constant of the error that changes."""
    logit: float
    """Mean of log(c / (1 - c)) of the confidence c."""
    logit_between: float
    """Its deviation from person to person."""
    logit_within: float
    """Its deviation over time."""
    logit_memory_s: float


@dataclass(frozen=True, slots=True)
class Events:
    """Something that is now and then so: a two-state process."""

    share: float
    """Of the time."""
    mean_s: float
    """How long it lasts."""
    size: float = 0.0
    """Slips only: root mean square distance in each coordinate, as a share of the person's size."""


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """The whole model; immutable, used from any thread with a generator of its own."""

    joints: Mapping[str, JointNoise]
    """By name; a joint that the estimator does not give is absent."""
    worse: tuple[float, ...]
    """g: factor of the quick error in each of CONFIDENCE_BINS' intervals; the last is 1."""
    slips: Events
    """Of one joint."""
    exchanges: Mapping[str, Events]
    """Of LIMB_GROUPS."""
    missing: Events
    """Of one joint: the estimator says that it is outside the picture of the person."""
    source: str
    """What it was fitted to, and with which command."""

    @classmethod
    def load(cls, path: Path | None = None) -> NoiseModel:
        """The bundled model, or another one.

        Raises:
            DatasetError: the file is missing or is no noise model.
        """
        where = path or resources.files("posewire_data").joinpath("noise.json")
        try:
            values = json.loads(where.read_text(encoding="utf-8"))
            return cls(
                {name: JointNoise(**row) for name, row in values["joints"].items()},
                tuple(values["worse"]),
                Events(**values["slips"]),
                {name: Events(**row) for name, row in values["exchanges"].items()},
                Events(**values["missing"]),
                values["source"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            got = f"{type(error).__name__}: {error}"
            raise DatasetError(
                f"{where} is no noise model.", got=got, hint="python -m posewire_data.fit_noise makes one"
            ) from error

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def said(
        self, rng: np.random.Generator, points: FloatArray, rate_hz: float = 30.0, *, seldom_seen: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Clean image points (B, T, 17, 2), pixels or normalised, to what BlazePose would say, and its confidence (B, T, 17).

        A missing point is NaN with confidence 0. Windows are independent; within one, frames are 1 / rate_hz apart.

        Args:
            rng: Draws everything.
            points: NaN = already unseen.
            rate_hz: Of the frames.
            seldom_seen: Keeps the joints that BlazePose does not give (with the mean error of the others) instead of NaN.
        """
        step_s = 1.0 / rate_hz
        B, T = points.shape[:2]
        confidence = self._confidence(rng, B, T, step_s)
        size = _sizes(points)[:, None, None, None]
        said = points + size * self._errors(rng, confidence, step_s)
        said = self._exchanged(rng, said, step_s)
        missing = _on_and_off(rng, self.missing, (B, T, len(JOINTS)), step_s)
        if not seldom_seen:
            missing[..., list(SELDOM_SEEN)] = True
        missing |= ~np.isfinite(said).all(axis=-1)
        return np.where(missing[..., None], np.nan, said), np.where(missing, 0.0, confidence)

    def __call__(self, rng: np.random.Generator, points: FloatArray) -> FloatArray:
        """`said` at 30 frames a second, without the confidence, with the seldom seen joints."""
        return self.said(rng, points, seldom_seen=True)[0]

    def _column(self, field: str) -> FloatArray:
        """(17,) a field of every joint; the mean where the estimator does not give the joint."""
        known = [getattr(row, field) for row in self.joints.values()]
        return np.array([getattr(self.joints[name], field) if name in self.joints else np.mean(known) for name in JOINTS])

    def _confidence(self, rng: np.random.Generator, B: int, T: int, step_s: float) -> FloatArray:
        """(B, T, 17)"""
        between = rng.normal(0.0, 1.0, (B, 1, len(JOINTS))) * self._column("logit_between")
        within = markov(rng, (B, T, len(JOINTS)), self._column("logit_memory_s"), step_s) * self._column("logit_within")
        return 1 / (1 + np.exp(-(self._column("logit") + between + within)))

    def _errors(self, rng: np.random.Generator, confidence: FloatArray, step_s: float) -> FloatArray:
        """(B, T, 17, 2) of all kinds, in person sizes."""
        B, T, J = confidence.shape
        interval = np.clip(np.searchsorted(CONFIDENCE_BINS, confidence, side="right") - 1, 0, len(self.worse) - 1)
        quick = markov(rng, (B, T, J, 2), self._column("memory_s")[:, None], step_s) * self._column("quick")[:, None]
        steady = rng.normal(0.0, 1.0, (B, 1, J, 2)) * self._column("steady")[:, None]
        slipped = _on_and_off(rng, self.slips, (B, T, J), step_s)[..., None]
        away = markov(rng, (B, T, J, 2), np.full((J, 1), self.slips.mean_s), step_s) * self.slips.size
        return steady + quick * np.array(self.worse)[interval][..., None] + slipped * away

    def _exchanged(self, rng: np.random.Generator, points: FloatArray, step_s: float) -> FloatArray:
        """With left and right of a limb pair exchanged for some time."""
        points = points.copy()
        for name, parts in LIMB_GROUPS.items():
            joints = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in parts]
            now = _on_and_off(rng, self.exchanges[name], (*points.shape[:2], 1), step_s)[..., None]
            points[..., joints, :] = np.where(now, points[..., [MIRROR[j] for j in joints], :], points[..., joints, :])
        return points


def markov(rng: np.random.Generator, shape: tuple[int, ...], memory_s: FloatArray, step_s: float) -> FloatArray:
    """Gauss-Markov noise of deviation 1 and `shape` (B, T, ...), stationary from the first frame: x' = a x + sqrt(1 - a^2) w."""
    a = np.exp(-step_s / np.maximum(memory_s, 1e-6))
    noise = rng.normal(0.0, 1.0, shape)
    for t in range(1, shape[1]):
        noise[:, t] = a * noise[:, t - 1] + np.sqrt(1 - a * a) * noise[:, t]
    return noise


def _on_and_off(rng: np.random.Generator, events: Events, shape: tuple[int, ...], step_s: float) -> NDArray[np.bool_]:
    """`shape` (B, T, ...) True while it is so; ends with chance step / mean, begins so often that the share is right."""
    ends = min(1.0, step_s / max(events.mean_s, step_s))
    begins = min(1.0, ends * events.share / max(1.0 - events.share, 1e-9))
    chance = rng.random(shape)
    on = np.empty(shape, dtype=np.bool_)
    on[:, 0] = chance[:, 0] < events.share
    for t in range(1, shape[1]):
        on[:, t] = np.where(on[:, t - 1], chance[:, t] >= ends, chance[:, t] < begins)
    return on


def _sizes(points: FloatArray) -> FloatArray:
    """(B, T, 17, 2) to (B,): the longer side of the box around the seen points, mean of a window's frames; 0 where nothing is."""
    seen = np.isfinite(points)
    sides = np.where(seen, points, -np.inf).max(axis=2) - np.where(seen, points, np.inf).min(axis=2)  # (B, T, 2)
    longest = sides.max(axis=-1)
    longest = np.where(np.isfinite(longest), longest, np.nan)
    counts = np.isfinite(longest).sum(axis=1)
    return np.where(counts > 0, np.nansum(longest, axis=1) / np.maximum(counts, 1), 0.0)
