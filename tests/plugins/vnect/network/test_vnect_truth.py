"""What the network should say of a crop: the crop's camera, views, heights, Gaussians."""

from __future__ import annotations

import numpy as np
import torch

from posewire import camera as cameras
from posewire import rotation
from posewire.data import Camera
from posewire_data.joints import JOINTS as UNIVERSAL
from posewire_synth.layers import BY_PERSON, OUTSIDE, VISIBLE
from posewire_synth.points import POINTS
from posewire_vnect import truth
from posewire_vnect.names import JOINTS, KNEE_TO_NECK_M, MIRROR, PARENTS, STRIDE_PX, cell_of, pixel_of
from posewire_vnect.shots import Shots

SIDE = 64
CENTRE = (SIDE - 1) / 2


def shots(count: int = 3) -> Shots:
    """People off the axis of a camera, their crop's K such that they are in it."""
    made = torch.Generator().manual_seed(0)
    points_m = 0.4 * torch.randn(count, len(JOINTS), 3, generator=made) + torch.tensor([1.2, 0.3, 5.0])
    K = torch.tensor([[60.0, 0.0, CENTRE - 16.0], [0.0, 60.0, CENTRE - 2.0], [0.0, 0.0, 1.0]]).expand(count, 3, 3)
    return Shots(
        torch.randint(0, 256, (count, 3, SIDE, SIDE), dtype=torch.uint8, generator=made),
        _projected(points_m, K),
        points_m,
        torch.full((count, len(JOINTS)), VISIBLE, dtype=torch.uint8),
        K,
    )


def _projected(points_m: torch.Tensor, K: torch.Tensor) -> torch.Tensor:
    flat = points_m @ K.mT
    return flat[..., :2] / flat[..., 2:]


def test_the_joints_are_the_universal_ones_then_hands_and_toes_and_the_renderer_has_them_all() -> None:
    assert JOINTS[: len(UNIVERSAL)] == UNIVERSAL and len(JOINTS) == 21
    assert set(JOINTS) <= set(POINTS)
    assert [JOINTS[parent] for parent in PARENTS[17:]] == ["left_wrist", "right_wrist", "left_ankle", "right_ankle"]
    assert [MIRROR[i] for i in MIRROR] == list(range(21))


def test_cell_and_pixel_centres_agree() -> None:
    assert pixel_of(0) == (STRIDE_PX - 1) / 2 and cell_of(pixel_of(7.25)) == 7.25


def test_the_crops_camera_is_the_one_that_live_use_turns_back() -> None:
    camera = Camera(640, 480, np.array([[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]]))
    centre_px = np.array([[500.0, 100.0], [320.0, 240.0], [10.0, 470.0]])
    rays = torch.as_tensor(cameras.rays(centre_px, camera).astype(np.float32))
    expected = rotation.rotate(cameras.R_camera_crop(centre_px, camera)[:, None], np.eye(3)[None])
    assert np.allclose(truth.R_from_z(rays).numpy(), expected.transpose(0, 2, 1), atol=1e-6)


def test_a_view_moves_labels_as_it_moves_pixels() -> None:
    image = torch.zeros(1, 3, SIDE, SIDE)
    image[0, :, 20, 40] = 1.0
    A = truth.view_of(np.array([0.4]), np.array([1.3]), np.array([[3.0, -2.0]]), np.array([True]), SIDE)
    seen = truth.seen_again(image, A)[0, 0]
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    mean = torch.stack([(seen * columns).sum(), (seen * rows).sum()]) / seen.sum()
    expected = A[0, :, :2] @ torch.tensor([40.0, 20.0]) + A[0, :, 2]
    assert torch.allclose(mean, expected, atol=0.1)


def test_in_any_view_the_3d_projects_to_where_the_2d_is() -> None:
    """A far person, seen through the crop's camera: offsets in x, y are proportional to pixels."""
    drawn = shots()
    far_m = drawn.points_m + torch.tensor([120.0, 30.0, 500.0])
    K = drawn.K.clone()
    K[:, :2, :2] *= 100.0
    K[:, :2, 2] = CENTRE - K[:, 0, 0, None] * (far_m[..., :2] / far_m[..., 2:]).mean(1)
    far = Shots(drawn.image, _projected(far_m, K), far_m, drawn.visibility, K)
    told = truth.of_shots(far, truth.random_views(np.random.default_rng(3), far))
    flat = told.joints_m[..., :2] - told.joints_m[..., :2].mean(1, keepdim=True)
    cells = told.cells - told.cells.mean(1, keepdim=True)
    scale = (flat * cells).sum((1, 2)) / flat.square().sum((1, 2))
    assert (scale > 0).all()
    assert (scale[:, None, None] * flat - cells).abs().max() < 0.05 * cells.abs().max()


def test_mirrored_twice_is_the_same() -> None:
    drawn = shots()
    flip = truth.view_of(np.zeros(3), np.ones(3), np.zeros((3, 2)), np.ones(3, bool), SIDE)
    once = truth.of_shots(drawn, flip)
    plain = truth.of_shots(drawn, truth.same_view(3))
    swapped = plain.joints_m[:, list(MIRROR)] * torch.tensor([-1.0, 1.0, 1.0])
    assert torch.allclose(once.joints_m, swapped, atol=1e-6)
    assert torch.allclose(once.cells[..., 0], SIDE / STRIDE_PX - 1 - plain.cells[:, list(MIRROR), 0], atol=1e-4)


def test_everybody_has_one_height_and_an_unknown_chest_keeps_the_size() -> None:
    points_m = shots().points_m
    scaled = truth.universal(points_m)
    length = (scaled - scaled[:, [max(parent, 0) for parent in PARENTS]]).norm(dim=-1)
    names = ("left_knee", "right_knee"), ("chest", "neck")
    thighs, trunk = (length[:, [JOINTS.index(name) for name in some]] for some in names)
    assert torch.allclose(thighs.mean(1) + trunk.sum(1), torch.full((3,), KNEE_TO_NECK_M), atol=1e-5)
    points_m[:, JOINTS.index("chest")] = torch.nan
    assert torch.allclose(truth.universal(points_m)[:, 1], points_m[:, 1] - points_m[:, 0])


def test_hidden_joints_are_less_sure_and_those_outside_are_nowhere() -> None:
    drawn = shots()
    drawn.visibility[:, 3], drawn.visibility[:, 4] = BY_PERSON, OUTSIDE
    height = truth.of_shots(drawn, truth.same_view(3)).height
    assert (height[:, 3] <= truth.HIDDEN_HEIGHT).all() and (height[:, 4] == 0).all()


def test_gaussians_stand_at_the_joint_and_unknown_ones_are_flat() -> None:
    cells = torch.tensor([[[3.0, 5.0], [torch.nan, torch.nan]]])
    maps = truth.gaussians(cells, 8)
    assert maps[0, 0, 5, 3] == 1.0 and maps[0, 0].argmax() == 5 * 8 + 3
    assert (maps[0, 1] == 0).all()


def test_a_centred_view_puts_the_person_in_the_middle_at_the_wished_size() -> None:
    drawn = shots()
    points_px = CENTRE + 5 + 4.0 * torch.randn(3, 21, 2, generator=torch.Generator().manual_seed(1))
    moved = Shots(drawn.image, points_px, drawn.points_m, drawn.visibility, drawn.K)
    cells = truth.of_shots(moved, truth.centred_views(moved, 0.5)).cells
    low, high = cells.amin(1), cells.amax(1)
    assert torch.allclose((low + high) / 2, torch.full((3, 2), cell_of(CENTRE)), atol=1e-3)
    assert torch.allclose((high - low).amax(1), torch.full((3,), 0.5 * SIDE / STRIDE_PX), atol=1e-3)
