"""From targets back to people: what is written into the maps is found in them again. No network, no torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from xnect_scenes import SHAPE, apart, inside, reachable, row

from posewire_data.joints import JOINTS
from posewire_xnect import association, targets
from posewire_xnect.skeleton import LINKS, NECK, SHORTCUTS, J
from posewire_xnect.targets import BoolArray, FloatArray

TRUNK_AND_LEGS = [*range(JOINTS.index("left_ankle") + 1), JOINTS.index("chest")]
"""Eight joints that bones join to one another without the neck."""


def found(points: FloatArray, visible: BoolArray) -> association.Assembly:
    """The people of perfect maps."""
    maps = targets.heatmaps(points, visible, SHAPE), targets.affinity_fields(points, visible, SHAPE)
    return association.people_of(*maps)


def in_order(people: FloatArray, points: FloatArray) -> FloatArray:
    """The found people by whose neck is nearest."""
    gap = np.linalg.norm(people[None, :, NECK] - points[:, None, NECK], axis=-1)
    return people[gap.argmin(axis=1)]


def right(people: FloatArray, points: FloatArray, visible: BoolArray) -> BoolArray:
    """(P, J) within 0.55 cells (half a cell at the border), and unseen where no visible chain leads."""
    expected = reachable(visible)
    near = np.linalg.norm(people - points, axis=-1) < 0.55
    return np.where(expected, near, np.isnan(people[..., 0]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much], derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0.0, 0.3))
def test_the_targets_give_the_people_back(seed: int, people: int, hidden: float) -> None:
    points, _ = row(seed, people)
    visible = inside(points) & (np.random.default_rng(seed).random((people, J)) >= hidden)
    visible[:, NECK] = True
    assume(inside(points)[:, NECK].all() and apart(points, visible, 4.0))
    answer = found(points, visible)
    assert len(answer.points) == people
    assert right(in_order(answer.points, points), points, visible).all()


def test_limbs_really_cross_in_those_scenes() -> None:
    elbow, wrist = JOINTS.index("left_elbow"), JOINTS.index("right_wrist")
    crossing = 0
    for seed in range(40):
        points, _ = row(seed, 4)
        crossing += bool((points[:-1, elbow, 0] > points[1:, wrist, 0]).any())
    assert crossing >= 10


def test_in_a_crowd_whose_joints_touch_nearly_all_are_found() -> None:
    hits: list[BoolArray] = []
    for seed in range(40):
        points, _ = row(seed, 6)
        visible = inside(points)
        answer = found(points, visible)
        assert len(answer.points) == 6
        hits.append(right(in_order(answer.points, points), points, visible))
    assert np.mean(hits) > 0.97


def test_who_hides_the_neck_is_found_by_what_hangs_together_and_takes_nothing_from_others() -> None:
    points, _ = row(3, 2)
    visible = inside(points)
    visible[1, NECK] = False
    answer = found(points, visible)
    assert len(answer.points) == 2
    assert right(answer.points[:1], points[:1], visible[:1]).all()
    np.testing.assert_array_equal(np.flatnonzero(answer.candidate[1] >= 0), [*TRUNK_AND_LEGS])
    assert np.linalg.norm(answer.points[1] - points[1], axis=-1)[TRUNK_AND_LEGS].max() < 0.55


def test_an_arm_alone_is_nobody() -> None:
    points, _ = row(3, 1)
    visible = np.zeros((1, J), bool)
    visible[0, [JOINTS.index(f"left_{part}") for part in ("shoulder", "elbow", "wrist")]] = True
    assert len(found(points, visible).points) == 0


def unlinked(points: FloatArray, links: list[tuple[int, int]]) -> association.Assembly:
    """The people of perfect maps in which some links are missing."""
    visible = inside(points)
    peaks = association.find_peaks(targets.heatmaps(points, visible, SHAPE))
    integrals = association.line_integrals(targets.affinity_fields(points, visible, SHAPE), peaks.points)
    integrals[[LINKS.index(link) for link in links]] = 0.0
    return association.assemble(peaks, integrals)


WAIST = [*SHORTCUTS, (JOINTS.index("chest"), JOINTS.index("pelvis"))]


@pytest.mark.parametrize("seed", range(8))
def test_a_body_whose_halves_no_link_joins_is_one_person_not_two(seed: int) -> None:
    points, _ = row(seed, 2)
    answer = unlinked(points, WAIST)
    assert len(answer.points) == 2
    assert right(in_order(answer.points, points), points, inside(points)).all()


def test_halves_that_stand_apart_are_two_people() -> None:
    points, _ = row(1, 1)
    points[:, TRUNK_AND_LEGS[:-1], 0] += 25.0  # all but the chest
    answer = unlinked(points, WAIST)
    assert len(answer.points) == 2
    assert (answer.candidate[:, NECK] >= 0).tolist() == [True, False]


def test_legs_are_found_although_pelvis_and_chest_are_hidden() -> None:
    points, _ = row(0, 1)
    visible = inside(points)
    visible[0, [JOINTS.index("pelvis"), JOINTS.index("chest")]] = False
    answer = found(points, visible)
    assert answer.candidate[0, JOINTS.index("left_ankle")] >= 0


def test_an_empty_picture_holds_nobody() -> None:
    answer = association.people_of(np.zeros((J, *SHAPE)), np.zeros((len(LINKS), 2, *SHAPE)))
    assert answer.points.shape == (0, J, 2)


def test_a_person_larger_than_the_frame_keeps_what_is_inside() -> None:
    points, _ = row(1, 1)
    middle = points[:, NECK : NECK + 1]
    points = middle + 3 * (points - middle)
    visible = inside(points)
    assert 1 < visible.sum() < J
    assert right(found(points, visible).points, points, visible).all()


def test_the_best_pair_is_matched_first() -> None:
    assert association.matched(np.array([[0.9, 0.8], [0.85, 0.0]])) == [(0, 0)]
    assert association.matched(np.array([[0.5, 0.8], [0.6, 0.7]])) == [(0, 1), (1, 0)]


def test_two_peaks_of_a_joint_stay_as_high_as_one() -> None:
    points = np.full((2, J, 2), 20.0)
    points[1] += 3.0
    maps = targets.heatmaps(points, np.ones((2, J), bool), SHAPE)
    assert maps.max() == 1.0 and (maps[:, 20, 20] == 1.0).all() and (maps[:, 23, 23] == 1.0).all()


def test_a_field_points_from_the_joint_to_its_parent() -> None:
    points, _ = row(2, 1)
    fields = targets.affinity_fields(points, inside(points), SHAPE)
    for link, (joint, parent) in enumerate(LINKS):
        middle = np.rint((points[0, joint] + points[0, parent]) / 2).astype(int)
        way = points[0, parent] - points[0, joint]
        np.testing.assert_allclose(fields[link, :, middle[1], middle[0]], way / np.linalg.norm(way), atol=1e-5)


@pytest.mark.parametrize("pixel", [0.0, 7.0, 3.5, 511.0])
def test_cells_and_pixels_undo_each_other(pixel: float) -> None:
    assert targets.to_pixels(targets.to_cells(np.array([pixel]))) == pytest.approx(pixel)
    assert targets.to_cells(np.array([3.5])) == pytest.approx(0.0)  # the middle of the first eight pixels
