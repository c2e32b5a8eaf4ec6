"""The universal skeleton, its mirror, and bodies of other sizes."""

from __future__ import annotations

import numpy as np
import pytest

from posewire.skeleton import MARKERS
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_data import bodies, joints
from posewire_data.joints import JOINTS


def test_blazepose_sees_all_but_the_seldom_seen_joints() -> None:
    unseen = {name for name in JOINTS if name not in KEYPOINT_NAMES}
    assert unseen == {JOINTS[i] for i in joints.SELDOM_SEEN}


def test_every_name_is_a_point_of_posewires_skeleton() -> None:
    assert set(JOINTS) <= set(MARKERS)


def test_a_parent_comes_before_its_children() -> None:
    assert all(parent < child for child, parent in enumerate(joints.PARENTS))


def test_a_standing_person_faces_as_before_in_the_mirror_but_waves_the_other_hand(waving_m: np.ndarray) -> None:
    mirrored = joints.mirrored(waving_m[:1])
    assert mirrored[0, JOINTS.index("right_wrist"), 1] == waving_m[0, JOINTS.index("left_wrist"), 1]
    assert mirrored[0, JOINTS.index("left_hip"), 0] > mirrored[0, JOINTS.index("right_hip"), 0]
    np.testing.assert_array_equal(joints.mirrored(mirrored), waving_m[:1])


def test_an_unseen_pelvis_is_put_between_the_hips_and_a_seen_one_stays(standing_m: np.ndarray) -> None:
    unseen = standing_m.copy()
    unseen[joints.ROOT] = np.nan
    np.testing.assert_allclose(joints.with_middles(unseen), standing_m)
    unseen[joints.HIPS[0]] = np.nan
    assert np.isnan(joints.with_middles(unseen)[joints.ROOT]).all()


def test_knee_to_neck_is_thigh_plus_spine(standing_m: np.ndarray) -> None:
    thigh = np.hypot(0.42, 0.02)
    assert bodies.knee_to_neck_m(standing_m[None]) == pytest.approx(0.25 + 0.26 + thigh)


def test_resizing_keeps_directions_and_the_pelvis_and_multiplies_lengths(waving_m: np.ndarray) -> None:
    factors = bodies.random_proportions(np.random.default_rng(0), 2, spread=0.2)
    resized = bodies.resized(np.stack([waving_m, waving_m]), factors)
    np.testing.assert_allclose(resized[:, :, joints.ROOT], np.stack([waving_m, waving_m])[:, :, joints.ROOT])
    expected = bodies.bone_lengths_m(waving_m)[None] * factors[:, None]
    np.testing.assert_allclose(bodies.bone_lengths_m(resized), expected, atol=1e-12)


def test_random_bodies_have_two_equal_sides() -> None:
    factors = bodies.random_proportions(np.random.default_rng(0), 100)
    np.testing.assert_array_equal(factors[:, joints.LEFT], factors[:, joints.RIGHT])
    assert 0.05 < np.log(factors[:, 1]).std() < 0.11
