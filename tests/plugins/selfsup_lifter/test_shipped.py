"""The network that ships lifts a body it has never seen, and `evaluate` says by how much it beats a constant pose."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="measuring needs posewire[train]")

from walking_person import walking  # noqa: E402

import posewire_models  # noqa: E402
from posewire_selfsup_lifter.evaluate import rows_of  # noqa: E402
from posewire_selfsup_lifter.plugin import MODEL  # noqa: E402


def test_the_shipped_lifter_beats_a_constant_pose_by_far_on_a_body_made_by_hand():
    constant, shipped = rows_of([MODEL], walking(), count=300)
    assert shipped.lifter == MODEL
    assert shipped.complete.pa_mpjpe_mm < 0.5 * constant.complete.pa_mpjpe_mm
    assert shipped.like_real.pa_mpjpe_mm < 0.8 * constant.like_real.pa_mpjpe_mm
    assert shipped.complete.mpjpe_mm < shipped.hidden.mpjpe_mm < constant.complete.mpjpe_mm


def test_the_shipped_file_is_small_and_is_the_one_on_its_card():
    card, path = posewire_models.cards()[MODEL], posewire_models.model_path(MODEL)
    assert path.stat().st_size == card.bytes < 5e6
    assert posewire_models.sha256_of(path) == card.sha256
