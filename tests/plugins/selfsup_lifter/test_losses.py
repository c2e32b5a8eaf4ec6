"""Each loss is zero where it should be, large where it should be, blind to what is unseen, and has the right derivative."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from posewire_selfsup_lifter import geometry, losses  # noqa: E402

RNG = np.random.default_rng(0)
BODY = torch.tensor(RNG.normal(0, 0.4, (4, 6, 3)) + np.array([0, 0, 4.0]))
ALL_SEEN, SIZE = torch.ones(4, 6, dtype=torch.float64), torch.full((4,), 0.1, dtype=torch.float64)


def test_the_true_pose_has_no_reprojection_error():
    assert losses.reprojection(BODY, geometry.project(BODY), ALL_SEEN, SIZE) == 0


def test_reprojection_is_blind_to_depth_along_the_rays():
    stretched = BODY * torch.tensor(RNG.uniform(0.5, 2.0, (4, 6, 1)))
    assert losses.reprojection(stretched, geometry.project(BODY), ALL_SEEN, SIZE) < 1e-25


def test_an_unseen_joint_does_not_count():
    wrong, weights = BODY.clone(), ALL_SEEN.clone()
    wrong[:, 2] += 1.0
    weights[:, 2] = 0.0
    assert losses.reprojection(wrong, geometry.project(BODY), weights, SIZE) == 0
    assert losses.transform_reprojection(wrong, geometry.project(BODY), ALL_SEEN, weights, SIZE) == 0


def test_half_the_confidence_has_half_the_pull():
    wrong, weights = BODY.clone(), ALL_SEEN.clone()
    wrong[:, 2, 0] += 0.1
    weights[:, 2] = 0.5
    full = losses.reprojection(wrong, geometry.project(BODY), ALL_SEEN, SIZE) * ALL_SEEN.sum()
    half = losses.reprojection(wrong, geometry.project(BODY), weights, SIZE) * weights.sum()
    np.testing.assert_allclose(half, full / 2)


def test_the_loss_does_not_depend_on_how_far_the_person_is():
    far = BODY + torch.tensor([0.0, 0.0, 36.0])
    near_error = losses.reprojection(BODY + torch.tensor([0.02, 0, 0]), geometry.project(BODY), ALL_SEEN, SIZE)
    far_error = losses.reprojection(far + torch.tensor([0.02, 0, 0]), geometry.project(far), ALL_SEEN, SIZE / 10)
    np.testing.assert_allclose(far_error, near_error, rtol=0.1)


def test_a_far_point_pulls_less_where_its_distance_counts():
    """Twice the error is four times the squared loss, and twice the other."""
    values = [
        losses.reprojection(BODY + torch.tensor([shift_m, 0, 0]), geometry.project(BODY), ALL_SEEN, SIZE, error)
        for error in ("square", "distance")
        for shift_m in (0.1, 0.2)
    ]
    np.testing.assert_allclose([values[1] / values[0], values[3] / values[2]], [4.0, 2.0], rtol=1e-4)


def test_pretraining_is_the_squared_distance_of_the_two_poses():
    np.testing.assert_allclose(losses.pretraining(BODY + torch.tensor([0.3, 0.0, 0.4]), BODY), 0.25)


@pytest.mark.parametrize("loss", ["reprojection", "joint_distance"])
def test_derivatives_are_those_of_finite_differences(loss):
    def value(points):
        if loss == "reprojection":
            return losses.reprojection(points, geometry.project(BODY), ALL_SEEN, SIZE)
        return losses.joint_distance(points, BODY, ALL_SEEN)

    moved = (BODY + 0.1 * torch.tensor(RNG.normal(size=BODY.shape))).requires_grad_()
    assert torch.autograd.gradcheck(value, (moved,), eps=1e-6, atol=1e-5)


def a_dictionary(atoms=20):
    dictionary = torch.tensor(RNG.normal(size=(6, 3, atoms)))
    camera = geometry.nearest_camera(torch.tensor(RNG.normal(size=(4, 3, 2))))
    return dictionary, camera, torch.tensor(RNG.uniform(0, 1, (4, atoms)))


def test_a_rotated_dictionary_reconstructs_the_rotated_shape():
    dictionary, camera, code = a_dictionary()
    shape = torch.einsum("jck,bk->bjc", dictionary, code) @ geometry.full_rotation(camera)
    B_xy, B_z = losses.rotated_dictionary(dictionary, camera)
    np.testing.assert_allclose((B_xy @ code[..., None])[..., 0].reshape(4, 6, 2), shape[..., :2], atol=1e-12)
    np.testing.assert_allclose((B_z @ code[..., None])[..., 0], shape[..., 2], atol=1e-12)


def test_the_projected_code_has_the_depth_that_was_asked_for_and_is_the_nearest():
    dictionary, camera, code = a_dictionary()
    _, B_z = losses.rotated_dictionary(dictionary, camera)
    depth = torch.tensor(RNG.normal(size=(4, 6)))
    projected = losses.projected_code(depth, B_z, code)
    np.testing.assert_allclose((B_z @ projected[..., None])[..., 0], depth, atol=2e-3)
    inside = B_z.mT @ torch.linalg.lstsq(B_z.mT, (projected - code)[..., None]).solution
    np.testing.assert_allclose(inside[..., 0], projected - code, atol=1e-9)  # no step along directions that do not change depth


def test_the_teachers_own_depth_leaves_its_code_alone():
    dictionary, camera, code = a_dictionary()
    _, B_z = losses.rotated_dictionary(dictionary, camera)
    np.testing.assert_allclose(losses.projected_code((B_z @ code[..., None])[..., 0], B_z, code), code, atol=1e-12)


def test_the_distillation_loss_is_convex_in_depth_and_has_the_right_derivative():
    dictionary, camera, code = a_dictionary()
    B_xy, _ = losses.rotated_dictionary(dictionary, camera)
    rays = (B_xy @ code[..., None])[..., 0].reshape(4, 6, 2)
    a, b = torch.tensor(RNG.normal(size=(2, 4, 6)))

    def value(depth):
        return losses.distillation(depth, rays, dictionary, camera, code)

    assert value((a + b) / 2) <= (value(a) + value(b)) / 2
    assert torch.autograd.gradcheck(value, (a.clone().requires_grad_(),), eps=1e-7, atol=1e-4)
