"""BlazePose's landmark network as a trunk: features that already know real people (transfer, thesis 002, section 4.2).

Which tensors of posewire_models/blazepose_full.onnx the head sees:
  decoder_64, decoder_32, decoder_16   from which BlazePose reads its heatmaps (48 channels each)
  encoder_16                           before the picture shrinks to 8 cells (88)
  deep_8                               what its regression tower starts from (288)
  tower_2                              the tower's last features (288 x 2 x 2), and its own answers, linear in them:
  landmarks, world_landmarks           39 points in the crop and in metres: the only 3D here that was learned on real people

Weights of large convolutions are rounded as `rounding` says as soon as they are read, so that the head learns from the very
trunk that its file will hold.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from posewire_models import model_path
from posewire_training import onnx_graph
from posewire_vnect.features import Features, Widths
from posewire_vnect.names import INPUT_PX
from posewire_vnect.rounding import round_weights

TENSORS: dict[str, str] = {
    "decoder_64": "t503",
    "decoder_32": "t489",
    "decoder_16": "t475",
    "encoder_16": "t195",
    "deep_8": "t290",
    "tower_2": "t435",
    "landmarks": "landmarks",
    "world_landmarks": "world_landmarks",
}
"""Our names of the file's tensors."""
_ANSWERS = ("landmarks", "world_landmarks")
_TOWER = 4 * 288
WORLD_NUMBERS = 39 * 3
"""The vector's last numbers: world landmarks."""
_LOGIT_SCALE = 0.1
"""Visibility and presence are logits up to 15; the head's inputs should be about one."""


def source_path() -> Path:
    """The bundled network that the trunk is read from."""
    return model_path("blazepose_full")


class BlazePoseTrunk(nn.Module):
    """Crops of 256 pixels to Features; without batch norm, which the file has folded.

    Args:
        path: Of the network; None = the bundled one.
        answers: Whether the vector holds BlazePose's own answers besides the tower's features.
    """

    def __init__(self, path: Path | None = None, *, answers: bool = True) -> None:
        super().__init__()
        self.path, self.answers = path or source_path(), answers
        self.widths = Widths(fine=96, mid=136, deep=288, vector=_TOWER + (39 * 5 + 39 * 3 if answers else 0))
        self.graph = onnx_graph.read(self.path, [at for name, at in TENSORS.items() if answers or name not in _ANSWERS])
        round_weights(self.graph)

    def forward(self, image: Tensor) -> Features:
        return arranged(*self.graph(image))

    def learn_from(self, first: int) -> None:
        """Convolutions before number `first` of the file stay as they are, which also saves the time of their gradients."""
        for number, layer in self.graph.layers.items():
            layer.requires_grad_(int(number) >= first)

    def without_answers(self) -> BlazePoseTrunk:
        """A copy whose vector holds the tower's features only."""
        copied = BlazePoseTrunk(self.path, answers=False).eval()
        mine = self.graph.state_dict()
        copied.graph.load_state_dict({name: mine[name] for name in copied.graph.state_dict()})
        return copied

    def answers_of_tower(self) -> tuple[Tensor, Tensor]:
        """M (V, T) and c (V,): the vector is M t + c of the tower's features t, as convolutions of the whole tower are linear."""
        tower = torch.eye(_TOWER)
        rows = [_vector(tower, *self._answers(tower)), _vector(0 * tower[:1], *self._answers(0 * tower[:1]))]
        return (rows[0] - rows[1]).T.detach(), rows[1][0].detach()

    def _answers(self, tower: Tensor) -> list[Tensor]:
        """Landmarks and world landmarks of flat tower features (N, T)."""
        found: list[Tensor] = []
        for name in _ANSWERS:
            reshape = self.graph.steps[TENSORS[name]]
            convolution = self.graph.steps[reshape.inputs[0]]
            found.append(reshape.compute(convolution.compute(tower.view(-1, _TOWER // 4, 2, 2))))
        return found


def arranged(
    decoder_64: Tensor,
    decoder_32: Tensor,
    decoder_16: Tensor,
    encoder_16: Tensor,
    deep_8: Tensor,
    tower_2: Tensor,
    *answers: Tensor,
) -> Features:
    """The tensors of TENSORS, in its order, as Features."""
    fine = torch.cat([nn.functional.avg_pool2d(decoder_64, 2), decoder_32], 1)
    return Features(fine, torch.cat([encoder_16, decoder_16], 1), deep_8, _vector(tower_2, *answers))


def _vector(tower: Tensor, *answers: Tensor) -> Tensor:
    """The tower's features and, if given, landmarks (B, 39, 5) and world landmarks (B, 39, 3), all of a size about one."""
    if not answers:
        return tower.flatten(1)
    landmarks, world_landmarks = answers
    points = landmarks[..., :3] / (INPUT_PX / 2) - torch.tensor([1.0, 1.0, 0.0], device=landmarks.device)
    parts = (points, landmarks[..., 3:] * _LOGIT_SCALE, world_landmarks)
    return torch.cat([tower.flatten(1), *(part.flatten(1) for part in parts)], 1)
