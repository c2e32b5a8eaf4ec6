"""Pictures with 2D labels as training crops: where the joints lie, what is not known, what they teach."""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from posewire.evaluate.stills import open_stills
from posewire_blazepose.pseudo_labels import as_joints
from posewire_synth.layers import OUTSIDE, VISIBLE
from posewire_training import tensors
from posewire_vnect import build, footage, shots
from posewire_vnect.labelled import crops
from posewire_vnect.names import JOINTS
from posewire_vnect.settings import VNectSettings
from posewire_vnect.tasks import Learning, scores
from posewire_vnect.truth import of_shots, same_view

SIDES = ("left", "right")
NAMES = (
    *(f"{side}_{part}" for side in SIDES for part in ("ankle", "knee", "hip", "wrist", "elbow", "shoulder")),
    "neck",
    "head_top",
)
"""LSPET's joints."""
WIDTH_PX, HEIGHT_PX, DOT_PX = 200, 240, 4


def people() -> np.ndarray:
    """(4, 14, 2) dots that are well apart."""
    grid = np.stack(np.meshgrid(np.arange(40, 170, 20), np.arange(40, 210, 20)), -1).reshape(-1, 2)
    rng = np.random.default_rng(0)
    return np.stack([rng.permutation(grid)[: len(NAMES)] for _ in range(4)]).astype(np.float64)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar file of four pictures in LSPET's layout, a white dot at every joint; too little of the last person is labelled."""
    folder = tmp_path_factory.mktemp("labelled")
    points_px, visible = people(), np.ones((4, len(NAMES)), dtype=bool)
    visible[1, NAMES.index("left_wrist")] = visible[2, NAMES.index("left_hip")] = False
    visible[3, 5:] = False
    for number, row in enumerate(points_px, 1):
        image = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        for x, y in row.astype(int).tolist():
            cv2.circle(image, (x, y), DOT_PX, (255, 255, 255), -1)
        cv2.imwrite(str(folder / f"im{number:05d}.png"), image)
    np.savez(folder / "joints.npz", joint_names=np.array(NAMES), keypoints_px=points_px, visible=visible)
    with tarfile.open(folder / "pictures.tar", "w") as tar:
        for file in (*sorted(folder.glob("*.png")), folder / "joints.npz"):
            tar.add(file, file.name)
    return folder / "pictures.tar"


def cut(path: Path) -> shots.Shots:
    return tensors.joined(list(crops(path, None, np.random.default_rng(1))))


def test_a_crop_shows_its_joints_where_it_says_they_are(pictures: Path) -> None:
    made = cut(pictures)
    assert len(made) == 3, "the person with five labels is left out"
    for joint in (JOINTS.index("right_ankle"), JOINTS.index("head_top"), JOINTS.index("left_elbow")):
        for image, (x, y) in zip(made.image, made.points_px[:, joint].round().int().tolist(), strict=True):
            assert image[:, y, x].min() > 200


def test_middles_are_those_of_the_labelled_and_what_has_no_label_is_not_known(pictures: Path) -> None:
    stills = list(open_stills(pictures))
    first = as_joints(stills[0].points_px, JOINTS, NAMES)
    hips = stills[0].points_px[[NAMES.index(f"{side}_hip") for side in SIDES]]
    np.testing.assert_allclose(first[JOINTS.index("pelvis")], hips.mean(0))
    assert not np.allclose(first[JOINTS.index("neck")], stills[0].points_px[NAMES.index("neck")])
    assert np.isnan(first[JOINTS.index("left_toe")]).all() and np.isnan(as_joints(stills[2].points_px, JOINTS, NAMES)[0]).all()
    made = cut(pictures)
    wrist = JOINTS.index("left_wrist")
    assert made.visibility[:2, wrist].tolist() == [VISIBLE, OUTSIDE] and torch.isnan(made.points_px[1, wrist]).all()


def test_nothing_is_known_of_depth_in_any_view(pictures: Path) -> None:
    truth = of_shots(cut(pictures), same_view(3))
    assert torch.isnan(truth.joints_m).all() and torch.isfinite(truth.cells[:, JOINTS.index("head_top")]).all()


def test_labelled_crops_teach_the_heatmaps_and_leave_the_pose_alone(pictures: Path) -> None:
    settings, made = VNectSettings(trunk="tiny", dropout=0.0, weight_decay=0.0), cut(pictures)
    trunk = build.trunk(settings)
    task = Learning(settings, None, build.head(settings, trunk), begun=True)
    before = {name: value.detach().clone() for name, value in task.head.named_parameters()}
    said, truth = task.head(trunk(made.image.float() / 255)), of_shots(made, same_view(3))
    costs = task.learn(said, truth, 0.0)
    moved = {name.split(".")[0] for name, value in task.head.named_parameters() if not torch.equal(value, before[name])}
    assert costs["heat"] > 0 and costs["places"] == costs["coarse"] == 0 and moved == {"heat"}
    with torch.inference_mode():
        assert np.isfinite(scores([task.head(trunk(made.image.float() / 255))], truth)["median_cells"])


def test_least_squares_begin_from_the_crops_whose_pose_is_known() -> None:
    settings = VNectSettings(trunk="tiny")
    rng = torch.Generator().manual_seed(0)
    vectors, joints_m = torch.randn(40, 8, generator=rng), torch.randn(40, len(JOINTS), 3, generator=rng)
    joints_m[30:] = torch.nan
    heads = [build.head(settings, build.trunk(settings)) for _ in range(2)]
    for head, rows in zip(heads, (slice(None), slice(0, 30)), strict=True):
        Learning(settings, None, head).begin(0, lambda rows=rows: (vectors[rows], joints_m[rows]))
    first, second = (head.get_submodule("coarse.straight").get_parameter("weight") for head in heads)
    assert torch.equal(first, second)


def test_the_command_cuts_the_numbers_that_were_asked_for(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert footage.main(["--out", str(tmp_path), "--images", str(pictures), "--numbers", "2-4"]) == 0
    assert "2 crops" in capsys.readouterr().out
    assert len(shots.load(shots.shards(tmp_path)[0])) == 2


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "nothing to look at"),
        (["clip.mp4", "--numbers", "1-3"], "with --images"),
        (["--images", "here.tar", "--numbers", "3"], "must be a range"),
        (["--images", "{pictures}", "--numbers", "4-4"], "seen well enough"),
    ],
)
def test_what_gives_no_crop_is_refused(
    told: list[str], said: str, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert footage.main(["--out", str(tmp_path / "out"), *(word.format(pictures=pictures) for word in told)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
