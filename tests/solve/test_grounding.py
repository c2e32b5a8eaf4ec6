"""The floor of a whole take: found under feet that stood, told with the camera, and left alone where it is not certain."""

from dataclasses import replace

import actor
import numpy as np
import pytest

from posewire import camera as cameras
from posewire import rotation
from posewire.data import SkeletonPose
from posewire.ground import on_floor
from posewire.skeleton import REFERENCE
from posewire.solve.grounding import grounded
from posewire.take import TakeFrame

PLACES_M = np.random.default_rng(2).uniform([-1.5, -5.0], [1.5, -2.5], (16, 2))
STAY = 12
SOLES = [REFERENCE.index(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "toe")]
TILT = rotation.to_matrix(rotation.exp([np.radians(-12.0), 0.0, 0.0]))
"""The camera looks down by 12 degrees, so that the assumed world leans by as much."""


def standing(place_m, time_s) -> SkeletonPose:
    """Upright at a place (2,) of the assumed world, which leans against the true floor 1.4 m below the camera."""
    x, z = place_m
    root = TILT.T @ np.array([x, REFERENCE.offsets_m[0, 1] - 1.4, z])
    local = rotation.identity(len(REFERENCE.names))
    local[0] = rotation.from_matrix(TILT.T)
    seen = np.ones(len(local))
    angles = np.zeros(len(REFERENCE.dofs))
    return SkeletonPose(1, time_s, root, angles, local, REFERENCE.positions_m(root, local), seen, np.full(4, np.nan))


def film(places=PLACES_M, camera=actor.VIEW):
    """A person who stands at one place after the other."""
    times = np.arange(STAY * len(places)) / 30
    poses = [standing(places[k // STAY], t) for k, t in enumerate(times.tolist())]
    return [TakeFrame(pose.time_s, k, 0, camera, (), (pose,), {1: REFERENCE}) for k, pose in enumerate(poses)]


def test_the_soles_come_to_stand_at_zero_and_the_camera_says_estimated():
    frames, ground = grounded(film())
    assert ground.applied, ground.remark
    soles_m = np.array([frame.poses[0].positions_m[SOLES, 1] for frame in frames])
    assert np.abs(soles_m).max() < 0.01
    (camera,) = {id(frame.camera): frame.camera for frame in frames}.values()
    assert camera is not None and camera.origin == "estimated"
    assert camera.T_world_camera[1, 3] == pytest.approx(1.4, abs=0.02)


def test_the_picture_of_the_poses_does_not_change_and_rotations_agree_with_positions():
    before = film()
    after, _ = grounded(before)
    for old, new in zip(before[::20], after[::20], strict=True):
        assert old.camera is not None and new.camera is not None
        was, now = old.poses[0], new.poses[0]
        np.testing.assert_allclose(
            cameras.to_camera(now.positions_m, new.camera), cameras.to_camera(was.positions_m, old.camera), atol=1e-9
        )
        np.testing.assert_allclose(REFERENCE.positions_m(now.root_m, now.rotations_wxyz), now.positions_m, atol=1e-9)


def test_feet_in_too_few_places_change_nothing_and_it_is_said():
    frames = film(PLACES_M[:1])
    after, ground = grounded(frames)
    assert not ground.applied and "not certain" in ground.remark
    assert all(new is old for new, old in zip(after, frames, strict=True))


def test_a_calibrated_floor_and_a_moving_camera_are_left_alone():
    calibrated = on_floor(actor.VIEW, actor.VIEW.T_world_camera, "calibrated")
    after, ground = grounded(film(camera=calibrated))
    assert not ground.applied and "calibrated" in ground.remark and after[0].camera is calibrated
    moving = [replace(frame, camera=replace(actor.VIEW)) for frame in film()[:20]]
    assert not grounded(moving)[1].applied


def test_nobody_has_no_floor():
    assert not grounded([])[1].applied
    empty = [replace(frame, poses=()) for frame in film()]
    after, ground = grounded(empty)
    assert not ground.applied and after == empty
