"""Projection, change of view and rotations agree with numpy and with their axioms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from posewire_selfsup_lifter import geometry  # noqa: E402

RNG = np.random.default_rng(0)


def tensor(values):
    return torch.tensor(np.asarray(values), dtype=torch.float64)


def two_cameras(count=3):
    R = tensor(Rotation.random(2 * count, random_state=1).as_matrix()).reshape(2, count, 3, 3)
    return R[0], tensor(RNG.normal(size=(count, 3))), R[1], tensor(RNG.normal(size=(count, 3)))


def test_projection_divides_by_depth():
    assert geometry.project(tensor([[[1.0, -2.0, 4.0]]])).tolist() == [[[0.25, -0.5]]]


def test_a_point_behind_the_camera_projects_to_something_finite():
    assert torch.isfinite(geometry.project(tensor([[[1.0, 1.0, 0.0], [1.0, 1.0, -3.0]]]))).all()


def test_a_world_point_moves_from_one_camera_to_the_other():
    R1, c1, R2, c2 = two_cameras()
    world = tensor(RNG.normal(size=(3, 5, 3)))
    in1 = (world - c1[:, None]) @ R1.mT
    in2 = (world - c2[:, None]) @ R2.mT
    np.testing.assert_allclose(geometry.transform(in1, *geometry.relative_pose(R1, c1, R2, c2)), in2, atol=1e-12)


def test_there_and_back_is_the_identity():
    R1, c1, R2, c2 = two_cameras()
    points = tensor(RNG.normal(size=(3, 5, 3)))
    there = geometry.transform(points, *geometry.relative_pose(R1, c1, R2, c2))
    np.testing.assert_allclose(geometry.transform(there, *geometry.relative_pose(R2, c2, R1, c1)), points, atol=1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-6, 1e-3, 1.0, 3.0])
def test_exponential_coordinates_are_those_of_scipy(size):
    vectors = size * RNG.normal(size=(4, 3))
    np.testing.assert_allclose(geometry.rotation_matrix(tensor(vectors)), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-9)


@pytest.mark.parametrize("size", [0.0, 1e-5, 0.7])
def test_the_rotation_has_the_derivative_of_finite_differences(size):
    vectors = tensor(size * RNG.normal(size=(3, 3))).requires_grad_()
    assert torch.autograd.gradcheck(geometry.rotation_matrix, (vectors,), eps=1e-6, atol=1e-5)


def test_the_nearest_camera_is_that_of_the_singular_value_decomposition():
    matrix = tensor(RNG.normal(size=(5, 3, 2)))
    U, _, Vt = np.linalg.svd(matrix.numpy(), full_matrices=False)
    np.testing.assert_allclose(geometry.nearest_camera(matrix), U @ Vt, atol=1e-6)


def test_the_nearest_camera_has_the_derivative_of_finite_differences():
    matrix = tensor(RNG.normal(size=(3, 3, 2))).requires_grad_()
    assert torch.autograd.gradcheck(geometry.nearest_camera, (matrix,), eps=1e-6, atol=1e-5)


def test_a_full_rotation_is_proper():
    rotation = geometry.full_rotation(geometry.nearest_camera(tensor(RNG.normal(size=(5, 3, 2)))))
    np.testing.assert_allclose(rotation @ rotation.mT, np.broadcast_to(np.eye(3), (5, 3, 3)), atol=1e-6)
    np.testing.assert_allclose(torch.linalg.det(rotation), 1.0, atol=1e-6)
