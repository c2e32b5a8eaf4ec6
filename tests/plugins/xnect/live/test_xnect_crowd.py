"""Who is told of: no ghosts, nobody twice, the most prominent, those who were told of before."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import row

from posewire_data.joints import JOINTS
from posewire_xnect.crowd import DOUBTED, EVERY, STILL_SURE, SURE, Crowd, without_strays
from posewire_xnect.people import People
from posewire_xnect.skeleton import NECK, J
from posewire_xnect.targets import BoolArray, FloatArray, to_pixels

FAINT = 0.5 * (STILL_SURE + SURE) / 0.8
"""So much of the confidence of `people` keeps somebody and brings nobody."""


def people(seed: int, count: int, confidence: float = 0.8) -> People:
    points, _ = row(seed, count)
    return People(to_pixels(points), np.full((count, J), confidence), np.zeros((count, J, 3 * J)))


def together(*groups: People) -> People:
    names = ("points_px", "confidence", "encodings")
    return People(*(np.concatenate([getattr(group, name) for group in groups]) for name in names))


def moved(found: People, x_px: float, y_px: float = 0.0, confidence: float = 1.0) -> People:
    return People(found.points_px + np.array([x_px, y_px]), confidence * found.confidence, found.encodings)


def only(found: People, joints: list[int]) -> People:
    """The same people with no other joints."""
    rest = np.setdiff1d(np.arange(J), joints)
    points_px, confidence = found.points_px.copy(), found.confidence.copy()
    points_px[:, rest], confidence[:, rest] = np.nan, 0.0
    return People(points_px, confidence, found.encodings)


def necks(found: People) -> FloatArray:
    return found.points_px[:, NECK]


def never(found: People) -> BoolArray:
    """A second look that sees nobody again."""
    return np.zeros(len(found.confidence), bool)


def test_everybody_is_told_of_where_there_is_room() -> None:
    found = people(0, 5)
    assert sorted(necks(Crowd(5).choose(found, never))[:, 0]) == sorted(necks(found)[:, 0])


@pytest.mark.parametrize("joints", [[NECK], [NECK, 9], [NECK, 9, 10]])
def test_a_neck_and_little_else_is_a_ghost(joints: list[int]) -> None:
    assert len(Crowd(9).choose(only(people(0, 2), joints), never).confidence) == 0


def test_a_head_and_shoulders_are_somebody() -> None:
    assert len(Crowd(9).choose(only(people(0, 2), [NECK, 9, 10, 11, 14]), never).confidence) == 2


def test_who_hides_the_neck_must_show_five_joints() -> None:
    whole = people(0, 2)
    assert len(Crowd(9).choose(only(whole, [0, 1, 2, 3]), never).confidence) == 0
    assert len(Crowd(9).choose(only(whole, [0, 1, 2, 3, 4]), never).confidence) == 2


def test_who_was_told_of_stays_while_the_neck_is_hidden_and_seen_faintly() -> None:
    crowd, clear = Crowd(9), people(0, 2)
    crowd.choose(clear, never)
    hidden = only(moved(clear, 3.0, confidence=FAINT), [joint for joint in range(J) if joint != NECK])
    assert len(crowd.choose(hidden, never).confidence) == 2
    assert len(crowd.choose(hidden, never).confidence) == 2
    assert len(Crowd(9).choose(hidden, never).confidence) == 0


def test_who_is_seen_faintly_is_nobody() -> None:
    assert len(Crowd(9).choose(people(0, 2, confidence=0.22), never).confidence) == 0


def test_a_second_view_of_part_of_a_body_is_left_out() -> None:
    whole = people(1, 3)
    first = People(whole.points_px[:1], whole.confidence[:1], whole.encodings[:1])
    part = only(moved(first, 4.0, 4.0), [NECK, 9, 10, 11, 12])
    assert len(Crowd(9).choose(together(part, whole), never).confidence) == 3


def test_two_people_side_by_side_are_two() -> None:
    one = people(1, 1)
    size_px = np.ptp(one.points_px[0], axis=0).max()
    other = moved(one, 0.2 * size_px)
    assert len(Crowd(9).choose(together(one, other), never).confidence) == 2


def test_the_largest_and_clearest_is_told_of_first() -> None:
    found = people(0, 1)
    middle = found.points_px.mean(axis=1, keepdims=True)
    small = moved(People(middle + 0.5 * (found.points_px - middle), found.confidence, found.encodings), 200.0)
    faint = moved(found, -200.0, confidence=0.7)
    chosen = Crowd(1).choose(together(small, faint, found), never)
    np.testing.assert_allclose(necks(chosen), necks(found))


def test_who_was_told_of_stays_while_somebody_clearer_comes_until_reset() -> None:
    first, crowd = people(0, 1, confidence=0.6), Crowd(1)
    crowd.choose(first, never)
    clearer = moved(first, 220.0, confidence=1.5)
    a_step_on = moved(first, 6.0, 3.0)
    np.testing.assert_allclose(necks(crowd.choose(together(clearer, a_step_on), never)), necks(a_step_on))
    crowd.reset()
    np.testing.assert_allclose(necks(crowd.choose(together(clearer, a_step_on), never)), necks(clearer))


def test_who_was_told_of_stays_while_seen_faintly_but_nobody_comes_so() -> None:
    crowd, clear = Crowd(9), people(0, 2)
    faint = moved(clear, 3.0, confidence=FAINT)
    assert len(crowd.choose(faint, never).confidence) == 0
    crowd.choose(clear, never)
    np.testing.assert_allclose(necks(crowd.choose(faint, never)), necks(crowd.choose(moved(clear, 3.0), never)))
    assert len(crowd.choose(moved(clear, 3.0, confidence=0.7 * FAINT), never).confidence) == 0


def test_one_former_person_keeps_one_place_not_two() -> None:
    crowd = Crowd(2)
    first = people(0, 1)
    crowd.choose(first, never)
    beside = moved(first, 30.0, confidence=0.7)
    apart = moved(first, 250.0)
    chosen = crowd.choose(together(beside, first, apart), never)
    assert sorted(necks(chosen)[:, 0]) == sorted([necks(first)[0, 0], necks(apart)[0, 0]])


def test_nobody_is_nobody() -> None:
    crowd = Crowd(3)
    crowd.choose(people(0, 2), never)
    empty = People(np.empty((0, J, 2)), np.empty((0, J)), np.empty((0, J, 3 * J)))
    assert len(crowd.choose(empty, never).confidence) == 0
    assert len(crowd.choose(people(0, 2), never).confidence) == 2


def test_a_bone_that_leads_to_somebody_else_is_cut_and_what_lies_beyond_goes_with_it() -> None:
    found = people(0, 2)
    elbow, wrist = JOINTS.index("left_elbow"), JOINTS.index("left_wrist")
    astray = found.points_px.copy()
    astray[0, [elbow, wrist]] += [400.0, 0.0]
    kept = without_strays(People(astray, found.confidence, found.encodings))
    assert np.isnan(kept.points_px[0, [elbow, wrist]]).all() and (kept.confidence[0, [elbow, wrist]] == 0).all()
    others = np.setdiff1d(np.arange(J), [elbow, wrist])
    np.testing.assert_array_equal(kept.points_px[0, others], found.points_px[0, others])
    np.testing.assert_array_equal(kept.points_px[1], found.points_px[1])


@pytest.mark.parametrize("seed", range(20))
def test_nobody_who_merely_moves_loses_a_joint(seed: int) -> None:
    found = people(seed, 4)
    assert (without_strays(found).confidence > 0).all()


class Looks:
    """A second look that sees everybody again, or only who stands left of a limit; keeps whom it was asked about."""

    def __init__(self, limit_px: float = np.inf) -> None:
        self.limit_px, self.asked = limit_px, list[list[float]]()

    def __call__(self, found: People) -> BoolArray:
        self.asked.append(necks(found)[:, 0].tolist())
        return necks(found)[:, 0] < self.limit_px


UNSURE = 0.5 * (DOUBTED + SURE)


def test_who_is_doubted_is_told_of_if_seen_again() -> None:
    unsure = people(0, 3, UNSURE)
    left_to_right = np.sort(necks(unsure)[:, 0])
    looks = Looks(limit_px=left_to_right[2])
    assert sorted(necks(Crowd(9).choose(unsure, looks))[:, 0]) == left_to_right[:2].tolist()
    assert len(Crowd(9).choose(people(0, 3, 0.9 * DOUBTED), looks).confidence) == 0
    assert [sorted(asked) for asked in looks.asked] == [left_to_right.tolist()]  # too faint to be asked about


def test_no_second_look_at_who_is_sure_or_is_somebody_sure_again() -> None:
    looks, clear = Looks(), people(0, 3)
    part = moved(only(clear, list(range(8))), 2.0, confidence=UNSURE / 0.8)
    assert len(Crowd(9).choose(together(clear, part), looks).confidence) == 3
    assert looks.asked == []


def test_after_the_first_picture_the_doubted_take_turns() -> None:
    crowd, unsure, looks = Crowd(9), people(0, 3, UNSURE), Looks(limit_px=-np.inf)
    for _ in range(1 + 3 * EVERY):
        assert len(crowd.choose(unsure, looks).confidence) == 0
    first, *later = looks.asked
    assert len(first) == 3 and [len(asked) for asked in later] == [1, 1, 1]
    assert sorted(one for (one,) in later) == sorted(first)
    crowd.reset()
    crowd.choose(unsure, looks)
    assert looks.asked[-1] == first


def test_who_was_seen_again_is_followed_without_further_looks() -> None:
    crowd, looks = Crowd(9), Looks()
    crowd.choose(people(0, 2, UNSURE), looks)
    for _ in range(2 * EVERY):
        assert len(crowd.choose(moved(people(0, 2), 1.0, confidence=FAINT), looks).confidence) == 2
    assert len(looks.asked) == 1


def test_no_second_look_where_there_is_no_room_for_anybody_more() -> None:
    looks = Looks()
    assert len(Crowd(2).choose(together(people(0, 2), moved(people(0, 2, UNSURE), 400.0)), looks).confidence) == 2
    assert looks.asked == []
