"""The file that ships as a network that learns on: it says the same before the first step, and its norms are those of crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from vnect_crops import drawn
from vnect_nets import pictures, tiny

import posewire_models
from posewire.errors import ModelError
from posewire.runtime import open_session
from posewire_training import tensors, weights
from posewire_vnect import build, export, train, unfolded
from posewire_vnect.names import INPUT_PX, JOINTS
from posewire_vnect.network import VNect
from posewire_vnect.settings import VNectSettings

SHIPPED = posewire_models.model_path("vnect")


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return pictures(3, INPUT_PX)


@pytest.fixture
def net() -> VNect:
    taken = build.network(VNectSettings(answers=False)).eval()
    train.take(taken, SHIPPED)
    return taken


def said(path: Path, image: torch.Tensor) -> list[np.ndarray]:
    session = open_session(path, threads=1)
    outputs = session.run({"image": image.numpy()})
    session.close()
    return list(outputs.values())


@torch.no_grad()
def torch_says(net: VNect, image: torch.Tensor) -> list[np.ndarray]:
    return [value.numpy() for value in export.Live(net).eval()(image)]


def apart(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def test_it_says_what_the_file_says_before_and_after_its_norms_are_measured(net: VNect, image: torch.Tensor) -> None:
    file = said(SHIPPED, image)
    assert apart(torch_says(net, image), file) < 1e-4
    unfolded.measure_norms(net, [image, image.flip(3)])
    assert apart(torch_says(net, image), file) < 1e-4


def test_measured_norms_have_the_mean_and_deviation_of_their_crops(net: VNect, image: torch.Tensor) -> None:
    unfolded.measure_norms(net, image.split(1))
    conv, norm = net.head.heat.body[0][:2]
    seen: list[torch.Tensor] = []
    hook = conv.register_forward_hook(lambda _layer, _inputs, value: seen.append(value))
    with torch.no_grad():
        net(image)
    hook.remove()
    values = seen[0].transpose(0, 1).flatten(1)
    torch.testing.assert_close(norm.running_mean, values.mean(1), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(norm.running_var, values.var(1, correction=0), rtol=1e-3, atol=1e-4)


def test_it_is_exported_again_as_the_same_file(net: VNect, image: torch.Tensor, tmp_path: Path) -> None:
    unfolded.measure_norms(net, [image])
    export.export(net, tmp_path / "again.onnx", image=image)
    assert apart(said(tmp_path / "again.onnx", image), said(SHIPPED, image)) < 1e-4


def test_training_goes_on_from_what_ships_and_from_there(tmp_path: Path) -> None:
    (tmp_path / "shots").mkdir()
    for number in range(2):
        tensors.save(drawn(4), tmp_path / "shots" / f"shard_{number:05d}.npz")
    command = ["--shots", str(tmp_path / "shots"), "--steps", "2", "--batch", "4", "--trunk-rate", "0.01", "--trunk-from", "70"]
    assert train.main(["--out", str(tmp_path / "one"), "--begin", train.BUNDLED, "--learning-rate", "1e-7", *command]) == 0
    kept = weights.load(tmp_path / "one" / "weights.pt", train.METHOD, JOINTS)
    assert kept.settings["answers"] is False
    begun = weights.load(tmp_path / "one" / train.BEGUN, train.METHOD, JOINTS).states["head"]["maps.last.weight"]
    torch.testing.assert_close(kept.states["head"]["maps.last.weight"], begun, rtol=0, atol=1e-4)
    crops = drawn(4).image.float() / 255
    assert apart(said(tmp_path / "one" / "vnect.onnx", crops)[1:2], said(SHIPPED, crops)[1:2]) < 0.05
    assert train.main(["--out", str(tmp_path / "two"), "--begin", str(tmp_path / "one" / "weights.pt"), *command]) == 0


def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    net = build.network(VNectSettings(answers=False))
    with pytest.raises(ModelError, match="is no VNect"):
        unfolded.take(net, posewire_models.model_path("blazepose_lite"))
    export.export(tiny(), tmp_path / "tiny.onnx", side=64, image=pictures(2))
    with pytest.raises(ModelError, match="another trunk or head"):
        unfolded.take(net, tmp_path / "tiny.onnx")
    with pytest.raises(ModelError, match="missing"):
        unfolded.take(net, tmp_path / "none.onnx")
