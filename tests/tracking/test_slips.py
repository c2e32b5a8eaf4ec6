"""A method that slips: to a part of the body, to another body, to nobody. The tracker must not believe it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stage import BLUE, DARK_RED, GREEN, ORANGE, RED, SHAPE_PX, Figure, Stage, detect

from posewire.tracking import association
from posewire.tracking.person import Person


def fragment_of(figure: Figure) -> Figure:
    """What a method sees that has slipped to the figure's shins."""
    return Figure(figure.x, figure.y + 150, figure.shirt, tall=0.25)


def test_a_body_that_shrinks_for_a_moment_is_not_shown_and_keeps_its_id() -> None:
    stage = Stage(2)
    left, right = Figure(100, 60, RED), Figure(400, 60, RED)
    ids = [[track.person_id for track in stage.show(left, fragment_of(right) if i == 15 else right)] for i in range(20)]
    assert ids[15] == [stage.who_is_at(stage.show(left, right), left)]
    assert ids[:15] + ids[16:] == [[1, 2]] * 19


def test_a_part_of_a_missing_body_gets_no_id_of_its_own() -> None:
    stage = Stage(3)
    other, body = Figure(100, 60, BLUE), Figure(400, 60, RED)
    before = [stage.show(other, body) for _ in range(10)][-1]
    slipped = [stage.show(other, fragment_of(body)) for _ in range(12)]
    after = stage.show(other, body)
    assert all(len(tracks) == 1 for tracks in slipped)
    assert [track.person_id for track in after] == [track.person_id for track in before] == [1, 2]


def test_a_part_of_a_body_in_view_gets_no_id_of_its_own_for_half_a_second() -> None:
    stage = Stage(3)
    body = Figure(400, 60, RED)
    stage.show(body)
    counts = [len(stage.show(body, fragment_of(body))) for _ in range(20)]
    assert counts[:14] == [1] * 14
    assert counts[-1] == 2, "who stays is somebody: a child in front of an adult"


def test_beside_others_even_a_clear_newcomer_waits_three_frames() -> None:
    stage = Stage(2)
    known, newcomer = Figure(100, 60, RED), Figure(400, 60, BLUE)
    stage.show(known)
    assert [len(stage.show(known, newcomer)) for _ in range(4)] == [1, 1, 2, 2]


def test_while_somebody_is_missing_a_newcomer_waits_eight_frames() -> None:
    stage = Stage(3)
    stays, missing, newcomer = Figure(100, 60, RED), Figure(300, 60, BLUE), Figure(500, 60, GREEN)
    stage.show(stays, missing)
    assert [len(stage.show(stays, newcomer)) for _ in range(9)] == [1] * 7 + [2] * 2


def test_people_of_the_first_frame_wait_for_nothing() -> None:
    assert len(Stage(3).show(Figure(100, 60, RED), Figure(300, 60, BLUE), Figure(500, 60, GREEN))) == 3


def test_a_lost_person_is_not_found_in_somebody_far_smaller() -> None:
    stage = Stage(3)
    stays, lost = Figure(100, 60, BLUE), Figure(300, 60, RED)
    for _ in range(20):
        stage.show(stays, lost)
    for _ in range(20):
        stage.show(stays)
    far = Figure(340, 60, RED, tall=0.3)
    for _ in range(8):
        tracks = stage.show(stays, far)
    assert sorted(track.person_id for track in tracks) == [1, 3]


@pytest.mark.parametrize("mixed", [(RED, BLUE), (GREEN, RED)], ids=["red-blue", "green-red"])
def test_a_track_that_slips_to_a_passer_by_is_handed_back(mixed: tuple[tuple[int, int, int], tuple[int, int, int]]) -> None:
    stage = Stage(2)
    stands, passes = Figure(400, 60, mixed[0]), Figure(100, 60, mixed[1])
    for _ in range(20):
        tracks = stage.show(stands, passes)
    first = stage.who_is_at(tracks, stands), stage.who_is_at(tracks, passes)
    for x in range(105, 390, 6):  # walks up unseen
        stage.show(stands, Figure(x, 60, mixed[1], seen=False))
    for x in range(390, 560, 5):  # the method leaves the one who stands and follows the one who passes
        passer = Figure(x, 60, mixed[1])
        tracks = stage.show(Figure(400, 60, mixed[0], seen=False), passer)
    assert stage.who_is_at(tracks, passer) == first[1]
    for _ in range(3):
        tracks = stage.show(stands, passer)
    assert (stage.who_is_at(tracks, stands), stage.who_is_at(tracks, passer)) == first


def test_two_swapped_tracks_are_swapped_back() -> None:
    stage = Stage(2)
    for _ in range(20):
        tracks = stage.show(left := Figure(200, 60, RED), right := Figure(300, 60, BLUE))
    first = stage.who_is_at(tracks, left), stage.who_is_at(tracks, right)
    for _ in range(40):  # they changed places between two frames, which no distance can tell
        tracks = stage.show(left := Figure(200, 60, BLUE), right := Figure(300, 60, RED))
    assert (stage.who_is_at(tracks, right), stage.who_is_at(tracks, left)) == first


def test_a_track_that_slips_to_a_thing_is_not_shown_and_the_person_is_found_again() -> None:
    stage, other = Stage(3), Figure(500, 60, BLUE)
    for x in range(100, 300, 5):
        tracks = stage.show(walks := Figure(x, 60, RED), other)
    first = stage.who_is_at(tracks, walks)
    thing = Figure(300, 70, GREEN, tall=0.8)
    for _ in range(40):  # looks are compared every half a second
        tracks = stage.show(thing, other)
    assert len(tracks) == 1
    for x in range(150, 200, 5):
        tracks = stage.show(back := Figure(x, 60, RED), thing, other)
    assert stage.who_is_at(tracks, back) == first
    assert len(tracks) == 2


def test_a_stranger_whom_a_track_slips_to_gets_an_id_when_walking_on() -> None:
    stage, other = Stage(3), Figure(560, 60, BLUE)
    for x in range(100, 200, 5):
        stage.show(Figure(x, 60, RED), other)
    for x in range(200, 400, 5):
        tracks = stage.show(stranger := Figure(x, 60, GREEN), other)
    assert stage.who_is_at(tracks, stranger) == 3


def test_other_lamps_make_nobody_a_stranger() -> None:
    stage = Stage(3)
    for _ in range(20):
        stage.show(left := Figure(100, 60, RED), right := Figure(400, 60, BLUE))
    for _ in range(40):
        tracks = stage.show(replace(left, shirt=GREEN), replace(right, shirt=(200, 200, 40)))
        assert [track.person_id for track in tracks] == [1, 2]


def test_two_alike_are_told_apart_when_the_difference_lasts() -> None:
    """A look of the one is as like the other's as two looks of one person may be: no single frame says who it is."""
    stage, shirts = Stage(3), ((70, 60, 150), (75, 60, 135))
    for _ in range(20):
        tracks = stage.show(stands := Figure(400, 60, shirts[0]), Figure(250, 60, shirts[1]))
    first = stage.who_is_at(tracks, stands), stage.who_is_at(tracks, Figure(250, 60, shirts[1]))
    for x in range(250, 390, 5):
        stage.show(stands, Figure(x, 60, shirts[1], seen=x < 370))
    wrong = 0
    for x in range(390, 590, 5):  # the method leaves the one who stands and follows the one who passes
        tracks = stage.show(replace(stands, seen=False), passer := Figure(x, 60, shirts[1]))
        wrong += stage.who_is_at(tracks, passer) == first[0]
    assert stage.who_is_at(tracks, passer) == first[1]
    assert wrong <= 5


def test_of_two_who_are_missing_the_likelier_returns() -> None:
    """Who was lost last, and near, is not taken at first sight while it may as well be the other."""
    stage, other = Stage(4), Figure(560, 60, GREEN)
    for _ in range(20):
        tracks = stage.show(likelier := Figure(240, 60, DARK_RED), nearer := Figure(330, 60, ORANGE), other)
    first = stage.who_is_at(tracks, likelier), stage.who_is_at(tracks, nearer)
    for _ in range(40):
        stage.show(nearer, other)
    for _ in range(2):
        stage.show(other)
    assert len(stage.show(Figure(285, 60, RED), other)) == 1, "half seen, as like the one as the other"
    for _ in range(10):
        tracks = stage.show(back := Figure(285, 60, DARK_RED), other)
        assert stage.who_is_at(tracks, back) in (None, first[0])
    assert stage.who_is_at(tracks, back) == first[0]


def test_who_was_seen_beside_somebody_is_not_that_somebody() -> None:
    stage = Stage(3)
    for _ in range(20):
        stage.show(Figure(100, 60, RED))
    for _ in range(2):
        stage.show(Figure(100, 60, RED), twin := Figure(210, 60, RED))
    for _ in range(20):
        tracks = stage.show(twin)
    assert stage.who_is_at(tracks, twin) == 2


def test_a_doubt_that_nothing_feeds_does_not_last() -> None:
    person = Person(detect([Figure(100, 60, RED)], np.random.default_rng(0)), 0, 0.0)
    person.suspect({2: 0.3}, drift=0.05)
    assert person.is_doubtful(0.1)
    for _ in range(4):
        person.fade(0.05)
    assert not person.is_doubtful(0.1)


def test_size_ratio_is_the_scale_and_does_not_mind_what_is_unseen() -> None:
    half = SHAPE_PX.copy()
    half[6:] = np.nan
    shown = np.stack([3.0 * SHAPE_PX + 50.0, 0.5 * SHAPE_PX, half])
    np.testing.assert_allclose(association.size_ratios(SHAPE_PX[None], shown), [[3.0, 0.5, 1.0]])


def test_size_ratio_is_unknown_with_two_keypoints_in_common() -> None:
    few = SHAPE_PX.copy()
    few[2:] = np.nan
    assert np.isnan(association.size_ratios(SHAPE_PX[None], few[None])).all()
