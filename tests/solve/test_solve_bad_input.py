"""Input that nobody should send: live and solved, it gives finite poses or honest gaps, and is left within five frames."""

from __future__ import annotations

from collections.abc import Callable

import actor
import numpy as np
import pytest

from posewire import camera as cameras
from posewire import rotation
from posewire.data import Camera, FloatArray, Track
from posewire.skeleton import REFERENCE
from posewire.solve.person import settle_people, smooth_person
from posewire.solve.settings import OFFLINE_FIT
from posewire.solve.stretches import Sight

FPS = 30.0
BAD = slice(30, 40)
RECOVERED = 5
TIME_S = np.arange(70) / FPS
KEYPOINTS, JOINTS = actor.poses_m(TIME_S)
Fit = Callable[[list[Track], FloatArray, Camera], FloatArray]


def live(rows: list[Track], time_s: FloatArray, camera: Camera = actor.VIEW) -> FloatArray:
    return actor.fitted(rows, time_s, camera=camera)


def solved(rows: list[Track], time_s: FloatArray, camera: Camera = actor.VIEW) -> FloatArray:
    """(T, N, 3) NaN where there is no pose."""
    sights = [Sight(k, t, track, camera) for k, (track, t) in enumerate(zip(rows, time_s.tolist(), strict=True))]
    (person,) = settle_people([smooth_person(sights, actor.NAMES, OFFLINE_FIT)], lock_feet=True)
    joints = np.full((len(rows), len(REFERENCE.names), 3), np.nan)
    for frame, pose in person.poses.items():
        joints[frame] = pose.positions_m
    return joints


both = pytest.mark.parametrize("fit", [live, solved])


def honest(joints: FloatArray) -> bool:
    """Every frame is a whole pose or a gap."""
    finite = np.isfinite(joints).all(axis=(1, 2))
    return bool((finite | np.isnan(joints).all(axis=(1, 2))).all())


def only(row: Track, names: list[str]) -> Track:
    return actor.replaced(row, [k for k, name in enumerate(actor.NAMES) if name not in names])


def in_one_place(row: Track) -> Track:
    return actor.replaced(row, list(range(len(actor.NAMES))), px=300.0, m=0.0, confidence=1.0)


def absurd(row: Track) -> Track:
    return actor.replaced(row, list(range(len(actor.NAMES))), px=1e9, m=-1e6, confidence=1.0)


def upside_down(row: Track) -> Track:
    """What a network that was turned over says for a moment."""
    assert row.keypoints_m is not None
    pixels = np.array(row.keypoints_px)
    pixels[:, 1] = 720.0 - pixels[:, 1]
    return Track(row.person_id, pixels, row.confidence, row.box_px, row.keypoints_m * [1.0, -1.0, 1.0])


SPOILT = {
    "two joints": lambda row: only(row, ["left_wrist", "right_ankle"]),
    "no joint": lambda row: only(row, []),
    "one place": in_one_place,
    "absurd numbers": absurd,
    "upside down": upside_down,
}


@both
@pytest.mark.parametrize("how", SPOILT)
def test_a_third_of_a_second_of_nonsense_is_survived_and_left_within_five_frames(fit: Fit, how: str) -> None:
    rows = actor.tracks(KEYPOINTS)
    rows[BAD] = [SPOILT[how](row) for row in rows[BAD]]
    joints = fit(rows, TIME_S, actor.VIEW)
    assert honest(joints)
    after = BAD.stop + RECOVERED
    assert np.isfinite(joints[after:]).all()
    assert actor.error_m(joints, JOINTS)[after:].max() < 0.15


AWKWARD = {
    "edge-on to the left": ([0.0, 1.0, 0.0], 67.0),
    "edge-on to the right": ([0.0, 1.0, 0.0], -113.0),
    "lying towards the camera": ([1.0, 0.0, 0.0], -90.0),
    "lying across": ([0.0, 0.0, 1.0], 90.0),
    "upside down": ([0.0, 0.0, 1.0], 180.0),
}


def turned(axis: list[float], degrees: float) -> tuple[FloatArray, FloatArray]:
    """Keypoints and joints of the whole motion, turned about the person's place."""
    centre = np.array([0.1, 0.0, -3.5])
    turn = rotation.exp(np.radians(degrees) * np.array(axis))
    return tuple(rotation.rotate(turn, points - centre) + centre for points in (KEYPOINTS, JOINTS))  # pyright: ignore[reportReturnType]


@both
@pytest.mark.parametrize(
    ("axis", "degrees"),
    [
        ([0.0, 1.0, 0.0], 67.0),
        ([0.0, 1.0, 0.0], -113.0),
        ([1.0, 0.0, 0.0], -90.0),
        ([0.0, 0.0, 1.0], 90.0),
        ([0.0, 0.0, 1.0], 180.0),
    ],
    ids=["edge-on to the left", "edge-on to the right", "lying towards the camera", "lying across", "upside down"],
)
def test_a_person_in_an_awkward_position_is_found_within_five_frames(fit: Fit, axis: list[float], degrees: float) -> None:
    keypoints, truth = turned(axis, degrees)
    joints = fit(actor.tracks(keypoints), TIME_S, actor.VIEW)
    assert np.isfinite(joints[RECOVERED:]).all()
    assert actor.error_m(joints, truth)[RECOVERED:].max() < 0.15


@both
def test_only_two_joints_ever_are_an_honest_gap(fit: Fit) -> None:
    rows = [SPOILT["two joints"](row) for row in actor.tracks(KEYPOINTS[:20])]
    assert np.isnan(fit(rows, TIME_S[:20], actor.VIEW)).all()


@both
@pytest.mark.parametrize("fov_deg", [6.0, 170.0])
def test_an_absurd_lens_gives_finite_poses(fit: Fit, fov_deg: float) -> None:
    assert np.isfinite(fit(actor.tracks(KEYPOINTS), TIME_S, cameras.assumed(1280, 720, fov_deg))).all()


@both
@pytest.mark.parametrize("fps", [1.0, 240.0])
def test_one_and_240_frames_a_second_are_followed(fit: Fit, fps: float) -> None:
    time_s = np.arange(int(min(1.5 * fps, 240)) + 6) / fps
    keypoints, truth = actor.poses_m(time_s)
    joints = fit(actor.tracks(keypoints), time_s, actor.VIEW)
    assert np.isfinite(joints).all()
    assert actor.error_m(joints, truth)[RECOVERED:].max() < 0.12


@both
def test_time_that_goes_backwards_and_stands_still_is_left_within_five_frames(fit: Fit) -> None:
    time_s = TIME_S.copy()
    time_s[40:] -= 1.0
    time_s[50] = time_s[49]
    joints = fit(actor.tracks(KEYPOINTS), time_s, actor.VIEW)
    assert honest(joints)
    errors = actor.error_m(joints, JOINTS)
    assert np.nanmax(errors) < 0.15
    assert np.isfinite(errors[45:49]).all() and np.isfinite(errors[55:]).all()


@both
def test_a_cut_to_another_place_is_left_within_five_frames(fit: Fit) -> None:
    other, other_joints = actor.poses_m(TIME_S, yaw_rad=2.8)
    shift = np.array([0.8, 0.1, -1.0])
    rows = actor.tracks(KEYPOINTS)[:40] + actor.tracks(other + shift)[40:]
    joints = fit(rows, TIME_S, actor.VIEW)
    assert np.isfinite(joints).all()
    assert actor.error_m(joints, other_joints)[40 + RECOVERED :].max() < 0.15
