"""Stature by foot ray and head billboard."""

import numpy as np
import pytest
from ground_samples import camera_over_floor, marker_positions_m

from posewire import camera as cam
from posewire.data import Camera
from posewire.ground import StatureFinder, billboard_stature_m, height_from_ground

NAMES = ("nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
NAMES += ("left_knee", "right_knee", "left_ankle", "right_ankle")


def standing(height_m, camera, at_m=(0.3, 0.0, -4.0), frames=30, noise_px=0.0, seed=0):
    """Keypoints (T, J, 2) of the reference body in its rest pose on the floor."""
    points = marker_positions_m(height_m, NAMES) + at_m
    pixels = cam.project(cam.to_camera(points, camera), camera)
    return pixels + np.random.default_rng(seed).normal(0.0, noise_px, (frames, *pixels.shape))


@pytest.mark.parametrize("pitch_deg", [-8.0, 5.0, 25.0])
@pytest.mark.parametrize("x", [-1.2, 0.0, 1.2])
def test_a_pole_on_the_floor_has_its_height(pitch_deg, x):
    camera = camera_over_floor(1.5, pitch_deg, 5.0)
    pole = np.array([[x, 0.0, -4.0], [x, 1.83, -4.0]])
    foot_px, head_px = cam.project(cam.to_camera(pole, camera), camera)
    assert billboard_stature_m(foot_px, head_px, camera) == pytest.approx(1.83, abs=1e-9)


def test_points_that_are_not_at_sole_and_crown_give_the_same_stature():
    camera = camera_over_floor(1.5, 10.0)
    foot_px, head_px = cam.project(cam.to_camera([[0.5, 0.08, -3.0], [0.5, 1.6, -3.0]], camera), camera)
    found = billboard_stature_m(foot_px, head_px, camera, foot_share=0.08 / 1.75, head_share=1.6 / 1.75)
    assert found == pytest.approx(1.75, abs=1e-9)


def test_feet_at_or_above_the_horizon_have_no_place_on_the_floor():
    camera = camera_over_floor(1.5, 0.0, 0.0)
    assert np.isnan(billboard_stature_m([640.0, 300.0], [640.0, 100.0], camera))
    assert np.isnan(billboard_stature_m([np.nan, np.nan], [640.0, 100.0], camera))


def test_a_distorting_lens_does_not_change_the_answer():
    camera = camera_over_floor(1.5, 10.0)
    camera = Camera(1280, 720, camera.K, np.array([-0.25, 0.08, 0.001, 0.0, 0.0]), camera.T_world_camera, "calibrated")
    foot_px, head_px = cam.project(cam.to_camera([[1.5, 0.0, -4.0], [1.5, 1.7, -4.0]], camera), camera)
    assert billboard_stature_m(foot_px, head_px, camera) == pytest.approx(1.7, abs=1e-3)


@pytest.mark.parametrize("height_m", [1.15, 1.55, 1.92])
@pytest.mark.parametrize("distance_m", [2.5, 4.0, 7.0])
def test_children_and_adults_come_out_at_their_own_height(height_m, distance_m):
    camera = camera_over_floor(1.6, 8.0)
    found = height_from_ground(standing(height_m, camera, (0.2, 0.0, -distance_m), noise_px=2.0), NAMES, camera)
    assert found is not None
    assert found.height_m == pytest.approx(height_m, rel=0.02)
    assert found.frames >= 15


def test_keypoints_without_ears_use_the_nose():
    names = tuple(name for name in NAMES if "ear" not in name)
    camera = camera_over_floor(1.5, 8.0)
    keep = [NAMES.index(name) for name in names]
    found = height_from_ground(standing(1.7, camera)[:, keep], names, camera)
    assert found is not None
    assert found.height_m == pytest.approx(1.7, rel=0.04)


def test_a_squatting_or_leaning_person_is_not_measured():
    camera = camera_over_floor(1.5, 8.0)
    squat = standing(1.7, camera)
    squat[:, [NAMES.index("left_knee"), NAMES.index("right_knee")]] += [60.0, 0.0]
    assert height_from_ground(squat, NAMES, camera) is None
    lean = standing(1.7, camera)
    turn = np.radians(20.0)
    feet = lean[:, -2:].mean(axis=(0, 1))
    lean = (lean - feet) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + feet
    assert height_from_ground(lean, NAMES, camera) is None


def test_frames_that_disagree_give_no_stature():
    camera = camera_over_floor(1.5, 8.0)
    mixed = np.concatenate([standing(h, camera, frames=5) for h in np.linspace(1.2, 2.0, 9)])
    assert height_from_ground(mixed, NAMES, camera) is None


def test_a_method_without_feet_or_with_nobody_seen_gives_no_stature():
    camera = camera_over_floor()
    assert height_from_ground(np.zeros((30, 1, 2)), ("nose",), camera) is None
    assert height_from_ground(np.full((30, len(NAMES), 2), np.nan), NAMES, camera) is None


def test_a_stature_is_said_once():
    camera = camera_over_floor(1.5, 8.0)
    finder = StatureFinder(NAMES)
    said = [finder.add(keypoints, camera) for keypoints in standing(1.8, camera, frames=40, noise_px=1.0)]
    answers = [stature for stature in said if stature is not None]
    assert len(answers) == 1
    assert answers[0] is finder.stature
    assert answers[0].height_m == pytest.approx(1.8, rel=0.02)


@pytest.mark.parametrize("origin", ["assumed", "estimated"])
def test_a_floor_that_is_not_measured_gives_no_stature(origin):
    camera = camera_over_floor(1.5, 8.0)
    unsure = Camera(1280, 720, camera.K, camera.distortion, camera.T_world_camera, origin)
    finder = StatureFinder(NAMES)
    assert all(finder.add(keypoints, unsure) is None for keypoints in standing(1.8, camera, frames=40))
