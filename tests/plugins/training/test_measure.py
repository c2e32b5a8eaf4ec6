"""Lifters measured as they are used: with the history that the live half keeps."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mover import moving  # noqa: E402

from posewire.errors import ModelError  # noqa: E402
from posewire_training.measure import Measured, measure  # noqa: E402


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure("lifter_vae", moving("13", split="test"), 150)


def test_a_lifter_of_one_frame_remembers_what_was_hidden_a_moment_ago(measured: Measured) -> None:
    complete, hidden = measured.complete.mpjpe_mm, measured.hidden.mpjpe_mm
    assert complete < hidden < 1.35 * complete


def test_the_longer_joints_are_hidden_the_larger_the_error(measured: Measured) -> None:
    errors_mm = [errors.mpjpe_mm for errors in (measured.hidden, measured.lately, measured.throughout)]
    assert errors_mm == sorted(errors_mm)


def test_the_best_hypothesis_is_nearer_than_the_mode_and_their_mean_is_not_further(measured: Measured) -> None:
    sampling = measured.sampling
    assert sampling is not None
    assert sampling.best_of_20_mm < 0.95 * measured.complete.mpjpe_mm
    assert sampling.mean_of_20_mm < 1.1 * measured.complete.mpjpe_mm


def test_a_network_that_is_no_lifter_is_refused() -> None:
    with pytest.raises(ModelError, match=r"no lifter(.|\n)*image"):
        measure("blazepose_full", moving("13", split="test"), 2)
