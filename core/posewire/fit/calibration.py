"""Bone lengths of one person from what the method says of them, changed only at few, announced moments.

Each length is the running median of the method's 3D distances, left and right together. A network shrinks what it is unsure of,
and does so in every frame: more frames do not help. So a measured length only moves the anthropometric one, by the share that
the two deviations give it (PRIOR_DEVIATION, METHOD_DEVIATION), and the overall size is the given height, not the method's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.data import FloatArray
from posewire.fit.bones import NO_BONE, Bones
from posewire.skeleton import Marker, Skeleton

PRIOR_DEVIATION, METHOD_DEVIATION = 0.05, 0.08
"""Relative: of a bone's share of the stature among adults (Winter 2009), and of what a single view says of it."""
EVENTS = (15, 60, 240)
"""Frames with a good view after which the lengths may change; after the last they are frozen."""
_LEAST_CHANGE = 0.01
_RANGE = (0.8, 1.25)


class BoneCalibration:
    """Collects bone lengths and says when the skeleton changes. The skeleton it starts from is the prior."""

    def __init__(self, prior: Skeleton, bones: Bones, markers: Sequence[Marker]) -> None:
        self._prior = prior
        self._ends = np.array(
            [m for m, marker in enumerate(markers) if bones.start[m] != NO_BONE and not any(marker.offset_m)], dtype=np.int64
        )
        self._starts = bones.start[self._ends]
        self._joints = [prior.index(markers[m].joint) for m in self._ends.tolist()]
        self._pairs = [self._pair(prior.names[joint]) for joint in self._joints]
        self._lengths_m = np.full((EVENTS[-1], len(self._joints)), np.nan)
        self._frames = 0
        self._finished = False
        self.size_ratio = 1.0
        """The skeleton's size over the size that the method sees; 1 until the first event."""

    @property
    def frozen(self) -> bool:
        """True once the lengths will not change any more."""
        return self._finished or self._frames >= EVENTS[-1] or not self._joints

    def add(self, raw_m: FloatArray) -> Skeleton | None:
        """Takes a frame's root-relative 3D (M, 3) in; the new skeleton if this is a moment of change."""
        if self.frozen:
            return None
        self._lengths_m[self._frames] = np.linalg.norm(raw_m[self._ends] - raw_m[self._starts], axis=1)
        self._frames += 1
        return self._changed() if self._frames in EVENTS else None

    def finish(self) -> Skeleton | None:
        """Freezes what was collected so far; the new skeleton, or None (and nothing frozen) when that is too little."""
        if self._finished or not self._joints or self._frames < EVENTS[0] // 2:
            return None
        self._finished = True
        return self._changed()

    def _pair(self, joint: str) -> str:
        return joint.removeprefix("left_").removeprefix("right_")

    def _changed(self) -> Skeleton | None:
        measured = self._measured()
        prior = self._prior.bone_lengths_m[self._joints]
        known = np.isfinite(measured)
        if known.sum() < 2:
            return None
        self.size_ratio = float(prior[known].sum() / measured[known].sum())
        share = PRIOR_DEVIATION**2 / (PRIOR_DEVIATION**2 + METHOD_DEVIATION**2)
        ratio = 1.0 + share * (np.clip(self.size_ratio * measured / prior, *_RANGE) - 1.0)
        lengths = np.full(len(self._prior.names), np.nan)
        lengths[self._joints] = np.where(known, ratio * prior, np.nan)
        return self._prior.with_bone_lengths(lengths)

    def _measured(self) -> FloatArray:
        """(B,) medians, both sides as one."""
        out = np.full(len(self._joints), np.nan)
        for k, pair in enumerate(self._pairs):
            both = [i for i, other in enumerate(self._pairs) if other == pair]
            values = self._lengths_m[: self._frames, both]
            values = values[np.isfinite(values)]
            if len(values) >= EVENTS[0] // 2:
                out[k] = np.median(values)
        return out


def changes_much(old: Skeleton, new: Skeleton) -> bool:
    """Whether a calibration is worth telling every receiver."""
    return bool(np.any(np.abs(new.bone_lengths_m - old.bone_lengths_m) > _LEAST_CHANGE * np.maximum(old.bone_lengths_m, 1e-6)))
