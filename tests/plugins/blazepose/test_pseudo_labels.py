"""BlazePose's points as the joints of other methods."""

from __future__ import annotations

import numpy as np
import pytest

from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_blazepose.pseudo_labels import as_joints

SAID = np.random.default_rng(0).normal(size=(2, len(KEYPOINT_NAMES), 3))


def of(name: str) -> np.ndarray:
    return SAID[:, KEYPOINT_NAMES.index(name)]


def test_a_joint_of_the_same_name_is_taken_as_it_is() -> None:
    np.testing.assert_array_equal(as_joints(SAID, ("right_knee", "nose")), np.stack([of("right_knee"), of("nose")], axis=1))


@pytest.mark.parametrize(("joint", "parts"), [("neck", ("left_shoulder", "right_shoulder")), ("left_toe", ("left_foot_index",))])
def test_a_joint_that_lies_between_is_the_middle(joint: str, parts: tuple[str, ...]) -> None:
    np.testing.assert_allclose(as_joints(SAID, (joint,))[:, 0], np.mean([of(part) for part in parts], axis=0))


def test_a_joint_that_blazepose_does_not_have_is_nan_and_people_may_be_none_or_one() -> None:
    assert np.isnan(as_joints(SAID, ("head_top",))).all()
    assert as_joints(SAID[:0], ("nose", "head_top")).shape == (0, 2, 3)
    np.testing.assert_array_equal(as_joints(SAID[1], ("nose",)), as_joints(SAID, ("nose",))[1])
