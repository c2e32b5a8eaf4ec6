"""Which hypotheses a lifter gives is learned: with a tiny network."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mover import moving  # noqa: E402

from posewire import lift  # noqa: E402
from posewire.data import FloatArray  # noqa: E402
from posewire_lifting.hypotheses import paired_noise  # noqa: E402
from posewire_training.samples import Sampler  # noqa: E402
from posewire_vae_lifter.hypotheses import ASKED_FOR, Judges, in_order, learned  # noqa: E402
from posewire_vae_lifter.live import DIRECTIONS, LiveVae, Spread  # noqa: E402
from posewire_vae_lifter.model import Vae  # noqa: E402
from posewire_vae_lifter.settings import VaeSettings  # noqa: E402
from posewire_vae_lifter.spread import errors_of, misses_of, moves_of  # noqa: E402

SETTINGS = VaeSettings(hidden=32, blocks=2, latent=12)


@pytest.fixture(scope="module")
def judges() -> Judges:
    """A network that was never trained, whose hypotheses differ far, and what it gets wrong."""
    torch.manual_seed(0)
    live = LiveVae(Vae(SETTINGS), Spread(SETTINGS)).eval().requires_grad_(False)
    live.spread.temperature.fill_(5.0)
    misses = misses_of(live, Sampler(moving()).draw(np.random.default_rng(0), 200))
    return Judges(live, misses, misses)


def best_m(judges: Judges, half: FloatArray) -> float:
    """Mean error of the best hypothesis."""
    live, misses = judges.live, judges.complete
    rows, pairs = torch.arange(len(misses.errors)), torch.tensor(half).float()
    moved = moves_of(live, misses, rows, torch.cat([pairs, -pairs]).expand(len(rows), -1, -1))
    return float((moved - errors_of(live, misses, rows)[:, None]).norm(dim=-1).mean(dim=-1).min(dim=1).values.mean())


def test_learned_hypotheses_come_nearer_to_the_truth_than_drawn_ones(judges: Judges) -> None:
    half = learned([judges], 60)
    assert half.shape == (10, DIRECTIONS)
    drawn = np.random.default_rng(0).standard_normal((10, DIRECTIONS))
    assert best_m(judges, half) < 0.98 * best_m(judges, drawn)


def test_the_first_four_pairs_are_spread_like_all(judges: Judges) -> None:
    half = torch.from_numpy(paired_noise(20, DIRECTIONS)[::2].copy()).float()
    small, large = half[:5] * 0.1, half[5:] * 3.0
    order = in_order([judges], torch.cat([small, large]))
    assert sorted(order) == list(range(10))
    assert 1 <= sum(pair >= 5 for pair in order[:4]) <= 3


def test_as_many_are_put_first_as_the_host_asks_for() -> None:
    assert ASKED_FOR == lift.HYPOTHESES
