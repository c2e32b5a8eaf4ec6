"""The estimator around the network: found, followed, lost, found again; what goes in and what comes out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from vnect_dots import GIVEN, INPUTS, METADATA, BoxDetector, DotsSession, J, OneBody, frame, map_m, painted, standing_px

from posewire.data import Detections
from posewire.errors import ModelError
from posewire.runtime import Tensor
from posewire_blazepose.regions import Region
from posewire_vnect.estimator import LiveSettings, VNect
from posewire_vnect.location_net import LocationNet
from posewire_vnect.names import JOINTS
from posewire_vnect.perspective import to_camera
from posewire_vnect.search import Search
from posewire_vnect.sight import Sight
from posewire_vnect.window import turn_matrix

BOX = (220, 100, 420, 420)
PERSON = standing_px(320, 250, 300)


def opened(detector: BoxDetector | None = None, *, body: Region | None = None, **settings: object) -> VNect:
    net = LocationNet(DotsSession())
    return VNect(net, Search(net, OneBody(body), detector or BoxDetector(BOX)), LiveSettings(**settings))


def walking(count: int) -> list[np.ndarray]:
    return [standing_px(200 + 6 * k, 250, 300) for k in range(count)]


def seen(found: Detections) -> np.ndarray:
    assert found.people == 1
    return found.keypoints_px[0]


def test_a_person_in_a_detected_box_is_found_to_a_pixel() -> None:
    np.testing.assert_allclose(seen(opened().estimate(frame(painted(PERSON)))), PERSON, atol=0.7)


def test_the_3d_is_what_the_location_maps_hold_at_the_2d_turned_to_the_camera() -> None:
    estimator, picture = opened(), frame(painted(PERSON), 1)
    estimator.estimate(frame(painted(PERSON), 0))
    window = estimator._tracker.next_window(picture.time_s)
    found = estimator.estimate(picture)
    sight: Sight = estimator._net.look(picture, [window])[0]
    expected = to_camera(map_m(sight.cells_of(found.keypoints_px[0])), sight.window, picture.camera)
    np.testing.assert_allclose(found.keypoints_m[0], expected, atol=1e-5)


def test_who_was_found_is_looked_at_again_at_three_sizes() -> None:
    estimator = opened()
    estimator.estimate(frame(painted(PERSON)))
    assert estimator._net._session.runs[-1] == 3
    sides_px = [sight.window.side_px for sight in estimator._search.find(frame(painted(PERSON))).sights[:3]]
    assert sides_px[2] < sides_px[0] < sides_px[1]


def test_the_body_detectors_region_is_tried_first_turned_as_it_says() -> None:
    boxes = BoxDetector(BOX)
    estimator = opened(boxes, body=Region(320.0, 240.0, 420.0, 0.6))
    np.testing.assert_allclose(seen(estimator.estimate(frame(painted(PERSON)))), PERSON, atol=1.0)
    assert boxes.calls == 0


def test_a_region_that_shows_nobody_is_not_believed() -> None:
    np.testing.assert_allclose(seen(opened(body=Region(60, 60, 90.0, 0.0)).estimate(frame(painted(PERSON)))), PERSON, atol=0.7)


def test_following_costs_one_window_a_frame_and_no_detector() -> None:
    detector = BoxDetector(BOX)
    estimator = opened(detector)
    for k, points in enumerate(walking(12)):
        np.testing.assert_allclose(seen(estimator.estimate(frame(painted(points), k))), points, atol=0.7)
    assert detector.calls == 1
    assert estimator._net._session.runs[-11:] == [1] * 11


def test_two_scales_cost_two_windows_in_one_run_and_agree() -> None:
    estimator = opened(scales=(1.0, 0.7))
    for k, points in enumerate(walking(4)):
        np.testing.assert_allclose(seen(estimator.estimate(frame(painted(points), k))), points, atol=0.7)
    assert estimator._net._session.runs[-3:] == [2] * 3


def test_who_is_lost_is_searched_for_in_the_same_frame() -> None:
    detector = BoxDetector(BOX)
    estimator = opened(detector)
    estimator.estimate(frame(painted(PERSON), 0))
    elsewhere = standing_px(60, 240, 180)
    detector.boxes_px = [np.array([25.0, 150, 95, 340])]
    np.testing.assert_allclose(seen(estimator.estimate(frame(painted(elsewhere), 1))), elsewhere, atol=0.7)


def test_who_leaves_is_gone_and_who_returns_is_found() -> None:
    detector = BoxDetector(BOX)
    estimator, empty = opened(detector), frame(np.zeros((480, 640, 3), np.uint8), 1)
    assert estimator.estimate(frame(painted(PERSON), 0)).people == 1
    assert estimator.estimate(empty).people == 0
    assert estimator.estimate(frame(painted(PERSON), 2)).people == 1


def test_a_person_without_a_box_is_found_by_the_search_over_the_picture() -> None:
    points = standing_px(500, 300, 220)
    np.testing.assert_allclose(seen(opened(BoxDetector()).estimate(frame(painted(points)))), points, atol=1.0)


def test_the_search_over_the_picture_is_not_made_in_every_frame() -> None:
    estimator = opened(BoxDetector())
    for k in range(10):
        estimator.estimate(frame(np.zeros((480, 640, 3), np.uint8), k))
    assert len(estimator._net._session.runs) == 1


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_who_lies_or_stands_on_the_head_is_found_too(turn: int) -> None:
    """Dots have no way up: this is about the geometry of a turned window."""
    image = np.ascontiguousarray(np.rot90(painted(PERSON), turn))
    height, width = image.shape[:2]
    found = opened(BoxDetector((0, 0, width, height))).estimate(frame(image))
    points = PERSON.copy()
    for k in range(turn):
        points = np.stack([points[:, 1], (640, 480)[k % 2] - 1 - points[:, 0]], axis=1)
    np.testing.assert_allclose(seen(found), points, atol=1.0)


def test_the_larger_of_two_is_taken() -> None:
    small, large = standing_px(100, 250, 150), standing_px(440, 250, 300)
    boxes = BoxDetector((50, 170, 150, 330), (340, 100, 540, 410))
    image = np.maximum(painted(small), painted(large))
    np.testing.assert_allclose(seen(opened(boxes).estimate(frame(image))), large, atol=0.7)


def test_half_a_person_has_unseen_legs() -> None:
    image = painted(standing_px(320, 400, 500), height=440)
    found = opened(BoxDetector((200, 120, 440, 440))).estimate(frame(image))
    legs = [JOINTS.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle", "toe")]
    assert np.isnan(found.keypoints_px[0, legs]).all()
    assert np.isnan(found.keypoints_m[0, legs]).all()
    assert not found.confidence[0, legs].any()
    assert np.isfinite(found.keypoints_px[0, JOINTS.index("neck")]).all()


def test_a_person_larger_than_the_frame_is_followed() -> None:
    estimator = opened(BoxDetector((0, 0, 640, 480)))
    for k in range(5):
        points = standing_px(320 + 3 * k, 300, 800)
        found = estimator.estimate(frame(painted(points), k))
        inside = ((points >= 8) & (points < [632, 472])).all(axis=1)
        assert inside.sum() >= 8
        np.testing.assert_allclose(seen(found)[inside], points[inside], atol=2.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 640), (480, 1), (37, 91)])
def test_a_picture_of_any_size_is_taken(shape: tuple[int, int]) -> None:
    estimator = opened(BoxDetector((0, 0, shape[1], shape[0])))
    found = estimator.estimate(frame(np.zeros((*shape, 3), np.uint8)))
    assert found.people == 0
    assert found.keypoints_m is not None and found.keypoints_m.shape == (0, J, 3)


def test_after_reset_the_same_frames_give_the_same_numbers() -> None:
    estimator = opened()
    pictures = [frame(painted(points), k) for k, points in enumerate(walking(5))]
    first = [estimator.estimate(one).keypoints_m for one in pictures]
    estimator.reset()
    second = [estimator.estimate(one).keypoints_m for one in pictures]
    np.testing.assert_array_equal(np.array(first), np.array(second))


def test_a_live_source_that_dropped_a_second_starts_anew() -> None:
    detector = BoxDetector(BOX)
    estimator = opened(detector)
    estimator.estimate(frame(painted(PERSON), 0))
    estimator.estimate(frame(painted(PERSON), 60))
    assert detector.calls == 2


def test_what_is_said_is_unfiltered_unless_asked() -> None:
    """The take keeps what the method saw before any filter; the document's filter is a variant."""
    raw, steady = opened(), opened(steady=True)
    jumps = [PERSON, PERSON + np.array([8, 0]), PERSON]
    for k, points in enumerate(jumps):
        np.testing.assert_allclose(seen(raw.estimate(frame(painted(points), k))), points, atol=0.7)
        filtered = seen(steady.estimate(frame(painted(points), k)))
    assert np.all(filtered[:, 0] > PERSON[:, 0] + 0.3)


def test_the_steady_variant_reads_the_3d_at_the_filtered_2d() -> None:
    steady = opened(steady=True)
    for k, points in enumerate([PERSON, PERSON + np.array([8, 0]), PERSON]):
        picture = frame(painted(points), k)
        window = steady._tracker.next_window(picture.time_s)
        found = steady.estimate(picture)
    sight = Sight(window, 256, *(np.zeros(()) for _ in range(4)))
    expected = to_camera(map_m(sight.cells_of(found.keypoints_px[0])), window, picture.camera)
    np.testing.assert_allclose(found.keypoints_m[0], expected, atol=1e-5)


def test_somebody_in_a_given_box_is_seen_there() -> None:
    estimator = opened(BoxDetector())
    found = estimator.estimate_in(frame(painted(PERSON)), np.array([250.0, 110, 390, 400]))
    np.testing.assert_allclose(seen(found), PERSON, atol=0.7)


def test_closing_twice_is_fine() -> None:
    estimator = opened()
    estimator.close()
    estimator.close()


OTHER = ",".join(reversed(JOINTS))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("joints", OTHER, "joints"),
        ("posewire_version", "2", "version"),
        ("posewire_kind", "xnect", "kind"),
        ("stride_px", "4", "stride"),
        ("input_px", "250", "resolution"),
        ("input_px", "big", "resolution"),
        ("input_px", "512", "inputs"),
    ],
)
def test_a_network_of_another_kind_is_refused_with_its_difference(key: str, value: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as error:
        LocationNet(DotsSession(METADATA | {key: value}))  # type: ignore[arg-type]
    assert "docs/VNECT.md" in str(error.value)


def test_a_file_that_says_nothing_of_itself_is_refused() -> None:
    with pytest.raises(ModelError, match="kind"):
        LocationNet(DotsSession({}))  # type: ignore[arg-type]


def test_other_outputs_are_refused() -> None:
    with pytest.raises(ModelError, match="outputs"):
        LocationNet(DotsSession(outputs=(Tensor("peaks_cells", (None, J - 1, 2), "tensor(float)"), *GIVEN[1:])))  # type: ignore[arg-type]


def test_a_fixed_batch_is_refused() -> None:
    fixed = (Tensor(INPUTS[0].name, (1, *INPUTS[0].shape[1:]), INPUTS[0].dtype),)
    with pytest.raises(ModelError, match="inputs"):
        LocationNet(DotsSession(inputs=fixed))  # type: ignore[arg-type]


def test_the_window_turns_with_the_body() -> None:
    """Half a turn in a second: the window stays a little behind, and every dot is still seen."""
    estimator, centre = opened(BoxDetector((120, 80, 420, 460))), np.array([320.0, 240.0])
    for k in range(31):
        angle = math.pi * k / 30
        points = np.round((standing_px(320, 240, 250) - centre) @ turn_matrix(angle).T + centre)
        np.testing.assert_allclose(seen(estimator.estimate(frame(painted(points), k))), points, atol=1.0)
    window = estimator._tracker.next_window(1.0)
    assert window is not None
    assert 0.0 < math.pi - window.turn_rad < 0.5


def test_a_trunk_that_points_at_the_camera_does_not_turn_the_window() -> None:
    points = PERSON.copy()
    for side in ("left", "right"):
        points[JOINTS.index(f"{side}_shoulder")] = points[JOINTS.index(f"{side}_hip")] + [0, 12]
    estimator = opened()
    estimator.estimate(frame(painted(points), 0))
    assert estimator._tracker.next_window(0.0).turn_rad == 0.0
