"""The 3D branch of an exported file: taken out it says what the file says, put back nothing else of the file has changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from torch import nn  # noqa: E402

import posewire_models  # noqa: E402
from posewire.bench import many_people  # noqa: E402
from posewire.errors import ModelError, SettingsError  # noqa: E402
from posewire.runtime import open_session  # noqa: E402
from posewire_training import origin, tensors  # noqa: E402
from posewire_xnect import album, encodings, train  # noqa: E402
from posewire_xnect.deep_file import COLUMNS, DeepFile  # noqa: E402
from posewire_xnect.deepen import columns_in  # noqa: E402
from posewire_xnect.letterbox import Letterbox  # noqa: E402
from posewire_xnect.networks import StageOneNet  # noqa: E402
from posewire_xnect.skeleton import J, supervised  # noqa: E402
from posewire_xnect.targets import FloatArray  # noqa: E402

SHIPPED = posewire_models.model_path("xnect_stage1")
"""Its 2D part is int8."""


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    frame = many_people.composed(many_people.cut_outs(many_people.bundled_frames(2)), 3)[0]
    return Letterbox.into(frame.size_px).to_network(frame.image)


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("below") / "below.onnx"
    DeepFile(SHIPPED).write_below(path)
    return path


def said_by(path: Path, image: np.ndarray) -> dict[str, FloatArray]:
    session = open_session(path, threads=1)
    said = dict(session.run({"image": image}))
    session.close()
    return said


def at_peaks(said: dict[str, FloatArray], values: FloatArray) -> FloatArray:
    return values[said["peaks"][0, ..., 2].reshape(-1) > 0]


def test_the_branch_says_of_the_columns_what_the_file_says(below: Path, image: np.ndarray) -> None:
    said = said_by(below, image)
    with torch.inference_mode():
        own = DeepFile(SHIPPED).layers()(torch.from_numpy(said[COLUMNS]))[0].numpy()
    due = said["encodings"][0].reshape(-1, 3 * J)
    assert len(at_peaks(said, due)) > 40
    np.testing.assert_allclose(at_peaks(said, own), at_peaks(said, due), atol=1e-5)


@pytest.mark.parametrize("hidden", [256, 40])
def test_other_layers_change_the_encodings_and_nothing_else(hidden: int, below: Path, image: np.ndarray, tmp_path: Path) -> None:
    inputs = next(iter(DeepFile(SHIPPED).layers().children())).in_features
    layers = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 3 * J))
    DeepFile(SHIPPED).write_with(layers, tmp_path / "other.onnx")
    before, after = said_by(below, image), said_by(tmp_path / "other.onnx", image)
    with torch.inference_mode():
        due = layers(torch.from_numpy(before[COLUMNS]))[0].numpy()
    np.testing.assert_allclose(at_peaks(after, after["encodings"][0].reshape(-1, 3 * J)), at_peaks(before, due), atol=1e-4)
    for name in ("peaks", "integrals", "centres", "guesses"):
        np.testing.assert_array_equal(after[name], before[name])
    StageOneNet(open_session(tmp_path / "other.onnx", threads=1)).close()
    assert (tmp_path / "other.onnx").stat().st_size < SHIPPED.stat().st_size + 1000


def some_pictures(folder: Path, image: np.ndarray, said: dict[str, FloatArray]) -> None:
    """Two albums of one picture of somebody at the peaks of the surest candidates, with random bones."""
    points_px = 8 * said["peaks"][0, :, 0, :2] + 3.5
    joints_m = np.random.default_rng(0).normal(0.0, 0.3, (J, 3))
    there = torch.from_numpy(np.stack([points_px])[None]).float(), torch.from_numpy(np.stack([joints_m])[None]).float()
    scene = album.Scene(torch.from_numpy(image), *there, torch.ones(1, 1, J, dtype=torch.int64))
    for number in range(2):
        tensors.save(album.of_scene(scene), folder / album.file_name(number))


def test_it_learns_the_bones_of_whom_the_file_sees(below: Path, image: np.ndarray, tmp_path: Path) -> None:
    said = said_by(below, image)
    some_pictures(tmp_path / "pictures", image, said)
    flags = ["deep", "--stage1", str(SHIPPED), "--pictures", str(tmp_path / "pictures"), "--footage", str(tmp_path / "pictures")]
    how = ["--steps", "60", "--batch", "64", "--warm-up-steps", "5", "--validate-every", "20", "--dropped", "0", "--average", "0"]
    assert train.main([*flags, *how, "--out", str(tmp_path / "out")]) == 0
    session = open_session(below, threads=1)
    known = columns_in(session, album.paths(tmp_path / "pictures"))
    session.close()
    assert set(known.joint.tolist()) >= set(range(J)) - {0}
    files = (SHIPPED, tmp_path / "out" / "xnect_stage1.onnx")
    off_m = [_off_m(DeepFile(path).layers(), known) for path in files]
    assert off_m[1] < 0.2 * off_m[0]
    curves = (tmp_path / "out" / "curves.csv").read_text().splitlines()
    assert len(curves) == 4 and curves[0].endswith("validation_bone_mm")


def _off_m(layers: nn.Sequential, known: object) -> float:
    with torch.inference_mode():
        told = layers(known.features.float()).unflatten(1, (J, 3))  # type: ignore[attr-defined]
    asked = torch.from_numpy(supervised("sparse"))[known.joint]  # type: ignore[attr-defined]
    return float((told - known.bones_m).norm(dim=-1)[asked].mean())  # type: ignore[attr-defined]


def test_bones_are_those_of_the_encodings(below: Path, image: np.ndarray, tmp_path: Path) -> None:
    some_pictures(tmp_path, image, said_by(below, image))
    session = open_session(below, threads=1)
    known = columns_in(session, album.paths(tmp_path)[:1], crowds=False)
    session.close()
    joints_m = album.load(album.paths(tmp_path)[0]).joints_m[0, 0].numpy()
    due = torch.from_numpy(encodings.bones(joints_m[None].astype(np.float64))[0]).float()
    torch.testing.assert_close(known.bones_m[0], due)


def test_what_cannot_learn_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no Stage I"):
        DeepFile(posewire_models.model_path("vnect"))
    origin.agreed(tmp_path / "held", split="test")
    code = train.main(["deep", "--stage1", str(SHIPPED), "--pictures", str(tmp_path / "held"), "--out", str(tmp_path / "out")])
    assert code == 2 and not (tmp_path / "out").exists()
    with pytest.raises(SettingsError, match="no training pictures"):
        album.paths(tmp_path)
