"""The One-Euro filter on points."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from posewire import rotation
from posewire.data import FloatArray
from posewire.filters import NEVER, OneEuroSettings, make_state, smooth_points

SETTINGS = OneEuroSettings(1.5, 2.0)


class OneEuro:
    """M points of C coordinates, filtered with a state that is kept."""

    def __init__(self, points: int, coordinates: int, settings: OneEuroSettings = SETTINGS) -> None:
        self.state, self.settings = make_state(points, coordinates), settings

    def __call__(self, values: ArrayLike, time_s: float) -> FloatArray:
        values, s = np.asarray(values, dtype=np.float64), self.settings
        out = np.empty_like(values)
        smooth_points(self.state, values, time_s, s.min_cutoff_hz, s.cutoff_per_speed, s.speed_cutoff_hz, out)
        return out


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
    filter_ = OneEuro(1, 1)
    got = [filter_([[value]], t)[0, 0] for value, t in zip(x, time_s, strict=True)]
    np.testing.assert_allclose(got, one_euro_by_the_book(x, time_s, SETTINGS), rtol=1e-12)


def test_the_result_does_not_depend_on_the_axes() -> None:
    rng = np.random.default_rng(1)
    points, turn = np.cumsum(rng.normal(0, 0.05, (40, 5, 3)), axis=0), rotation.exp([0.4, -1.1, 0.7])
    plain, turned = OneEuro(5, 3), OneEuro(5, 3)
    for k, row in enumerate(points):
        np.testing.assert_allclose(
            rotation.rotate(turn, plain(row, k / 30)), turned(rotation.rotate(turn, row), k / 30), atol=1e-12
        )


@pytest.mark.parametrize("unseen", [np.nan, np.inf])
def test_an_unseen_point_neither_updates_nor_poisons(unseen: float) -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(0, 1, (20, 3, 2))
    whole, gappy = OneEuro(3, 2), OneEuro(3, 2)
    for k, row in enumerate(points):
        hidden = row.copy()
        if 5 <= k < 9:
            hidden[1, 0] = unseen
        full, out = whole(row, k / 30), gappy(hidden, k / 30)
        assert np.isnan(out[1]).all() == (5 <= k < 9)
        np.testing.assert_array_equal(out[[0, 2]], full[[0, 2]])
    alone = OneEuro(1, 2)
    for k in [*range(5), *range(9, 20)]:
        expected = alone(points[k, 1:2], k / 30)
    np.testing.assert_allclose(out[1], expected[0])


@pytest.mark.parametrize("time_s", [0.5, 0.2])
def test_time_that_stands_or_goes_back_starts_anew(time_s: float) -> None:
    filter_ = OneEuro(1, 2)
    filter_([[0.0, 0.0]], 0.5)
    np.testing.assert_array_equal(filter_([[3.0, 4.0]], time_s), [[3.0, 4.0]])


def test_what_was_never_seen_starts_anew() -> None:
    filter_ = OneEuro(1, 1)
    filter_([[0.0]], 0.0)
    filter_.state.time_s[:] = NEVER
    assert filter_([[5.0]], 0.1)[0, 0] == 5.0


def test_the_result_may_be_written_over_the_input() -> None:
    plain, values = OneEuro(2, 2), np.ones((2, 2))
    plain(values * 0, 0.0)
    state = make_state(2, 2)
    smooth_points(state, np.zeros((2, 2)), 0.0, 1.5, 2.0, 1.0, np.zeros((2, 2)))
    smooth_points(state, values, 0.1, 1.5, 2.0, 1.0, values)
    np.testing.assert_array_equal(values, plain(np.ones((2, 2)), 0.1))


def test_jitter_shrinks_and_a_fast_move_is_followed() -> None:
    rng = np.random.default_rng(3)
    still, fast = OneEuro(1, 1, OneEuroSettings(1.0, 5.0)), OneEuro(1, 1, OneEuroSettings(1.0, 5.0))
    noise = rng.normal(0, 0.01, 200)
    out = np.array([still([[x]], k / 60)[0, 0] for k, x in enumerate(noise)])
    assert out[50:].std() < 0.5 * noise[50:].std()
    end = [fast([[2.0 * k / 60]], k / 60)[0, 0] for k in range(120)][-1]
    assert abs(end - 2.0 * 119 / 60) < 0.1
