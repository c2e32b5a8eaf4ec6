"""The targets of a whole batch at once, on the device where its pictures were rendered: targets.py and encodings.py in torch.

The numpy files say what is meant; a test holds this one to them. Shapes: B pictures, M people, J joints, A links, h x w cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from posewire_data.joints import JOINTS, PARENTS, ROOT
from posewire_synth.layers import OUTSIDE, marked
from posewire_synth.points import indices
from posewire_synth.studio import Batch
from posewire_training import tensors
from posewire_xnect.letterbox import SHORTER_PX
from posewire_xnect.skeleton import LINKS, NECK, J, Scheme, supervised
from posewire_xnect.stage_one import Truth
from posewire_xnect.targets import FIELD_WIDTH, SIGMA, STRIDE, SUPPORT

KNEE_TO_NECK_M = 0.93
"""Thigh and spine of everybody, as the networks speak."""
_KNEES = [JOINTS.index("left_knee"), JOINTS.index("right_knee")]
_TRUNK = [JOINTS.index("chest"), JOINTS.index("neck")]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Pictures and who is in them: B pictures, M places for people, some of them empty (NaN)."""

    image: Tensor
    """(B, 3, H, W) RGB 0..1."""
    points_px: Tensor
    """(B, M, J, 2)."""
    joints_m: Tensor
    """(B, M, J, 3) universal, in the axes of a camera that looks straight at the neck; the pelvis stands where it is."""
    visibility: Tensor
    """(B, M, J) as posewire_synth.layers says it."""

    @property
    def visible(self) -> Tensor:
        """(B, M, J): a joint behind its own body counts as visible."""
        return marked(self.visibility)

    def only(self, rows: Tensor | slice) -> Scene:
        """Some of the pictures."""
        return tensors.chosen(self, rows)

    def to(self, device: str | torch.device) -> Scene:
        """On another device."""
        return tensors.moved(self, device)


def scene_of(batch: Batch) -> Scene:
    """What XNect learns from rendered pictures."""
    ours = indices(JOINTS)
    points_px = batch.points_px[:, :, ours]
    joints_m = facing(universal(batch.points_m[:, :, ours]), points_px[:, :, NECK], batch.K)
    return Scene(batch.image, points_px, joints_m, batch.visibility[:, :, ours])


def crowd(scene: Scene) -> Scene:
    """One picture of four, each at half its size: people as small as in a street, and up to 24 of them."""
    height, width = scene.image.shape[2:]
    tiles = nn.functional.avg_pool2d(scene.image, 2)
    rows = [torch.cat(list(tiles[first : first + 2]), dim=2) for first in (0, 2)]
    corner = torch.tensor([[0, 0], [width // 2, 0], [0, height // 2], [width // 2, height // 2]], device=tiles.device)
    points_px = (scene.points_px + 0.5) / 2 - 0.5 + corner[:, None, None]
    people = (value.flatten(0, 1)[None] for value in (points_px, scene.joints_m, scene.visibility))
    return Scene(torch.cat(rows, dim=1)[None], *people)


def side_by_side(squares: Scene) -> Scene:
    """Pictures of LONGER_PX x SHORTER_PX, each of two square ones half as wide; above and below them it is black."""
    side = squares.image.shape[3]
    border = (SHORTER_PX - side) // 2
    pairs = [squares.only(slice(first, None, 2)) for first in (0, 1)]
    image = nn.functional.pad(torch.cat([pair.image for pair in pairs], dim=3), (0, 0, border, border))
    inside = [((pair.points_px >= 0) & (pair.points_px < side)).all(-1) for pair in pairs]
    visibility = [torch.where(there, pair.visibility, OUTSIDE) for there, pair in zip(inside, pairs, strict=True)]
    points_px = [pair.points_px + torch.tensor([left, border]) for left, pair in zip((0, side), pairs, strict=True)]
    joints_m = torch.cat([pair.joints_m for pair in pairs], dim=1)
    return Scene(image, torch.cat(points_px, dim=1), joints_m, torch.cat(visibility, dim=1))


def of_batch(batch: Batch, scheme: Scheme = "sparse") -> Truth:
    """What Stage I should say of rendered pictures."""
    return of_scene(scene_of(batch), scheme)


def of_scene(scene: Scene, scheme: Scheme = "sparse") -> Truth:
    """What Stage I should say of these pictures."""
    height, width = scene.image.shape[2] // STRIDE, scene.image.shape[3] // STRIDE
    return write((scene.points_px + 0.5) / STRIDE - 0.5, scene.joints_m, scene.visible, (height, width), scheme)


def flat_of_scene(scene: Scene) -> tuple[Tensor, Tensor]:
    """Heatmaps and fields of these pictures alone, for who reads the encodings at single cells."""
    height, width = scene.image.shape[2] // STRIDE, scene.image.shape[3] // STRIDE
    visible = scene.visible & torch.isfinite(scene.points_px).all(-1)
    points = ((scene.points_px + 0.5) / STRIDE - 0.5).nan_to_num(0.0)
    peaks = gaussians(points, (height, width)) * visible[..., None, None]
    return peaks.amax(1), affinity_fields(points, visible, (height, width))


def facing(joints_m: Tensor, neck_px: Tensor, K: Tensor) -> Tensor:
    """Joints (B, M, J, 3) turned about the pelvis into the axes of a camera that looks straight at each neck.

    A convolution does not know where in the picture it stands, and an arm looks the same in the middle and at the border only
    to a camera that has turned with it (thesis 002, appendix B.1). Undoes `posewire.camera.R_camera_crop`.

    Args:
        joints_m: Camera axes.
        neck_px: (B, M, 2).
        K: (B, 3, 3).
    """
    flat = (neck_px - K[:, None, :2, 2]) / torch.stack([K[:, 0, 0], K[:, 1, 1]], dim=-1)[:, None]
    x, y, z = nn.functional.normalize(nn.functional.pad(flat, (0, 1), value=1.0), dim=-1).unbind(-1)
    # The shortest turn of a direction (x, y, z) to (0, 0, 1): I + [v] + [v]^2 / (1 + z) with v = (y, -x, 0).
    share = 1.0 / (1.0 + z)
    rows = (1 - x * x * share, -x * y * share, -x, -x * y * share, 1 - y * y * share, -y, x, y, z)
    R = torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
    pelvis = joints_m[..., ROOT : ROOT + 1, :]
    return pelvis + (joints_m - pelvis) @ R.transpose(-1, -2)


def universal(joints_m: Tensor) -> Tensor:
    """Joints (..., J, 3) scaled about the pelvis to the universal skeleton's height (thesis 002, chapter 3).

    One picture does not show how tall somebody is: networks learn one height, the fit knows the true one.
    """
    length = (joints_m - joints_m[..., [max(parent, 0) for parent in PARENTS], :]).norm(dim=-1)
    thighs, trunk = length[..., _KNEES].nanmean(-1), length[..., _TRUNK].sum(-1)
    scale = (KNEE_TO_NECK_M / (thighs + trunk))[..., None, None]
    pelvis = joints_m[..., ROOT : ROOT + 1, :]
    return pelvis + (joints_m - pelvis) * scale


def write(points: Tensor, joints_m: Tensor, visible: Tensor, shape: tuple[int, int], scheme: Scheme = "sparse") -> Truth:
    """All four maps.

    Args:
        points: (B, M, J, 2) cells.
        joints_m: (B, M, J, 3) metres, camera axes; NaN leaves a bone out.
        visible: (B, M, J).
        shape: h, w.
        scheme: Which bones at which joint.
    """
    visible = visible & torch.isfinite(points).all(-1)
    points = points.nan_to_num(0.0)
    peaks = gaussians(points, shape) * visible[..., None, None]  # (B, M, J, h, w)
    values, weights = encode(peaks, joints_m, scheme)
    return Truth(peaks.amax(1), affinity_fields(points, visible, shape), values, weights)


def gaussians(points: Tensor, shape: tuple[int, int]) -> Tensor:
    """Points (..., 2) to (..., h, w)."""
    x, y = _offsets(points, shape)
    squared = x**2 + y**2
    return torch.where(squared <= (SUPPORT * SIGMA) ** 2, torch.exp(-squared / (2 * SIGMA**2)), 0.0)


def _offsets(points: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """How far each cell lies from each point: x (..., 1, w), y (..., h, 1)."""
    x = torch.arange(shape[1], device=points.device) - points[..., 0, None, None]
    y = torch.arange(shape[0], device=points.device)[:, None] - points[..., 1, None, None]
    return x, y


def affinity_fields(points: Tensor, visible: Tensor, shape: tuple[int, int]) -> Tensor:
    """(B, A, 2, h, w), averaged where people cross."""
    first, second = ([link[end] for link in LINKS] for end in (0, 1))
    start, way = points[:, :, first], points[:, :, second] - points[:, :, first]
    length = way.norm(dim=-1).clamp_min(1e-6)
    direction = way / length[..., None]  # (B, M, A, 2)
    x, y = _offsets(start, shape)
    across_x, across_y = direction[..., 0, None, None], direction[..., 1, None, None]
    along, across = x * across_x + y * across_y, (x * across_y - y * across_x).abs()
    inside = (along >= -FIELD_WIDTH) & (along <= length[..., None, None] + FIELD_WIDTH) & (across <= FIELD_WIDTH)
    inside = (inside & (visible[:, :, first] & visible[:, :, second])[..., None, None]).float()
    total = torch.einsum("bmahw,bmac->bachw", inside, direction)
    return total / inside.sum(1)[:, :, None].clamp_min(1.0)


def encode(peaks: Tensor, joints_m: Tensor, scheme: Scheme) -> tuple[Tensor, Tensor]:
    """Values (B, 3 J, h, w) and weights (B, J, h, w); the nearest of those who want a cell has it.

    Args:
        peaks: (B, M, J, h, w) Gaussians, zero where hidden.
        joints_m: (B, M, J, 3).
        scheme: Which bones at which joint.
    """
    vectors = joints_m - joints_m[:, :, [max(parent, 0) for parent in PARENTS]]
    own = torch.zeros_like(peaks)
    for joint, row in enumerate(supervised(scheme)):
        written = torch.from_numpy(row.nonzero()[0]).to(peaks.device)
        own[:, :, written] = torch.maximum(own[:, :, written], peaks[:, :, joint, None])
    own = own * torch.isfinite(vectors).all(-1)[..., None, None]
    winner = _nearest(own > 0, joints_m)  # (B, 1, J, h, w)
    weights = own.gather(1, winner)[:, 0]
    said = vectors.nan_to_num(0.0).transpose(1, 2)  # (B, J, M, 3)
    cells = winner[:, 0].flatten(2)[..., None].expand(-1, -1, -1, 3)  # (B, J, h w, 3)
    values = said.gather(2, cells).transpose(2, 3).unflatten(3, tuple(weights.shape[2:]))  # (B, J, 3, h, w)
    return (values * (weights > 0)[:, :, None]).reshape(len(weights), 3 * J, *weights.shape[2:]), weights


def _nearest(wants: Tensor, joints_m: Tensor) -> Tensor:
    """(B, 1, J, h, w) number of the nearest person who wants each cell (B, M, J, h, w); anybody where nobody does."""
    depth = joints_m[..., 2].nanmean(2).nan_to_num(torch.inf)[..., None, None, None]
    return torch.where(wants, depth, torch.inf).argmin(1, keepdim=True)
