"""Random people: age, sex, build and origin as weights of MakeHuman's macro targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire_synth.makehuman import AGES, GENDERS, RACES, macro_targets, read_target

FloatArray = NDArray[np.float64]

_YEARS = (1.0, 10.0, 25.0, 90.0)
"""The ages of MakeHuman's anchors baby, child, young, old."""
_LEVELS = ("min", "average", "max")


@dataclass(frozen=True, slots=True)
class Phenotype:
    """One person's build; all but the age are 0..1."""

    years: float
    male: float
    muscle: float
    weight: float
    height: float
    proportions: float
    """1 = ideal."""
    races: tuple[float, float, float]
    """Sums to 1."""

    def axes(self) -> dict[tuple[str, str], float]:
        """Weight of every (axis, value) by linear interpolation between the anchors."""
        weights: dict[tuple[str, str], float] = {}
        weights |= _interpolated("age", AGES, _YEARS, self.years)
        weights |= {("gender", name): w for name, w in zip(GENDERS, (self.male, 1 - self.male), strict=True)}
        weights |= _interpolated("muscle", _LEVELS, (0.0, 0.5, 1.0), self.muscle)
        weights |= _interpolated("weight", _LEVELS, (0.0, 0.5, 1.0), self.weight)
        weights |= _interpolated("height", _LEVELS, (0.0, 0.5, 1.0), self.height)
        weights |= _interpolated("proportions", ("uncommon", "ideal"), (0.0, 1.0), self.proportions)
        weights |= {("race", name): w for name, w in zip(RACES, self.races, strict=True)}
        return weights


def _interpolated(axis: str, names: tuple[str, ...], anchors: tuple[float, ...], value: float) -> dict[tuple[str, str], float]:
    eye = np.eye(len(names))
    return {(axis, name): float(np.interp(value, anchors, eye[i])) for i, name in enumerate(names)}


def random_phenotype(rng: np.random.Generator) -> Phenotype:
    """A person from the street: mostly adults, both sexes, all builds; extremes of height and weight are rare."""
    low, high = ((6.0, 15.0), (16.0, 50.0), (50.0, 85.0))[rng.choice(3, p=(0.10, 0.70, 0.20))]
    male = float(rng.random() < 0.5)
    return Phenotype(
        years=rng.uniform(low, high),
        male=abs(male - 0.15 * rng.beta(1, 3)),
        muscle=rng.beta(3, 3),
        weight=rng.beta(2.5, 2.5),
        height=float(np.clip(rng.normal(0.5, 0.09), 0.2, 0.8)),
        proportions=rng.uniform(0.3, 1.0),
        races=tuple(rng.dirichlet((0.6, 0.6, 0.6)).tolist()),
    )


class TargetBank:
    """All macro targets in memory.

    Args:
        folder: makehuman.data_folder().
        count: vertices of the base mesh.
    """

    def __init__(self, folder: Path, count: int) -> None:
        rows = macro_targets()
        self._axes = [axes for _, axes in rows]
        self._shifts = np.empty((len(rows), count * 3), dtype=np.float32)
        for i, (path, _) in enumerate(rows):
            self._shifts[i] = read_target(folder / "targets" / f"{path}.target.gz", count).ravel()

    def shift_m(self, person: Phenotype) -> FloatArray:
        """(V, 3) displacement of the base mesh for this person."""
        weights = person.axes()
        row = np.array([np.prod([weights[axis] for axis in axes]) for axes in self._axes], dtype=np.float32)
        used = row > 0
        return (row[used] @ self._shifts[used]).reshape(-1, 3).astype(np.float64)
