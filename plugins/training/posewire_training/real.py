"""Samples that are like a real clip: people of human proportions, and 2D as BlazePose says it.

CMU's motion has one skeleton, a figure's with narrow shoulders and short thighs; no real person has it, and no estimator puts its
points where that figure has them. Nothing here was fitted to a clip that has a reference: lengths are from a table, the noise is
posewire_data's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data import bodies
from posewire_data.joints import JOINTS
from posewire_data.noise import NoiseModel
from posewire_lifting.lifter import LEAST_CONFIDENCE

Floats = NDArray[np.floating[Any]]

HUMAN_LENGTHS_M = {
    "hip": 0.110,
    "knee": 0.427,
    "ankle": 0.428,
    "chest": 0.252,
    "neck": 0.252,
    "shoulder": 0.185,
    "elbow": 0.324,
    "wrist": 0.254,
}
"""Bone to each joint from its parent, of a person of 930 mm from knee to neck: Winter 2009, figure 4.1 (thigh 0.245, shank 0.246,
upper arm 0.186, forearm 0.146 of the stature). Hips and shoulders lie between the joints' centres and the outline, which
annotators and estimators choose between."""
WIDTHS = ("hip", "shoulder")
"""Bones whose length is a matter of definition too."""


@dataclass(frozen=True, slots=True)
class RealClips:
    """How the real ones among the samples differ; lengths of 2D are shares of the longer side of the person's box."""

    share: float = 0.4
    """Of the samples."""
    human: float = 1.2
    """The way from the motion's own bones (0) to the table's (1) is drawn between 0 and this."""
    proportions: float = 0.06
    """Standard deviation of each bone's length after that, as a share."""
    widths: float = 0.12
    """The same of hips and shoulders."""
    definition: float = 0.012
    """Deviation of another idea of where a joint lies, the same in a whole window. Two opinions of one network share it, so the
    noise model does not know of it."""

    def bodies(self, rng: np.random.Generator, positions_m: Floats) -> Floats:
        """Positions (B, T, 17, 3) with the bones of B other people."""
        count, own_m = len(positions_m), bodies.bone_lengths_m(positions_m[:, -1])
        human_m = np.where(np.isnan(_human_m()), own_m, _human_m())
        way = rng.uniform(0.0, self.human, (count, 1))
        factors = (human_m / np.maximum(own_m, 1e-6)) ** way
        factors *= bodies.random_proportions(rng, count, self.proportions)
        wider = bodies.random_proportions(rng, count, self.widths)
        factors *= np.where(_widths(), wider, 1.0)
        factors[:, 0] = 1.0
        return bodies.resized(positions_m, factors.astype(np.float32))

    def said(self, rng: np.random.Generator, rays: Floats) -> Floats:
        """Clean rays (B, T, 17, 2) as BlazePose says them; NaN what it does not give, or is too unsure of for a lifter."""
        said, confidence = _noise().said(rng, rays)
        finite = np.isfinite(rays)
        sides = np.where(finite, rays, -np.inf).max(axis=(1, 2)) - np.where(finite, rays, np.inf).min(axis=(1, 2))  # (B, 2)
        off = rng.normal(0.0, self.definition, (len(rays), 1, len(JOINTS), 2)) * sides.max(axis=-1)[:, None, None, None]
        return np.where((confidence >= LEAST_CONFIDENCE)[..., None], said + off, np.nan)


@cache
def _noise() -> NoiseModel:
    return NoiseModel.load()


@cache
def _human_m() -> Floats:
    """(17,) lengths by joint; NaN where the table has none."""
    return np.array([HUMAN_LENGTHS_M.get(name.split("_")[-1], np.nan) for name in JOINTS])


@cache
def _widths() -> NDArray[np.bool_]:
    """(17,)"""
    return np.array([name.split("_")[-1] in WIDTHS for name in JOINTS])
