"""Bone lengths of one person from what the method says of them, changed only at few, announced moments.

Each length is the running median of the method's 3D distances, left and right together. A network shrinks what it is unsure of,
and does so in every frame: more frames do not help. So a measured length only moves the anthropometric one, by the share that
the two deviations give it. How far the method is off shows in what its left limbs are longer than its right ones, noise from
frame to frame aside: a network's are so by a tenth, markers' not at all, and then the lengths are simply the measured ones.
The overall size is the given height; where none is given, the method's size counts against the stature of adults by the same
rule. The widths of hips and shoulders move further than limbs: what a method calls a hip may lie 4 cm beside the joint, and a
pelvis too narrow for its keypoints turns until they fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.bones import NO_BONE, Bones
from posewire.skeleton import Marker, Skeleton

METHOD_DEVIATION, LEAST_DEVIATION = 0.08, 0.01
"""Relative: of what a single view says of a length, and of what the best method does."""
_ASSUMED_LIMBS = 0.5
"""The assumed deviation counts as much as so many limbs' difference between left and right."""
MOST_PRECISION = 3.0
"""Above a single view's."""
_WHITE_SHARE, _LASTING_SHARE = 0.1, 0.3
"""What is left after a frame of a long limb's variance: up to the first it is white, from the second on it lasts. In 15 frames
white noise shows -0.24 to 0.17, BlazePose on a walking clip 0.22 and more."""
SIZE_DEVIATION = 0.06
"""Relative: of adults' stature."""
LIMB_DEVIATION, TRUNK_DEVIATION, SHOULDERS_DEVIATION, HIPS_DEVIATION = 0.08, 0.05, 0.15, 0.25
"""Relative: of a bone's share of the stature among adults (Winter 2009), and of where methods say that hips and shoulders are."""
EVENTS = (15, 60, 240)
"""Frames with a good view after which the lengths may change; after the last they are frozen."""
_LEAST_CHANGE = 0.01
_LIMB_RANGE, _WIDTH_RANGE, _SIZE_RANGE = (0.8, 1.25), (0.6, 1.6), (0.5, 1.4)
_LEAST_M = 1e-3
_LEAST_LEFT = 0.5
"""So much of a median length stays whatever noise is taken off."""
DEVIATION_OF_MEDIAN, _MEDIAN_OF_NORMAL = 0.6745, 0.5 * np.pi
"""Of normal values: median of the absolute over the deviation; variance of the median of n over a n-th of theirs."""
_SIZING = ("elbow", "wrist", "knee", "ankle")
"""The long bones end here: they tell the size, and how alike a method sees left and right."""
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
    sizing: bool
    """Whether it tells the size."""

    def ratio(self, whole: float) -> float:
        """By how much the bones change that make the whole span `whole` times as long."""
        return (whole * self.rest_m - self.fixed_m) / (self.rest_m - self.fixed_m)


class BoneCalibration:
    """Collects bone lengths and says when the skeleton changes. The skeleton it starts from is the prior."""

    def __init__(
        self,
        prior: Skeleton,
        bones: Bones,
        markers: Sequence[Marker],
        *,
        keep_lengths: bool = False,
        keep_size: bool = True,
    ) -> None:
        """With `keep_lengths` only the size that the method sees is measured: the prior is the person's own skeleton. Without
        `keep_size` the prior is anybody's."""
        self._prior, self._keep_lengths, self._keep_size = prior, keep_lengths, keep_size
        self._spans = [*_limbs(prior, bones, markers), *_trunk(prior, markers)]
        sided = [(k, side, ends) for k, span in enumerate(self._spans) for side, ends in enumerate(span.ends)]
        self._rows, self._sides = ([entry[column] for entry in sided] for column in (0, 1))
        # (E, 2, 2) markers whose middle is the start and the end; a lone marker stands twice.
        self._ends = np.array([[(end * 2)[:2] for end in ends] for _, _, ends in sided], dtype=np.int64).reshape(-1, 2, 2)
        sizing = np.array([span.sizing for span in self._spans], dtype=np.bool_)
        self._sizing_ends = self._ends[sizing[np.array(self._rows, dtype=np.int64)]]
        self._seen_m: list[FloatArray] = []
        self._frames = 0
        self._lengths_m = np.full((EVENTS[-1], len(self._spans), 2), np.nan)
        self._finished = False
        self.size_ratio = 1.0
        """The skeleton's size over the size that the method sees; 1 until the first event."""
        self.precision = 1.0
        """How many times as precise as a single view the method is; 1 until the first event."""

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
        if not np.isfinite(raw_m[self._sizing_ends]).all(axis=(1, 2, 3)).any():  # head and shoulders say nothing
            return None
        self._seen_m.append(raw_m.copy())
        self._frames += 1
        return self._changed() if self._frames in EVENTS else None

    def finish(self) -> Skeleton | None:
        """Freezes what was collected so far; the new skeleton, or None (and nothing frozen) when that is too little."""
        if self._finished or not self._spans or self._frames < EVENTS[0] // 2:
            return None
        self._finished = True
        return self._changed()

    def _measure_lengths(self) -> None:
        """Of the frames since the last event: a frame by itself would cost ten times as much."""
        if not self._seen_m:
            return
        middles_m = np.stack(self._seen_m)[:, self._ends].mean(axis=-2)  # (F, E, 2, 3)
        first = self._frames - len(self._seen_m)
        lengths_m = np.linalg.norm(middles_m[:, :, 0] - middles_m[:, :, 1], axis=-1)
        self._lengths_m[first : self._frames, self._rows, self._sides] = lengths_m
        self._seen_m = []

    def _changed(self) -> Skeleton | None:
        self._measure_lengths()
        measured = np.array([self._measured(k) for k in range(len(self._spans))])
        rest = np.array([span.rest_m for span in self._spans])
        known = np.isfinite(measured)
        sizing = known & np.array([span.sizing for span in self._spans])
        if not sizing.any():
            return None
        seen_size, method2 = float(measured[sizing].sum() / rest[sizing].sum()), self._method_deviation() ** 2
        precise = float(np.clip(METHOD_DEVIATION / np.sqrt(method2), 1.0, MOST_PRECISION))
        white = (_LASTING_SHARE - self._lasting_share()) / (_LASTING_SHARE - _WHITE_SHARE)
        self.precision = 1.0 + (precise - 1.0) * float(np.clip(white, 0.0, 1.0))
        size = 1.0 if self._keep_size or self._keep_lengths else _moved(seen_size, SIZE_DEVIATION**2, method2, _SIZE_RANGE)
        self.size_ratio = size / seen_size
        if self._keep_lengths:
            return None
        lengths = np.full(len(self._prior.names), np.nan)
        for k in np.flatnonzero(known).tolist():
            span = self._spans[k]
            ratio = span.ratio(_moved(measured[k] / seen_size / span.rest_m, span.deviation**2, method2, span.limits))
            for joint in span.joints:
                lengths[joint] = size * ratio * self._prior.bone_lengths_m[joint]
        return self._prior.scaled(size).with_bone_lengths(lengths)

    def _method_deviation(self) -> float:
        """Of what the method says of a length, relative: by what it sees left and right differ for longer than a frame."""
        differences = [self._difference2(k) for k, span in enumerate(self._spans) if span.sizing]
        known = [difference2 for difference2 in differences if np.isfinite(difference2)]
        total = _ASSUMED_LIMBS * METHOD_DEVIATION**2 + 0.5 * sum(known)
        return float(np.sqrt(max(total / (_ASSUMED_LIMBS + len(known)), LEAST_DEVIATION**2)))

    def _lasting_share(self) -> float:
        """How much of a long limb's deviation is left after a frame: of white noise 0, of a network's errors most."""
        sized = [k for k, span in enumerate(self._spans) if span.sizing]
        lengths = np.log(np.maximum(self._lengths_m[: self._frames, sized], _LEAST_M))  # (F, S, 2)
        off = lengths - np.nanmedian(np.where(np.isfinite(lengths).any(axis=0), lengths, 0.0), axis=0)
        return float(np.nansum(off[1:] * off[:-1]) / max(float(np.nansum(off[1:] ** 2)), 1e-9))

    def _difference2(self, k: int) -> float:
        """Squared lasting difference of the logarithms of left and right; may be negative by chance. NaN = too few."""
        left, right = self._lengths_m[: self._frames, k].T
        difference = np.log(np.maximum(left, _LEAST_M) / np.maximum(right, _LEAST_M))
        steps = np.diff(difference)
        steps, difference = steps[np.isfinite(steps)], difference[np.isfinite(difference)]
        if len(steps) < EVENTS[0] // 3:
            return np.nan
        quick2 = 0.5 * (np.median(np.abs(steps)) / DEVIATION_OF_MEDIAN) ** 2  # of what changes from frame to frame
        return float(np.median(difference) ** 2 - _MEDIAN_OF_NORMAL * quick2 / len(difference))

    def _measured(self, k: int) -> float:
        """The median, both sides as one, less what noise from frame to frame makes bones longer; NaN = too few."""
        both_m = self._lengths_m[: self._frames, k]
        values, steps = both_m[np.isfinite(both_m)], np.diff(both_m, axis=0)
        steps = steps[np.isfinite(steps)]
        if len(values) < EVENTS[0] // 2:
            return np.nan
        length_m = float(np.median(values))
        # Of noise of variance v along the bone and in the two directions across it the median's square is l^2 + 2 v.
        quick2 = 0.5 * (np.median(np.abs(steps)) / DEVIATION_OF_MEDIAN) ** 2 if len(steps) else 0.0
        return float(np.sqrt(max(length_m**2 - 2.0 * quick2, (_LEAST_LEFT * length_m) ** 2)))


def _limbs(prior: Skeleton, bones: Bones, markers: Sequence[Marker]) -> Iterator[Span]:
    """Every rigid bone whose two ends are seen, left and right as one."""
    ends = [m for m, marker in enumerate(markers) if bones.start[m] != NO_BONE and not any(marker.offset_m)]
    kinds = dict.fromkeys(_kind(markers[m].joint) for m in ends)
    for kind in kinds:
        both = [m for m in ends if _kind(markers[m].joint) == kind]
        joints = tuple(prior.index(markers[m].joint) for m in both)
        pairs = tuple(((int(bones.start[m]),), (m,)) for m in both)
        yield Span(pairs, joints, float(prior.bone_lengths_m[joints[0]]), 0.0, LIMB_DEVIATION, _LIMB_RANGE, kind in _SIZING)


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
        yield Span(ends, (prior.index(left), prior.index(right)), rest_m, fixed_m, deviation, _WIDTH_RANGE, sizing=False)
        pairs.append(((centres[left], centres[right]), (at[left] + at[right]) / 2))
    if len(pairs) == 2:
        (hips, low), (shoulders, high) = pairs
        joints, rest_m = tuple(prior.index(name) for name in _TRUNK), float(np.linalg.norm(high - low))
        yield Span(((hips, shoulders),), joints, rest_m, 0.0, TRUNK_DEVIATION, _LIMB_RANGE, sizing=False)


def _moved(ratio: float, deviation2: float, method2: float, limits: tuple[float, float]) -> float:
    """1 moved towards a measured ratio, by the share that the two variances give it."""
    return 1.0 + deviation2 / (deviation2 + method2) * (float(np.clip(ratio, *limits)) - 1.0)


def changes_much(old: Skeleton, new: Skeleton) -> bool:
    """Whether a calibration is worth telling every receiver."""
    return bool(np.any(np.abs(new.bone_lengths_m - old.bone_lengths_m) > _LEAST_CHANGE * np.maximum(old.bone_lengths_m, 1e-6)))
