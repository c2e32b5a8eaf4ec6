"""Trained networks to what runs live: batch norm folded, maxima and read-out inside the graph, checked against torch.

What the files say of themselves and to whom, so that the live side needs nothing of this one (metadata_props):
posewire_kind "xnect-stage-1" / "xnect-stage-2", posewire_version "1", joints (names, comma-separated), stride_px "8",
size "512x320" (width x height), scheme "sparse". Stage I takes `image` (1, 3, 320, 512) RGB 0..1 float32 whatever its trunk
is (the network's own scaling is in the graph) and gives peaks (1, J, 16, 3) x, y in cells of 8 px and confidence, integrals
(1, A, 16, 16), encodings (1, J, 16, 3 J); on MoveNet's trunk also centres (1, 16) with the height of each, 0 = nobody, and
guesses (1, 16, J, 2), x and y in cells of where their joints are. Stage II takes rows (P, J, 3 + 3 J) of `rows.person_rows`
(height_px = 320, that of Stage I's picture) and gives joints_m (P, J, 3).

Both speak in the axes of a camera that looks straight at the person's NECK, not of the real one: a convolution cannot know where
in the picture it stands. The live side turns joints_m by `posewire.camera.R_camera_crop(neck_px, camera)` (Mehta 2020, appendix
B.1); `truth.of_batch` turns the labels the other way.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from posewire_data.joints import JOINTS
from posewire_training import onnx_export
from posewire_training.compact import round_compactly, store_compactly
from posewire_xnect import sparsity
from posewire_xnect.movenet import Heads, LiveMovenet, Trunk
from posewire_xnect.readout import LiveStageOne, Reading
from posewire_xnect.rows import WIDTH
from posewire_xnect.skeleton import J, Scheme
from posewire_xnect.stage_one import StageOne
from posewire_xnect.stage_two import StageTwo
from posewire_xnect.targets import STRIDE

N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of Stage I."""

    difference: float
    """Largest of any output between torch and ONNX Runtime, both folded."""
    pruned: sparsity.Report


def export_stage_one(net: StageOne, image: Tensor, path: Path, *, half: bool = False, scheme: Scheme = "sparse") -> Exported:
    """Writes picture -> peaks, integrals, encodings for pictures of one size; `net` stays as it is.

    Args:
        net: Trained.
        image: (B, 3, h, w), B at least 2: pictures with people, of the size that will run. Without peaks parity would
            say nothing; with hundreds (noise, an untrained network) two of the same height change places.
        path: The .onnx file.
        half: Stores large weights as float16.
        scheme: With which it was trained.

    Raises:
        ModelError: ONNX Runtime says something else than torch.
    """
    smaller = copy.deepcopy(net).eval()
    report = sparsity.prune(smaller)
    live = LiveStageOne(folded(smaller)).eval()
    difference = onnx_export.export(live, {"image": image}, list(Reading._fields), path, half=half)
    store_compactly(path, _said_of_itself("xnect-stage-1", scheme, image), pack=False)
    return Exported(difference, report)


def export_movenet(trunk: Trunk, heads: Heads, image: Tensor, path: Path, scheme: Scheme = "sparse") -> float:
    """The same of heads on a MoveNet trunk for pictures of any size (sides multiples of 32), its weights stored small; returns
    the largest difference to torch.

    Nothing of the trunk can be pruned: its batch norms were folded by those who trained it.
    """
    live = copy.deepcopy(LiveMovenet(trunk, folded(heads))).eval()
    round_compactly(live.heads)  # the trunk's weights came rounded
    any_size = {"image": {2: "height", 3: "width"}}
    onnx_export.export(live, {"image": image}, [*Reading._fields, "centres", "guesses"], path, free_axes=any_size)
    store_compactly(path, _said_of_itself("xnect-stage-1", scheme, image))
    return onnx_export.parity(live, {"image": image}, path)


def export_stage_two(net: StageTwo, path: Path, *, half: bool = False, pack: bool = False) -> float:
    """Writes rows (P, J, 3 + 3 J) -> joints_m (P, J, 3) for any number of people; returns the largest difference, metres.

    Args:
        net: Trained.
        path: The .onnx file.
        half: Stores large weights as float16.
        pack: Stores them as int8 (posewire_training.compact).
    """
    rows = torch.rand(4, J, WIDTH, generator=torch.Generator().manual_seed(0))
    net = copy.deepcopy(net).eval()
    if pack:
        round_compactly(net)
    onnx_export.export(net, {"rows": rows}, ["joints_m"], path, half=half)
    store_compactly(path, _said_of_itself("xnect-stage-2", net.settings.scheme, None), pack=pack)
    return onnx_export.parity(net, {"rows": rows}, path)


def _said_of_itself(kind: str, scheme: Scheme, image: Tensor | None) -> dict[str, str]:
    """metadata_props; see above."""
    size = "512x320" if image is None else f"{image.shape[3]}x{image.shape[2]}"
    same = {"posewire_version": "1", "joints": ",".join(JOINTS), "stride_px": str(STRIDE), "scheme": scheme}
    return {"posewire_kind": kind, "size": size, **same}


def folded(net: N) -> N:
    """A copy whose batch norms are part of the convolutions before them; in eval mode it says the same."""
    copied = copy.deepcopy(net).eval()
    for block in [module for module in copied.modules() if isinstance(module, nn.Sequential) and len(module) > 1]:
        conv, norm = block[0], block[1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block[0], block[1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return copied
