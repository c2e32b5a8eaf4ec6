"""Axioms of the rotation functions."""

import numpy as np
import pytest

from posewire import rotation as r

rng = np.random.default_rng(1)
Q = r.normalise(rng.normal(size=(200, 4)))
P = r.normalise(rng.normal(size=(200, 4)))
V = rng.normal(size=(200, 3))


def same_rotation(a, b, atol=1e-9):
    np.testing.assert_allclose(r.same_sign(a, b), b, atol=atol)


def test_inverse_undoes():
    same_rotation(r.multiply(Q, r.inverse(Q)), r.identity(200))


def test_multiply_is_associative():
    same_rotation(r.multiply(r.multiply(Q, P), Q[::-1]), r.multiply(Q, r.multiply(P, Q[::-1])))


def test_multiply_applies_the_right_factor_first():
    np.testing.assert_allclose(r.rotate(r.multiply(Q, P), V), r.rotate(Q, r.rotate(P, V)), atol=1e-12)


@pytest.mark.parametrize(
    ("axis", "vector", "expected"),
    [((1, 0, 0), (0, 1, 0), (0, 0, 1)), ((0, 1, 0), (0, 0, 1), (1, 0, 0)), ((0, 0, 1), (1, 0, 0), (0, 1, 0))],
)
def test_a_quarter_turn_is_right_handed(axis, vector, expected):
    np.testing.assert_allclose(r.rotate(r.exp(np.array(axis) * np.pi / 2), vector), expected, atol=1e-12)


def test_matrix_rotates_as_the_quaternion_does():
    np.testing.assert_allclose(np.einsum("nij,nj->ni", r.to_matrix(Q), V), r.rotate(Q, V), atol=1e-12)


def test_matrix_round_trip_also_for_half_turns():
    half_turns = np.eye(4)[1:]
    for q in (Q, half_turns):
        same_rotation(r.from_matrix(r.to_matrix(q)), q)
        assert (r.from_matrix(r.to_matrix(q))[:, 0] >= 0).all()


@pytest.mark.parametrize("angle", [0.0, 1e-14, 1e-9, 1e-4, 1.0, np.pi - 1e-6, np.pi])
def test_log_undoes_exp_up_to_a_half_turn(angle):
    axis = V / np.linalg.norm(V, axis=1, keepdims=True)
    vector = axis * angle
    back = r.log(r.exp(vector))
    if angle == np.pi:  # both signs of a half turn are the same rotation
        back = np.where(np.sum(back * axis, axis=1, keepdims=True) < 0, -back, back)
    np.testing.assert_allclose(back, vector, atol=1e-8)


def test_log_ignores_the_sign_of_the_quaternion():
    np.testing.assert_allclose(r.log(-Q), r.log(Q), atol=1e-12)


def test_slerp_ends_and_middle():
    same_rotation(r.slerp(Q, P, np.zeros(200)), Q)
    same_rotation(r.slerp(Q, P, np.ones(200)), P)
    middle = r.slerp(Q, P, np.full(200, 0.5))
    first, second = r.log(r.multiply(r.inverse(Q), middle)), r.log(r.multiply(r.inverse(middle), P))
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1), atol=1e-9)


def test_between_turns_one_direction_into_the_other_even_the_opposite_one():
    a, b = V, V[::-1]
    turned = r.rotate(r.between(a, b), a / np.linalg.norm(a, axis=1, keepdims=True))
    np.testing.assert_allclose(turned, b / np.linalg.norm(b, axis=1, keepdims=True), atol=1e-9)
    np.testing.assert_allclose(r.rotate(r.between(V, -V), V), -V, atol=1e-9)


def test_swing_times_twist_is_the_rotation_and_the_twist_keeps_the_axis():
    axis = np.array([0.0, 0.6, 0.8])
    swing, twist = r.swing_twist(Q, axis)
    same_rotation(r.multiply(swing, twist), Q)
    np.testing.assert_allclose(r.rotate(twist, axis), np.broadcast_to(axis, (200, 3)), atol=1e-9)
    np.testing.assert_allclose(np.sum(swing[:, 1:] * axis, axis=1), 0, atol=1e-9)


def test_normalise_of_zero_is_the_identity():
    np.testing.assert_array_equal(r.normalise([0.0, 0, 0, 0]), [1, 0, 0, 0])


def test_an_eighth_of_the_sphere_is_half_pi_and_turns_to_the_left():
    x, y, z = np.eye(3)
    assert r.solid_angle(x, y, z) == pytest.approx(np.pi / 2)
    np.testing.assert_allclose(r.solid_angle(x, z, r.rotate(Q, y)), -r.solid_angle(x, r.rotate(Q, y), z), atol=1e-12)


def test_triangles_side_by_side_add_up():
    x, y, z = np.eye(3)
    middle = np.array([1.0, 2.0, 0.5]) / np.linalg.norm([1.0, 2.0, 0.5])
    parts = [r.solid_angle(a, b, middle) for a, b in ((x, y), (y, z), (z, x))]
    assert min(parts) > 0 and sum(parts) == pytest.approx(np.pi / 2)
    assert r.solid_angle(middle, x, y) == pytest.approx(parts[0]) == r.solid_angle(y, middle, x)
