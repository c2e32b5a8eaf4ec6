"""Which way depth goes is found from perspective and symmetry, without a label."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from walking_person import walking  # noqa: E402

from posewire_selfsup_lifter.chirality import Chirality  # noqa: E402
from posewire_training.samples import Sampler  # noqa: E402

SAMPLES = Sampler(walking()).draw(np.random.default_rng(0), 300)
RAYS = SAMPLES.clean


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_the_sign_is_found_in_any_unit(sign, unit):
    poses = SAMPLES.target_m * torch.tensor([1.0, 1.0, sign]) * unit
    chirality = Chirality()
    chirality.learn(poses, RAYS)
    assert chirality.sign == sign
    assert torch.allclose(chirality(poses), SAMPLES.target_m * unit)


def test_noise_of_a_tenth_of_the_body_does_not_hide_it():
    torch.manual_seed(0)
    poses = SAMPLES.target_m * torch.tensor([1.0, 1.0, -1.0])
    chirality = Chirality()
    chirality.learn(poses + 0.05 * torch.randn_like(poses), RAYS)
    assert chirality.sign == -1
