"""Which of heels and toes touch the ground."""

import actor
import numpy as np
import pytest
import stepper

from posewire import camera as cameras
from posewire import rotation
from posewire.data import Camera, FloatArray, Track
from posewire.fit import FitSettings, Fitter
from posewire.metrics import contact_f1

LEFT, RIGHT = slice(0, 2), slice(2, 4)


def contacts(rows: list[Track], time_s: FloatArray, camera: Camera = actor.VIEW) -> FloatArray:
    """(T, 4) of every frame."""
    fitter = Fitter(actor.NAMES, FitSettings())
    poses = [fitter.fit(row, t, camera) for row, t in zip(rows, time_s.tolist(), strict=True)]
    return np.array([np.full(4, np.nan) if pose is None else pose.contacts for pose in poses])


@pytest.mark.parametrize("fps", [15.0, 60.0, 240.0])
def test_a_lifted_foot_is_off_the_ground_and_the_other_on_it(fps: float) -> None:
    time_s = np.arange(0.0, stepper.END_S, 1.0 / fps)
    said = contacts(actor.tracks(stepper.keypoints_m(time_s)), time_s)
    stands, moves = stepper.stands(time_s) & (time_s > 0.3), stepper.moves(time_s)
    assert (said[stands] > 0.5).mean() > 0.95
    assert (said[moves, LEFT] < 0.5).mean() > 0.6
    assert (said[:, RIGHT][1:] > 0.5).mean() > 0.9


def test_a_camera_that_is_tilted_by_30_degrees_says_the_same() -> None:
    time_s = np.arange(0.0, stepper.END_S, 1.0 / 30.0)
    centre = np.array([0.0, 0.0, -3.5])
    tilted = rotation.rotate(rotation.exp([0.0, 0.0, np.radians(30.0)]), stepper.keypoints_m(time_s) - centre) + centre
    upright = contacts(actor.tracks(stepper.keypoints_m(time_s)), time_s)
    assert contact_f1(contacts(actor.tracks(tilted), time_s)[1:], upright[1:]) > 0.95


def test_a_foot_held_still_in_the_air_is_off_the_ground_where_the_up_is_known() -> None:
    time_s = np.arange(0.0, stepper.END_S, 1.0 / 30.0)
    rows, view = actor.tracks(stepper.keypoints_m(time_s)), actor.VIEW
    known = Camera(view.width_px, view.height_px, view.K, view.distortion, view.T_world_camera, "calibrated")
    in_the_air = stepper.holds_up(time_s)
    assert (contacts(rows, time_s, known)[in_the_air, LEFT] < 0.5).mean() > 0.8
    assert (contacts(rows, time_s, known)[:, RIGHT][1:] > 0.5).mean() > 0.9


def test_contacts_are_probabilities_whatever_comes_in() -> None:
    rng, time_s = np.random.default_rng(3), np.cumsum(np.tile([1 / 240, 1 / 30, 0.4], 30))
    keypoints = rng.normal([0.0, 0.0, -3.0], 0.5, (len(time_s), len(actor.NAMES), 3))
    said = contacts(actor.tracks(keypoints), time_s)
    assert np.isfinite(said[1:]).any()
    assert not ((said < 0.0) | (said > 1.0)).any()


def test_a_foot_that_is_not_seen_for_a_moment_keeps_its_contact_and_then_it_is_not_known() -> None:
    time_s = np.arange(60) / 30.0
    right = [k for k, name in enumerate(actor.NAMES) if name in ("right_ankle", "right_heel", "right_foot_index")]
    rows = actor.tracks(stepper.keypoints_m(time_s))
    for frame in (20, 21, *range(40, 50)):
        rows[frame] = actor.replaced(rows[frame], right)
    said = contacts(rows, time_s)
    assert (said[[20, 21]][:, RIGHT] > 0.5).all()
    assert np.isnan(said[43:50, RIGHT]).all()
    assert np.isfinite(said[50:, RIGHT]).all()


def test_feet_that_are_not_seen_are_not_estimated() -> None:
    time_s = np.arange(30) / 30.0
    right = [k for k, name in enumerate(actor.NAMES) if name in ("right_ankle", "right_heel", "right_foot_index")]
    rows = [actor.replaced(row, right) for row in actor.tracks(stepper.keypoints_m(time_s))]
    said = contacts(rows, time_s)
    assert np.isnan(said[:, RIGHT]).all()
    assert np.isfinite(said[1:, LEFT]).all()


def test_the_first_pose_after_a_reset_says_nothing_of_contacts() -> None:
    time_s = np.arange(10) / 30.0
    fitter = Fitter(actor.NAMES, FitSettings())
    for k, row in enumerate(actor.tracks(stepper.keypoints_m(time_s))):
        if k == 5:
            fitter.reset()
        pose = fitter.fit(row, time_s[k], cameras.assumed(1280, 720))
        assert pose is not None
        assert np.isnan(pose.contacts).all() == (k in (0, 5))
