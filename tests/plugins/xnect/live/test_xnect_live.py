"""The estimator, on networks that say what a test tells them: geometry, crowds, odd pictures, refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from xnect_scenes import STANDING_M, inside, ranks, row
from xnect_told import Arrays, Told, nobody, reading, stage_one, stage_two

from posewire import camera, capture, rotation
from posewire.data import Detections, Frame
from posewire.errors import ModelError, SettingsError
from posewire.methods import MethodOptions, SourceOptions
from posewire.testing import checks
from posewire_data.joints import JOINTS
from posewire_xnect import hidden
from posewire_xnect.association import CANDIDATES
from posewire_xnect.estimator import XNect, open_xnect
from posewire_xnect.networks import StageOneNet, StageTwoNet
from posewire_xnect.plugin import posewire_methods
from posewire_xnect.skeleton import NECK, J, Scheme
from posewire_xnect.targets import FloatArray, to_pixels

CARD = posewire_methods()[0]
LEGS = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]


def seeing(one: Told, most: int = 20, two: Told | None = None) -> XNect:
    return XNect(StageOneNet(one), StageTwoNet(two or stage_two(STANDING_M)), most)


def frame(width: int = 1280, height: int = 800, index: int = 0) -> Frame:
    return Frame(np.zeros((height, width, 3), np.uint8), index / 30, index, camera.assumed(width, height))


def checked(found: Detections, most: int = 20) -> Detections:
    checks.check_detections(found, CARD, most)
    return found


def test_known_people_are_told_of_where_they_stand() -> None:
    points, joints_m = row(2, 4)
    found = checked(seeing(stage_one(reading(points, joints_m))).estimate(frame()))
    truth_px = (to_pixels(points) + 0.5) * 2.5 - 0.5  # 1280 x 800 is 512 x 320 enlarged
    assert found.people == 4
    owner = [int(np.linalg.norm(truth_px[:, NECK] - person[NECK], axis=-1).argmin()) for person in found.keypoints_px]
    assert sorted(owner) == [0, 1, 2, 3]
    seen = found.confidence > hidden.CONFIDENCE
    assert seen.mean() > 0.9
    assert np.abs((found.keypoints_px - truth_px[owner])[seen]).max() < 12.0  # 0.6 cells of 20 px


def test_what_is_hidden_has_3d_and_little_confidence() -> None:
    points, joints_m = row(0, 1)
    points[:, LEGS] = np.nan
    found = checked(seeing(stage_one(reading(points, joints_m))).estimate(frame()))
    assert np.isfinite(found.keypoints_m).all()
    assert (found.confidence[:, LEGS] <= hidden.CONFIDENCE).all()
    assert (found.confidence[:, NECK] > 0.5).all()


def test_stage_two_is_asked_once_for_everybody_with_places_in_parts_of_320_px() -> None:
    points, joints_m = row(2, 3)
    two = stage_two(STANDING_M)
    seeing(stage_one(reading(points, joints_m)), two=two).estimate(frame())
    assert len(two.asked) == 1
    rows = two.asked[0]["rows"]
    assert rows.shape[0] == 3 and rows.dtype == np.float32
    assert (rows[:, NECK, :2] == 0).all() and np.abs(rows[..., :2]).max() < 1.2


def test_a_person_at_the_side_is_turned_as_seen_from_the_real_camera() -> None:
    points, _ = row(3, 1)
    points[..., 0] += 20.0 - points[:, NECK, None, 0]  # the neck 12 cells left of the middle
    found = seeing(stage_one(reading(points))).estimate(frame())
    view = camera.assumed(1280, 800)
    ray = camera.rays(found.keypoints_px[0, NECK], view)
    R_neck_camera = rotation.inverse(camera.R_camera_crop(found.keypoints_px[0, NECK], view))
    np.testing.assert_allclose(rotation.rotate(R_neck_camera, ray)[:2], 0.0, atol=1e-9)
    np.testing.assert_allclose(rotation.rotate(R_neck_camera, found.keypoints_m[0]), STANDING_M, atol=1e-6)
    assert np.abs(found.keypoints_m[0] - STANDING_M).max() > 0.05


def test_who_hides_the_neck_has_3d_of_all_joints_and_is_turned_nearly_as_with_it() -> None:
    points, joints_m = row(3, 1)
    whole = checked(seeing(stage_one(reading(points, joints_m))).estimate(frame()))
    points[0, NECK] = np.nan
    found = checked(seeing(stage_one(reading(points, joints_m))).estimate(frame()))
    assert found.people == 1 and np.isfinite(found.keypoints_m).all()
    assert found.confidence[0, NECK] == hidden.CONFIDENCE
    assert np.abs(found.keypoints_m - whole.keypoints_m).max() < 0.12


def test_nobody_is_nobody_with_3d_and_stage_two_is_not_asked() -> None:
    two = stage_two(STANDING_M)
    found = checked(seeing(stage_one(nobody()), two=two).estimate(frame()))
    assert found.people == 0 and found.keypoints_m is not None and not two.asked


def test_a_still_of_a_large_person_is_looked_at_again_at_the_size_that_suits_it_and_a_film_once_a_picture() -> None:
    points, joints_m = row(1, 1)
    middle = points.mean(axis=1, keepdims=True)
    large = middle + 2.0 * (points - middle)

    def share(asked: Arrays) -> float:
        return float(np.sqrt((asked["image"] > 0.9).mean()))  # a white frame in the corner

    one = stage_one(lambda asked: reading((large + 0.5) * share(asked) - 0.5, joints_m))
    white = Frame(np.full((800, 1280, 3), 255, np.uint8), 0.0, 0, camera.assumed(1280, 800))
    method = seeing(one)
    for pictures in (2, 3):  # the first twice, the second once
        assert checked(method.estimate(white)).people == 1
        assert len(one.asked) == pictures
    first, *others = map(share, one.asked)
    assert first == 1.0 and max(others) < 0.7 and np.ptp(others) < 0.05


def whose(found: Detections, points: FloatArray) -> list[int]:
    """Of each person told of the one who stands at points (P, J, 2) cells and has all of the joints that were seen, else -1."""
    truth_px = (to_pixels(points) + 0.5) * 2.5 - 0.5  # 1280 x 800 is 512 x 320 enlarged
    off_px = np.linalg.norm(found.keypoints_px[:, None] - truth_px, axis=-1)
    off_px[~np.repeat((found.confidence > hidden.CONFIDENCE)[:, None], len(points), axis=1)] = 0.0
    farthest_px = off_px.max(axis=-1)
    return [int(far.argmin()) if far.min() < 20.0 else -1 for far in farthest_px]  # one cell


@pytest.mark.parametrize("seed", range(3))
def test_as_many_as_a_joint_has_candidates_are_all_told_of_each_once(seed: int) -> None:
    points, joints_m = ranks(seed, 2, 8)
    found = checked(seeing(stage_one(reading(points, joints_m)), CANDIDATES).estimate(frame()), CANDIDATES)
    assert sorted(whose(found, points)) == list(range(CANDIDATES)) and CANDIDATES == 16
    assert (found.confidence > hidden.CONFIDENCE).mean() > 0.9


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("most", [1, 3, 16])
def test_of_thirty_people_the_most_that_are_asked_for_are_told_of_and_nobody_is_made_of_two(seed: int, most: int) -> None:
    points, joints_m = ranks(seed, 3, 10)
    found = checked(seeing(stage_one(reading(points, joints_m)), most).estimate(frame()), most)
    assert found.people == most if most < 16 else found.people >= 14  # 16 candidates a joint, not always of the same people
    owner = whose(found, points)
    assert -1 not in owner and len(set(owner)) == found.people


def test_more_people_than_a_joint_has_candidates_cannot_be_asked_for() -> None:
    with pytest.raises(SettingsError, match=r"at most 16 people(.|\n)*--max-people 16"):
        open_xnect(MethodOptions(max_people=17, threads=1))


def test_half_a_person_at_the_edge_is_somebody() -> None:
    points, joints_m = row(1, 1)
    points[..., 1] += 39.0 - points[:, JOINTS.index("pelvis"), None, 1]  # the legs are below the picture
    assert not inside(points)[0, LEGS].any()
    found = checked(seeing(stage_one(reading(points, joints_m))).estimate(frame()))
    assert found.people == 1
    assert (found.confidence[0, LEGS] <= hidden.CONFIDENCE).all()


def test_a_person_larger_than_the_frame_keeps_what_is_inside() -> None:
    points, joints_m = row(1, 1)
    middle = points[:, NECK : NECK + 1]
    points = middle + 2.5 * (points - middle)
    found = checked(seeing(stage_one(reading(points, joints_m))).estimate(frame()))
    assert found.people == 1
    seen = found.confidence[0] > hidden.CONFIDENCE
    assert 3 < seen.sum() < J


@pytest.mark.parametrize("size", [None, (512, 320)])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 900), (900, 1), (541, 959), (359, 241), (3840, 2160)])
def test_pictures_of_any_size_are_taken(width: int, height: int, size: tuple[int, int] | None) -> None:
    points, joints_m = row(0, 2)
    one = stage_one(reading(points, joints_m), size)
    checked(seeing(one).estimate(frame(width, height)))
    image = one.asked[0]["image"]
    assert image.shape[:2] == (1, 3) and all(side % 32 == 0 for side in image.shape[2:])


@pytest.mark.parametrize("kind", ["grey", "rgba", "16-bit", "16-bit grey"])
def test_a_file_with_a_picture_of_any_kind_reaches_the_network(tmp_path: Path, kind: str) -> None:
    shape = (241, 359) if "grey" in kind else (241, 359, 4 if kind == "rgba" else 3)
    levels = np.uint16 if "16-bit" in kind else np.uint8
    image = np.full(shape, np.iinfo(levels).max // 2, levels)
    assert cv2.imwrite(str(tmp_path / "picture.png"), image)
    source = capture.open_source(str(tmp_path / "picture.png"), SourceOptions())
    one = stage_one(nobody(), None)
    for picture in source:
        checked(seeing(one).estimate(picture))
    source.close()
    seen = one.asked[0]["image"]
    assert seen.dtype == np.float32 and seen.shape[1] == 3
    assert 0.45 < seen[0, :, :300, :300].mean() < 0.55


def test_the_same_frame_after_reset_says_the_same() -> None:
    points, joints_m = row(2, 4)
    method = seeing(stage_one(reading(points, joints_m)), 2)
    first = method.estimate(frame())
    method.reset()
    checks.check_same(first, method.estimate(frame()), "reset")


def test_closing_frees_both_networks_and_may_be_done_twice() -> None:
    one, two = stage_one(nobody()), stage_two(STANDING_M)
    method = seeing(one, two=two)
    method.close()
    method.close()
    assert one.closed == two.closed == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("posewire_kind", "vnect"),
        ("posewire_version", "2"),
        ("joints", ",".join(JOINTS[:-1])),
        ("stride_px", "4"),
        ("scheme", "odd"),
    ],
)
def test_a_file_of_another_kind_version_skeleton_stride_or_scheme_is_refused(key: str, value: str) -> None:
    for session, net in ((stage_one(nobody()), StageOneNet), (stage_two(STANDING_M), StageTwoNet)):
        session.metadata[key] = value
        with pytest.raises(ModelError, match=f"{session.name} is no XNect network") as caught:
            net(session)
        assert str(value) in str(caught.value)
        del session.metadata[key]
        with pytest.raises(ModelError, match="nothing"):
            net(session)


@pytest.mark.parametrize("size", [(500, 320), (512, 300)])
def test_a_resolution_that_the_trunk_cannot_have_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ModelError, match="resolution"):
        StageOneNet(stage_one(nobody(), size))


@pytest.mark.parametrize("told", ["9999x9999", "512", "0x320", "512x320x3", "big"])
def test_what_is_said_of_the_resolution_must_be_one(told: str) -> None:
    for session, net in ((stage_one(nobody()), StageOneNet), (stage_two(STANDING_M), StageTwoNet)):
        session.metadata["size"] = told
        with pytest.raises(ModelError, match=rf"resolution differs(.|\n)*{told}(.|\n)*multiples of 32 pixels"):
            net(session)


def test_a_stage_one_of_one_size_must_say_that_it_has_it() -> None:
    one = stage_one(nobody(), (512, 320))
    one.metadata["size"] = "640x384"
    with pytest.raises(ModelError, match=r"resolution differs(.|\n)*512x320(.|\n)*640x384"):
        StageOneNet(one)


@pytest.mark.parametrize("size", [None, (640, 384)])
def test_stages_of_different_resolutions_do_not_belong_together(size: tuple[int, int] | None) -> None:
    one = stage_one(nobody(), size)
    one.metadata["size"] = "640x384"
    with pytest.raises(ModelError, match=r"resolution differs(.|\n)*Stage I 640x384, Stage II 512x320"):
        seeing(one)


@pytest.mark.parametrize("first", ["sparse", "dense", "orpm"])
@pytest.mark.parametrize("second", ["sparse", "dense", "orpm"])
def test_stages_of_different_schemes_do_not_belong_together(first: Scheme, second: Scheme) -> None:
    one, two = stage_one(nobody(), scheme=first), stage_two(STANDING_M, second)
    if first == second:
        seeing(one, two=two)
    else:
        with pytest.raises(ModelError, match=f"scheme differs(.|\n)*Stage I {first}, Stage II {second}"):
            seeing(one, two=two)


def test_tensors_of_other_shapes_are_refused() -> None:
    one = stage_one(nobody())
    one.outputs = tuple(tensor for tensor in one.outputs if tensor.name != "integrals")
    with pytest.raises(ModelError, match="output integrals"):
        StageOneNet(one)
    two = stage_two(STANDING_M)
    two.inputs = one.inputs
    with pytest.raises(ModelError, match="input rows"):
        StageTwoNet(two)


def test_the_file_of_another_method_is_refused() -> None:
    with pytest.raises(ModelError, match="no XNect network"):
        open_xnect(MethodOptions(threads=1), ("blazepose_lite", "blazepose_lite"))


def test_loading_and_running_it_imports_no_torch_and_no_onnx() -> None:
    code = "import posewire_xnect.plugin, posewire_xnect.estimator, sys; print({'torch', 'onnx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_networks_that_say_no_numbers_are_refused() -> None:
    points, joints_m = row(1, 2)
    said = dict(reading(points, joints_m))
    said["encodings"] = np.full_like(said["encodings"], np.nan)
    with pytest.raises(ModelError, match="Stage I of"):
        seeing(stage_one(said)).estimate(frame())
    with pytest.raises(ModelError, match="Stage II of"):
        seeing(stage_one(reading(points, joints_m)), two=stage_two(np.full((J, 3), np.nan))).estimate(frame())
