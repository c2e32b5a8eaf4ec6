"""Axes: what is turned and then converted is what is converted and then turned, in every target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posewire import rotation
from posewire.data import FloatArray
from posewire_gateway.axes import AXES, NATIVE, UNITY, UNREAL, Axes, unity_euler_deg

LEFT, UP, FORWARD = np.eye(3)
unit = st.integers(0, 2**32 - 1).map(lambda seed: rotation.normalise(np.random.default_rng(seed).normal(size=4)))


def wxyz(xyzw: FloatArray) -> FloatArray:
    """The algebra of quaternions knows no handedness: any target's can be turned with by posewire.rotation."""
    return np.roll(xyzw, 1, axis=-1)


@pytest.mark.parametrize(
    ("axes", "left", "up", "forward"),
    [
        (NATIVE, (1, 0, 0), (0, 1, 0), (0, 0, 1)),
        (UNITY, (-1, 0, 0), (0, 1, 0), (0, 0, 1)),
        (UNREAL, (100, 0, 0), (0, 0, 100), (0, 100, 0)),
    ],
)
def test_each_axis_goes_where_the_target_has_it(axes: Axes, left: object, up: object, forward: object) -> None:
    np.testing.assert_allclose(axes.points([LEFT, UP, FORWARD]), [left, up, forward], atol=1e-12)


@pytest.mark.parametrize(("axes", "xyzw"), [(NATIVE, (0, 0.6, 0, 0.8)), (UNITY, (0, -0.6, 0, 0.8)), (UNREAL, (0, 0, -0.6, 0.8))])
def test_a_turn_to_the_left_about_the_vertical(axes: Axes, xyzw: object) -> None:
    np.testing.assert_allclose(axes.rotations_xyzw([0.8, 0, 0.6, 0]), xyzw, atol=1e-12)


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
@given(q=unit, r=unit, seed=st.integers(0, 1000))
def test_turning_and_converting_commute(axes: Axes, q: FloatArray, r: FloatArray, seed: int) -> None:
    p = np.random.default_rng(seed).normal(size=3)
    turned = rotation.rotate(wxyz(axes.rotations_xyzw(q)), axes.points(p))
    np.testing.assert_allclose(turned, axes.points(rotation.rotate(q, p)), atol=1e-9)
    product = rotation.multiply(wxyz(axes.rotations_xyzw(q)), wxyz(axes.rotations_xyzw(r)))
    np.testing.assert_allclose(product, wxyz(axes.rotations_xyzw(rotation.multiply(q, r))), atol=1e-9)


def _about(axis: FloatArray, angle_deg: float) -> FloatArray:
    return rotation.exp(np.radians(angle_deg) * axis)


@given(q=unit)
def test_unity_euler_angles_give_the_rotation_back(q: FloatArray) -> None:
    x, y, z = unity_euler_deg(np.roll(q, -1))
    again = rotation.multiply(rotation.multiply(_about(UP, y), _about(LEFT, x)), _about(FORWARD, z))
    np.testing.assert_allclose(rotation.same_sign(again, q), q, atol=1e-6)


@pytest.mark.parametrize("x", [90.0, -90.0])
def test_unity_euler_angles_where_two_axes_fall_together(x: float) -> None:
    q = rotation.multiply(rotation.multiply(_about(UP, 30.0), _about(LEFT, x)), _about(FORWARD, 20.0))
    got = unity_euler_deg(np.roll(q, -1))
    again = rotation.multiply(rotation.multiply(_about(UP, got[1]), _about(LEFT, got[0])), _about(FORWARD, got[2]))
    np.testing.assert_allclose(rotation.same_sign(again, q), q, atol=1e-6)
