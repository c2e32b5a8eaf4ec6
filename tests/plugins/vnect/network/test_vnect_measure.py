"""What the measuring and route commands compute, without a trained network, and what BlazePose labels of our joints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from vnect_crops import drawn

from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_blazepose.pseudo_labels import as_joints
from posewire_synth.layers import BY_OBJECT, BY_SELF
from posewire_vnect import measure, routes, shots
from posewire_vnect.measure import Read
from posewire_vnect.names import JOINTS
from posewire_vnect.truth import centred_views, of_shots

J = len(JOINTS)


def perfect(crops: shots.Shots) -> Read:
    """What the labels say."""
    truth = of_shots(crops, centred_views(crops, measure.FILL))
    points_px = (truth.cells.numpy().astype(np.float64) + 0.5) * 8 - 0.5
    return Read(points_px, np.ones((len(crops), J)), truth.joints_m.numpy().astype(np.float64))


def test_the_truth_scores_full_marks_and_a_shifted_one_does_not() -> None:
    crops = drawn(4)
    said = perfect(crops)
    best = measure.measured(said, crops)
    assert (best.pck150, best.auc, best.pck_2d) == (100.0, 100.0, 100.0) and best.mpjpe_mm < 1e-3
    off_m = said.joints_m + np.where(np.arange(J) == JOINTS.index("neck"), 0.2, 0.0)[:, None]
    worse = measure.measured(said._replace(joints_m=off_m), crops)
    assert worse.pck150 == pytest.approx(100 * 13 / 14, abs=1.0) and worse.mpjpe_mm > 10


def test_clear_people_are_hidden_by_nothing_but_themselves() -> None:
    crops = drawn(3)
    crops.visibility[0, JOINTS.index("neck")], crops.visibility[1, JOINTS.index("neck")] = BY_OBJECT, BY_SELF
    crops.visibility[2, JOINTS.index("left_toe")] = BY_OBJECT  # not among the 14
    assert len(measure.clear(crops)) == 2


def test_a_window_is_read_between_its_cells_and_beyond_it_at_its_edge() -> None:
    rows, columns = np.mgrid[0:5, 0:5].astype(float)
    patches = np.broadcast_to(10 * rows + columns, (1, 1, 3, 5, 5))
    said = {"patches_m": patches, "patch_corner_cells": np.array([[[7, 3]]])}
    assert measure.at(said, np.array([[[8.5, 5.25]]]))[0, 0] == pytest.approx([24.0] * 3)
    assert measure.at(said, np.array([[[30.0, 0.0]]]))[0, 0] == pytest.approx([4.0] * 3)


def test_two_scales_meet_in_2d_nearer_to_the_surer() -> None:
    one, other = (Read(np.full((1, 1, 2), x), np.full((1, 1), c), np.full((1, 1, 3), x)) for x, c in ((0.0, 0.9), (10.0, 0.1)))
    mean = measure.both(one, other)
    assert mean.points_px[0, 0] == pytest.approx([1.0, 1.0]) and mean.joints_m[0, 0] == pytest.approx([5.0] * 3)


def test_blazeposes_points_become_ours_and_what_it_lacks_is_unknown() -> None:
    points = np.stack([np.arange(33.0), np.zeros(33)], 1)
    ours = as_joints(points, JOINTS)
    at = {name: ours[joint, 0] for joint, name in enumerate(JOINTS)}
    assert at["left_wrist"] == KEYPOINT_NAMES.index("left_wrist")
    assert at["pelvis"] == (KEYPOINT_NAMES.index("left_hip") + KEYPOINT_NAMES.index("right_hip")) / 2
    assert [name for name, value in at.items() if np.isnan(value)] == ["head_top"]


def test_the_straight_route_finds_what_is_linear() -> None:
    made = torch.Generator().manual_seed(0)
    vectors = torch.randn(400, 6, generator=made)
    joints_m = (vectors @ torch.randn(6, 3 * J, generator=made)).view(-1, J, 3)
    joints_m = joints_m - joints_m[:, :1]
    said = routes.answers(routes.fitted(vectors, joints_m), vectors)
    assert (said - joints_m).abs().mean() < 0.02 * joints_m.abs().mean()
