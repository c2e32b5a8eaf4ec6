"""The encodings read out give the 3D back, under each scheme what that scheme promises. No network, no torch."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import SHAPE, apart, inside, row

from posewire_data.joints import JOINTS, PARENTS, ROOT, root_relative
from posewire_xnect import encodings, orpm
from posewire_xnect.skeleton import NECK, PELVIS, J, Scheme, supervised
from posewire_xnect.targets import BoolArray, FloatArray

ELBOW, WRIST, SHOULDER = (JOINTS.index(f"left_{part}") for part in ("elbow", "wrist", "shoulder"))


def scenes(people: int, cells: float) -> list[tuple[FloatArray, FloatArray, BoolArray]]:
    """Some with nobody out of the picture, and nobody's same joints near one another."""
    made = [(*row(seed, people), np.ones((people, J), bool)) for seed in range(60)]
    good = [scene for scene in made if inside(scene[0]).all() and apart(scene[0], scene[2], cells)]
    assert len(good) >= 3
    return good


def read_back(points: FloatArray, joints_m: FloatArray, visible: BoolArray, scheme: Scheme) -> FloatArray:
    maps, _ = encodings.encode(points, joints_m, visible, SHAPE, scheme)
    return encodings.decode(encodings.read(maps, points), visible, scheme)


def test_bones_and_joints_undo_each_other() -> None:
    _, joints_m = row(0, 3)
    np.testing.assert_allclose(encodings.joints(encodings.bones(joints_m)), root_relative(joints_m), atol=1e-12)


def test_channel_sparse_maps_give_the_3d_of_everybody_back() -> None:
    for points, joints_m, visible in scenes(3, 8.0):
        np.testing.assert_allclose(read_back(points, joints_m, visible, "sparse"), root_relative(joints_m), atol=1e-5)


@pytest.mark.parametrize("scheme", ["dense", "orpm"])
def test_one_person_alone_is_read_back_under_every_scheme(scheme: Scheme) -> None:
    points, joints_m, visible = scenes(1, 1.0)[0]
    np.testing.assert_allclose(read_back(points, joints_m, visible, scheme), root_relative(joints_m), atol=1e-5)


def test_sparse_writes_at_a_joint_the_bones_that_meet_there_and_no_others() -> None:
    table = supervised("sparse")
    assert set(np.flatnonzero(table[ELBOW])) == {ELBOW, WRIST}
    assert set(np.flatnonzero(table[WRIST])) == {WRIST}
    assert set(np.flatnonzero(table[ROOT])) == {joint for joint, parent in enumerate(PARENTS) if parent == ROOT}
    assert supervised("dense").sum() == J * (J - 1)
    assert not any(supervised(scheme)[:, ROOT].any() for scheme in ("sparse", "dense", "orpm"))


def test_orpm_writes_all_at_neck_and_pelvis_and_a_limb_at_its_joints() -> None:
    table = supervised("orpm")
    assert table[NECK].sum() == table[PELVIS].sum() == J - 1
    assert set(np.flatnonzero(table[WRIST])) == {SHOULDER, ELBOW, WRIST}
    assert not table[JOINTS.index("chest")].any()


def test_somebodys_wrist_on_anothers_shoulder_harms_dense_maps_not_sparse_ones() -> None:
    points, joints_m, visible = scenes(2, 6.0)[0]
    near = int(joints_m[:, :, 2].mean(axis=1).argmin())
    far = 1 - near
    points[near, WRIST] = points[far, JOINTS.index("right_knee")]
    truth = root_relative(joints_m)
    off = {
        scheme: np.abs(encodings.bones(read_back(points, joints_m, visible, scheme) - truth))[far].max()
        for scheme in ("sparse", "dense")
    }
    assert off["sparse"] < 1e-5 < 1e-3 < off["dense"]


def test_where_two_want_one_cell_the_nearer_is_written() -> None:
    points, joints_m = row(5, 2)
    points[1] = points[0]
    near = int(joints_m[:, :, 2].mean(axis=1).argmin())
    maps, _ = encodings.encode(points, joints_m, np.ones((2, J), bool), SHAPE)
    x, y = np.rint(points[0, WRIST]).astype(int)
    np.testing.assert_allclose(maps[3 * WRIST : 3 * WRIST + 3, y, x], encodings.bones(joints_m)[near, WRIST], atol=1e-6)


def test_a_hidden_joint_writes_nothing_and_its_bone_is_told_by_its_parent() -> None:
    points, joints_m, visible = scenes(1, 1.0)[0]
    visible[0, WRIST] = False
    told = read_back(points, joints_m, visible, "sparse")
    np.testing.assert_allclose(told, root_relative(joints_m), atol=1e-5)
    visible[0, ELBOW] = False
    points[0, [WRIST, ELBOW]] = np.nan
    told = read_back(points, joints_m, visible, "sparse")
    assert np.isnan(told[0, WRIST]).all() and np.isfinite(np.delete(told[0], WRIST, axis=0)).all()


def test_an_unknown_joint_in_3d_has_no_weight() -> None:
    points, joints_m, visible = scenes(1, 1.0)[0]
    joints_m[0, WRIST] = np.nan
    maps, weights = encodings.encode(points, joints_m, visible, SHAPE)
    assert np.isfinite(maps).all()
    assert weights[WRIST].max() == 0 and weights[ELBOW].max() > 0.5


def orpm_read(points: FloatArray, joints_m: FloatArray, visible: BoolArray) -> FloatArray:
    maps, _ = encodings.encode(points, joints_m, visible, SHAPE, "orpm")
    seen = np.where(visible[..., None], points, np.nan)
    return orpm.read_poses(encodings.read(maps, seen), seen, visible.astype(float))


def test_orpm_reads_everybody_who_stands_alone() -> None:
    for points, joints_m, visible in scenes(2, 8.0):
        np.testing.assert_allclose(orpm_read(points, joints_m, visible), root_relative(joints_m), atol=1e-5)


@pytest.mark.parametrize("hidden", [[WRIST], [WRIST, ELBOW], [WRIST, ELBOW, SHOULDER], [NECK]])
def test_orpm_falls_back_along_the_limb_and_to_the_other_torso_joint(hidden: list[int]) -> None:
    points, joints_m, visible = scenes(1, 1.0)[0]
    visible[0, hidden] = False
    np.testing.assert_allclose(orpm_read(points, joints_m, visible), root_relative(joints_m), atol=1e-5)


def test_orpm_does_not_read_a_limb_where_anothers_is_near() -> None:
    points, _, visible = scenes(2, 6.0)[0]
    points[1, WRIST] = points[0, ELBOW] + 1.0
    valid = orpm.valid_places(points, visible)
    assert not valid[1, WRIST] and not valid[0, ELBOW]
    assert valid[1, NECK] and valid[0, NECK]


def test_orpm_gives_nobody_without_neck_and_pelvis() -> None:
    points, joints_m, visible = scenes(1, 1.0)[0]
    visible[0, [NECK, PELVIS]] = False
    assert np.isnan(orpm_read(points, joints_m, visible)).all()
