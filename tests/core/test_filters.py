"""The One-Euro filter on points and on rotations."""

import numpy as np
import pytest

from posewire import rotation
from posewire.filters import OneEuro, OneEuroRotation, OneEuroSettings

SETTINGS = OneEuroSettings(1.5, 2.0)


def one_euro_by_the_book(x: np.ndarray, time_s: np.ndarray, s: OneEuroSettings) -> np.ndarray:
    """Casiez et al. 2012, algorithm 1, one scalar at a time."""
    value, speed, out = x[0], 0.0, [x[0]]
    for k in range(1, len(x)):
        step = time_s[k] - time_s[k - 1]
        share = 1 / (1 + 1 / (2 * np.pi * s.speed_cutoff_hz * step))
        speed += share * ((x[k] - value) / step - speed)
        cutoff = s.min_cutoff_hz + s.cutoff_per_speed * abs(speed)
        value += (x[k] - value) / (1 + 1 / (2 * np.pi * cutoff * step))
        out.append(value)
    return np.array(out)


def test_a_scalar_is_filtered_as_in_the_paper_also_with_a_variable_step() -> None:
    rng = np.random.default_rng(0)
    x, time_s = np.cumsum(rng.normal(0, 0.1, 60)), np.cumsum(rng.uniform(0.005, 0.05, 60))
    filter_ = OneEuro(1, 1, SETTINGS)
    got = [filter_([[value]], t)[0, 0] for value, t in zip(x, time_s, strict=True)]
    np.testing.assert_allclose(got, one_euro_by_the_book(x, time_s, SETTINGS), rtol=1e-12)


def test_the_result_does_not_depend_on_the_axes() -> None:
    rng = np.random.default_rng(1)
    points, turn = np.cumsum(rng.normal(0, 0.05, (40, 5, 3)), axis=0), rotation.exp([0.4, -1.1, 0.7])
    plain, turned = OneEuro(5, 3, SETTINGS), OneEuro(5, 3, SETTINGS)
    for k, row in enumerate(points):
        np.testing.assert_allclose(
            rotation.rotate(turn, plain(row, k / 30)), turned(rotation.rotate(turn, row), k / 30), atol=1e-12
        )


def test_an_unseen_point_neither_updates_nor_poisons() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(0, 1, (20, 3, 2))
    whole, gappy = OneEuro(3, 2, SETTINGS), OneEuro(3, 2, SETTINGS)
    for k, row in enumerate(points):
        hidden = row.copy()
        if 5 <= k < 9:
            hidden[1, 0] = np.nan
        full, out = whole(row, k / 30), gappy(hidden, k / 30)
        assert np.isnan(out[1]).all() == (5 <= k < 9)
        np.testing.assert_array_equal(out[[0, 2]], full[[0, 2]])
    alone = OneEuro(1, 2, SETTINGS)
    for k in [*range(5), *range(9, 20)]:
        expected = alone(points[k, 1:2], k / 30)
    np.testing.assert_allclose(out[1], expected[0])


@pytest.mark.parametrize("time_s", [0.5, 0.2])
def test_time_that_stands_or_goes_back_starts_anew(time_s: float) -> None:
    filter_ = OneEuro(1, 2, SETTINGS)
    filter_([[0.0, 0.0]], 0.5)
    np.testing.assert_array_equal(filter_([[3.0, 4.0]], time_s), [[3.0, 4.0]])


def test_reset_forgets() -> None:
    filter_ = OneEuro(1, 1, SETTINGS)
    filter_([[0.0]], 0.0)
    filter_.reset()
    assert filter_([[5.0]], 0.1)[0, 0] == 5.0


def test_the_input_is_not_written_to() -> None:
    values = np.ones((2, 2))
    filter_ = OneEuro(2, 2, SETTINGS)
    filter_(values * 0, 0.0)
    filter_(values, 0.1)
    np.testing.assert_array_equal(values, 1.0)


def test_jitter_shrinks_and_a_fast_move_is_followed() -> None:
    rng = np.random.default_rng(3)
    still, fast = OneEuro(1, 1, OneEuroSettings(1.0, 5.0)), OneEuro(1, 1, OneEuroSettings(1.0, 5.0))
    noise = rng.normal(0, 0.01, 200)
    out = np.array([still([[x]], k / 60)[0, 0] for k, x in enumerate(noise)])
    assert out[50:].std() < 0.5 * noise[50:].std()
    end = [fast([[2.0 * k / 60]], k / 60)[0, 0] for k in range(120)][-1]
    assert abs(end - 2.0 * 119 / 60) < 0.1


def test_rotations_about_one_axis_are_filtered_like_the_angle() -> None:
    angle = np.cumsum(np.random.default_rng(4).normal(0, 0.1, 40))
    scalar, turning = OneEuro(1, 1, SETTINGS), OneEuroRotation(1, SETTINGS)
    for k, a in enumerate(angle):
        expected = rotation.exp([0.0, scalar([[a]], k / 30)[0, 0], 0.0])
        got = turning([rotation.exp([0.0, a, 0.0])], k / 30)[0]
        np.testing.assert_allclose(rotation.same_sign(got, expected), expected, atol=1e-9)


def test_rotations_pass_through_a_half_turn_without_a_jump() -> None:
    filter_ = OneEuroRotation(1, OneEuroSettings(5.0, 1.0))
    out = np.array([filter_([rotation.exp([0.0, 0.0, a])], k / 60)[0] for k, a in enumerate(np.linspace(2.0, 5.0, 100))])
    assert np.linalg.norm(np.diff(out, axis=0), axis=1).max() < 0.05


def test_the_sign_of_a_quaternion_does_not_matter_to_the_filter() -> None:
    q = rotation.exp(np.random.default_rng(5).normal(0, 0.5, (30, 1, 3)))
    plain, flipped = OneEuroRotation(1, SETTINGS), OneEuroRotation(1, SETTINGS)
    for k, value in enumerate(q):
        a, b = plain(value, k / 30), flipped(value if k % 2 else -value, k / 30)
        np.testing.assert_allclose(rotation.to_matrix(a), rotation.to_matrix(b), atol=1e-12)


def test_an_unseen_rotation_is_left_out() -> None:
    filter_ = OneEuroRotation(2, SETTINGS)
    first = filter_(rotation.identity(2), 0.0)
    turned = np.array([rotation.exp([1.0, 0.0, 0.0]), [np.nan] * 4])
    out = filter_(turned, 0.1)
    assert np.isnan(out[1]).all()
    np.testing.assert_array_equal(first[1], rotation.identity())
    np.testing.assert_allclose(np.linalg.norm(out[0]), 1.0)
    np.testing.assert_allclose(filter_(rotation.identity(2), 0.2)[1], rotation.identity())
