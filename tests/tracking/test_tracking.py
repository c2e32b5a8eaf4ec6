"""Identities: drawn figures of known identity walk, cross, hide, leave and return; the histograms are the real ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stage import BLUE, DARK_RED, FPS, GREEN, HEIGHT, NAMES, RED, SHAPE_PX, WIDTH, Colour, Figure, Stage, detect, draw

from posewire import camera
from posewire.data import Detections, Frame
from posewire.errors import SettingsError
from posewire.tracking import Tracker, TrackSettings, appearance, association


def crossing(a: Colour, b: Colour, hidden: float) -> list[tuple[Figure, Figure]]:
    """a walks right, b walks left, b in front; a is missed while the two are nearer than `hidden` px. 3 s."""
    frames: list[tuple[Figure, Figure]] = []
    for x in np.linspace(100, 540, 90):
        frames.append((Figure(x, 60, a, seen=abs(2 * x - 640) >= hidden), Figure(640 - x, 64, b)))
    return frames


LOOKS = [(RED, BLUE), (RED, DARK_RED), (RED, RED)]


@pytest.mark.parametrize("hidden", [0, 60])
@pytest.mark.parametrize("shirts", LOOKS, ids=["different", "similar", "same"])
def test_crossing_people_keep_their_ids(shirts: tuple[Colour, Colour], hidden: float) -> None:
    stage = Stage(2)
    for a, b in crossing(*shirts, hidden):
        tracks = stage.show(a, b)
        last = stage.who_is_at(tracks, a), stage.who_is_at(tracks, b)
        if stage.index == 1:
            first = last
    assert last == first
    assert set(first) == {1, 2}


def test_nobody_swaps_on_any_frame_of_a_crossing() -> None:
    stage = Stage(2)
    seen: set[tuple[int | None, int | None]] = set()
    for a, b in crossing(RED, BLUE, 0):
        tracks = stage.show(a, b)
        if abs(a.x - b.x) > 20:  # nearer than that, the nearest track says nothing
            seen.add((stage.who_is_at(tracks, a), stage.who_is_at(tracks, b)))
    assert len(seen) == 1


@pytest.mark.parametrize("away_s", [0.3, 2.0, 20.0])
def test_a_person_who_leaves_and_returns_keeps_the_id(away_s: float) -> None:
    stage = Stage(1)
    for x in range(300, 600, 10):
        assert [track.person_id for track in stage.show(Figure(x, 60, RED))] == [1]
    for _ in range(round(away_s * FPS)):
        assert stage.show() == []
    returned = [[track.person_id for track in stage.show(Figure(x, 60, RED))] for x in range(50, 100, 10)]
    assert returned == [[1]] * 5


def test_another_person_in_the_place_of_the_first_gets_a_new_id() -> None:
    stage = Stage(1)
    for _ in range(30):
        stage.show(Figure(300, 60, RED))
    for _ in range(60):
        stage.show()
    assert {track.person_id for _ in range(10) for track in stage.show(Figure(300, 60, GREEN))} == {2}


def test_two_people_of_known_looks_are_recognised_in_swapped_places() -> None:
    stage = Stage(2)
    for _ in range(20):
        tracks = stage.show(left := Figure(150, 60, RED), right := Figure(450, 60, BLUE))
    before = stage.who_is_at(tracks, left), stage.who_is_at(tracks, right)
    for _ in range(90):
        stage.show()
    tracks = stage.show(left := Figure(150, 60, BLUE), right := Figure(450, 60, RED))
    assert (stage.who_is_at(tracks, right), stage.who_is_at(tracks, left)) == before


def test_full_occlusion_for_two_seconds_keeps_both_ids() -> None:
    stage = Stage(2)
    for x in range(100, 300, 4):
        tracks = stage.show(Figure(x, 60, RED), Figure(320, 60, BLUE))
    before = stage.who_is_at(tracks, Figure(296, 60, RED)), stage.who_is_at(tracks, Figure(320, 60, BLUE))
    for _ in range(60):
        assert len(stage.show(Figure(320, 60, RED, seen=False), Figure(320, 60, BLUE))) == 1
    for x in range(350, 450, 4):
        tracks = stage.show(a := Figure(x, 60, RED), b := Figure(320, 60, BLUE))
    assert (stage.who_is_at(tracks, a), stage.who_is_at(tracks, b)) == before


def test_row_order_does_not_matter() -> None:
    figures = [Figure(100 + 120 * i, 60, shirt) for i, shirt in enumerate((RED, BLUE, GREEN, RED))]
    stage = Stage(4)  # detect() shuffles the rows of every frame
    seen: set[tuple[int | None, ...]] = set()
    for _ in range(40):
        tracks = stage.show(*figures)
        seen.add(tuple(stage.who_is_at(tracks, figure) for figure in figures))
    assert len(seen) == 1
    assert sorted(map(str, seen.pop())) == ["1", "2", "3", "4"]


def test_a_missing_person_is_not_returned() -> None:
    stage = Stage(2)
    stage.show(Figure(100, 60, RED), Figure(400, 60, BLUE))
    assert len(stage.show(Figure(100, 60, RED))) == 1


def test_a_doubtful_newcomer_waits_three_frames() -> None:
    stage = Stage(1)
    counts = [len(stage.show(Figure(300, 60, RED), confidence=0.3)) for _ in range(5)]
    assert counts == [0, 0, 1, 1, 1]


def test_a_flicker_is_never_born() -> None:
    stage = Stage(1)
    assert all(stage.show(*([Figure(300, 60, RED)] if i % 2 else []), confidence=0.3) == [] for i in range(20))


def test_known_people_come_before_newcomers() -> None:
    stage = Stage(2)
    known = Figure(100, 60, RED), Figure(250, 60, BLUE)
    stage.show(*known)
    for _ in range(10):
        tracks = stage.show(*known, Figure(500, 60, GREEN))
        assert [track.person_id for track in tracks] == [1, 2]


def test_a_cut_to_somebody_else_is_followed_within_five_frames() -> None:
    stage = Stage(1)
    for _ in range(30):
        stage.show(Figure(100, 60, RED))
    seen = [[track.person_id for track in stage.show(Figure(500, 100, GREEN))] for _ in range(5)]
    assert seen[-1] == [2]


@pytest.mark.parametrize("jump_s", [-5.0, 100.0])
def test_a_jump_of_the_clock_keeps_the_id_of_a_known_look(jump_s: float) -> None:
    stage = Stage(1)
    for _ in range(10):
        stage.show(Figure(100, 60, RED))
    stage.time_s += jump_s
    assert [[track.person_id for track in stage.show(Figure(500, 60, RED))] for _ in range(3)] == [[1]] * 3


def test_nobody_jumps_across_a_picture_that_was_not_cut() -> None:
    stage = Stage(3)
    for _ in range(20):
        stage.show(Figure(100, 60, BLUE), Figure(200, 60, RED))
    alike = stage.show(Figure(100, 60, BLUE), Figure(560, 60, RED))
    assert [track.person_id for track in alike if track.keypoints_px[:, 0].mean() > 400] != [2]


def test_the_same_body_seen_twice_is_one_person() -> None:
    stage = Stage(4)
    for _ in range(10):
        tracks = stage.show(Figure(300, 60, RED), Figure(301, 60, RED))
    assert len(tracks) == 1


def test_slow_frame_rates_keep_the_id() -> None:
    stage = Stage(1)
    for x in range(100, 500, 60):
        assert [track.person_id for track in stage.show(Figure(x, 60, RED))] == [1]
        stage.time_s += 1.0


def test_a_one_pixel_picture_still_tracks() -> None:
    tracker, noise = Tracker(NAMES), np.random.default_rng(0)
    for index in range(5):
        frame = Frame(np.zeros((1, 1, 3), np.uint8), index / FPS, index, camera.assumed(1, 1))
        tracks = tracker.update(detect([Figure(300, 60, RED)], noise), frame)
        assert [track.person_id for track in tracks] == [1]
        assert tracks[0].appearance is None


def test_a_method_without_torso_keypoints_still_tracks() -> None:
    tracker, noise = Tracker(tuple(f"point_{i}" for i in range(len(NAMES)))), np.random.default_rng(0)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for index in range(5):
        tracks = tracker.update(
            detect([Figure(300, 60, RED)], noise), Frame(image, index / FPS, index, camera.assumed(WIDTH, HEIGHT))
        )
        assert [track.person_id for track in tracks] == [1]


def test_rows_without_any_keypoint_are_nobody() -> None:
    nothing = Detections(np.full((3, len(NAMES), 2), np.nan), np.zeros((3, len(NAMES))), np.full((3, 4), np.nan))
    tracker = Tracker(NAMES, TrackSettings(max_people=3))
    for index in range(5):
        frame = Frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), index / FPS, index, camera.assumed(WIDTH, HEIGHT))
        assert tracker.update(nothing, frame) == []


def test_a_hundred_people_at_once_keep_their_ids() -> None:
    tracker = Tracker(("nose", "left_wrist", "right_wrist"), TrackSettings(max_people=100))
    places_px = np.stack(np.meshgrid(np.arange(30, 430, 40), np.arange(30, 630, 60)), axis=-1).reshape(-1, 1, 2)
    keypoints_px = places_px + np.array([[0.0, 0.0], [-10.0, 20.0], [10.0, 20.0]])
    boxes_px = np.concatenate([keypoints_px.min(axis=1), keypoints_px.max(axis=1)], axis=1)
    crowd = Detections(keypoints_px, np.full(keypoints_px.shape[:2], 0.9), boxes_px)
    view = camera.assumed(460, 660)
    for index in range(4):
        tracks = tracker.update(crowd, Frame(np.zeros((660, 460, 3), np.uint8), index / FPS, index, view))
        assert {track.person_id for track in tracks} == set(range(1, 101))
    assert tracker.known == frozenset(range(1, 101))


def test_max_people_must_be_positive() -> None:
    with pytest.raises(SettingsError, match="1 or more"):
        TrackSettings(max_people=0)


Row = tuple[float, float, bool]
"""Horizontal place, confidence, half hidden."""
ROW = st.tuples(st.floats(-200, 800), st.floats(0, 1), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(ROW, max_size=4), st.floats(-3, 3)), max_size=12), st.integers(1, 3))
def test_whatever_comes_ids_are_unique_in_a_frame_and_limited(script: list[tuple[list[Row], float]], people: int) -> None:
    tracker, time_s, highest = Tracker(NAMES, TrackSettings(max_people=people)), 0.0, 0
    image = np.zeros((90, 160, 3), np.uint8)
    for index, (rows, step_s) in enumerate(script):
        time_s += step_s
        keypoints = np.array([SHAPE_PX + np.array([x, 0.0]) for x, _, _ in rows]).reshape(-1, len(NAMES), 2)
        confidence = np.array([np.full(len(NAMES), c) for _, c, _ in rows]).reshape(-1, len(NAMES))
        for row, (_, _, hidden) in enumerate(rows):
            keypoints[row, 3:] = np.nan if hidden else keypoints[row, 3:]
        boxes = np.full((len(rows), 4), np.nan)
        tracks = tracker.update(Detections(keypoints, confidence, boxes), Frame(image, time_s, index, camera.assumed(160, 90)))
        ids = [track.person_id for track in tracks]
        assert ids == sorted(set(ids))
        assert len(ids) <= min(people, len(rows))
        fresh = [value for value in ids if value > highest]
        assert fresh == list(range(highest + 1, highest + 1 + len(fresh)))
        highest += len(fresh)


# ---- the parts


def test_histogram_sums_to_one_and_tells_shirts_apart() -> None:
    noise = np.random.default_rng(3)
    looks = {}
    for shirt in (RED, BLUE, GREEN):
        for x in (200, 400):
            figure = Figure(x, 60, shirt)
            corners = figure.keypoints_px[[NAMES.index(name) for name in appearance.TORSO_NAMES]]
            looks[shirt, x] = appearance.torso_histogram(draw([figure], noise), corners)
            assert looks[shirt, x].shape == (appearance.BINS**2,)
            assert looks[shirt, x].sum() == pytest.approx(1.0)
    assert appearance.dissimilarity(looks[RED, 200], looks[RED, 400]) < 0.2
    assert appearance.dissimilarity(looks[RED, 200], looks[BLUE, 200]) > 0.8
    assert appearance.dissimilarity(looks[GREEN, 200], looks[BLUE, 200]) > 0.8


def test_red_is_continuous_across_the_end_of_the_hue_circle() -> None:
    corners = np.array([[20.0, 20], [80, 20], [80, 80], [20, 80]])
    images = [cv2.cvtColor(np.full((100, 100, 3), (hue, 200, 200), np.uint8), cv2.COLOR_HSV2RGB) for hue in (1, 178, 90)]
    first, across, other = (appearance.torso_histogram(image, corners) for image in images)
    assert appearance.dissimilarity(first, across) < appearance.dissimilarity(first, other) - 0.2


def test_background_beside_a_leaning_torso_does_not_count() -> None:
    corners = np.array([[100.0, 40], [120, 60], [60, 120], [40, 100]])  # a diagonal torso
    shirt = np.zeros((160, 160, 3), np.uint8)
    cv2.fillConvexPoly(shirt, np.array([[97, 28], [132, 63], [63, 132], [28, 97]], np.int32), RED)
    on_green, on_blue = shirt.copy(), shirt.copy()
    on_green[(shirt == 0).all(axis=2)] = GREEN
    on_blue[(shirt == 0).all(axis=2)] = BLUE
    assert (
        appearance.dissimilarity(appearance.torso_histogram(on_green, corners), appearance.torso_histogram(on_blue, corners))
        < 0.2
    )


@given(st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=8, max_size=8))
@settings(max_examples=200, deadline=None)
def test_a_torso_anywhere_gives_a_histogram_or_none(values: list[float]) -> None:
    histogram = appearance.torso_histogram(np.full((40, 30, 3), 90, np.uint8), np.array(values).reshape(4, 2))
    assert histogram is None or histogram.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("aside_px", [(0.0, -200.0), (0.0, 200.0), (-200.0, 0.0), (200.0, 0.0)])
def test_clothes_beside_the_picture_have_no_look(aside_px: tuple[float, float]) -> None:
    image, names = np.full((40, 30, 3), 90, np.uint8), (*appearance.TORSO_NAMES, "left_knee", "left_ankle")
    body_px = np.array([[20.0, 2.0], [5.0, 2.0], [7.0, 15.0], [18.0, 15.0], [18.0, 25.0], [18.0, 35.0]])
    clothes = appearance.Clothes.of(names)
    assert clothes.look(image, body_px) is not None
    assert clothes.look(image, body_px + aside_px) is None


def test_dissimilarity_is_a_bounded_metric_on_histograms() -> None:
    a, b = np.random.default_rng(1).dirichlet(np.ones(900), size=2)
    assert appearance.dissimilarity(a, a) == pytest.approx(0.0, abs=1e-6)
    assert appearance.dissimilarity(a, b) == appearance.dissimilarity(b, a)
    assert appearance.dissimilarity(np.eye(900)[0], np.eye(900)[1]) == 1.0
    assert np.isnan(appearance.dissimilarity(a, None))


def test_2d_distance_is_relative_to_the_body_and_needs_three_keypoints() -> None:
    people = np.zeros((1, 5, 2))
    near = np.stack([people[0] + [30.0, 40.0], np.zeros((5, 2))])
    near[1, 2:] = np.nan
    distance = association.distance_2d(people, near, np.array([100.0]))
    assert distance[0, 0] == pytest.approx(0.5)
    assert np.isnan(distance[0, 1])


def test_3d_distance_ignores_where_the_root_is() -> None:
    pose = np.random.default_rng(2).normal(size=(1, 6, 3))
    assert association.distance_3d(pose, pose + 5.0) == pytest.approx(0.0, abs=1e-12)
    assert association.distance_3d(pose, 2.0 * pose)[0] > 0.1
    pose[0, 2:] = np.nan
    assert np.isnan(association.distance_3d(pose, pose)).all()


def test_unknown_terms_leave_the_mean() -> None:
    cost = association.weighted_mean((1.0, np.array([[0.2, np.nan]])), (3.0, np.array([[np.nan, np.nan]])), shape=(1, 2))
    assert cost[0, 0] == pytest.approx(0.2)
    assert np.isnan(cost[0, 1])


def test_assignment_prefers_more_pairs_and_never_takes_a_forbidden_one() -> None:
    cost = np.array([[0.1, 0.9], [0.2, 0.3]])
    assert association.assign(cost, np.ones((2, 2), bool)) == [(0, 0), (1, 1)]
    assert association.assign(cost, np.array([[True, True], [True, False]])) == [(0, 1), (1, 0)]
    assert association.assign(cost, np.zeros((2, 2), bool)) == []
