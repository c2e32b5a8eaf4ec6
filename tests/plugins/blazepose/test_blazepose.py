"""BlazePose on real pictures, beside what the original runtime (mediapipe 0.10.21, legacy API, full) recorded."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posewire import camera, rotation
from posewire.data import Frame
from posewire.methods import MethodOptions
from posewire_blazepose.body_detector import anchors
from posewire_blazepose.estimator import open_blazepose
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_blazepose.regions import Region, intersection_over_union

REFERENCE = np.load(Path(__file__).parent / "reference_cam01.npz")


def picture(image, index=0):
    image = np.ascontiguousarray(image)
    return Frame(image, index / 60, index, camera.assumed(image.shape[1], image.shape[0]))


def walker(frame, index=None):
    """The part of a frame that shows the walker alone: the clip has a bystander at the left."""
    return picture(frame.image[:, 180:860], frame.index if index is None else index)


def alone(estimator, frame):
    estimator.reset()
    return estimator.estimate(frame)


def aligned(points, reference):
    """Points (J, 3) turned, moved and scaled onto the reference (Procrustes)."""
    p, q = points - points.mean(0), reference - reference.mean(0)
    U, S, Vt = np.linalg.svd(p.T @ q)
    signs = np.array([1, 1, np.sign(np.linalg.det(U @ Vt))])
    return (S @ signs) / (p**2).sum() * p @ (U * signs) @ Vt + reference.mean(0)


def test_there_are_33_keypoints_without_repetition():
    assert len(set(KEYPOINT_NAMES)) == len(KEYPOINT_NAMES) == 33


def test_anchors_are_as_many_as_the_network_has_boxes():
    assert anchors().shape == (2254, 2)
    assert anchors().min() > 0
    assert anchors().max() < 1


def test_boxes_agree_by_what_they_share_of_both():
    box = np.array([0.0, 0.0, 4.0, 2.0])
    others = np.array([box, [2.0, 0.0, 6.0, 2.0], [1.0, 0.5, 2.0, 1.5], [5.0, 0.0, 6.0, 2.0], [5.0, 3.0, 6.0, 4.0]])
    np.testing.assert_allclose(intersection_over_union(box, others), [1.0, 1 / 3, 1 / 8, 0.0, 0.0])


def recorded_region(kind, row, image):
    x, y, width, _, angle_rad = REFERENCE[kind][row]
    return Region(x * image.shape[1], y * image.shape[0], width * image.shape[1], angle_rad)


@pytest.mark.parametrize("row", range(len(REFERENCE["static_index"])))
def test_a_recorded_region_gives_the_original_runtimes_landmarks(blazepose, clip, row):
    """To 2 px and 4 mm: OpenCV 5 rounds a crop's pixels otherwise than the OpenCV 4.11 inside the original (with which the
    worst differences are 0.02 px and 0.1 mm, see models/convert/README.md)."""
    frame = clip[REFERENCE["static_index"][row]]
    frame = replace(frame, picture=frame.image)  # the same pixels: this is about the network
    region = recorded_region("static_region_from_detection", row, frame.image)
    found = blazepose._landmarks.look(frame, [region])[0]
    undo = rotation.inverse(camera.R_camera_crop([region.x_px, region.y_px], frame.camera))
    np.testing.assert_allclose(found.keypoints_px, REFERENCE["static_keypoints_px"][row, :, :2], atol=2)
    np.testing.assert_allclose(rotation.rotate(undo, found.keypoints_m), REFERENCE["static_keypoints_m"][row], atol=0.004)
    np.testing.assert_allclose(found.confidence, REFERENCE["static_visibility"][row], atol=0.02)


@pytest.mark.parametrize("row", range(len(REFERENCE["static_index"])))
def test_the_detector_finds_the_original_runtimes_region(blazepose, clip, row):
    """To 1.5 % of its size: the 224 px letterbox makes 10 px of the picture out of one."""
    frame = clip[REFERENCE["static_index"][row]]
    theirs = recorded_region("static_region_from_detection", row, frame.image)
    ours = blazepose._body_detector.find(frame)
    np.testing.assert_allclose(ours[:3], theirs[:3], atol=0.015 * theirs.size_px)
    assert abs(ours.rotation_rad - theirs.rotation_rad) < 0.04


def test_a_crop_of_the_decoders_planes_gives_the_landmarks_of_the_rgb_picture(blazepose, clip):
    """A level of grey more or less: mostly half a pixel, some pixels where the network itself is unsure."""
    regions = [
        recorded_region("static_region_from_detection", row, clip[0].image) for row in range(len(REFERENCE["static_index"]))
    ]
    frames = [clip[index] for index in REFERENCE["static_index"]]
    distances_px = []
    for frame, region in zip(frames, regions, strict=True):
        assert not isinstance(frame.picture, np.ndarray)
        ours, rgb = (blazepose._landmarks.look(one, [region])[0] for one in (frame, replace(frame, picture=frame.image)))
        distances_px.append(np.linalg.norm(ours.keypoints_px - rgb.keypoints_px, axis=1))
    assert np.nanmedian(distances_px) < 0.6  # of a region of about 1000 px
    assert np.nanpercentile(distances_px, 95) < 4


def test_tracking_follows_the_person_through_the_clip(blazepose, clip):
    blazepose.reset()
    found = [blazepose.estimate(frame) for frame in clip]
    assert [detections.people for detections in found] == [1] * len(clip)
    ours = np.stack([detections.keypoints_px[0] for detections in found])
    distances_px = np.linalg.norm(ours - REFERENCE["tracked_keypoints_px"][..., :2], axis=-1)
    assert np.median(distances_px) < 2  # of a region of about 1000 px


def test_the_same_picture_gives_the_same_numbers(blazepose, clip):
    first, second = alone(blazepose, clip[10]), alone(blazepose, clip[10])
    np.testing.assert_array_equal(first.keypoints_px, second.keypoints_px)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_turned_picture_gives_the_same_pose(blazepose_many, clip, quarter_turns):
    """The person box only starts an upright region; the body turns it."""
    upright = alone(blazepose_many, walker(clip[0]))
    turned = alone(blazepose_many, picture(np.rot90(walker(clip[0]).image, quarter_turns)))
    assert turned.people == 1
    error_m = np.linalg.norm(aligned(turned.keypoints_m[0], upright.keypoints_m[0]) - upright.keypoints_m[0], axis=1)
    assert np.median(error_m) < 0.04


def test_two_people_side_by_side_are_both_found_and_keep_their_rows(blazepose_many, clip):
    blazepose_many.reset()
    middles = []
    for frame in clip[:30:3]:
        pair = np.concatenate([walker(frame).image, walker(frame).image[:, ::-1]], axis=1)
        found = blazepose_many.estimate(picture(pair, frame.index))
        assert found.people == 2
        middles.append(np.nanmean(found.keypoints_px[..., 0], axis=1))
    middles = np.array(middles)
    assert np.all(np.abs(np.diff(middles, axis=0)) < 100)
    assert abs(middles[0, 0] - middles[0, 1]) > 500


def test_the_bystander_is_found_beside_the_walker(blazepose_many, clip):
    found = alone(blazepose_many, clip[0])
    assert found.people == 2
    assert sorted(np.nanmean(found.keypoints_px[..., 0], axis=1))[0] < 140


def test_a_newcomer_is_found_while_another_is_followed(blazepose_many, clip):
    blazepose_many.reset()
    empty = np.full_like(walker(clip[0]).image, 90)
    people = []
    for number, frame in enumerate(clip[:24]):
        right = empty if number < 6 else walker(frame).image[:, ::-1]
        pair = np.concatenate([walker(frame).image, right], axis=1)
        people.append(blazepose_many.estimate(picture(pair, number)).people)
    assert people[5] == 1
    assert people[-1] == 2


def test_who_leaves_is_gone_and_who_returns_is_found(blazepose, clip):
    blazepose.reset()
    nobody = picture(np.full_like(clip[0].image, 90))
    counts = [blazepose.estimate(frame).people for frame in (clip[0], clip[1], nobody, nobody, clip[2], clip[3])]
    assert counts == [1, 1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    "image", [np.zeros((1, 1, 3), np.uint8), np.full((37, 91, 3), 128, np.uint8), np.zeros((2160, 3840, 3), np.uint8)]
)
def test_a_picture_without_anybody_gives_nobody(blazepose, image):
    found = alone(blazepose, picture(image))
    assert found.people == 0
    assert found.keypoints_m.shape == (0, 33, 3)


def test_at_most_max_people_are_returned(blazepose, clip):
    pair = np.concatenate([clip[0].image, clip[0].image[:, ::-1]], axis=1)
    assert alone(blazepose, picture(pair)).people == 1


def test_half_a_person_has_unseen_or_unsure_legs(blazepose, clip):
    top = int(np.nanmedian(alone(blazepose, clip[0]).keypoints_px[0, [23, 24], 1]))
    found = alone(blazepose, picture(clip[0].image[:top]))
    assert found.people == 1
    ankles = [KEYPOINT_NAMES.index(f"{side}_ankle") for side in ("left", "right")]
    assert found.confidence[0, ankles].max() < 0.3


def test_a_crop_shows_what_the_region_covers():
    image = np.zeros((200, 300, 3), np.uint8)
    image[60:80, 100:120] = 255
    region = Region(110.0, 70.0, 80.0, math.pi / 2)
    crop = region.crop(image, 64)
    assert crop[32, 32, 0] == 255
    np.testing.assert_allclose(region.to_picture(np.array([32.0, 32.0]), 64), [110, 70], atol=1e-9)


def test_a_turned_regions_points_turn_with_it():
    region = Region(0.0, 0.0, 2.0, math.pi / 2)  # a quarter turn clockwise: the crop's right is the picture's down
    np.testing.assert_allclose(region.to_picture(np.array([1.0, 0.5]), 1), [0, 1], atol=1e-12)
    np.testing.assert_allclose(region.turn_3d(np.array([1.0, 0.0, 5.0])), [0, 1, 5], atol=1e-12)


def test_a_degenerate_region_is_not_used():
    assert not Region(0, 0, 0.5, 0).usable
    assert not Region(float("nan"), 0, 100, 0).usable


def test_closing_twice_is_fine(clip):
    estimator = open_blazepose("blazepose_lite", MethodOptions())
    assert estimator.estimate(clip[0]).people == 1
    estimator.close()
    estimator.close()
