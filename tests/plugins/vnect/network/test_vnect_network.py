"""Heads, losses, read-out; every trunk and head can learn a handful of crops by heart."""

from __future__ import annotations

import pytest
import torch
from vnect_nets import SIDE, made_up, pictures, tiny

from posewire_vnect import build
from posewire_vnect.losses import location_loss, losses
from posewire_vnect.names import PATCH, ROOT
from posewire_vnect.network import Maps, VNect
from posewire_vnect.readout import ReadOut, expected_m, poses_m, told_m
from posewire_vnect.regression import FIRST, SECOND, Answers, regression_losses
from posewire_vnect.settings import HeadKind, TrunkKind, VNectSettings
from posewire_vnect.truth import Truth, gaussians


def learned(net: VNect, steps: int, rate: float, count: int = 3) -> tuple[float, float]:
    """MPJPE in metres of `count` crops before and after learning them."""
    image, truth = pictures(count), made_up(count)
    optimizer = torch.optim.Adam(net.parameters(), rate)
    errors: list[float] = []
    for step in range(steps + 1):
        said: Maps | Answers = net.train()(image)
        if step in (0, steps):
            read = poses_m(said.heat, said.places_m) if isinstance(said, Maps) else said.fused_m
            errors.append(float((read - truth.joints_m).detach().norm(dim=-1).mean()))
        cost = losses(said, truth).total(0.5) if isinstance(said, Maps) else regression_losses(said, truth).total(0.5)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    return errors[0], errors[-1]


@pytest.mark.parametrize(("head", "steps", "rate"), [("locations", 120, 5e-3), ("regression", 40, 1e-3)])
def test_a_head_learns_a_few_crops_by_heart(head: HeadKind, steps: int, rate: float) -> None:
    before, after = learned(tiny(head), steps, rate)
    assert after < 0.3 * before


@pytest.mark.parametrize("trunk", ["selecsls", "resnet50"])
def test_a_trunk_from_nothing_learns_a_few_crops_by_heart(trunk: TrunkKind) -> None:
    torch.manual_seed(0)
    settings = VNectSettings(trunk=trunk, trunk_rate=1.0, side=SIDE, dropout=0.0)
    before, after = learned(build.network(settings), 24, 2e-3, count=2)
    assert after < 0.6 * before


def test_bone_lengths_and_the_first_answer_are_given_back_to_the_network() -> None:
    """Eq. 5.2: what the last answer says changes with dX, dY, dZ."""
    net = tiny().eval()
    with torch.inference_mode():
        before: Maps = net(pictures(1))
        net.head.maps.bones.bias += 0.3
        after: Maps = net(pictures(1))
    assert torch.allclose(after.first_m, before.first_m)
    assert not torch.allclose(after.places_m, before.places_m)


def test_the_root_of_the_coarse_pose_is_the_origin() -> None:
    with torch.inference_mode():
        said: Maps = tiny().eval()(pictures(2))
    assert (said.coarse_m[:, ROOT] == 0).all()


def test_far_from_the_joint_a_location_map_may_say_anything() -> None:
    """Eq. 5.1: the loss is weighted by the true heatmap."""
    truth = made_up(2)
    weight = gaussians(truth.cells, 8)
    maps = truth.joints_m[..., None, None].expand(-1, -1, -1, 8, 8).clone()
    placed = torch.ones(2, 21, dtype=torch.bool)
    right = location_loss(maps, truth.joints_m, weight, placed)
    far = location_loss(torch.where(weight[:, :, None] < 1e-6, 5.0, maps), truth.joints_m, weight, placed)
    near = location_loss(maps + 0.1, truth.joints_m, weight, placed)
    assert float(right) < 1e-3 and abs(float(far - right)) < 1e-3
    assert float(near) == pytest.approx(0.3, rel=0.01)


def test_what_is_not_known_teaches_nothing() -> None:
    net, image, truth = tiny(), pictures(2), made_up(2)
    cells, joints_m = truth.cells.clone(), truth.joints_m.clone()
    cells[:, 5], joints_m[:, 5] = torch.nan, torch.nan
    net.eval()
    losses(net(image), Truth(cells, truth.height, joints_m)).total(0.0).backward()
    gradient = net.head.heat.heat.bias.grad
    assert torch.isfinite(gradient).all() and gradient[5] == 0 and gradient[6] != 0


def test_intermediate_losses_fade() -> None:
    cost = losses(tiny().eval()(pictures(1)), made_up(1))
    assert float(cost.total(1.0).detach()) < float(cost.total(0.0).detach())


def test_the_modes_of_regression_are_parents_and_their_parents() -> None:
    from posewire_vnect.names import JOINTS

    wrist = JOINTS.index("left_wrist")
    assert (JOINTS[FIRST[wrist]], JOINTS[SECOND[wrist]]) == ("left_elbow", "left_shoulder")


def test_the_read_out_finds_the_top_between_cells_and_the_window_around_it() -> None:
    cells = torch.tensor([[[3.3, 5.0], [0.0, 7.0]]])
    heat = torch.logit(gaussians(cells, 8).clamp(1e-6, 0.999))
    maps = torch.arange(64.0).view(8, 8).expand(1, 2, 3, 8, 8)
    peaks, confidence, corner, patches = ReadOut()(heat, maps)
    assert torch.allclose(peaks[0, 0], cells[0, 0], atol=0.06)
    assert (confidence > 0.9).all()
    assert corner[0].tolist() == [[1, 3], [0, 3]]
    assert patches.shape == (1, 2, 3, PATCH, PATCH)
    assert patches[0, 0, 2].tolist() == [[8.0 * row + column for column in range(1, 6)] for row in range(3, 8)]


def two_places() -> tuple[torch.Tensor, torch.Tensor]:
    """Heatmap logits (1, 1, 8, 8), alike at two cells, and maps (1, 1, 3, 8, 8) that say 1 m at the one and 3 m at the other."""
    heat, maps = torch.full((1, 1, 8, 8), -12.0), torch.full((1, 1, 3, 8, 8), 50.0)
    for x, metres in ((1, 1.0), (6, 3.0)):
        heat[..., 4, x], maps[..., 4, x] = 0.0, metres
    return heat, maps


def test_the_expected_location_is_the_mean_of_where_the_joint_may_be() -> None:
    heat, maps = two_places()
    torch.testing.assert_close(expected_m(heat, maps), torch.full((1, 1, 3), 2.0), rtol=0, atol=0.01)
    heat[..., 4, 6] = -12.0
    torch.testing.assert_close(expected_m(heat, maps), torch.full((1, 1, 3), 1.0), rtol=0, atol=0.01)


def test_what_leaves_the_device_is_the_map_where_the_heatmap_is_high_and_the_expected_location_where_it_is_low() -> None:
    heat, maps = two_places()
    assert told_m(heat, maps)[0, 0, :, 4, 1].tolist() == pytest.approx([1.5] * 3, abs=0.01)  # half sure
    assert told_m(heat - 8.0, maps)[0, 0, :, 4, 1].tolist() == pytest.approx([2.0] * 3, abs=0.4)
    assert told_m(heat + 8.0, maps)[0, 0, :, 4, 1].tolist() == pytest.approx([1.0] * 3, abs=0.01)


def test_maps_learn_where_the_heatmap_lets_them_be_read_and_the_heatmap_does_not_learn_from_it() -> None:
    net, truth = tiny().eval(), made_up(2)
    said: Maps = net(pictures(2))
    heat = said.heat.detach().requires_grad_()
    losses(said._replace(heat=heat), truth).expected.backward()
    assert heat.grad is None and net.head.maps.last.weight.grad.abs().max() > 0
