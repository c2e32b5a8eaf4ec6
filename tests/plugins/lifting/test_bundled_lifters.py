"""What the bundled lifters make of a standing person whom they have never seen; no torch is needed."""

from __future__ import annotations

import numpy as np
import pytest

from posewire import camera as cameras
from posewire import metrics
from posewire.methods import MethodOptions
from posewire.testing import standing_person
from posewire_data.joints import JOINTS, ROOT
from posewire_lifting.lifter import OnnxLifter, open_lifter

MODELS = ("lifter_vae", "lifter_vae_temporal")
WRIST = JOINTS.index("left_wrist")


@pytest.fixture(params=MODELS)
def lifter(request: pytest.FixtureRequest) -> OnnxLifter:
    return open_lifter(request.param, MethodOptions())


def lifted(lifter: OnnxLifter, hidden: tuple[int, ...] = ()) -> np.ndarray:
    window = standing_person.window(JOINTS, lifter.receptive_field)
    unseen = np.zeros(window.confidence.shape, dtype=np.bool_)
    unseen[:, list(hidden)] = True
    return window.with_unseen(unseen).lifted_by(lifter)


def test_the_person_stands_as_it_stands(lifter: OnnxLifter) -> None:
    truth_m = standing_person.person_m(JOINTS, lifter.receptive_field)[-1]
    assert metrics.pa_mpjpe_m(lifted(lifter), truth_m) < 0.08


def test_a_hidden_wrist_is_filled_in_at_an_arms_length(lifter: OnnxLifter) -> None:
    pose_m = lifted(lifter, (WRIST,))
    assert np.isfinite(pose_m).all()
    assert 0.15 < np.linalg.norm(pose_m[WRIST] - pose_m[JOINTS.index("left_elbow")]) < 0.4


def test_hypotheses_of_hidden_limbs_lie_further_apart(lifter: OnnxLifter) -> None:
    window = standing_person.window(JOINTS, lifter.receptive_field)
    limbs = [JOINTS.index(name) for name in ("left_elbow", "left_wrist", "right_knee", "right_ankle")]
    hidden = np.zeros(window.confidence.shape, dtype=np.bool_)
    hidden[:, limbs] = True
    seen, unseen = (w.sampled_by(lifter, 8)[:, limbs].var(axis=0).sum() for w in (window, window.with_unseen(hidden)))
    assert unseen > 1.2 * seen > 0


def test_a_turned_camera_turns_the_pose(lifter: OnnxLifter) -> None:
    """The person stands aside in the picture: the answer is in the axes of the camera, not of the crop."""
    points_m = standing_person.person_m(JOINTS, lifter.receptive_field)
    yaw = 0.3
    R = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    window = standing_person.window(JOINTS, lifter.receptive_field)
    aside_px = cameras.project(points_m @ R.T, standing_person.CAMERA)
    aside = lifter.lift(aside_px, window.confidence, window.time_s, standing_person.CAMERA)
    np.testing.assert_allclose(aside @ R, lifted(lifter), atol=0.03)
    assert not np.isnan(aside[ROOT]).any()
