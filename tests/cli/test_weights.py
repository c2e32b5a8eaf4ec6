"""`--weights`: a method runs and is scored with files of one's own; those that do not fit are refused before anything is seen."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import posewire as api
import posewire_models
from posewire.bench.clip import bundled_frames

onnx = pytest.importorskip("onnx", reason="other files are written with onnx: pip install 'posewire[train]'")

from posewire_training.half import halve  # noqa: E402

ONE, TWO, VNECT = (posewire_models.model_path(name) for name in ("xnect_stage1", "xnect_stage2", "vnect"))


def saying(path: Path, source: Path, **told: str) -> Path:
    """A copy of a network's file that says something else of itself."""
    model = onnx.load(source)
    onnx.helper.set_model_props(model, {prop.key: prop.value for prop in model.metadata_props} | told)
    onnx.save(model, path)
    return path


@pytest.fixture
def refused(posewire, short_clip, tmp_path):
    def run(method, *files):
        ran = posewire("run", short_clip, "--method", method, "--out", tmp_path / "take.pwt", "--weights", *files)
        assert ran.code == 2 and "Traceback" not in ran.err, ran
        assert not (tmp_path / "take.pwt").exists()
        return ran.err

    return run


def test_a_take_made_with_a_copy_of_the_bundled_file_is_the_same_and_says_with_what(posewire, short_clip, tmp_path):
    mine = tmp_path / "mine.onnx"
    shutil.copy(VNECT, mine)
    takes = {"own.pwt": (), "other.pwt": ("--weights", mine)}
    for name, flags in takes.items():
        assert posewire("run", short_clip, "--method", "vnect", "--out", tmp_path / name, *flags).code == 0
    own, other = (api.Take.open(tmp_path / name) for name in takes)
    np.testing.assert_array_equal(own.arrays().keypoints_px, other.arrays().keypoints_px)
    assert (own.header.settings["weights"], other.header.settings["weights"]) == ([], [str(mine)])
    assert "mine.onnx" in posewire("info", tmp_path / "other.pwt").out
    assert "weights" not in posewire("info", tmp_path / "own.pwt").out


def test_xnect_sees_with_a_float16_stage_one_of_ones_own(posewire, tmp_path):
    halve(ONE, tmp_path / "half.onnx")
    (frame,) = bundled_frames(1)
    cv2.imwrite(str(tmp_path / "picture.png"), frame.image[..., ::-1])
    flags = ("--method", "xnect", "--weights", tmp_path / "half.onnx", TWO)
    ran = posewire("detect", tmp_path / "picture.png", "--out", tmp_path / "seen.npz", *flags)
    assert ran.code == 0, ran.err
    assert posewire("detect", tmp_path / "picture.png", "--out", tmp_path / "own.npz", *flags[:2]).code == 0
    with np.load(tmp_path / "seen.npz") as seen, np.load(tmp_path / "own.npz") as own:
        assert seen["keypoints_px"].shape[1] == own["keypoints_px"].shape[1] == 1
        far_px = np.abs(seen["keypoints_px"] - own["keypoints_px"])
        assert 0.0 < np.nanmedian(far_px) < 20.0


@pytest.fixture
def stills(tmp_path):
    """Two pictures with joints somewhere, as `eval --images` reads them."""
    folder = tmp_path / "stills"
    folder.mkdir()
    for number, frame in enumerate(bundled_frames(2), 1):
        cv2.imwrite(str(folder / f"im{number}.png"), frame.image[::4, ::4, ::-1])
    parts = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    names = [f"{side}_{part}" for side in ("left", "right") for part in parts]
    points_px = np.random.default_rng(0).uniform(90, 180, (2, len(names), 2))
    visible = np.ones((2, len(names)), bool)
    np.savez(folder / "joints.npz", joint_names=np.array(names), keypoints_px=points_px, visible=visible)
    return folder


def test_methods_that_take_the_same_file_are_scored_with_it(posewire, stills, tmp_path):
    shutil.copy(VNECT, tmp_path / "mine.onnx")
    asked = ("eval", "--images", stills, "--methods", "vnect,vnect-2scale", "--json")
    ran = posewire(*asked, "--weights", tmp_path / "mine.onnx")
    assert ran.code == 0 and json.loads(ran.out) == json.loads(posewire(*asked).out)
    ran = posewire(*asked, "--weights", saying(tmp_path / "other.onnx", VNECT, posewire_version="0"))
    assert ran.code == 2 and "version differs" in ran.err


def assert_said(pattern, text):
    assert re.search(pattern, text), text


@pytest.mark.parametrize(
    ("method", "files", "said"),
    [
        ("blazepose", [VNECT], "'blazepose' takes no weights.(.|\n)*allowed: vnect, vnect-2scale, vnect-steady, xnect\n"),
        ("vnect", [VNECT, VNECT], "weights of 'vnect' are 1 file.(.|\n)*next:    --weights vnect.onnx"),
        ("xnect", [ONE], "weights of 'xnect' are 2 files.(.|\n)*next:    --weights xnect_stage1.onnx xnect_stage2.onnx"),
        ("vnect", ["nowhere.onnx"], "weights file nowhere.onnx is missing"),
        ("vnect", [VNECT.parent], "weights file .*posewire_models is missing"),
        ("vnect", [__file__], "cannot be opened(.|\n)*allowed: an ONNX file"),
        ("vnect", [ONE], "kind of network differs(.|\n)*got:     xnect-stage-1\n  allowed: vnect\n"),
        ("xnect", [TWO, ONE], "kind of network differs(.|\n)*got:     xnect-stage-2\n  allowed: xnect-stage-1\n"),
    ],
    ids=["none", "one", "two", "missing", "folder", "text", "other method", "exchanged"],
)
def test_files_that_a_method_cannot_use_are_refused(refused, method, files, said):
    assert_said(said, refused(method, *files))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"posewire_version": "2"}, "version differs(.|\n)*got:     2\n  allowed: 1\n"),
        ({"joints": "nose,neck"}, "joints differs(.|\n)*got:     nose,neck\n  allowed: pelvis,"),
        ({"size": "640x384"}, "resolution differs.\n  got:     Stage I 640x384, Stage II 512x320\n"),
        ({"scheme": "orpm"}, "scheme differs.\n  got:     Stage I orpm, Stage II sparse\n"),
    ],
    ids=["version", "skeleton", "resolution", "scheme"],
)
def test_a_stage_one_of_another_make_is_refused(refused, tmp_path, told, said):
    assert_said(said, refused("xnect", saying(tmp_path / "one.onnx", ONE, **told), TWO))


def test_a_vnect_of_another_resolution_than_its_own_is_refused(refused, tmp_path):
    assert_said("inputs differs(.|\n)*256, 256", refused("vnect", saying(tmp_path / "mine.onnx", VNECT, input_px="368")))


def test_methods_that_do_not_all_take_the_file_are_refused_before_any_is_scored(posewire, tmp_path, short_clip):
    shutil.copy(VNECT, tmp_path / "mine.onnx")
    reference = tmp_path / "reference.npz"
    flags = ("--reference", reference, "--methods", "vnect,xnect", "--weights", tmp_path / "mine.onnx")
    ran = posewire("eval", short_clip, *flags)
    assert ran.code == 2 and "weights of 'xnect' are 2 files" in ran.err


def test_the_settings_file_names_weights_beside_itself(posewire, tmp_path, short_clip):
    shutil.copy(VNECT, tmp_path / "mine.onnx")
    (tmp_path / "settings.toml").write_text('method = "vnect"\nweights = ["mine.onnx"]\n')
    flags = ("--settings", tmp_path / "settings.toml")
    assert json.loads(posewire("settings", *flags, "--json").out)["weights"] == [str(tmp_path / "mine.onnx")]
    assert posewire("run", short_clip, *flags).code == 0
    ran = posewire("run", short_clip, *flags, "--method", "blazepose")
    assert ran.code == 2 and "takes no weights" in ran.err


def test_methods_says_which_files_a_method_takes(posewire):
    assert "--weights xnect_stage1.onnx xnect_stage2.onnx\n" in posewire("methods", "xnect").out
    assert "--weights" not in posewire("methods", "blazepose").out
    assert json.loads(posewire("methods", "vnect", "--json").out)[0]["weights"] == ["vnect.onnx"]
