"""The packed file, and the wall between training and test subjects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posewire_data.errors import DatasetError
from posewire_data.motion import UNIT_M, Clip, MotionSet, load, save


def clip(subject: str, positions_m: np.ndarray, source: str = "cmu") -> Clip:
    return Clip(f"{subject}_01", source, subject, "walk", 60.0, positions_m)


@pytest.fixture
def packed(tmp_path: Path, waving_m: np.ndarray) -> Path:
    path = tmp_path / "motion.npz"
    train = MotionSet("train", (clip("01", waving_m), clip("02", waving_m[:30])))
    save(path, [train, MotionSet("test", (clip("13", waving_m[10:]),))])
    return path


def test_a_packed_motion_comes_back_to_half_a_step(packed: Path, waving_m: np.ndarray) -> None:
    train = load(packed, "train")
    assert [(one.name, one.subject, one.activity, one.rate_hz) for one in train.clips] == [
        ("01_01", "01", "walk", 60.0),
        ("02_01", "02", "walk", 60.0),
    ]
    np.testing.assert_allclose(train.clips[0].positions_m, waving_m, atol=0.51 * UNIT_M)


def test_an_unannotated_joint_stays_unannotated(tmp_path: Path, waving_m: np.ndarray) -> None:
    waving_m[3, 9] = np.nan
    save(tmp_path / "gaps.npz", [MotionSet("train", (clip("01", waving_m),))])
    back = load(tmp_path / "gaps.npz", "train").frames_m()
    assert np.isnan(back[3, 9]).all() and np.isfinite(np.delete(back[3], 9, axis=0)).all()


def test_training_and_test_subjects_never_meet(packed: Path, waving_m: np.ndarray) -> None:
    assert load(packed, "train").subjects == ("01", "02")
    assert load(packed, "test").subjects == ("13",)
    with pytest.raises(DatasetError, match="cmu 13"):
        MotionSet("train", (clip("01", waving_m), clip("13", waving_m)))
    with pytest.raises(DatasetError, match="never mixed"):
        MotionSet("test", (clip("01", waving_m),))
    with pytest.raises(DatasetError, match="h36m S9"):
        MotionSet("train", (clip("S9", waving_m, "h36m"),))
    with pytest.raises(DatasetError, match="cmu 13"):
        replace(load(packed, "test"), split="train")


def test_a_file_that_calls_subject_13_training_is_refused(packed: Path) -> None:
    with np.load(packed) as file:
        stored = dict(file)
    stored["splits"] = np.full_like(stored["splits"], "train")
    np.savez(packed, **stored)
    with pytest.raises(DatasetError, match="cmu 13"):
        load(packed, "train")


def test_windows_stay_inside_a_clip(packed: Path) -> None:
    train = load(packed, "train")
    windows = train.windows(20, stride=5)
    assert windows.shape == (9 + 3, 20)
    clips = train.frame_clips()[windows]
    assert (clips == clips[:, :1]).all()
    assert train.windows(61).shape == (0, 61)


def test_half_the_rate_keeps_every_second_frame(packed: Path) -> None:
    train = load(packed, "train")
    half = train.every(2)
    assert [len(one) for one in half.clips] == [30, 15]
    assert half.clips[0].rate_hz == 30.0
    np.testing.assert_array_equal(half.clips[0].positions_m, train.clips[0].positions_m[::2])


def test_a_model_is_chosen_by_training_subjects_of_its_own(packed: Path) -> None:
    rest, own = load(packed, "train").divided(["02"])
    assert rest.subjects == ("01",) and own.subjects == ("02",) and own.split == "train"
    with pytest.raises(DatasetError, match="13"):
        load(packed, "train").divided(["13"])


def test_bad_files_say_what_is_wrong(tmp_path: Path, packed: Path, waving_m: np.ndarray) -> None:
    with pytest.raises(DatasetError, match="python -m posewire_data"):
        load(tmp_path / "absent.npz", "train")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(DatasetError, match="not a packed motion"):
        load(tmp_path / "text.npz", "train")
    (tmp_path / "short.npz").write_bytes(packed.read_bytes()[:-100])
    with pytest.raises(DatasetError, match="not a packed motion"):
        load(tmp_path / "short.npz", "train")
    with np.load(packed) as file:
        stored = dict(file)
    np.savez(tmp_path / "old.npz", **(stored | {"joints": stored["joints"][:16]}))
    with pytest.raises(DatasetError, match="another version"):
        load(tmp_path / "old.npz", "train")
    save(tmp_path / "train_only.npz", [MotionSet("train", (clip("01", waving_m),))])
    with pytest.raises(DatasetError, match="no test clips"):
        load(tmp_path / "train_only.npz", "test")
    with pytest.raises(DatasetError, match="another skeleton"):
        clip("01", waving_m[:, :16])
    with pytest.raises(DatasetError, match="units"):
        save(tmp_path / "mm.npz", [MotionSet("train", (clip("01", 1000 * waving_m),))])
    with pytest.raises(DatasetError, match="cannot be written"):
        save(packed / "inside_a_file.npz", [load(packed, "train")])
