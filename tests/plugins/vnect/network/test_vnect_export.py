"""The exported file: what live use relies on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from vnect_nets import SIDE, pictures, tiny

from posewire_training import onnx_export
from posewire_vnect import build, export
from posewire_vnect.folding import folded
from posewire_vnect.names import INPUT_PX, JOINTS, METADATA, OUTPUTS, PATCH
from posewire_vnect.network import Maps
from posewire_vnect.settings import VNectSettings


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vnect") / "tiny.onnx"
    assert export.export(tiny().eval(), path, side=SIDE) < 1e-4
    return path


def test_the_file_says_what_it_is(file: Path) -> None:
    model = onnx.load(file)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert tuple(said) == METADATA
    assert said["joints"].split(",") == list(JOINTS) and said["input_px"] == str(SIDE)
    assert [output.name for output in model.graph.output] == list(OUTPUTS)


def test_outputs_have_the_promised_shapes_at_any_batch(file: Path) -> None:
    for count in (1, 3):
        said = onnx_export.run(file, {"image": pictures(count).numpy()})
        J = len(JOINTS)
        assert [value.shape for value in said] == [(count, J, 2), (count, J), (count, J, 2), (count, J, 3, PATCH, PATCH)]
        corner = said[2]
        assert corner.dtype == np.int64 and corner.min() >= 0 and corner.max() <= SIDE // 8 - PATCH


def test_without_batch_norm_and_blazeposes_answers_the_network_says_the_same() -> None:
    torch.manual_seed(0)
    net = build.network(VNectSettings())
    image = pictures(3, INPUT_PX)
    with torch.no_grad():
        net.train()(image)  # means and deviations that are not 0 and 1
        whole: Maps = net.eval()(image)
        less: Maps = folded(net)(image)
    assert sum(p.numel() for p in folded(net).parameters()) < sum(p.numel() for p in net.parameters()) - 300_000
    for name, a, b in zip(Maps._fields, whole, less, strict=True):
        assert (a - b).abs().max() < 1e-4 * max(1.0, float(a.abs().max())), name
