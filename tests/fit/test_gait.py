"""What the contacts are felt from, and that a walk is told apart under errors as slow as steps."""

import actor
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from posewire.data import FloatArray, Track
from posewire.fit import FitSettings, Fitter, gait
from posewire.fit.gait import FEET

TIME_S = np.arange(240) / 60.0
LEFT, RIGHT = slice(0, 2), slice(2, 4)
OTHER, END = [2, 3, 0, 1], [1, 0, 3, 2]


def walk_m(yaw_rad: float) -> tuple[FloatArray, FloatArray]:
    """Keypoints (T, J, 3) of somebody who walks on whichever heel or toe is lowest, and joints (T, N, 3)."""
    keypoints_m, joints_m = actor.poses_m(TIME_S[::-1], yaw_rad=yaw_rad)  # the actor's knees bend while the leg goes back
    feet_m = joints_m[:, FEET]
    lowest = feet_m[..., 1].argmin(axis=1)
    steps_m = np.take_along_axis(np.diff(feet_m, axis=0), lowest[:-1, None, None], axis=1)[:, 0]
    gone_m = -np.cumsum(np.concatenate([np.zeros((1, 3)), steps_m]), axis=0)
    gone_m[:, 1] = -feet_m[..., 1].min(axis=1) - 1.0
    gone_m -= [0.0, 0.0, gone_m[:, 2].max() + 1.0]
    return keypoints_m + gone_m[:, None], joints_m + gone_m[:, None]


def slow(keypoints_m: FloatArray, deviation_m: float) -> FloatArray:
    """With errors that change within a tenth of a second."""
    noise = gaussian_filter1d(np.random.default_rng(5).normal(size=keypoints_m.shape), 6.0, axis=0)
    return keypoints_m + deviation_m / noise.std() * noise


def watched(rows: list[Track]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Joints (T, N, 3), contacts (T, 4), features (T, 4, F) and directions of sight (T, 3)."""
    fitter, frames = Fitter(actor.NAMES, FitSettings()), []
    for row, t in zip(rows, TIME_S.tolist(), strict=True):
        pose = fitter.fit(row, t, actor.VIEW)
        assert pose is not None
        memory = fitter._memory  # pyright: ignore[reportPrivateUsage]
        frames.append((pose.positions_m, pose.contacts, memory.contacts.gait.features.copy(), memory.targets.sight.copy()))
    joints_m, contacts, features, sight = (np.array(column) for column in zip(*frames, strict=True))
    return joints_m, contacts, features, sight


def reckoned(joints_m: FloatArray, sight: FloatArray) -> FloatArray:
    """The features (T, 4, F) that gait.FEATURES describes, but for the height."""
    step_s, feet_m, pelvis_m = TIME_S[1], joints_m[:, FEET], joints_m[:, 0]
    up = trunk_up(joints_m, step_s)
    went_m = np.diff(feet_m, axis=0, prepend=feet_m[:1])
    recent = np.log(lengths(feet_m - mean(feet_m, gait.RECENT_S), sight) / gait.RECENT_S + gait.SLOWEST_M_S)
    way = np.log(lengths(feet_m - mean(feet_m, gait.LATE_S), sight) + gait.SHORTEST_M)
    walk = (pelvis_m - mean(pelvis_m, gait.WALK_S)) / gait.WALK_S
    walk = walk - np.sum(walk * up, axis=1, keepdims=True) * up
    walk = walk / np.maximum(np.linalg.norm(walk, axis=1, keepdims=True), gait.WALKING_M_S)
    now = np.log(lengths(went_m, sight) / step_s + gait.SLOWEST_M_S)
    ahead, faster, stride = (np.einsum("tkc,tc->tk", x, walk) for x in (feet_m, went_m / step_s, feet_m - pelvis_m[:, None]))
    slower = recent - recent.min(axis=1, keepdims=True)
    against = (ahead - ahead[:, OTHER], faster - faster[:, OTHER], np.abs(stride))
    return np.stack((now, recent, recent[:, END], slower, way[:, OTHER], *against), axis=-1)


def trunk_up(joints_m: FloatArray, step_s: float) -> FloatArray:
    """(T, 3)"""
    trunk = joints_m[:, 3] - joints_m[:, 0]
    trunk = trunk / np.linalg.norm(trunk, axis=1, keepdims=True)
    ups = [trunk[0]]
    for now in trunk[1:]:
        up = ups[-1] + step_s / gait.TRUNK_S * (now - ups[-1])
        ups.append(up / np.linalg.norm(up))
    return np.array(ups)


def mean(places_m: FloatArray, time_s: float) -> FloatArray:
    """Of what has been, forgotten in `time_s`."""
    means, share = [places_m[0]], 1.0 - np.exp(-TIME_S[1] / time_s)
    for now in places_m[1:]:
        means.append(means[-1] + share * (now - means[-1]))
    return np.array(means)


def lengths(vectors: FloatArray, sight: FloatArray) -> FloatArray:
    """(T, 4), what is along the line of sight shortened."""
    along = np.einsum("tkc,tc->tk", vectors, sight)[..., None] * sight[:, None]
    return np.linalg.norm(vectors - along + gait.ALONG * along, axis=-1)


def test_the_features_are_those_that_are_described() -> None:
    joints_m, _, features, sight = watched(actor.tracks(walk_m(0.4)[0]))
    np.testing.assert_allclose(features[1:, :, 1:], reckoned(joints_m, sight)[1:], atol=1e-7)
    heights = features[1:, :, gait.HEIGHT]
    assert heights.min() >= 0.0
    assert heights.max() <= gait.HIGHEST_M


@pytest.mark.parametrize("yaw_rad", [0.4, 1.6])
def test_in_a_walk_with_slow_errors_a_foot_that_swings_is_off_the_ground_and_one_that_stands_mostly_on_it(yaw_rad: float) -> None:
    keypoints_m, joints_m = walk_m(yaw_rad)
    _, contacts, _, _ = watched(actor.tracks(slow(keypoints_m, 0.025)))
    speeds_m_s = np.linalg.norm(np.gradient(joints_m[:, FEET], TIME_S[1], axis=0), axis=-1)
    settled = (TIME_S > 0.25)[:, None]
    swings, stands = (speeds_m_s > 1.0) & settled, (speeds_m_s < 0.4) & settled
    assert min(swings.sum(), stands.sum()) > 150
    assert (contacts[swings] < 0.5).mean() > 0.95
    assert (contacts[stands] > 0.5).mean() > 0.6
