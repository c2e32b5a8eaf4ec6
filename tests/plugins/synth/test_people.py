"""Bodies, poses and clothes: the T-pose, mirrors, bone lengths, splits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from posewire.skeleton import REFERENCE
from posewire_synth import poses
from posewire_synth.cast import Cast, mirror
from posewire_synth.layers import Painter
from posewire_synth.pack import Pack, unit_quaternions
from posewire_synth.points import BONES, COCO_17, COMMON_14, MIRROR, POINTS, VNECT_21
from posewire_synth.simplify import simplify


@pytest.fixture(scope="module")
def painter(pack: Pack) -> Painter:
    return Painter(pack, torch.device("cpu"), pattern_count=8)


def posed(painter: Painter, pack: Pack, local_wxyz: np.ndarray) -> Tensor:
    """Labels (L, J, 3) of mean bodies in these poses."""
    count = len(local_wxyz)
    shape = torch.zeros(count, pack["basis_m"].shape[0])
    lift = torch.zeros(count, len(pack["source"]))
    return painter.body.pose(shape, torch.as_tensor(local_wxyz), torch.zeros(count, 2), lift).points_m


def t_pose() -> np.ndarray:
    local = np.zeros((1, len(poses.DRIVEN), 4), dtype=np.float32)
    local[..., 0] = 1.0
    return local


def test_subsets_name_their_numbers_of_points() -> None:
    assert (len(VNECT_21), len(COMMON_14), len(COCO_17)) == (21, 14, 17)
    assert all(len(set(names)) == len(names) and set(names) <= set(POINTS) for names in (VNECT_21, COMMON_14, COCO_17))


def test_no_rotation_is_the_t_pose(painter: Painter, pack: Pack) -> None:
    at = dict(zip(POINTS, posed(painter, pack, t_pose())[0].numpy(), strict=True))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = at[f"{side}_wrist"] - at[f"{side}_shoulder"]
        leg = at[f"{side}_ankle"] - at[f"{side}_hip"]
        np.testing.assert_allclose(arm / np.linalg.norm(arm), [sign, 0, 0], atol=1e-3)
        np.testing.assert_allclose(leg / np.linalg.norm(leg), [0, -1, 0], atol=1e-3)
        assert at[f"{side}_toe"][2] > at[f"{side}_heel"][2] + 0.1, "feet point to +Z"
    assert at["nose"][2] > at["head_top"][2] + 0.05, "the face looks to +Z"


def test_bones_keep_their_length_in_every_pose(painter: Painter, pack: Pack) -> None:
    local = unit_quaternions(pack["random_train"])
    points = posed(painter, pack, np.concatenate([t_pose(), local]))
    for a, b in BONES:
        if "neck" in (a, b) or "chest" in (a, b) or "hand" in b:
            continue  # these lie in soft parts: two bones carry their ends
        length = (points[:, POINTS.index(a)] - points[:, POINTS.index(b)]).norm(dim=-1)
        assert float((length - length[0]).abs().max()) < 0.03, (a, b)


def test_a_mirrored_pose_has_mirrored_labels(painter: Painter, pack: Pack) -> None:
    local = unit_quaternions(pack["random_train"])
    there = posed(painter, pack, local)
    mirrored = posed(painter, pack, mirror(local))[:, list(MIRROR)] * torch.tensor([-1.0, 1.0, 1.0])
    assert float((there - mirrored).norm(dim=-1).max()) < 0.02  # MakeHuman's sampled mean is not quite symmetric


def test_the_mirror_of_a_mirror_is_the_pose(pack: Pack) -> None:
    local = unit_quaternions(pack["random_train"])
    np.testing.assert_array_equal(mirror(mirror(local)), local)


def test_a_fist_in_the_belly_is_a_collision() -> None:
    joints = poses.joint_positions_m(t_pose())
    assert not poses.collides(joints).any()
    joints[0, REFERENCE.index("left_hand")] = joints[0, REFERENCE.index("spine")]
    assert poses.collides(joints).all()


def test_random_poses_do_not_collide() -> None:
    local = poses.random(20, np.random.default_rng(5))
    assert not poses.collides(poses.joint_positions_m(local)).any()


def test_training_and_test_people_share_no_body(pack: Pack, painter: Painter) -> None:
    rng = np.random.default_rng(0)
    shapes = {split: Cast(pack, split, painter)._shapes for split in ("train", "test")}  # pyright: ignore[reportPrivateUsage, reportArgumentType]
    assert len(shapes["train"]) and len(shapes["test"])
    assert not any((row == shapes["train"]).all(axis=1).any() for row in shapes["test"])
    assert Cast(pack, "test", painter).draw(rng, 2).posed.points_m.shape == (2, len(POINTS), 3)


def test_people_stand_on_the_floor(pack: Pack, painter: Painter) -> None:
    people = Cast(pack, "train", painter).draw(np.random.default_rng(1), 6)
    drawn = torch.where(people.trim > 0, people.posed.vertices_m[..., 1], torch.inf)
    torch.testing.assert_close(drawn.amin(1), torch.zeros(6), atol=1e-5, rtol=0)


def test_simplifying_a_closed_surface_leaves_it_closed() -> None:
    n = 16
    ring = np.arange(n) * 2 * np.pi / n
    rows = [
        np.stack([np.cos(ring) * np.sin(t), np.full(n, np.cos(t)), np.sin(ring) * np.sin(t)], 1) for t in np.linspace(0.2, 2.9, 9)
    ]
    vertices = np.concatenate([*rows, [[0, 1, 0]], [[0, -1, 0]]])
    faces: list[tuple[int, int, int]] = []
    for r in range(8):
        for i in range(n):
            a, b = r * n + i, r * n + (i + 1) % n
            faces += [(a, b, b + n), (a, b + n, a + n)]
    faces += [(9 * n, (i + 1) % n, i) for i in range(n)] + [(9 * n + 1, 8 * n + i, 8 * n + (i + 1) % n) for i in range(n)]
    left = simplify(vertices, np.array(faces), np.ones(len(vertices)), 60)
    assert len(np.unique(left)) == 60
    edges = {(int(a), int(b)) for f in left for a, b in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0]))}
    assert len(edges) == 3 * len(left) and all((b, a) in edges for a, b in edges)
    assert np.linalg.norm(vertices[left].mean(axis=1), axis=1).min() > 0.75
