"""People whom the trunk says itself: their peaks come from their centres, and all else as without. No network, no torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xnect_scenes import SHAPE, inside, row

from posewire_data.joints import JOINTS
from posewire_xnect import association, targets
from posewire_xnect.association import Assembly, Peaks
from posewire_xnect.centres import JOINTS_TO_BEGIN, Centres, claimed
from posewire_xnect.skeleton import LINKS, NECK, J
from posewire_xnect.targets import BoolArray, FloatArray

K = association.CANDIDATES
BODY = row(1, 1)[0][0]
"""(J, 2) cells: somebody in the middle of the maps."""
SPREAD = float(np.sqrt(((BODY - BODY.mean(axis=0)) ** 2).sum(axis=1).mean()))
"""Cells: root mean square distance from its middle."""


def aside(spreads: float) -> FloatArray:
    """The same body to the right."""
    return BODY + np.array([spreads * SPREAD, 0.0])


def peaks_of(points: FloatArray, scores: FloatArray | float = 0.9) -> Peaks:
    """One of each joint of each of the people (P, J, 2), in their order, NaN = hidden; scores (P,)."""
    found = Peaks(np.zeros((J, K, 2)), np.zeros((J, K)))
    seen = np.isfinite(points[..., 0]).T
    found.points[:, : len(points)] = np.nan_to_num(points).swapaxes(0, 1)
    found.scores[:, : len(points)] = seen * np.broadcast_to(scores, len(points))
    return found


def centres_of(points: FloatArray, scores: list[float]) -> Centres:
    """As a trunk says them: as many as there can be, those with 0 are nobody."""
    known = Centres(np.zeros(K), np.zeros((K, J, 2)))
    known.scores[: len(scores)], known.points[: len(scores)] = scores, points
    return known


def parts_of(points: FloatArray, visible: BoolArray) -> tuple[Peaks, FloatArray]:
    """What perfect maps say."""
    peaks = association.find_peaks(targets.heatmaps(points, visible, SHAPE))
    return peaks, association.line_integrals(targets.affinity_fields(points, visible, SHAPE), peaks.points)


def without_links() -> FloatArray:
    return np.zeros((len(LINKS), K, K))


def same(one: Assembly, other: Assembly) -> None:
    for name in ("points", "confidence", "candidate"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_two_people_who_hide_their_necks_are_told_apart_by_their_centres() -> None:
    points = np.stack([BODY, aside(0.6)])
    points[:, NECK] = np.nan
    guesses = np.stack([aside(-0.1), aside(0.7)]) + 0.2
    answer = association.assemble(peaks_of(points), without_links(), centres_of(guesses, [0.5, 0.6]))
    np.testing.assert_array_equal(answer.points, points[::-1])  # the surer first
    assert (answer.confidence[:, NECK] == 0).all()
    assert len(association.assemble(peaks_of(points), without_links()).points) == 0


def test_the_surer_centre_chooses_first_and_a_peak_is_one_person_s() -> None:
    guesses = np.stack([BODY, aside(0.8)])
    between = peaks_of(aside(0.4)[None])
    assert claimed(between.points, between.scores, centres_of(guesses, [0.3, 0.8])).tolist() == [
        [0] * J
    ]  # nothing is left for the other
    own = peaks_of(guesses)
    assert claimed(own.points, own.scores, centres_of(guesses, [0.3, 0.8])).tolist() == [[1] * J, [0] * J]
    assert claimed(own.points, own.scores, centres_of(guesses, [0.8, 0.3])).tolist() == [[0] * J, [1] * J]


def test_of_two_peaks_within_reach_the_nearer_is_taken_unless_the_other_is_much_higher() -> None:
    for scores, expected in (((0.5, 0.6), 0), ((0.3, 0.9), 1)):
        peaks = peaks_of(np.stack([aside(0.1), aside(-0.5)]), np.array(scores))
        assert claimed(peaks.points, peaks.scores, centres_of(BODY[None], [0.5])).tolist() == [[expected] * J]


def test_a_peak_out_of_reach_is_not_claimed_and_reach_grows_with_the_person() -> None:
    middle = BODY.mean(axis=0)
    for size in (1.0, 0.25):
        body = middle + size * (BODY - middle)
        for off, is_claimed in ((0.5, True), (1.2, False)):
            moved = body.copy()
            moved[0, 0] += off * np.sqrt(((body - body.mean(axis=0)) ** 2).sum(axis=1).mean())
            peaks = peaks_of(moved[None])
            people = claimed(peaks.points, peaks.scores, centres_of(body[None], [0.5]))
            assert (people[0, 0] == 0) == is_claimed and (people[0, 1:] == 0).all()


def test_two_centres_with_nearly_the_same_guesses_are_one_person() -> None:
    peaks = peaks_of(np.stack([BODY, aside(0.45)]))  # another could begin from the second peaks
    for spreads, people in ((0.4, 1), (0.6, 2)):
        known = centres_of(np.stack([BODY, aside(spreads)]), [0.6, 0.5])
        assert len(claimed(peaks.points, peaks.scores, known)) == people


@pytest.mark.parametrize("count", [JOINTS_TO_BEGIN - 1, JOINTS_TO_BEGIN])
def test_who_shows_fewer_than_four_joints_does_not_begin(count: int) -> None:
    points = np.full((1, J, 2), np.nan)
    points[0, :count] = BODY[:count]
    peaks = peaks_of(points)
    assert len(claimed(peaks.points, peaks.scores, centres_of(BODY[None], [0.9]))) == (count >= JOINTS_TO_BEGIN)


def test_peaks_of_a_centre_that_begins_nobody_are_free_for_growth() -> None:
    points = BODY[None].copy()
    visible = np.zeros((1, J), bool)
    visible[0, [NECK, *(JOINTS.index(f"left_{part}") for part in ("shoulder", "elbow"))]] = True
    peaks, integrals = parts_of(points, visible)
    known = centres_of(points, [0.9])
    assert claimed(peaks.points, peaks.scores, known).shape == (0, J)
    answer = association.assemble(peaks, integrals, known)
    np.testing.assert_array_equal(answer.candidate[0] >= 0, visible[0])
    same(answer, association.assemble(peaks, integrals))


def test_a_joint_that_its_centre_did_not_claim_is_grown_along_the_links() -> None:
    points, visible = BODY[None], inside(BODY[None])
    peaks, integrals = parts_of(points, visible)
    wrist = JOINTS.index("left_wrist")
    guess = BODY.copy()
    guess[wrist] += 15.0
    known = centres_of(guess[None], [0.7])
    assert claimed(peaks.points, peaks.scores, known)[0, wrist] == -1
    answer = association.assemble(peaks, integrals, known)
    assert len(answer.points) == 1
    assert np.linalg.norm(answer.points[0, wrist] - BODY[wrist]) < 0.55


def test_who_has_no_centre_begins_at_the_neck_beside_who_has_one() -> None:
    points, _ = row(3, 3)
    visible = inside(points)
    peaks, integrals = parts_of(points, visible)
    necks = [int(np.linalg.norm(peaks.points[NECK] - own[NECK], axis=-1).argmin()) for own in points]
    answer = association.assemble(peaks, integrals, centres_of(points[1:2], [0.4]))
    assert answer.candidate[0, NECK] == necks[1]
    assert sorted(answer.candidate[:, NECK].tolist()) == sorted(necks)


def test_a_knee_that_the_fields_give_to_another_stays_with_whose_centre_reaches_for_it() -> None:
    points, _ = row(3, 2)
    peaks, integrals = parts_of(points, inside(points))
    knee = JOINTS.index("left_knee")
    link = LINKS.index((knee, JOINTS.index("left_hip")))
    integrals[link, [0, 1]] = integrals[link, [1, 0]]
    gaps: list[float] = []
    for known in (None, centres_of(points, [0.5, 0.4])):
        people = association.assemble(peaks, integrals, known).points
        own = people[[int(np.linalg.norm(people[:, NECK] - body[NECK], axis=-1).argmin()) for body in points]]
        gaps.append(float(np.linalg.norm(own[:, knee] - points[:, knee], axis=-1).max()))
    assert gaps[0] > 3.0 and gaps[1] < 0.55


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_centres_that_are_nobody_change_nothing(seed: int, people: int) -> None:
    points, _ = row(seed, people)
    peaks, integrals = parts_of(points, inside(points))
    same(association.assemble(peaks, integrals, centres_of(points, [0.0] * people)), association.assemble(peaks, integrals))


def test_an_empty_picture_holds_nobody_whatever_its_centres_say() -> None:
    peaks = Peaks(np.zeros((J, K, 2)), np.zeros((J, K)))
    for known in (centres_of(np.zeros((0, J, 2)), []), centres_of(np.zeros((1, J, 2)), [0.9])):
        answer = association.assemble(peaks, without_links(), known)
        assert answer.points.shape == (0, J, 2) and answer.candidate.shape == (0, J)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0.0, 6.0), st.integers(0, 8))
def test_no_peak_is_owned_twice_and_nobody_owns_what_is_no_peak(seed: int, people: int, noise: float, more: int) -> None:
    rng = np.random.default_rng(seed)
    points, _ = row(seed, people)
    peaks, integrals = parts_of(points, inside(points) & (rng.random((people, J)) > 0.2))
    guesses = np.concatenate([points, points[rng.integers(0, people, more)]])
    known = centres_of(guesses + rng.normal(0.0, noise, guesses.shape), rng.random(len(guesses)).tolist())
    began = claimed(peaks.points, peaks.scores, known)
    assert ((began >= 0).sum(axis=1) >= JOINTS_TO_BEGIN).all()
    for owned in (began, association.assemble(peaks, integrals, known).candidate):
        for joint in range(J):
            own = owned[owned[:, joint] >= 0, joint]
            assert len(set(own.tolist())) == len(own) and (peaks.scores[joint, own] > 0).all()
