"""A trained VNect as the file that runs live: names.py says what it holds. Checked against torch when it is written."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from posewire.errors import ModelError
from posewire_training import onnx_export
from posewire_vnect.folding import folded
from posewire_vnect.names import INPUT, INPUT_PX, JOINTS, KIND, METADATA, OUTPUTS, STRIDE_PX, VERSION
from posewire_vnect.network import Maps, VNect
from posewire_vnect.readout import ReadOut, told_m
from posewire_vnect.regression import Answers
from posewire_vnect.rounding import is_large, round_weights, store_in_steps


class Live(nn.Module):
    """Picture to the four outputs. The pose of a regression head is the same in every cell."""

    def __init__(self, net: VNect) -> None:
        super().__init__()
        self.net, self.read_out = net, ReadOut()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        said: Maps | Answers = self.net(image)
        if isinstance(said, Maps):
            return self.read_out(said.heat, told_m(said.heat, said.places_m))
        side = said.heat.shape[-1]
        return self.read_out(said.heat, said.fused_m[..., None, None].expand(-1, -1, -1, side, side))


def export(net: VNect, path: Path, *, side: int = INPUT_PX, image: Tensor | None = None) -> float:
    """Writes the file and returns its largest difference to torch (cells, metres); `net` stays as it is.

    Args:
        net: Trained, or not.
        path: The .onnx file.
        side: Pixels of the crops that it takes.
        image: (B, 3, side, side), B at least 2, to check with; smooth noise if none is given.

    Raises:
        ModelError: ONNX Runtime says something else than torch.
    """
    live = Live(folded(net)).eval()
    round_weights(live)
    _round_the_rest(live)
    image = _smooth_noise(side) if image is None else image
    onnx_export.export(live, {INPUT: image}, list(OUTPUTS), path)
    _store(path, side)
    difference = onnx_export.parity(live, {INPUT: image}, path)
    if not difference <= onnx_export.PARITY:
        raise ModelError(f"{path} does not say what the network says.", got=f"difference {difference:.2e}")
    return difference


def _round_the_rest(live: nn.Module) -> None:
    """What float16 can hold, for every weight that is not stored in steps."""
    with torch.no_grad():
        for value in live.parameters():
            if not is_large(tuple(value.shape)):
                value.copy_(value.half().float())


def _store(path: Path, side: int) -> None:
    """Large weights in steps and halves; what the file is."""
    model = onnx.load(path)
    store_in_steps(model)
    onnx_export.store_as_half(model)
    values = (KIND, VERSION, ",".join(JOINTS), str(STRIDE_PX), str(side))
    for key, value in zip(METADATA, values, strict=True):
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)


def _smooth_noise(side: int) -> Tensor:
    made = torch.Generator().manual_seed(0)
    return nn.functional.interpolate(torch.rand(2, 3, 8, 8, generator=made), size=(side, side), mode="bilinear")
