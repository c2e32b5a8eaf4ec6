"""What a motion of a clip is worth beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire import camera as cameras
from posewire import metrics
from posewire.data import FloatArray, Track
from posewire.evaluate.motions import LIMB_JOINTS, ROOT
from posewire.evaluate.refit.clips import FEET, JOINTS, RATE_HZ, Clip
from posewire.evaluate.refit.fitting import Fitted
from posewire.skeleton import REFERENCE

SETTLED_S = 0.25
"""The beginning does not count: nothing of the motion is known yet."""
FLIP_RAD, AWAY_RAD = np.radians(60.0), np.radians(90.0)
"""A joint that turns by so much in a sixtieth of a second has flipped (a pitcher's shoulder does 2 radians in a twentieth);
so has a trunk that begins to face so far from where it does."""

_LIMBS = [REFERENCE.index(name) for name in LIMB_JOINTS]
_TRUE_LIMBS = [JOINTS.index(name) for name in LIMB_JOINTS]
_FEET = [REFERENCE.index(name) for name in FEET]
_ACROSS = [[LIMB_JOINTS.index(f"{side}_{part}") for part in ("hip", "shoulder")] for side in ("left", "right")]


@dataclass(frozen=True, slots=True)
class Score:
    """Where the 12 limb joints are, the middle of the hips moved onto the true one, camera axes. NaN = cannot be said."""

    error_mm: float
    pck150_percent: float
    acceleration_m_s2: float
    """As in EvalRow: of the joints less their centroid."""
    delay_frames: float
    """At 60 a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """What the fit says of the feet, and what is true, in every frame that counts."""

    said: NDArray[np.bool_]
    """(T, 4)"""
    true: NDArray[np.bool_]
    """(T, 4)"""
    slides_mm: FloatArray
    """(S,) every way of a foot point while said to be in contact, per frame at 60 a second."""


def score_truth(clip: Clip) -> Score:
    """The motion's own acceleration."""
    return score(clip, cameras.to_camera(clip.joints_m[:, _TRUE_LIMBS], clip.camera))


def score_raw(clip: Clip, tracks: Sequence[Track]) -> Score:
    """What the made-up method says."""
    return score(clip, np.array([track.keypoints_m for track in tracks])[:, _TRUE_LIMBS])


def score_fitted(clip: Clip, fitted: Fitted) -> Score:
    """What the fit makes of it."""
    return score(clip, cameras.to_camera(fitted.positions_m[:, _LIMBS], clip.camera))


def score(clip: Clip, said_m: FloatArray) -> Score:
    """Of limb joints (T, 12, 3), camera axes."""
    settled = clip.time_s >= SETTLED_S
    said_m, time_s = said_m[settled], clip.time_s[settled]
    true_m = cameras.to_camera(clip.joints_m[:, _TRUE_LIMBS], clip.camera)[settled]
    said, true = metrics.root_relative(said_m, ROOT), metrics.root_relative(true_m, ROOT)
    return Score(
        1e3 * metrics.mpjpe_m(said, true),
        100.0 * metrics.pck_3d(said, true),
        metrics.mean_acceleration_m_s2(metrics.centred(said_m), time_s),
        RATE_HZ * metrics.delay_s(said, true, time_s),
    )


def steps(clip: Clip, fitted: Fitted) -> Steps:
    """The feet."""
    settled = clip.time_s >= SETTLED_S
    contacts, feet_m = fitted.contacts[settled], fitted.positions_m[settled][:, _FEET]
    slides_m_s = metrics.slide_speeds_m_s(feet_m, contacts, clip.time_s[settled])
    return Steps(np.asarray(contacts > 0.5), clip.contacts[settled], 1e3 / RATE_HZ * slides_m_s)


def flips(clip: Clip, fitted: Fitted) -> int:
    """How often a joint turns at once, or the trunk begins to face elsewhere than it does."""
    jumped = np.any(turn_rad(fitted.rotations_wxyz[1:], fitted.rotations_wxyz[:-1]) > FLIP_RAD, axis=1)
    said, true = (_across(points) for points in (fitted.positions_m[:, _LIMBS], clip.joints_m[:, _TRUE_LIMBS]))
    cosine = np.sum(said * true, axis=1) / np.maximum(np.linalg.norm(said, axis=1) * np.linalg.norm(true, axis=1), 1e-9)
    away = cosine < np.cos(AWAY_RAD)
    begins = away[1:] & ~away[:-1]
    counted = clip.time_s[1:] >= SETTLED_S
    return int(np.count_nonzero((jumped | begins) & counted))


def turn_rad(a_wxyz: FloatArray, b_wxyz: FloatArray) -> FloatArray:
    """Angle (...,) between rotations (..., 4)."""
    return np.asarray(2.0 * np.arccos(np.clip(np.abs(np.sum(a_wxyz * b_wxyz, axis=-1)), 0.0, 1.0)))


def _across(limbs_m: FloatArray) -> FloatArray:
    """(T, 3) from the right to the left of the trunk."""
    left, right = _ACROSS
    return np.asarray((limbs_m[:, left] - limbs_m[:, right]).sum(axis=1))
