"""Stage II: what it is fed, that it learns, and what does not pull at it."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import row

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")


from posewire_data.joints import JOINTS, MIRROR, root_relative  # noqa: E402
from posewire_xnect import association, encodings, stage_two, targets  # noqa: E402
from posewire_xnect.rows import anchors, without  # noqa: E402
from posewire_xnect.skeleton import J, supervised  # noqa: E402
from posewire_xnect.stage_two import StageTwo, StageTwoSettings, person_rows  # noqa: E402
from posewire_xnect.stage_two_task import mirrored  # noqa: E402


def crowd(count: int) -> tuple[object, object]:
    """Rows and root-relative joints of people some of whose joints are hidden."""
    rng = np.random.default_rng(1)
    points, joints_m = (np.concatenate(parts) for parts in zip(*(row(seed, 2) for seed in range(count // 2)), strict=True))
    visible = rng.random((count, J)) > 0.2
    visible[:, association.NECK] = True
    told = (encodings.bones(joints_m)[:, None] * supervised("sparse")[None, :, :, None]).reshape(count, J, 3 * J)
    points_px = np.where(visible[..., None], targets.to_pixels(points), np.nan)
    rows = person_rows(points_px, visible.astype(float), told, 320.0)
    return torch.from_numpy(rows), torch.from_numpy(root_relative(joints_m).astype(np.float32))


def test_a_row_is_neck_relative_and_zero_where_unseen() -> None:
    points_px = np.full((1, J, 2), np.nan)
    points_px[0, association.NECK], points_px[0, 5] = (100.0, 50.0), (132.0, 82.0)
    rows = person_rows(points_px, np.full((1, J), 0.7), np.ones((1, J, 3 * J)), 320.0)
    np.testing.assert_allclose(rows[0, 5, :3], [0.1, 0.1, 0.7], atol=1e-6)
    np.testing.assert_allclose(rows[0, association.NECK, :3], [0.0, 0.0, 0.7], atol=1e-6)
    assert np.abs(np.delete(rows[0], [association.NECK, 5], axis=0)).max() == 0


def test_where_the_neck_is_hidden_the_middle_of_the_shoulders_stands_for_it() -> None:
    points = row(1, 2)[0]
    points[1, association.NECK] = np.nan
    shoulders = [JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
    np.testing.assert_allclose(anchors(points), [points[0, association.NECK], points[1, shoulders].mean(axis=0)])
    points[1, shoulders[0]] = np.nan
    np.testing.assert_allclose(anchors(points)[1], points[1, shoulders[1]])
    assert np.isnan(anchors(np.full((1, J, 2), np.nan))).all() and anchors(np.empty((0, J, 2))).shape == (0, 2)


def test_a_joint_that_is_dropped_leaves_the_row_that_it_would_have_left_unseen() -> None:
    points, confidence, told = row(1, 2)[0], np.full((2, J), 0.6), np.ones((2, J, 3 * J))
    lost = np.zeros((2, J), bool)
    lost[0, [3, association.NECK]] = lost[1, 5] = True
    unseen = person_rows(np.where(lost[..., None], np.nan, points), np.where(lost, 0.0, confidence), told, 320.0)
    np.testing.assert_allclose(without(person_rows(points, confidence, told, 320.0), lost), unseen, atol=1e-6)


def test_stage_two_learns_a_small_crowd_by_heart() -> None:
    rows, joints_m = crowd(32)
    settings = StageTwoSettings(hidden=128)
    net = StageTwo(settings)
    net.fit(rows)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    first = error_m(net(rows), joints_m)
    for _ in range(300):
        optimiser.zero_grad()
        stage_two.loss(net(rows), joints_m, settings).backward()
        optimiser.step()
    assert error_m(net(rows), joints_m) < 0.02 < 0.2 < first


def error_m(said: object, due: object) -> float:
    return float((said - due).detach().norm(dim=-1).mean())


def test_people_of_a_batch_do_not_see_one_another() -> None:
    rows, _ = crowd(8)
    net = StageTwo(StageTwoSettings(hidden=32)).eval()
    with torch.inference_mode():
        torch.testing.assert_close(net(rows)[3:4], net(rows[3:4]), atol=1e-5, rtol=1e-4)


def test_who_is_seen_in_the_mirror_has_the_pose_in_the_mirror() -> None:
    rows, joints_m = crowd(8)
    net = StageTwo(StageTwoSettings(hidden=32)).eval()
    net.fit(rows)
    other, _ = mirrored(rows.numpy(), joints_m.numpy(), np.ones(8, bool))
    with torch.inference_mode():
        said, in_the_mirror = net(rows), net(torch.from_numpy(other))
    due = said[:, list(MIRROR)] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(in_the_mirror, due, atol=1e-5, rtol=1e-4)


def test_an_outlier_pulls_no_harder_than_the_turning_point_and_unknown_truth_not_at_all() -> None:
    settings = StageTwoSettings()
    said = torch.zeros(1, J, 3, requires_grad=True)
    due = torch.zeros(1, J, 3)
    due[0, 3, 0], due[0, 4, 0], due[0, 5, 0] = 5.0, settings.turn_m, torch.nan
    stage_two.loss(said, due, settings).backward()
    pull = said.grad[0, :, 0].abs()
    assert pull[3] == pytest.approx(float(pull[4]))
    assert pull[5] == 0 and torch.isfinite(pull).all()
