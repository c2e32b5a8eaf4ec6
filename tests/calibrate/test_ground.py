"""Gravity and floor from feet."""

from dataclasses import replace

import numpy as np
import pytest
from ground_samples import angle_deg, camera_over_floor, depth_noise, walk

from posewire import camera as cam
from posewire.data import Camera, SkeletonPose
from posewire.ground import GroundFinder, estimate_ground, world_from_floor
from posewire.skeleton import REFERENCE

BODY_UP = np.array([0.03, 1.0, 0.05])
"""Feet to head of somebody who leans a little, world axes."""


def as_seen(feet_world, camera, rng=None, **noise):
    feet = cam.to_camera(feet_world, camera)
    return feet if rng is None else depth_noise(feet, rng, **noise)


def up_of(T_world_camera):
    return T_world_camera[:3, :3].T @ [0.0, 1.0, 0.0]


def upright_of(camera, frames):
    return np.tile(BODY_UP @ camera.T_world_camera[:3, :3], (frames, 1))


def test_the_assumed_world_is_that_of_a_level_camera():
    np.testing.assert_allclose(world_from_floor([0, -1, 0], [0, 0, 0]), np.diag([1.0, -1, -1, 1]), atol=1e-15)


@pytest.mark.parametrize("up", [(0, -1, 0), (0.3, -0.9, -0.2), (0, 0, -1.0), (0.01, 0, -2.0), (0, -0.1, 3.0)])
def test_a_floor_gives_a_right_handed_world_with_the_origin_on_it(up):
    T = world_from_floor(up, [0.4, 1.0, 3.0])
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1.0)
    np.testing.assert_allclose(T[:3, :3] @ up / np.linalg.norm(up), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(T @ [0.4, 1.0, 3.0, 1.0], [0, 0, 0, 1], atol=1e-12)


def test_the_camera_looks_towards_minus_z():
    camera = camera_over_floor(pitch_deg=30, roll_deg=10)
    ahead = camera.T_world_camera[:3, :3] @ [0.0, 0.0, 1.0]
    assert ahead[0] == pytest.approx(0.0, abs=1e-12)
    assert ahead[2] < 0


def test_a_camera_that_looks_straight_down_has_the_top_of_its_picture_ahead():
    R = world_from_floor([0, 0, -1], [0, 0, 2.5])[:3, :3]
    np.testing.assert_allclose(R @ [0.0, -1.0, 0.0], [0, 0, -1], atol=1e-12)


@pytest.mark.parametrize("pitch_deg", [-5.0, 0.0, 12.0, 30.0])
@pytest.mark.parametrize("roll_deg", [-6.0, 0.0, 5.0])
def test_a_walk_shows_gravity_and_floor_exactly(pitch_deg, roll_deg):
    camera = camera_over_floor(1.4, pitch_deg, roll_deg)
    feet, time_s = walk()
    found = estimate_ground(as_seen(feet, camera), time_s, upright_of(camera, len(time_s)))
    assert found is not None and found.certain
    assert angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera)) < 0.3
    assert found.T_world_camera[1, 3] == pytest.approx(1.4, abs=0.01)
    np.testing.assert_allclose(found.T_world_camera[[0, 2], 3], 0.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_a_noisy_walk_shows_gravity_within_its_own_certainty(seed):
    camera = camera_over_floor(1.4, 18.0, 3.0)
    feet, time_s = walk(seconds=20.0)
    seen = as_seen(feet, camera, np.random.default_rng(seed))
    found = estimate_ground(seen, time_s, upright_of(camera, len(time_s)))
    assert found is not None and found.certain
    error_deg = angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera))
    assert error_deg < min(1.5, 4.0 * found.angle_deviation_deg)
    assert found.T_world_camera[1, 3] == pytest.approx(1.4, abs=0.04)


@pytest.mark.parametrize("fps", [10.0, 15.0, 60.0, 240.0])
def test_the_frame_rate_does_not_matter(fps):
    camera = camera_over_floor(1.2, 10.0, 2.0)
    feet, time_s = walk(fps=fps)
    found = estimate_ground(as_seen(feet, camera), time_s, upright_of(camera, len(time_s)))
    assert found is not None
    assert angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera)) < 1.0
    assert found.T_world_camera[1, 3] == pytest.approx(1.2, abs=0.03)


def test_a_third_of_the_steps_on_a_box_does_not_lift_the_floor():
    camera = camera_over_floor(1.4, 15.0, 0.0)
    feet, time_s = walk(seconds=20.0)
    feet[feet[..., 0] > 0.5, 1] += 0.3
    found = estimate_ground(as_seen(feet, camera, np.random.default_rng(3)), time_s, upright_of(camera, len(time_s)))
    assert found is not None and found.certain
    assert angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera)) < 1.5
    assert found.T_world_camera[1, 3] == pytest.approx(1.4, abs=0.04)


def test_unseen_feet_are_left_out():
    camera = camera_over_floor()
    feet, time_s = walk()
    seen = as_seen(feet, camera)
    seen[np.random.default_rng(0).random(seen.shape[:2]) < 0.2] = np.nan
    found = estimate_ground(seen, time_s, None)
    assert found is not None
    assert angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera)) < 0.5


def test_standing_in_one_spot_is_not_enough_to_be_certain():
    camera = camera_over_floor()
    feet, _ = walk()
    time_s = np.arange(0, 20, 1 / 30)
    still = np.repeat(feet[:1] * [1, 0, 1], len(time_s), axis=0)
    found = estimate_ground(as_seen(still, camera, np.random.default_rng(1)), time_s, upright_of(camera, len(time_s)))
    assert found is not None and not found.certain
    assert angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera)) < 4 * found.angle_deviation_deg


def test_feet_that_never_rest_say_nothing():
    time_s = np.arange(0, 5, 1 / 30)
    feet = np.stack([np.sin(7 * time_s), np.cos(7 * time_s), 4 + 0 * time_s], axis=-1)[:, None]
    assert estimate_ground(feet, time_s) is None
    assert estimate_ground(np.full((100, 4, 3), np.nan), np.arange(100) / 30) is None
    assert estimate_ground(np.empty((0, 4, 3)), np.empty(0)) is None


def test_a_wrong_stature_scales_the_height_and_keeps_the_direction():
    camera = camera_over_floor(1.5, 20.0, -3.0)
    feet, time_s = walk()
    found = estimate_ground(1.1 * as_seen(feet, camera), time_s, upright_of(camera, len(time_s)))
    assert found is not None
    assert angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera)) < 0.3
    assert found.T_world_camera[1, 3] == pytest.approx(1.65, abs=0.01)


def poses_of(feet_world, time_s, camera_true, camera_assumed):
    """Poses whose feet walk, as a fit in the assumed world says them."""
    feet_index = [REFERENCE.index(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "toe")]
    for feet, time in zip(feet_world, time_s, strict=True):
        positions = np.tile(feet.mean(axis=0) + np.array([0, 0.9, 0]), (len(REFERENCE.names), 1))
        positions[feet_index] = feet
        positions[REFERENCE.index("head")] = feet.mean(axis=0) + np.array([0, 1.5, 0])
        for side in (0, 2):
            positions[REFERENCE.index("right_ankle" if side else "left_ankle")] = feet[side] + [0, 0.07, 0]
        world = cam.to_world(cam.to_camera(positions, camera_true), camera_assumed)
        rotations = np.tile([1.0, 0, 0, 0], (len(REFERENCE.names), 1))
        angles, confidence = np.zeros(len(REFERENCE.dofs)), np.ones(len(REFERENCE.names))
        yield SkeletonPose(1, time, world[0], angles, rotations, world, confidence, np.full(4, np.nan))


def found_during(camera, feet, time_s):
    lens = cam.assumed(1280, 720, 50.0)
    assumed = Camera(1280, 720, lens.K)
    finder = GroundFinder()
    said = [finder.add([pose], assumed, pose.time_s) for pose in poses_of(feet, time_s, camera, assumed)]
    return finder, [answer for answer in said if answer is not None]


def test_a_run_finds_the_floor_after_a_few_steps_and_says_that_it_is_estimated():
    camera = camera_over_floor(1.3, 14.0, -4.0)
    finder, said = found_during(camera, *walk(seconds=8.0))
    assert said
    assert said[0].origin == "estimated"
    assert angle_deg(up_of(said[0].T_world_camera), up_of(camera.T_world_camera)) < 1.0
    assert finder.estimate is not None and finder.estimate.certain


def test_a_run_of_somebody_who_stands_still_leaves_the_world_alone():
    feet, time_s = walk(seconds=6.0)
    finder, said = found_during(camera_over_floor(), np.repeat(feet[:1] * [1, 0, 1], len(time_s), axis=0), time_s)
    assert not said
    assert finder.estimate is None or not finder.estimate.certain


def test_a_source_that_begins_anew_does_not_mix_with_its_past():
    feet, time_s = walk(seconds=8.0)
    assumed = Camera(1280, 720, cam.assumed(1280, 720, 50.0).K)
    finder = GroundFinder()
    for pitch_deg in (25.0, 5.0):
        for pose in poses_of(feet, time_s, camera_over_floor(1.3, pitch_deg), assumed):
            finder.add([pose], assumed, pose.time_s)
    assert finder.estimate is not None
    assert angle_deg(up_of(finder.estimate.T_world_camera), up_of(camera_over_floor(1.3, 5.0).T_world_camera)) < 1.0


@pytest.mark.parametrize("step_m", [0.2, 0.3])
def test_a_stair_is_no_floor(step_m):
    camera = camera_over_floor(1.4, 12.0, 0.0)
    feet, time_s = walk(seconds=6.0, radius_m=40.0, centre_m=(-40.0, 0.0, -5.0))
    feet[..., 1] += step_m * np.round((feet[..., 2] - feet[..., 2].min()) / 0.65)
    found = estimate_ground(as_seen(feet, camera, np.random.default_rng(2)), time_s, upright_of(camera, len(time_s)))
    assert found is None or not found.certain


@pytest.mark.parametrize("seed", range(6))
def test_a_walk_far_away_whose_distance_wavers_is_found_but_not_certain(seed):
    camera = camera_over_floor(6.0, 25.0, 0.0)
    feet, time_s = walk(seconds=10.0, radius_m=3.0, centre_m=(0.0, 0.0, -14.0))
    exact, rng = cam.to_camera(feet, camera), np.random.default_rng(seed)
    wavers_m = 0.4 * np.convolve(rng.normal(size=len(time_s) + 60), np.ones(60) / np.sqrt(60), "same")[: len(time_s)]
    sight = exact / np.linalg.norm(exact, axis=-1, keepdims=True)
    seen = exact + wavers_m[:, None, None] * sight + rng.normal(0.0, 0.02, exact.shape)
    found = estimate_ground(seen, time_s, upright_of(camera, len(time_s)))
    assert found is not None
    error_deg = angle_deg(up_of(found.T_world_camera), up_of(camera.T_world_camera))
    assert error_deg < 4.0 * found.angle_deviation_deg
    assert not found.certain or error_deg < 4.0


def test_everybody_in_view_shows_the_floor_whatever_the_order_they_are_told_in():
    camera, assumed = camera_over_floor(1.3, 14.0, -4.0), Camera(1280, 720, cam.assumed(1280, 720, 50.0).K)
    feet, time_s = walk(seconds=8.0)
    near, far = (
        [replace(pose, person_id=k) for pose in poses_of(np.add(feet, [0.0, 0.0, away]), time_s, camera, assumed)]
        for k, away in enumerate((0.0, -4.0))
    )
    finders = GroundFinder(), GroundFinder()
    for k, (one, other) in enumerate(zip(near, far, strict=True)):
        finders[0].add([one], assumed, one.time_s)
        finders[1].add([one, other] if k % 2 else [other, one], assumed, one.time_s)
    alone, both = (finder.estimate for finder in finders)
    assert alone is not None and both is not None
    assert both.footholds > 1.3 * alone.footholds
    assert angle_deg(up_of(both.T_world_camera), up_of(camera.T_world_camera)) < 1.0


def test_people_who_come_later_take_the_rows_of_those_who_left():
    camera, assumed = camera_over_floor(1.3, 14.0, -4.0), Camera(1280, 720, cam.assumed(1280, 720, 50.0).K)
    finder = GroundFinder()
    for pose in poses_of(*walk(seconds=8.0), camera, assumed):
        finder.add([replace(pose, person_id=int(pose.time_s))], assumed, pose.time_s)  # eight people, a second each
    assert finder.estimate is not None and finder.estimate.certain
    assert angle_deg(up_of(finder.estimate.T_world_camera), up_of(camera.T_world_camera)) < 1.0
