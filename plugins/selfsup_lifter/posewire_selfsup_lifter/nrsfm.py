"""Non-rigid structure from motion by a hierarchical dictionary: an auto-encoder whose weights are the dictionary.

Kong and Lucey 2019 (Deep NRSfM); Ch. 4.5, eq. 4.2 and 4.5-4.7; "Distill Knowledge from NRSfM", eq. 3 and 4. A shape is
s = D_1 phi_1, phi_1 = D_2 phi_2, ..., every code sparse and not negative; the encoder is one step of sparse coding a level.
"""

from __future__ import annotations

import itertools
from typing import TypeAlias

import torch
from torch import Tensor, nn

from posewire_selfsup_lifter.geometry import nearest_camera
from posewire_selfsup_lifter.losses import joint_distance

FACTORIZATION_LEVELS = (125, 80, 45, 25, 10)
"""K_1 to K_n of Ch. 4.7.2: the first 125, the last 10; the levels between are ours, the document gives none."""
DISTILLATION_LEVELS = (256, 128, 64, 32, 16, 8)
"""Six levels: the distillation paper, section 5.1."""
SPARSITY = 0.01
"""lambda of eq. 4, same section."""

Explained: TypeAlias = "tuple[Tensor, Tensor, Tensor]"
"""Shape (B, J, 3), camera M (B, 3, 2), code phi_1 (B, K_1)."""


class Dictionary(nn.Module):
    """D_1 (J, 3, K_1) and D_2 ... D_n (K_(i-1), K_i) with the decoder's thresholds: eq. 4.6."""

    def __init__(self, joints: int, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(joints, 3, levels[0]) * (levels[0] * 3) ** -0.5)
        pairs = list(itertools.pairwise(levels))
        self.rest = nn.ParameterList([nn.Parameter(torch.randn(a, b) * (2.0 / b) ** 0.5) for a, b in pairs])
        self.thresholds = nn.ParameterList([nn.Parameter(torch.zeros(a)) for a, _ in pairs])

    def forward(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """The last code phi_n (B, K_n) to the shape (B, J, 3) and phi_1 (B, K_1)."""
        for matrix, threshold in zip(reversed(self.rest), reversed(self.thresholds), strict=True):
            code = torch.relu(code @ matrix.mT - threshold)
        return torch.einsum("jck,bk->bjc", self.first, code), code


class DeepNrsfm(nn.Module):
    """2D (B, J, 2) to shape, orthographic camera and code: eq. 4.5 and 4.6. Encoder and decoder share the dictionary.

    The camera is the orthonormal matrix nearest to what the block code says (Kong and Lucey). Exponential coordinates (Ch. 4.5)
    stay where they begin, at one viewpoint for all, and the shape becomes the flat picture (docs/SELFSUP.md).
    """

    def __init__(self, joints: int, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.dictionary = Dictionary(joints, levels)
        self.thresholds = nn.ParameterList([nn.Parameter(torch.zeros(size)) for size in levels])
        self.code = nn.Linear(6 * levels[-1], levels[-1])
        self.viewpoint = nn.Linear(levels[-1], 1, bias=False)

    def forward(self, rays: Tensor) -> Explained:
        """Shape (B, J, 3) in canonical axes, camera M (B, 3, 2) and phi_1 (B, K_1)."""
        blocks = self._encode(rays)
        last = torch.relu(self.code(blocks.flatten(1)))  # Ch. 4.5: a linear layer; eq. 3 of the paper: no negative codes
        shape, code = self.dictionary(last)
        return shape, self._view(blocks), code

    def _encode(self, rays: Tensor) -> Tensor:
        """The last block code Psi_n (B, K_n, 3, 2), about phi_n times M: eq. 4.5."""
        blocks = torch.einsum("jck,bjd->bkcd", self.dictionary.first, rays)
        blocks = torch.relu(blocks - self.thresholds[0][:, None, None])
        for matrix, threshold in zip(self.dictionary.rest, list(self.thresholds)[1:], strict=True):
            blocks = torch.relu(torch.einsum("kl,bkcd->blcd", matrix, blocks) - threshold[:, None, None])
        return blocks

    def _view(self, blocks: Tensor) -> Tensor:
        weighted = self.viewpoint(blocks.permute(0, 2, 3, 1))[..., 0]  # (B, 3, 2)
        return nearest_camera(weighted)


def nrsfm_loss(said: Explained, rays: Tensor, weights: Tensor, sparsity: float) -> Tensor:
    """eq. 4 (eq. 4.7 where sparsity = 0): |S M - W|_2 + lambda |phi_1|_1, mean of the rows."""
    shape, camera, code = said
    return joint_distance(shape @ camera, rays, weights) + sparsity * code.abs().sum(-1).mean()
