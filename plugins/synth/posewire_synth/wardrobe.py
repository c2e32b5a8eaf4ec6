"""What people wear and look like: random numbers drawn on the CPU, one row per person, ready for the shader.

Colours are linear RGB. `arm` and `leg` limits are limb coordinates (anatomy.limb_coordinates); heights are on the mean body.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_synth.bodies import PARTS

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

_PART = {name: i for i, name in enumerate(PARTS)}

_SKIN = np.array(
    [
        [0.80, 0.56, 0.45],
        [0.72, 0.46, 0.34],
        [0.61, 0.37, 0.25],
        [0.48, 0.27, 0.17],
        [0.33, 0.17, 0.10],
        [0.19, 0.09, 0.055],
        [0.09, 0.045, 0.03],
    ]
)
"""Linear RGB along the Monk/Fitzpatrick range, light to dark."""
_HAIR = np.array(
    [
        [0.012, 0.010, 0.009],
        [0.03, 0.018, 0.012],
        [0.09, 0.045, 0.02],
        [0.24, 0.13, 0.05],
        [0.5, 0.36, 0.17],
        [0.32, 0.07, 0.02],
        [0.45, 0.45, 0.46],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Wardrobe:
    """L people, P parts (bodies.PARTS)."""

    worn: BoolArray
    """(L, P)."""
    colours: FloatArray
    """(L, P, 2, 3) the two colours that the pattern mixes."""
    pattern: NDArray[np.int64]
    """(L, P) row of the pattern bank, 0 = plain."""
    pattern_scale: FloatArray
    """(L, P) repeats a metre."""
    thickness_m: FloatArray
    """(L, P) how far the part lies off the skin everywhere."""
    looseness_m: FloatArray
    """(L, P) how much farther it hangs at its loose end."""
    roughness: FloatArray
    """(L, P) strength of bumps."""
    noise: FloatArray
    """(L, P, fields) weights of the smooth noise fields, metres."""
    sleeve: FloatArray
    """(L,) the top ends at this arm coordinate."""
    hem_m: FloatArray
    """(L,) the top ends at this height."""
    collar_m: FloatArray
    """(L, 2) the neckline's depth below the neck: at the side, and extra at the front."""
    waist_m: FloatArray
    """(L,) the bottom begins at this height."""
    trouser: FloatArray
    """(L,) the bottom ends at this leg coordinate."""
    skirt_m: FloatArray
    """(L,) the skirt ends at this height."""
    hair_m: FloatArray
    """(L,) long hair ends at this height."""
    shaft: FloatArray
    """(L,) the shoe begins at this leg coordinate."""
    sock: FloatArray
    """(L,) the sock begins at this leg coordinate."""
    hairline_m: FloatArray
    """(L,) hair grows above this height over the standard hairline."""
    beard: FloatArray
    """(L,) 0..1."""
    hat: BoolArray
    """(L,)."""


def random_wardrobe(
    rng: np.random.Generator, male: NDArray[Any], years: NDArray[Any], landmarks_m: dict[str, float], patterns: int, fields: int
) -> Wardrobe:
    """Dresses people.

    Args:
        rng: Source of chance.
        male: (L,) 0..1.
        years: (L,).
        landmarks_m: Heights of hip, waist, neck and knee on the mean body.
        patterns: Size of the pattern bank.
        fields: Noise fields of the body model.
    """
    L, P = len(male), len(PARTS)
    woman = rng.random(L) > male
    u = rng.random((L, 8))
    skirt = woman & (u[:, 0] < 0.28)
    bare = (u[:, 1] < 0.05) & ~woman
    barefoot = u[:, 2] < 0.10
    hat = u[:, 3] < 0.12
    bald = (rng.random(L) < 0.10 + 0.25 * (years > 50)) & ~woman & ~hat
    long_hair = (u[:, 4] < np.where(woman, 0.55, 0.04)) & ~bald
    tight = u[:, 5] < 0.25
    worn = np.ones((L, P), dtype=np.bool_)
    worn[:, _PART["top"]], worn[:, _PART["skirt"]] = ~bare, skirt
    worn[:, _PART["bottom"]] = ~skirt | (rng.random(L) < 0.3)
    worn[:, _PART["shoes"]], worn[:, _PART["hair"]], worn[:, _PART["scalp"]] = ~barefoot, long_hair, ~bald
    colours, pattern = _dyed(rng, skirt, hat, patterns)
    thickness, looseness, noise = _cut(rng, tight, hat, woman, fields)
    hip, waist, neck, knee = (landmarks_m[name] for name in ("hip", "waist", "neck", "knee"))
    sleeve = rng.choice([0.08, 0.3, 0.55, 0.8, 1.1, 1.9], L, p=[0.10, 0.12, 0.28, 0.08, 0.07, 0.35]) + rng.uniform(-0.04, 0.04, L)
    return Wardrobe(
        worn=worn,
        colours=colours.astype(np.float32),
        pattern=pattern,
        pattern_scale=rng.uniform(1.2, 6.0, (L, P)).astype(np.float32),
        thickness_m=thickness.astype(np.float32),
        looseness_m=looseness.astype(np.float32),
        roughness=(rng.uniform(0.0, 0.35, (L, P)) * [0.1, 0, 1.6, 1.6, 0.55, 0.55, 0.5, 0.2]).astype(np.float32),
        noise=noise.astype(np.float32),
        sleeve=sleeve.astype(np.float32),
        hem_m=np.where(skirt & (u[:, 6] < 0.7), waist + 0.0, hip + rng.uniform(-0.14, 0.10, L)).astype(np.float32),
        collar_m=np.stack([rng.uniform(0.0, 0.05, L), np.where(u[:, 7] < 0.35, rng.uniform(0.02, 0.14, L), 0.01)], 1).astype(
            np.float32
        ),
        waist_m=(hip + rng.uniform(0.05, 0.16, L)).astype(np.float32),
        trouser=rng.choice([0.35, 0.7, 1.0, 1.5, 1.9], L, p=[0.10, 0.13, 0.07, 0.05, 0.65]).astype(np.float32),
        skirt_m=(knee + rng.choice([0.25, 0.10, -0.12, -0.32], L, p=[0.35, 0.35, 0.15, 0.15])).astype(np.float32),
        hair_m=(neck + rng.choice([0.03, -0.06, -0.20, -0.5], L, p=[0.35, 0.3, 0.2, 0.15])).astype(np.float32),
        shaft=rng.choice([1.97, 1.85, 1.62], L, p=[0.6, 0.25, 0.15]).astype(np.float32),
        sock=np.where(barefoot | (rng.random(L) < 0.5), 9.0, rng.uniform(1.5, 1.95, L)).astype(np.float32),
        hairline_m=np.where(hat, -0.012, rng.uniform(-0.012, 0.015, L) + 0.02 * (years > 45) * ~woman).astype(np.float32),
        beard=((rng.random(L) < 0.35) & ~woman & (years > 18)).astype(np.float32) * rng.uniform(0.2, 0.9, L).astype(np.float32),
        hat=hat,
    )


def _dyed(rng: np.random.Generator, skirt: BoolArray, hat: BoolArray, patterns: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Colours (L, P, 3) and numbers of patterns (L, P); half of the skirts belong to dresses, some trousers to suits."""
    L = len(skirt)
    colours = _colours(rng, L)
    dress = skirt & (rng.random(L) < 0.5)
    colours[dress, _PART["skirt"]] = colours[dress, _PART["top"]]
    suit = rng.random(L) < 0.15
    colours[suit, _PART["bottom"]] = colours[suit, _PART["top"]]
    colours[hat, _PART["scalp"]] = cloth(rng, int(hat.sum()))
    pattern = np.where(rng.random((L, len(PARTS))) < 0.45, rng.integers(1, patterns, (L, len(PARTS))), 0)
    pattern[:, [_PART["skin"], _PART["eyes"], _PART["hair"], _PART["scalp"]]] = 0
    pattern[dress, _PART["skirt"]] = pattern[dress, _PART["top"]]
    return colours, pattern


def _cut(
    rng: np.random.Generator, tight: BoolArray, hat: BoolArray, woman: BoolArray, fields: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Thickness and looseness (L, P) in metres, and how they vary over the body (L, P, fields)."""
    L = len(tight)
    thickness, looseness = _fit(rng, L, tight)
    thickness[:, _PART["scalp"]] = np.where(
        hat, rng.uniform(0.01, 0.022, L), rng.uniform(0.003, 0.03, L) * np.where(woman, 1.2, 0.9)
    )
    noise = rng.normal(0, 1, (L, len(PARTS), fields)) * (0.12 * looseness + 0.05 * thickness)[..., None]
    noise[:, _PART["scalp"]] = np.where(hat[:, None], 0.0, rng.normal(0, 0.2, (L, fields)) * thickness[:, _PART["scalp"], None])
    return thickness, looseness, noise


def _fit(rng: np.random.Generator, L: int, tight: BoolArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Thickness and looseness (L, P) in metres."""
    thickness, looseness = np.zeros((L, len(PARTS))), np.zeros((L, len(PARTS)))
    thickness[:, _PART["bottom"]] = rng.uniform(0.004, 0.009, L)
    thickness[:, _PART["top"]] = rng.uniform(0.011, 0.024, L)
    thickness[:, _PART["skirt"]] = rng.uniform(0.008, 0.016, L)
    thickness[:, _PART["shoes"]] = rng.uniform(0.008, 0.018, L)
    thickness[:, _PART["hair"]] = rng.uniform(0.012, 0.03, L)
    looseness[:, _PART["bottom"]] = np.where(tight, 0.002, rng.gamma(2.0, 0.011, L).clip(0, 0.06))
    looseness[:, _PART["top"]] = np.where(tight, 0.002, rng.gamma(2.0, 0.009, L).clip(0, 0.05))
    looseness[:, _PART["skirt"]] = rng.uniform(0.0, 0.05, L)
    return thickness, looseness


def _colours(rng: np.random.Generator, L: int) -> NDArray[np.float64]:
    """(L, P, 2, 3)."""
    P = len(PARTS)
    colours = cloth(rng, L * P).reshape(L, P, 2, 3)
    tone = rng.uniform(0, len(_SKIN) - 1, L)
    skin = np.stack([np.interp(tone, np.arange(len(_SKIN)), _SKIN[:, c]) for c in range(3)], 1) * rng.uniform(0.85, 1.15, (L, 1))
    colours[:, _PART["skin"]] = (skin * rng.uniform(0.94, 1.06, (L, 3)))[:, None]
    hair = _HAIR[rng.choice(len(_HAIR), L, p=[0.28, 0.24, 0.18, 0.09, 0.07, 0.04, 0.10])] * rng.uniform(0.7, 1.3, (L, 1))
    dyed = rng.random(L) < 0.03
    hair[dyed] = cloth(rng, int(dyed.sum()))[:, 0]
    colours[:, _PART["hair"]] = colours[:, _PART["scalp"]] = hair[:, None]
    iris = np.array([[0.05, 0.025, 0.01], [0.10, 0.16, 0.24], [0.08, 0.12, 0.05]])[rng.choice(3, L, p=[0.7, 0.2, 0.1])]
    colours[:, _PART["eyes"], 0], colours[:, _PART["eyes"], 1] = (0.7, 0.68, 0.66), iris
    return colours


def cloth(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """(count, 2, 3) pairs of cloth colours: many greys, blacks, whites and blues, some of every other kind."""
    out = np.empty((count, 2, 3))
    for row in out.reshape(-1, 3):
        kind = rng.random()
        if kind < 0.4:
            row[:] = rng.choice([0.015, 0.04, 0.1, 0.3, 0.75]) * rng.uniform(0.7, 1.2) * rng.uniform(0.93, 1.07, 3)
        elif kind < 0.55:
            row[:] = np.array([0.03, 0.06, 0.16]) * rng.uniform(0.4, 2.5)
        else:
            row[:] = np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.2, 0.95), rng.uniform(0.15, 1.0))) ** 2.2
    same = rng.random(count) < 0.3
    out[same, 1] = out[same, 0] * rng.uniform(0.3, 1.8)
    return np.clip(out, 0.004, 0.9)
