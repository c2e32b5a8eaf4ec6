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
