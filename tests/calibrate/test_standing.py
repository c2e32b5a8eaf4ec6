"""The world of a run moves to the floor once, and only of a camera whose place is not known."""

from dataclasses import replace

import numpy as np
from ground_samples import camera_over_floor, walk
from test_ground import poses_of

from posewire import camera as cam
from posewire.data import Camera
from posewire.ground import Standing

ASSUMED = Camera(1280, 720, cam.assumed(1280, 720, 50.0).K)


def moments(standing: Standing, view: Camera = ASSUMED) -> list[int]:
    """The frames of a walk at which the world moves; the poses are said in the world of each moment."""
    over = camera_over_floor(1.3, 14.0, -4.0)
    moved: list[int] = []
    for k, pose in enumerate(poses_of(*walk(seconds=8.0), over, view)):
        placed = standing.place(view)
        seen_m = cam.to_camera(pose.positions_m, view)
        here_m = seen_m @ placed.T_world_camera[:3, :3].T + placed.T_world_camera[:3, 3]
        if standing.look([replace(pose, positions_m=here_m)], placed, pose.time_s):
            moved.append(k)
    return moved


def test_the_world_moves_to_the_floor_once():
    standing = Standing(looks=True)
    assert len(moments(standing)) == 1
    placed = standing.place(ASSUMED)
    assert placed.origin == "estimated"
    np.testing.assert_allclose(placed.T_world_camera[1, 3], 1.3, atol=0.05)
    assert standing.place(ASSUMED) is placed


def test_it_stays_when_not_asked_to_look():
    standing = Standing(looks=False)
    assert moments(standing) == []
    assert standing.place(ASSUMED) is ASSUMED


def test_a_calibrated_camera_stays_where_it_is():
    standing, calibrated = Standing(looks=True), camera_over_floor(1.5, 10.0)
    assert moments(standing, calibrated) == []
    assert standing.place(calibrated) is calibrated


def test_another_lens_begins_at_the_camera_again():
    standing = Standing(looks=True)
    moments(standing)
    other = Camera(640, 360, cam.assumed(640, 360, 50.0).K)
    assert standing.place(other) is other
