"""How data that leaves its expected place loses its weight, and when it gets it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numba
import numpy as np
import pytest

from posewire.fit.body import make_body
from posewire.fit.expectation import Expectation, forget, jumps, make_expectation
from posewire.fit.targets import Targets, make_targets
from posewire.skeleton import MARKERS, REFERENCE

_STEP_S, _PX_M = 1.0 / 30.0, 0.002


def _through_numba(expectation: Expectation, targets: Targets) -> tuple[float, float]:
    return jumps(expectation, 0, targets, _PX_M, _STEP_S)


def _forget(expectation: Expectation) -> None:
    forget(expectation)


# kernels have no door to Python
_called = cast("Callable[[Expectation, Targets], tuple[float, float]]", numba.njit(_through_numba))
_forgotten = cast("Callable[[Expectation], None]", numba.njit(_forget))


def _jumps_m2(expectation: Expectation, away_m: float) -> tuple[float, float]:
    """Marker 0 so far from its place, in 3D and in pixels."""
    targets = make_targets(make_body(REFERENCE, tuple(MARKERS.values())))
    targets.position_m[0] = (away_m, 0.0, 0.0)
    targets.pixel_px[0] = (0.0, away_m / _PX_M)
    return _called(expectation, targets)


@pytest.fixture
def expectation() -> Expectation:
    made = make_expectation(2)
    made.position_m[:] = 0.0
    made.pixel_px[:] = 0.0
    return made


def test_what_is_not_expected_or_not_seen_is_no_jump(expectation: Expectation) -> None:
    assert np.isnan(_jumps_m2(expectation, np.nan)).all()
    assert np.isnan(_jumps_m2(make_expectation(2), 0.5)).all()
    np.testing.assert_allclose(_jumps_m2(expectation, 0.0), 0.0)  # and leaves nothing behind


def test_3d_and_pixels_are_measured_in_metres(expectation: Expectation) -> None:
    np.testing.assert_allclose(_jumps_m2(expectation, 0.5), 0.25)


def test_a_distance_that_lasts_is_no_jump_for_long(expectation: Expectation) -> None:
    first, *_, last = [_jumps_m2(expectation, 0.3)[0] for _ in range(60)]
    assert last < 0.3 * first


def test_who_jumped_about_of_late_counts_as_jumping_where_he_is_expected(expectation: Expectation) -> None:
    for k in range(30):
        _jumps_m2(expectation, 0.3 * (-1) ** k)
    restless_m2 = _jumps_m2(expectation, 0.0)[0]
    calm_m2 = [_jumps_m2(expectation, 0.0)[0] for _ in range(60)][-1]
    assert restless_m2 > 0.09 and calm_m2 < 0.01 * restless_m2


def test_a_new_start_knows_nothing_of_before(expectation: Expectation) -> None:
    _jumps_m2(expectation, 0.3)
    _forgotten(expectation)
    for got, fresh in zip(expectation, make_expectation(2), strict=True):
        np.testing.assert_array_equal(got, fresh)
