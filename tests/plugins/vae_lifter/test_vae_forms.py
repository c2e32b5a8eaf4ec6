"""The other ways to train: adversarial and without 3D labels; each learns from little data and computes what its paper says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mover import crowd  # noqa: E402

from posewire.errors import SettingsError  # noqa: E402
from posewire_training import curves  # noqa: E402
from posewire_training.samples import Sampler  # noqa: E402
from posewire_vae_lifter import crossmodal, tasks, train  # noqa: E402
from posewire_vae_lifter.adversary import gradient_penalty  # noqa: E402
from posewire_vae_lifter.reprojection import best_place_m, knee_to_neck_m, reprojection_error  # noqa: E402
from posewire_vae_lifter.settings import VaeSettings  # noqa: E402

FORMS = ({"adversary": "gan"}, {"adversary": "wgan-gp"}, {"supervision": "reprojection"})


@pytest.mark.parametrize("form", FORMS, ids=["gan", "wgan-gp", "reprojection"])
def test_the_loss_falls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: dict[str, str]) -> None:
    monkeypatch.setattr(tasks, "_FIT_SAMPLES", 500)
    monkeypatch.setattr(tasks, "_VALIDATION_SAMPLES", 100)
    small = VaeSettings(steps=60, batch=64, learning_rate=3e-3, warm_up_steps=5, hidden=48, blocks=3, latent=8, validate_every=15)
    settings = VaeSettings.from_json({**small.to_json(), **form})
    train.run(settings, crowd(), tmp_path, quiet=True)
    table = curves.read(tmp_path / "curves.csv")
    assert table["loss"][-1] < 0.9 * table["loss"][0]
    assert all(np.isfinite(column).all() for column in table.values())


@pytest.mark.parametrize(
    "told",
    [
        {"supervision": "reprojection", "adversary": "gan"},
        {"supervision": "reprojection", "error": "distance"},
        {"adversary": "wgan-gp", "error": "distance"},
        {"form": "baseline", "adversary": "gan"},
        {"form": "baseline", "annealing": "cyclical"},
        {"form": "cross-modal", "supervision": "reprojection"},
    ],
)
def test_what_would_change_nothing_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="has no use for --"):
        train.task_of(VaeSettings(**told), crowd())


def test_the_true_pose_reprojects_without_error_and_a_flat_one_nearly_so() -> None:
    samples = Sampler(crowd()).draw(np.random.default_rng(0), 64)
    flat = samples.target_m * torch.tensor([1.0, 1.0, 0.0])
    true_error, flat_error = (float(reprojection_error(pose, samples)) for pose in (samples.target_m, flat))
    assert true_error < 1e-3
    assert true_error < flat_error < 0.1  # why 2D alone cannot teach depth


def test_the_best_place_is_where_the_person_stands() -> None:
    samples = Sampler(crowd()).draw(np.random.default_rng(0), 16)
    rays = samples.clean
    found = best_place_m(samples.target_m, rays, torch.ones(rays.shape[:2]))
    torch.testing.assert_close(found, samples.root_m, rtol=0.02, atol=0.02)


def test_the_size_of_a_person_is_thigh_plus_spine() -> None:
    samples = Sampler(crowd()).draw(np.random.default_rng(0), 4)
    torch.testing.assert_close(knee_to_neck_m(samples.target_m), torch.full((4,), 0.25 + 0.25 + 0.42), rtol=0, atol=1e-3)


def test_the_penalty_is_zero_for_a_critic_of_slope_one() -> None:
    direction = torch.nn.functional.normalize(torch.arange(1.0, 49.0), dim=0)
    real, fake = torch.randn(9, 48), torch.randn(9, 48)
    for slope, expected in ((1.0, 0.0), (3.0, 4.0)):
        penalty = gradient_penalty(lambda x, slope=slope: slope * x @ direction, real, fake)  # type: ignore[arg-type]
        assert float(penalty) == pytest.approx(expected, abs=1e-5)


def test_the_cross_modal_form_learns_in_every_pair_of_encoder_and_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_FIT_SAMPLES", 300)
    monkeypatch.setattr(tasks, "_VALIDATION_SAMPLES", 20)
    monkeypatch.setattr(crossmodal, "IMAGE_PX", 16)
    settings = VaeSettings(
        form="cross-modal", steps=60, batch=12, warm_up_steps=5, hidden=48, blocks=2, latent=8, validate_every=12
    )
    train.run(settings, crowd(), tmp_path, quiet=True)
    table = curves.read(tmp_path / "curves.csv")
    for pair in ("points_to_pose", "points_to_image", "image_to_image"):
        assert table[pair][-1] < table[pair][0], pair
    assert np.isfinite(table["image_mm"]).all()


def test_an_image_decoder_is_five_convolutions_up_to_the_images_size() -> None:
    decoder = crossmodal.ImageDecoder(4)
    assert len(decoder.convolutions) == len(decoder.norms) == 5
    image = decoder(torch.randn(2, 4)).detach()
    assert image.shape == (2, 3, crossmodal.IMAGE_PX, crossmodal.IMAGE_PX)
    assert float(image.min()) >= 0 and float(image.max()) <= 1


def test_the_image_encoder_has_the_size_of_a_resnet_18() -> None:
    encoder = crossmodal.ImageEncoder(100)
    body = sum(parameter.numel() for parameter in encoder.body.parameters())
    assert body == 11_176_512  # He et al. 2016: 11.69 million with the 1000-class layer of 513,000
