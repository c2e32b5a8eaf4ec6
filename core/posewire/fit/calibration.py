"""Bone lengths of one person from what the method says of them, changed only at few, announced moments.

Each length is the running median of the method's 3D distances, left and right together. A network shrinks what it is unsure of,
and does so in every frame: more frames do not help. So a measured length only moves the anthropometric one, by the share that
the two deviations give it, and the overall size is the given height, not the method's. The widths of hips and shoulders move
further than limbs: what a method calls a hip may lie 4 cm beside the joint, and a pelvis too narrow for its keypoints turns
until they fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.bones import NO_BONE, Bones
from posewire.skeleton import Marker, Skeleton

METHOD_DEVIATION = 0.08
"""Relative: of what a single view says of a length."""
LIMB_DEVIATION, TRUNK_DEVIATION, SHOULDERS_DEVIATION, HIPS_DEVIATION = 0.08, 0.05, 0.15, 0.25
"""Relative: of a bone's share of the stature among adults (Winter 2009), and of where methods say that hips and shoulders are."""
EVENTS = (15, 60, 240)
"""Frames with a good view after which the lengths may change; after the last they are frozen."""
_LEAST_CHANGE = 0.01
_LIMB_RANGE, _WIDTH_RANGE = (0.8, 1.25), (0.6, 1.6)
_TRUNK = ("spine", "chest", "neck", "left_clavicle", "right_clavicle")


class Span(NamedTuple):
    """A distance that a method shows and a skeleton has."""

    ends: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    """One or two markers at either end, whose middle counts; left and right are two of the same."""
    joints: tuple[int, ...]
    """Their bones make the span."""
    rest_m: float
    """At rest on the prior skeleton."""
    fixed_m: float
    """The part of it that the bones of other joints make."""
    deviation: float
    """Relative, of the prior."""
    limits: tuple[float, float]
    """The least and the most that it may be of the prior."""
    limb: bool
    """Rigid: tells the size."""


class BoneCalibration:
    """Collects bone lengths and says when the skeleton changes. The skeleton it starts from is the prior."""

    def __init__(self, prior: Skeleton, bones: Bones, markers: Sequence[Marker], *, keep_lengths: bool = False) -> None:
        """With `keep_lengths` only the size that the method sees is measured: the prior is the person's own skeleton."""
        self._prior, self._keep_lengths = prior, keep_lengths
        self._spans = [*_limbs(prior, bones, markers), *_trunk(prior, markers)]
        sided = [(k, side, ends) for k, span in enumerate(self._spans) for side, ends in enumerate(span.ends)]
        self._rows, self._sides = ([entry[column] for entry in sided] for column in (0, 1))
        # (E, 2, 2) markers whose middle is the start and the end; a lone marker stands twice.
        self._ends = np.array([[(end * 2)[:2] for end in ends] for _, _, ends in sided], dtype=np.int64).reshape(-1, 2, 2)
        self._lengths_m = np.full((EVENTS[-1], len(self._spans), 2), np.nan)
        self._frames = 0
        self._finished = False
        self.size_ratio = 1.0
        """The skeleton's size over the size that the method sees; 1 until the first event."""

    @property
    def frozen(self) -> bool:
        """True once the lengths will not change any more."""
        return self._finished or self._frames >= EVENTS[-1] or not self._spans

    @property
    def measured(self) -> bool:
        """Whether lengths were measured at all."""
        return self._finished or self._frames >= EVENTS[0]

    def add(self, raw_m: FloatArray) -> Skeleton | None:
        """Takes a frame's root-relative 3D (M, 3) in; the new skeleton if this is a moment of change."""
        if self.frozen:
            return None
        middles_m = raw_m[self._ends].mean(axis=-2)  # (E, 2, 3)
        self._lengths_m[self._frames, self._rows, self._sides] = np.linalg.norm(middles_m[:, 0] - middles_m[:, 1], axis=-1)
        self._frames += 1
        return self._changed() if self._frames in EVENTS else None

    def finish(self) -> Skeleton | None:
        """Freezes what was collected so far; the new skeleton, or None (and nothing frozen) when that is too little."""
        if self._finished or not self._spans or self._frames < EVENTS[0] // 2:
            return None
        self._finished = True
        return self._changed()

    def _changed(self) -> Skeleton | None:
        measured = [self._measured(k) for k in range(len(self._spans))]
        rest = np.array([span.rest_m for span in self._spans])
        known = np.isfinite(measured)
        sizing = known & np.array([span.limb for span in self._spans])
        if not sizing.any():
            return None
        self.size_ratio = float(rest[sizing].sum() / np.array(measured)[sizing].sum())
        if self._keep_lengths:
            return None
        lengths = np.full(len(self._prior.names), np.nan)
        for k in np.flatnonzero(known).tolist():
            span, ratio = self._spans[k], self._ratio(self._spans[k], measured[k])
            for joint in span.joints:
                lengths[joint] = ratio * self._prior.bone_lengths_m[joint]
        return self._prior.with_bone_lengths(lengths)

    def _ratio(self, span: Span, measured_m: float) -> float:
        """By how much the span's bones change."""
        share = span.deviation**2 / (span.deviation**2 + METHOD_DEVIATION**2)
        whole = 1.0 + share * (np.clip(self.size_ratio * measured_m / span.rest_m, *span.limits) - 1.0)
        return float((whole * span.rest_m - span.fixed_m) / (span.rest_m - span.fixed_m))

    def _measured(self, k: int) -> float:
        """The median, both sides as one; NaN = too few."""
        values = self._lengths_m[: self._frames, k].ravel()
        values = values[np.isfinite(values)]
        return float(np.median(values)) if len(values) >= EVENTS[0] // 2 else np.nan


def _limbs(prior: Skeleton, bones: Bones, markers: Sequence[Marker]) -> Iterator[Span]:
    """Every rigid bone whose two ends are seen, left and right as one."""
    ends = [m for m, marker in enumerate(markers) if bones.start[m] != NO_BONE and not any(marker.offset_m)]
    kinds = dict.fromkeys(_kind(markers[m].joint) for m in ends)
    for kind in kinds:
        both = [m for m in ends if _kind(markers[m].joint) == kind]
        joints = tuple(prior.index(markers[m].joint) for m in both)
        pairs = tuple(((int(bones.start[m]),), (m,)) for m in both)
        yield Span(pairs, joints, float(prior.bone_lengths_m[joints[0]]), 0.0, LIMB_DEVIATION, _LIMB_RANGE, limb=True)


def _kind(joint: str) -> str:
    return joint.removeprefix("left_").removeprefix("right_")


def _trunk(prior: Skeleton, markers: Sequence[Marker]) -> Iterator[Span]:
    """Width of hips and shoulders, and the way between their middles; as far as a method shows them."""
    centres = {marker.joint: m for m, marker in enumerate(markers) if not any(marker.offset_m)}
    at = dict(zip(prior.names, prior.positions_m(np.zeros(3), np.tile([1.0, 0.0, 0.0, 0.0], (len(prior.names), 1))), strict=True))
    pairs: list[tuple[tuple[int, int], FloatArray]] = []
    for part, base, deviation in (("hip", None, HIPS_DEVIATION), ("shoulder", "clavicle", SHOULDERS_DEVIATION)):
        left, right = f"left_{part}", f"right_{part}"
        if left not in centres or right not in centres:
            continue
        rest_m = float(np.linalg.norm(at[left] - at[right]))
        fixed_m = 0.0 if base is None else float(np.linalg.norm(at[f"left_{base}"] - at[f"right_{base}"]))
        ends = (((centres[left],), (centres[right],)),)
        yield Span(ends, (prior.index(left), prior.index(right)), rest_m, fixed_m, deviation, _WIDTH_RANGE, limb=False)
        pairs.append(((centres[left], centres[right]), (at[left] + at[right]) / 2))
    if len(pairs) == 2:
        (hips, low), (shoulders, high) = pairs
        joints, rest_m = tuple(prior.index(name) for name in _TRUNK), float(np.linalg.norm(high - low))
        yield Span(((hips, shoulders),), joints, rest_m, 0.0, TRUNK_DEVIATION, _LIMB_RANGE, limb=False)


def changes_much(old: Skeleton, new: Skeleton) -> bool:
    """Whether a calibration is worth telling every receiver."""
    return bool(np.any(np.abs(new.bone_lengths_m - old.bone_lengths_m) > _LEAST_CHANGE * np.maximum(old.bone_lengths_m, 1e-6)))
