"""Which feet touch the ground with everything known, where they are to stand, and the solve that puts them there."""

import numpy as np
import pytest

from posewire import rotation
from posewire.bench.solve_batch import make_draft
from posewire.fit.contacts import FEET
from posewire.skeleton import REFERENCE
from posewire.solve.planting import plant
from posewire.solve.settling import settle
from posewire.solve.touching import touching

TIME_S = np.arange(90) / 30.0
NO_TORCH = "SKIPPED LOUDLY: torch is not installed (pip install 'posewire[train]'); the batched solve is untested here"


def standing(lifted_m):
    """(R, N, 3) somebody at rest, whose left foot is lifted so far (R,)."""
    rest_m = REFERENCE.positions_m(REFERENCE.offsets_m[0], rotation.identity(len(REFERENCE.names)))
    joints_m = np.tile(rest_m - np.array([0.0, 0.0, 4.0]), (len(lifted_m), 1, 1))
    joints_m[:, FEET[:2], 1] += lifted_m[:, None]
    return joints_m


def step_m(time_s):
    """Up within a quarter of a second, held for a second, down again."""
    return 0.3 * np.clip(np.minimum(time_s - 1.0, 2.25 - time_s) / 0.25, 0.0, 1.0)


def test_a_foot_touches_the_ground_until_it_is_lifted_and_from_its_landing_on():
    said = touching(TIME_S, standing(step_m(TIME_S)), np.zeros((len(TIME_S), 3)), np.array([0.0, 1.0, 0.0]))
    away = step_m(TIME_S) > 0.02
    assert (said[:, 2:] > 0.5).all()
    np.testing.assert_allclose((said[:, :2] < 0.5).mean(axis=0), away.mean(), atol=4 / 90)
    assert (said[away, :2] < 0.5).mean() > 0.95


def test_a_tilted_world_says_the_same():
    camera_m = np.zeros((len(TIME_S), 3))
    joints_m = standing(step_m(TIME_S))
    tilted_m = rotation.rotate(rotation.exp([0.0, 0.0, np.radians(30.0)]), joints_m)
    np.testing.assert_allclose(touching(TIME_S, tilted_m, camera_m, None), touching(TIME_S, joints_m, camera_m, None), atol=1e-9)


def test_one_frame_says_nothing_of_contacts():
    assert np.isnan(touching(TIME_S[:1], standing(np.zeros(1)), np.zeros((1, 3)), None)).all()


def test_a_rest_creeps_slower_than_anybody_sees_and_what_lies_far_from_it_is_free():
    rng = np.random.default_rng(0)
    feet_m = rng.normal(0.0, 0.01, (90, 4, 3))
    contacts = np.zeros((90, 4))
    contacts[30:50, 1] = 1.0
    planted = plant(TIME_S, feet_m, contacts)
    places_m = planted.place_m[30:50, 1]
    assert np.median(np.linalg.norm(np.diff(places_m, axis=0), axis=1)) < 0.06 / 30.0
    np.testing.assert_allclose(places_m.mean(axis=0), feet_m[30:50, 1].mean(axis=0), atol=2e-3)
    assert (planted.share[30:50, 1] == 1.0).all()
    assert not planted.share[:, [0, 2, 3]].any() and not planted.share[:25, 1].any() and not planted.share[55:, 1].any()
    np.testing.assert_array_equal(planted.place_m[:, 0], feet_m[:, 0])


def test_a_foot_comes_to_its_place_and_leaves_it_without_a_jump():
    feet_m = np.zeros((90, 4, 3))
    feet_m[:, 0, 0] = np.where(np.arange(90) < 40, 0.0, 0.03)  # slides by 3 cm while it rests
    contacts = np.zeros((90, 4))
    contacts[30:50, 0] = 1.0
    moved_m = plant(TIME_S, feet_m, contacts).place_m[:, 0, 0] - feet_m[:, 0, 0]
    steps_m = np.abs(np.diff(moved_m))
    assert np.delete(steps_m, 39).max() < 0.008
    assert moved_m[25] == 0.0 and moved_m[55] == 0.0


def resting(*frames, points=(0,)):
    """(90, 4) sure contact of these points in these slices of frames."""
    contacts = np.zeros((90, 4))
    for rest in frames:
        contacts[rest, list(points)] = 1.0
    return contacts


def test_a_place_that_creeps_unseen_is_followed():
    feet_m = np.zeros((90, 4, 3))
    feet_m[:, 0, 0] = 0.04 * TIME_S
    moved_m = (plant(TIME_S, feet_m, resting(slice(20, 70))).place_m - feet_m)[20:70, 0]
    assert 1e-6 < np.abs(moved_m).max() < 1.5e-3


def test_a_foot_that_rests_on_heel_and_toe_keeps_its_length():
    feet_m = np.random.default_rng(0).normal(0.0, 0.01, (90, 4, 3))
    feet_m[:, [1, 3], 2] += 0.2
    contacts = resting(slice(20, 60), points=(0, 1))
    contacts[30:50, 0] = 0.0  # the heel leaves for a while
    place_m = plant(TIME_S, feet_m, contacts).place_m
    was_m, is_m = (np.linalg.norm(points_m[:, 1] - points_m[:, 0], axis=1) for points_m in (feet_m, place_m))
    np.testing.assert_allclose(is_m[[*range(20, 30), *range(50, 60)]], was_m[[*range(20, 30), *range(50, 60)]], atol=1e-9)
    assert np.abs(is_m - was_m)[35:45].min() > 1e-6


def test_a_foot_comes_and_goes_along_half_a_cosine_sooner_where_another_rest_is_near():
    feet_m = np.random.default_rng(1).normal(0.0, 0.01, (90, 4, 3))
    first, second = slice(20, 40), slice(43, 60)
    planted = plant(TIME_S, feet_m, resting(first, second, slice(80, 81)))
    moved_m, share = (planted.place_m - feet_m)[:, 0], planted.share[:, 0]
    fading = 0.5 * (1 + np.cos(np.pi * np.array([0.25, 0.5, 0.75, 1.0])))
    np.testing.assert_allclose(moved_m[19:15:-1], fading[:, None] * moved_m[20], atol=1e-12)
    np.testing.assert_allclose(moved_m[60:64], fading[:, None] * moved_m[59], atol=1e-12)
    np.testing.assert_allclose(share[60:64], 0.03 * fading, atol=1e-12)
    sooner = np.array([0.75, 0.25, 0.0])[:, None]  # of the three frames between the rests
    np.testing.assert_allclose(moved_m[40:43], sooner * moved_m[39] + sooner[::-1] * moved_m[43], atol=1e-12)
    np.testing.assert_allclose(share[40:43], [0.0225, 0.0075, 0.0225], atol=1e-12)
    assert (share[20:40] == 1.0).all() and (share[43:60] == 1.0).all()
    assert not share[64:].any(), "one frame alone is no rest"


def test_settled_feet_stand_in_their_places():
    draft = make_draft(0, 40)
    (motion,) = settle([draft])
    joints_m = REFERENCE.positions_m(motion.root_m, motion.rotations_wxyz)
    away_m = np.linalg.norm(joints_m[:, FEET] - draft.planted.place_m, axis=-1)[draft.planted.share == 1.0]
    was_m = np.linalg.norm(draft.joints_m[:, FEET] - draft.planted.place_m, axis=-1)[draft.planted.share == 1.0]
    assert np.median(away_m) < 0.25 * np.median(was_m)


def test_a_motion_without_contacts_stays_as_it_is():
    draft = make_draft(1, 10)
    free = plant(draft.motion.time_s, draft.joints_m[:, FEET], np.zeros((10, 4)))
    (motion,) = settle([type(draft)(draft.skeleton, draft.camera, draft.motion, draft.joints_m, free)])
    np.testing.assert_allclose(motion.root_m, draft.motion.root_m, atol=1e-6)
    np.testing.assert_allclose(REFERENCE.positions_m(motion.root_m, motion.rotations_wxyz), draft.joints_m, atol=1e-6)


def test_torch_settles_many_people_as_numba_does():
    pytest.importorskip("torch", reason=NO_TORCH)
    drafts = [make_draft(person, 5 + person) for person in range(3)]
    told = []
    numba, torch = settle(drafts), settle(drafts, "torch", lambda: told.append(1))
    assert len(told) == 5 + 6 + 7
    for mine, theirs in zip(numba, torch, strict=True):
        ours_m, theirs_m = (REFERENCE.positions_m(motion.root_m, motion.rotations_wxyz) for motion in (mine, theirs))
        np.testing.assert_allclose(ours_m, theirs_m, atol=1e-4)


def test_nobody_is_settled_in_no_time():
    assert settle([]) == []
