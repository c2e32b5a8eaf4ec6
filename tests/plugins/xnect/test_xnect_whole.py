"""All of XNect on the maps of a perfect Stage I: who is there, what Stage II is fed, whose truth it learns from."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import SHAPE, inside, row

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")

from posewire_data.joints import root_relative  # noqa: E402
from posewire_xnect import encodings, people, stage_two, targets, truth  # noqa: E402
from posewire_xnect.readout import ReadOut  # noqa: E402
from posewire_xnect.skeleton import NECK, J, supervised  # noqa: E402
from posewire_xnect.stage_two import StageTwo, StageTwoSettings, person_rows  # noqa: E402
from posewire_xnect.targets import FloatArray  # noqa: E402


def seen_by_a_perfect_network(seed: int, count: int) -> tuple[people.People, FloatArray, FloatArray]:
    """People found, and the true points (px) and joints of everybody."""
    points, joints_m = row(seed, count)
    inputs = (torch.from_numpy(part)[None].float() for part in (points, joints_m))
    maps = truth.write(*inputs, torch.from_numpy(inside(points))[None], SHAPE)
    reading = (part[0].numpy() for part in ReadOut()(maps.heatmaps, maps.fields, maps.encodings))
    return people.of_reading(*reading), targets.to_pixels(points), joints_m


def test_everybody_is_found_and_knows_whose_truth_is_theirs() -> None:
    found, points_px, _ = seen_by_a_perfect_network(2, 4)
    owner = people.belongs_to(found.points_px, points_px)
    assert sorted(owner) == [0, 1, 2, 3]
    near = np.linalg.norm(found.points_px - points_px[owner], axis=-1)
    assert np.nanmax(near) < 8.0 and np.isfinite(near).mean() > 0.9


def test_a_ghost_belongs_to_nobody_and_a_double_only_once() -> None:
    _, points_px, _ = seen_by_a_perfect_network(2, 2)
    ghost = np.full((J, 2), np.nan)
    ghost[NECK] = points_px[0, NECK]
    double = points_px[0] + 3.0
    assert people.belongs_to(np.stack([ghost, double, points_px[0]]), points_px).tolist() == [-1, -1, 0]
    assert people.belongs_to(np.zeros((0, J, 2)), points_px).shape == (0,)


def test_what_stage_two_is_fed_holds_the_bones_that_meet_at_each_joint() -> None:
    found, points_px, joints_m = seen_by_a_perfect_network(0, 1)
    rows = person_rows(found.points_px, found.confidence, found.encodings, 320.0)
    bones_m = encodings.bones(joints_m)[0]
    told = rows[0, :, 3:].reshape(J, J, 3)
    seen = np.isfinite(found.points_px[0, :, 0])
    for joint in np.flatnonzero(seen):
        mine = supervised("sparse")[joint]
        np.testing.assert_allclose(told[joint][mine], bones_m[mine], atol=1e-5)
    np.testing.assert_allclose(rows[0, seen, :2] * 320, (points_px[0] - points_px[0, NECK])[seen], atol=4.5)


def test_stage_two_learns_a_few_pictures_by_heart_from_what_stage_one_found() -> None:
    pictures = [seen_by_a_perfect_network(seed, 3) for seed in range(8)]
    rows, due = [], []
    for found, points_px, joints_m in pictures:
        owner = people.belongs_to(found.points_px, points_px)
        rows.append(person_rows(found.points_px, found.confidence, found.encodings, 320.0)[owner >= 0])
        due.append(root_relative(joints_m)[owner[owner >= 0]])
    inputs = torch.from_numpy(np.concatenate(rows))
    answers = torch.from_numpy(np.concatenate(due)).float()
    net = StageTwo(StageTwoSettings(hidden=96))
    net.fit(inputs)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(300):
        optimiser.zero_grad()
        stage_two.loss(net(inputs), answers, net.settings).backward()
        optimiser.step()
    assert len(inputs) >= 22
    assert float((net(inputs) - answers).detach().norm(dim=-1).mean()) < 0.02
