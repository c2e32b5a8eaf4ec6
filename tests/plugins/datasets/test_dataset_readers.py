"""Human3.6M, MPI-INF-3DHP, MuPoTS-3D and 3DPW, each read from a tiny folder in its published layout."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import layouts
import numpy as np
import pytest

from posewire_data import bodies, h36m, matlab, motion, mpi_inf_3dhp, mupots, pack, pw3d
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS, mirrored
from posewire_data.sequences import Sequence

WRIST = JOINTS.index("left_wrist")


@pytest.fixture
def cdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for cdflib, which only Human3.6M's licence holders need: its files here are .npy."""

    class Cdf:
        def __init__(self, path: str) -> None:
            self._pose = np.load(path)

        def varget(self, name: str) -> np.ndarray:
            assert name == "Pose"
            return self._pose[None]

    monkeypatch.setitem(sys.modules, "cdflib", SimpleNamespace(CDF=Cdf))


def save_cdf(path: Path, values: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, values)


def assert_is(sequence: Sequence, world_m: np.ndarray, person: int = 0, scale: float = 1.0) -> None:
    """The person of this motion, seen by the camera of `layouts`; the camera found is that camera."""
    annotated = np.isfinite(sequence.positions_m[:, person]).all(axis=-1)
    expected = layouts.camera_m(world_m) * scale
    np.testing.assert_allclose(sequence.positions_m[:, person][annotated], expected[annotated], atol=1e-6)
    annotated[:, 0] = False  # the pelvis, which in the picture is not quite the middle of the hips
    np.testing.assert_allclose(sequence.points_px[:, person][annotated], layouts.pixels(expected)[annotated], atol=1e-3)
    np.testing.assert_allclose(sequence.camera.K, layouts.K, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("cdf")
def test_human36m_comes_in_its_protocols_subjects(tmp_path: Path, waving_m: np.ndarray) -> None:
    order = h36m._ORDER
    layouts.write_h36m(tmp_path, waving_m, order, save_cdf, ("S9", "S11"))
    sequences = list(h36m.read_sequences(tmp_path, "test"))
    assert [(one.subject, one.name) for one in sequences] == [(s, f"{s} Walking 1.54138969") for s in ("S9", "S11")]
    assert set(sequences[0].activities) == {"Walking"} and sequences[0].video is None
    assert_is(sequences[0], waving_m)
    clip = next(h36m.read_clips(tmp_path, "test"))
    np.testing.assert_allclose(clip.positions_m, waving_m, atol=1e-5)
    with pytest.raises(DatasetError, match="S1 is missing"):
        list(h36m.read_sequences(tmp_path, "train"))


def test_human36m_without_cdflib_says_what_to_install(
    tmp_path: Path, waving_m: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cdflib", None)
    layouts.write_h36m(tmp_path, waving_m, h36m._ORDER, save_cdf, ("S9",))
    with pytest.raises(DatasetError, match="pip install cdflib"):
        next(h36m.read_sequences(tmp_path, "test"))


def test_human36m_in_videopose3ds_conversion_needs_nothing_else(tmp_path: Path, waving_m: np.ndarray) -> None:
    layouts.write_h36m_conversion(tmp_path / h36m.CONVERSION, waving_m, h36m._ORDER, ("S9", "S11"))
    clips = list(h36m.read_clips(tmp_path, "test"))
    assert [clip.subject for clip in clips] == ["S9", "S11"] and clips[0].activity == "Walking"
    np.testing.assert_allclose(clips[0].positions_m, waving_m, atol=1e-5)
    with pytest.raises(DatasetError, match="no S1"):
        list(h36m.read_clips(tmp_path, "train"))


def test_licensed_motion_is_packed_beside_cmus_with_its_own_test_subjects(tmp_path: Path, waving_m: np.ndarray) -> None:
    everybody = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
    layouts.write_h36m_conversion(tmp_path / h36m.CONVERSION, waving_m, h36m._ORDER, everybody)
    for part in ("train", "test"):
        layouts.write_3dpw(tmp_path, f"a_walking_{part}", [waving_m], pw3d._ORDER, part)
    out = tmp_path / "packed.npz"
    assert pack.main(["--h36m", str(tmp_path), "--3dpw", str(tmp_path), "--out", str(out), "--rate", "25"]) == 0
    train, test = motion.load(out, "train"), motion.load(out, "test")
    assert train.subjects == ("S1", "S5", "S6", "S7", "S8", "a_walking_train") and test.subjects == (
        "S11",
        "S9",
        "a_walking_test",
    )
    assert {round(clip.rate_hz) for clip in train.clips} == {25, 30}
    assert bodies.knee_to_neck_m(train.frames_m()) == pytest.approx(bodies.KNEE_TO_NECK_M, abs=1e-3)
    assert pack.main(["--out", str(out)]) == 2


def test_mpi_inf_3dhp_trains_on_the_chest_cameras(tmp_path: Path, waving_m: np.ndarray) -> None:
    layouts.write_3dhp_train(tmp_path / "S1" / "Seq1", waving_m, mpi_inf_3dhp._TRAIN_ORDER)
    sequences = list(mpi_inf_3dhp.read_sequences(tmp_path, "train"))
    assert [one.name for one in sequences] == [f"S1 Seq1 camera {c}" for c in mpi_inf_3dhp.CHEST_CAMERAS]
    np.testing.assert_allclose(sequences[0].positions_m[:, 0], layouts.camera_m(waving_m) * 0.98, atol=1e-6)
    np.testing.assert_allclose(sequences[0].camera.K, layouts.K, rtol=1e-5)


def test_mpi_inf_3dhp_tests_on_valid_frames_with_activities(tmp_path: Path, waving_m: np.ndarray) -> None:
    valid = np.arange(len(waving_m)) % 3 != 0
    layouts.write_3dhp_test(tmp_path / "TS1", waving_m, mpi_inf_3dhp.TEST_ORDER, valid)
    (sequence,) = mpi_inf_3dhp.read_sequences(tmp_path, "test")
    assert len(sequence) == valid.sum() and set(sequence.activities) == {"Stand/Walk", "Sports"}
    assert_is(sequence, waving_m[valid])


def test_a_matlab_73_file_without_h5py_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "annot_data.mat").write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" "))
    with pytest.raises(DatasetError, match="pip install h5py"):
        matlab.read_mat(tmp_path / "annot_data.mat", ("annot3",))


def test_mupots_knows_who_is_hidden_and_who_is_not_annotated(tmp_path: Path, waving_m: np.ndarray) -> None:
    other_m = mirrored(waving_m) + np.array([1.0, 0.0, -0.5])
    layouts.write_mupots(tmp_path / "TS3", [waving_m[:6], other_m[:6]], mpi_inf_3dhp.TEST_ORDER)
    (sequence,) = mupots.read_sequences(tmp_path, "test")
    assert sequence.name == "TS3" and sequence.positions_m.shape == (6, 2, 17, 3)
    assert np.isnan(sequence.positions_m[0, 1]).all() and np.isfinite(sequence.positions_m[1:]).all()
    assert not sequence.visible[:, 0, WRIST].any() and sequence.visible[:, 1].all() and sequence.visible.sum() == 6 * 33
    assert_is(sequence, waving_m[:6])
    assert_is(sequence, other_m[:6], person=1)
    with pytest.raises(DatasetError, match="testing only"):
        next(mupots.read_sequences(tmp_path, "train"))


def test_3dpw_is_seen_through_its_moving_camera(tmp_path: Path, waving_m: np.ndarray) -> None:
    layouts.write_3dpw(tmp_path, "downtown_arguing_00", [waving_m[:5], waving_m[5:10]], pw3d._ORDER)
    (sequence,) = pw3d.read_sequences(tmp_path, "test")
    assert set(sequence.activities) == {"arguing"} and sequence.positions_m.shape == (5, 2, 17, 3)
    assert np.isnan(sequence.positions_m[-1, 0]).all()
    unknown = [JOINTS.index("nose"), JOINTS.index("head_top")]
    assert np.isnan(sequence.positions_m[:, :, unknown]).all()
    assert not sequence.visible[:, :, WRIST].any()
    known = np.delete(np.arange(17), unknown)
    np.testing.assert_allclose(sequence.positions_m[:, 1][:, known], layouts.camera_m(waving_m[5:10])[:, known], atol=1e-9)
    np.testing.assert_allclose(next(pw3d.read_clips(tmp_path, "test")).positions_m[:, known], waving_m[:5, known], atol=1e-6)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("open('harmed', 'w')",)


def test_a_pickle_that_would_run_something_is_refused(
    tmp_path: Path, waving_m: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = layouts.write_3dpw(tmp_path, "a_b_00", [waving_m[:5]], pw3d._ORDER)
    path.write_bytes(pickle.dumps({"jointPositions": _Evil()}, protocol=2))
    with pytest.raises(DatasetError, match="names __builtin__"):
        next(pw3d.read_sequences(tmp_path, "test"))
    assert not (tmp_path / "harmed").exists()


def test_missing_and_renamed_files_are_named(tmp_path: Path, waving_m: np.ndarray) -> None:
    for read in (h36m.read_sequences, mpi_inf_3dhp.read_sequences, mupots.read_sequences, pw3d.read_sequences):
        with pytest.raises(DatasetError, match="is missing"):
            list(read(tmp_path, "test"))
    layouts.write_mupots(tmp_path / "TS1", [waving_m[:3]], mpi_inf_3dhp.TEST_ORDER)
    (tmp_path / "TS1" / "occlusion.mat").rename(tmp_path / "TS1" / "occlusions.mat")
    with pytest.raises(DatasetError, match=r"(?s)occlusion labels is missing.*annot\.mat, occlusions\.mat"):
        list(mupots.read_sequences(tmp_path, "test"))


def test_wrong_joint_counts_are_refused(tmp_path: Path, waving_m: np.ndarray) -> None:
    layouts.write_3dpw(tmp_path, "a_b_00", [waving_m[:5, :16]], tuple(min(c, 22) for c in pw3d._ORDER[:16]))
    path = tmp_path / "sequenceFiles" / "test" / "a_b_00.pkl"
    found = pickle.loads(path.read_bytes())
    found["jointPositions"][0] = found["jointPositions"][0][:, :69]
    path.write_bytes(pickle.dumps(found, protocol=2))
    with pytest.raises(DatasetError, match="another number of joints"):
        list(pw3d.read_sequences(tmp_path, "test"))


def test_other_and_mixed_units_are_refused(tmp_path: Path, waving_m: np.ndarray) -> None:
    layouts.write_3dpw(tmp_path, "a_b_00", [1000 * waving_m], pw3d._ORDER)
    with pytest.raises(DatasetError, match="in another unit"):
        list(pw3d.read_sequences(tmp_path, "test"))
    mixed = waving_m.copy()
    mixed[40:] *= 1000
    layouts.write_3dpw(tmp_path, "a_b_00", [mixed], pw3d._ORDER)
    with pytest.raises(DatasetError, match=r"(?s)mixes units.*first in frame 40"):
        list(pw3d.read_sequences(tmp_path, "test"))


def test_nan_frames_stay_nan_and_a_file_of_nothing_else_is_refused(tmp_path: Path, waving_m: np.ndarray) -> None:
    gaps = waving_m.copy()
    gaps[7] = np.nan
    layouts.write_3dpw(tmp_path, "a_b_00", [gaps], pw3d._ORDER)
    (sequence,) = pw3d.read_sequences(tmp_path, "test")
    assert np.isnan(sequence.positions_m[7]).all() and np.isfinite(sequence.positions_m[8, 0, WRIST]).all()
    layouts.write_3dpw(tmp_path, "a_b_00", [np.full_like(waving_m, np.nan)], pw3d._ORDER)
    with pytest.raises(DatasetError, match="annotates nobody"):
        list(pw3d.read_sequences(tmp_path, "test"))
