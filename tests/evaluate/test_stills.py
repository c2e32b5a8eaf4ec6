"""`posewire eval --images`: single pictures with 2D joints, in LSPET's layout, and what counts as right."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire.bench.clip import bundled_frames
from posewire.cli import main
from posewire.data import Detections, Frame
from posewire.errors import SourceError
from posewire.evaluate import stills
from posewire.methods import MethodCard
from posewire.metrics import seen_points

PARTS = ("ankle", "knee", "hip")
NAMES = (
    *(f"right_{part}" for part in PARTS),
    *(f"left_{part}" for part in PARTS[::-1]),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top"),
)
"""LSPET's order."""
ROWS = 7
POINTS = np.random.default_rng(0).uniform(10, 90, (ROWS, len(NAMES), 2)).astype(np.float32)
VISIBLE = np.ones((ROWS, len(NAMES)), dtype=bool)
VISIBLE[5, NAMES.index("left_wrist")] = False


def write_folder(folder: Path) -> Path:
    """Pictures 2, 3 and 6 of seven rows."""
    (folder / "images").mkdir(parents=True)
    for number in (2, 3, 6):
        cv2.imwrite(str(folder / "images" / f"im{number:05d}.png"), np.full((100, 120, 3), 10 * number, np.uint8))
    np.savez(folder / "joints.npz", joint_names=np.array(NAMES), keypoints_px=POINTS, visible=VISIBLE)
    return folder


def write_tar(folder: Path) -> Path:
    """The same as a tar file, its members in no order."""
    source, path = write_folder(folder / "source"), folder / "pictures.tar"
    with tarfile.open(path, "w") as tar:
        for file in sorted(source.rglob("*.*"), reverse=True):
            tar.add(file, "./" + file.relative_to(source).as_posix())
    return path


class Oracle:
    """Says what it is told; a row of NaN stands for nobody."""

    def __init__(self, said: list[np.ndarray]) -> None:
        self._said, self.boxes = iter(said), list[np.ndarray]()

    def estimate(self, frame: Frame) -> Detections:
        points_px = next(self._said)
        if not seen_points(points_px).any():
            return Detections.nobody(len(NAMES))
        confidence = np.where(seen_points(points_px), 0.9, 0.0)
        return Detections(points_px[None], confidence[None], np.array([[0.0, 0, 100, 100]]))

    def estimate_in(self, frame: Frame, box_px: np.ndarray) -> Detections:
        self.boxes.append(box_px)
        return self.estimate(frame)

    def reset(self) -> None: ...

    def close(self) -> None: ...


CARD = MethodCard("oracle", "estimator", NAMES, False, "none", "Says what it is told.", lambda _: Oracle([]))


def scored(said: list[np.ndarray], true: list[np.ndarray], joints: tuple[str, ...] = NAMES) -> stills.StillsReport:
    return stills.score("oracle", "found", NAMES, joints, list(zip(said, true, strict=True)))


def person(torso_px: float = 100.0) -> np.ndarray:
    """(14, 2) whose left shoulder and right hip are `torso_px` apart."""
    points_px = 500 + 10 * np.random.default_rng(1).normal(size=(len(NAMES), 2))
    points_px[NAMES.index("left_shoulder")] = points_px[NAMES.index("right_hip")] + [0.0, -torso_px]
    return points_px


@pytest.mark.parametrize("write", [write_folder, write_tar])
def test_a_folder_and_a_tar_file_give_the_same_pictures(write, tmp_path: Path) -> None:
    pictures = list(stills.open_stills(write(tmp_path)))
    assert [int(still.image[0, 0, 0]) for still in pictures] == [20, 30, 60]
    np.testing.assert_allclose(pictures[1].points_px, POINTS[2], atol=1e-5)


def test_a_joint_that_is_not_visible_is_nan(tmp_path: Path) -> None:
    last = list(stills.open_stills(write_folder(tmp_path)))[-1]
    assert np.isnan(last.points_px[NAMES.index("left_wrist")]).all()


def test_numbers_and_limit_choose(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    assert list(stills.open_stills(folder, numbers=range(3, 8)).names) == [3, 6]
    assert list(stills.open_stills(folder, limit=1).names) == [2]


def test_colours_are_rgb(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    cv2.imwrite(str(folder / "images" / "im00002.png"), np.full((4, 4, 3), (1, 2, 3), np.uint8))
    assert next(iter(stills.open_stills(folder))).image[0, 0].tolist() == [3, 2, 1]


def test_grey_rgba_and_16_bit_pictures_become_rgb(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    kinds = [np.full((5, 6), 40, np.uint8), np.full((5, 6, 4), 40, np.uint8), np.full((5, 6), 40 * 257, np.uint16)]
    for number, image in zip((2, 3, 6), kinds, strict=True):
        cv2.imwrite(str(folder / "images" / f"im{number:05d}.png"), image)
    assert [(still.image.shape, int(still.image[0, 0, 0])) for still in stills.open_stills(folder)] == [((5, 6, 3), 40)] * 3


def test_what_is_missing_or_something_else_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        stills.open_stills(tmp_path / "nowhere.tar")
    with pytest.raises(SourceError, match=r"joints\.npz"):
        stills.open_stills(tmp_path)
    (tmp_path / "joints.npz").write_bytes(b"no archive")
    with pytest.raises(SourceError, match="joints"):
        stills.open_stills(tmp_path)
    with pytest.raises(SourceError, match="none of the pictures"):
        stills.open_stills(write_folder(tmp_path / "good"), numbers=range(4, 6))


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "images" / "im00003.png").write_bytes(b"not a picture")
    with pytest.raises(SourceError, match=r"im00003\.png"):
        list(stills.open_stills(folder))


def test_a_joint_within_a_fifth_of_the_torso_is_right() -> None:
    true = person(100.0)
    said = true.copy()
    said[NAMES.index("left_knee")] += [19.9, 0.0]
    said[NAMES.index("right_wrist")] += [0.0, 20.1]
    report = scored([said], [true])
    assert report.pck_torso_percent == pytest.approx(100 * 11 / 12)
    assert report.pck_torso_all_percent == pytest.approx(100 * 13 / 14)
    assert report.pck_torso_percent_of["wrist"] == pytest.approx(50.0)
    assert report.pck_torso_percent_of["knee"] == report.pck_torso_percent_of["head"] == 100.0


def test_who_is_not_found_is_wrong_in_every_joint() -> None:
    true = person()
    report = scored([true, np.full_like(true, np.nan)], [true, true])
    assert report.found_percent == report.pck_torso_percent == 50.0
    assert report.pck_torso_found_percent == 100.0


def test_what_is_not_visible_or_not_the_methods_does_not_count() -> None:
    true, said = person(), person()
    true[NAMES.index("left_elbow")] = np.nan
    said[NAMES.index("head_top")] = np.nan
    report = scored([said], [true], tuple(name for name in NAMES if name != "head_top"))
    assert report.pck_torso_percent == 100.0
    assert np.isnan(report.pck_torso_all_percent) and np.isnan(report.pck_torso_percent_of["head"])


def test_without_one_diagonal_the_other_measures_the_torso_and_without_both_the_picture_is_left_out() -> None:
    one, none = person(100.0), person(100.0)
    one[NAMES.index("left_shoulder")] = np.nan
    none[[NAMES.index("left_shoulder"), NAMES.index("right_shoulder")]] = np.nan
    report = scored([person(100.0), person(100.0)], [one, none])
    assert (report.pictures, report.left_out) == (1, 1)


def test_the_labelled_one_of_several_people_counts(tmp_path: Path) -> None:
    true = POINTS[1].astype(float)

    class Crowd(Oracle):
        def estimate(self, frame: Frame) -> Detections:
            people = np.stack([true + 300, true + 1, true - 300])
            return Detections(people, np.full((3, len(NAMES)), 0.5), np.tile([0.0, 0, 9, 9], (3, 1)))

    pictures = stills.open_stills(write_folder(tmp_path), limit=1)
    ((_, said_px),) = stills.answers(Crowd([]), CARD, pictures, "found")
    np.testing.assert_allclose(said_px, true + 1)


def test_with_true_boxes_the_method_is_told_where_the_person_is(tmp_path: Path) -> None:
    oracle = Oracle([POINTS[1].astype(float)] * 3)
    pictures = stills.open_stills(write_folder(tmp_path))
    list(stills.answers(oracle, CARD, pictures, "true"))
    low, high = POINTS[1].min(axis=0), POINTS[1].max(axis=0)
    margin = 0.1 * (high - low).max()
    np.testing.assert_allclose(oracle.boxes[0], [*(low - margin), *(high + margin)], rtol=1e-5)


def test_a_method_that_cannot_be_told_is_shown_the_cut_out_and_its_answer_moved_back(tmp_path: Path) -> None:
    class Plain:
        def estimate(self, frame: Frame) -> Detections:
            self.size_px = frame.size_px
            return Detections(np.full((1, len(NAMES), 2), 5.0), np.full((1, len(NAMES)), 0.5), np.array([[0.0, 0, 9, 9]]))

        def reset(self) -> None: ...

        def close(self) -> None: ...

    plain, folder = Plain(), write_folder(tmp_path)
    labels = np.clip(POINTS, 40, 60)
    np.savez(folder / "joints.npz", joint_names=np.array(NAMES), keypoints_px=labels, visible=VISIBLE)
    ((_, said_px),) = stills.answers(plain, CARD, stills.open_stills(folder, limit=1), "true")
    assert plain.size_px == (36, 36)  # 20 px between the labels, 24 with their margins, half as much again
    np.testing.assert_allclose(said_px, np.full((len(NAMES), 2), 37.0))


def test_the_command_scores_a_real_method_on_a_real_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two frames of the bundled clip, labelled with BlazePose's own answer, then moved far away in one of them."""
    from posewire.methods import MethodOptions
    from posewire_blazepose.estimator import open_blazepose
    from posewire_blazepose.names import KEYPOINT_NAMES

    (tmp_path / "images").mkdir()
    image = np.ascontiguousarray(bundled_frames(1)[0].image[::3, 180:860:3])
    estimator, names = open_blazepose("blazepose_lite", MethodOptions()), NAMES[:12]
    found = estimator.estimate(Frame(image, 0.0, 0, bundled_frames(1)[0].camera)).keypoints_px[0]
    estimator.close()
    points_px = found[[KEYPOINT_NAMES.index(name) for name in names]]
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), image[..., ::-1])
    labels = np.stack([points_px, points_px + 500])
    np.savez(tmp_path / "joints.npz", joint_names=np.array(names), keypoints_px=labels, visible=np.ones(labels.shape[:2], bool))
    assert main(["eval", "--images", str(tmp_path), "--methods", "blazepose-lite", "--boxes", "found", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["pictures"], report["found_percent"], report["pck_torso_percent"]) == (2, 100.0, 50.0)
    assert main(["eval", "--images", str(tmp_path), "--method", "blazepose-lite", "--numbers", "1-1"]) == 0
    table = capsys.readouterr().out
    assert "found" in table and "true" in table


@pytest.mark.parametrize("flags", [["--numbers", "9"], ["--numbers", "7-3"], ["--limit", "0"], ["--methods", "nobodys"]])
def test_a_wrong_flag_is_said(flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--images", str(write_folder(tmp_path)), *flags]) == 2
    assert "posewire:" in capsys.readouterr().err


def test_the_tar_test_file_is_in_no_order(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(write_tar(tmp_path).read_bytes())) as tar:
        names = [name for name in tar.getnames() if name.endswith(".png")]
    assert names == sorted(names, reverse=True)
