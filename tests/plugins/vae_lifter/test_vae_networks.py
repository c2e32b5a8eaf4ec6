"""The VAE's networks: what they must compute, and that learning makes them better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mover import crowd  # noqa: E402

from posewire.errors import ModelError, SettingsError  # noqa: E402
from posewire_data.joints import JOINTS, ROOT  # noqa: E402
from posewire_training import curves  # noqa: E402
from posewire_training.mirror import Mirrored, mirrored  # noqa: E402
from posewire_vae_lifter import spread, tasks, train  # noqa: E402
from posewire_vae_lifter.export import open_run  # noqa: E402
from posewire_vae_lifter.live import LiveVae, Spread  # noqa: E402
from posewire_vae_lifter.model import Belief, CausalStack, Scaler, Vae  # noqa: E402
from posewire_vae_lifter.settings import VaeSettings  # noqa: E402

SMALL = VaeSettings(
    steps=80,
    batch=64,
    learning_rate=3e-3,
    warm_up_steps=5,
    hidden=48,
    width=48,
    blocks=3,
    latent=8,
    validate_every=20,
    average=0.9,
)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_FIT_SAMPLES", 500)
    monkeypatch.setattr(tasks, "_VALIDATION_SAMPLES", 200)
    monkeypatch.setattr(spread, "_CALIBRATION_SAMPLES", 100)


def small(**changes: object) -> VaeSettings:
    return VaeSettings.from_json({**SMALL.to_json(), **changes})


def views(settings: VaeSettings, batch: int = 3) -> tuple[object, object, object]:
    torch.manual_seed(0)
    return torch.randn(batch, settings.frames, 17, 2), torch.ones(batch, settings.frames, 17), torch.zeros(batch, 1)


@pytest.mark.parametrize("changes", [{}, {"form": "baseline"}, {"frames": 9, "blocks": 4}], ids=["vae", "baseline", "temporal"])
def test_the_loss_falls_and_the_error_on_unseen_people_with_it(tmp_path: Path, changes: dict[str, object]) -> None:
    train.run(small(**changes), crowd(), tmp_path, quiet=True)
    table = curves.read(tmp_path / "curves.csv")
    assert table["loss"][-1] < 0.9 * table["loss"][0]
    assert table["clean_mm"][-1] < 0.9 * table["clean_mm"][0]


def test_the_spread_leaves_the_mode_as_it_was(tmp_path: Path) -> None:
    train.run(SMALL, crowd(), tmp_path, quiet=True)
    _, scores = spread.run(crowd(), tmp_path, ("10", "12"), count=400, descents=150)
    assert scores["covered"] == pytest.approx(0.5, abs=0.1)
    live, settings = open_run(tmp_path)
    vae = Vae(settings)
    train.weights.load(tmp_path / "weights.pt", "vae", JOINTS).load_into({"net": vae})
    inputs = views(settings)
    with torch.inference_mode():
        mode = live(*inputs, torch.zeros(3, 1, live.spread.directions))[:, 0]
        torch.testing.assert_close(mode, Mirrored(vae).eval()(*inputs))


def test_calibration_makes_the_ball_hold_half_of_the_truths() -> None:
    torch.manual_seed(0)
    live = LiveVae(Vae(SMALL), Spread(SMALL)).eval()
    samples = train.Sampler(crowd()).draw(np.random.default_rng(0), 200)
    spread.calibrate(live, samples)
    assert spread.coverage_scores(live, samples)["covered"] == pytest.approx(0.5, abs=0.05)


def test_the_step_to_the_truth_decodes_to_it() -> None:
    torch.manual_seed(0)
    vae = Vae(small(latent=60)).eval()  # more latents than outputs: every pose can be reached
    samples = train.Sampler(crowd()).draw(np.random.default_rng(0), 20)
    vae.features.fit(*samples.inputs)
    vae.poses.scaler.fit(samples.target_m[:, 1:])
    with torch.inference_mode():
        mean, _, hidden = vae.encoder(vae.features(*samples.inputs))
        errors = vae.poses.standardised(samples.target_m) - vae.decoder(mean)
    steps = spread.steps_to_truth(vae, spread.Misses(mean, errors, hidden))
    with torch.inference_mode():
        before, after = ((vae.poses(vae.decoder(z)) - samples.target_m).norm(dim=-1).mean() for z in (mean, mean + 0.3 * steps))
    assert after < before


def test_the_head_learns_in_which_direction_each_input_is_unsure() -> None:
    torch.manual_seed(0)
    live = LiveVae(Vae(SMALL), Spread(SMALL, 3)).eval().requires_grad_(False)
    live.spread.requires_grad_(True)
    mean, this = 0.1 * torch.randn(2000, SMALL.latent), (torch.rand(2000, 1) > 0.5).float()
    hidden = torch.cat([this.expand(-1, 24), 1.0 - this.expand(-1, 24)], dim=1)
    one, other = torch.eye(SMALL.latent)[:2]
    truth = live.vae.decoder(mean + 2.0 * torch.randn(2000, 1) * torch.where(this > 0, one, other)) - live.vae.decoder(mean)
    losses = spread.learn(live, spread.Misses(mean, truth, hidden), 150)
    assert np.mean(losses[-20:]) < 0.9 * np.mean(losses[:20])
    moved = live.spread(hidden, torch.randn(2000, 50, 3)).detach().abs().mean(dim=1)  # (2000, L)
    assert bool((moved[this[:, 0] > 0].mean(dim=0)[0] > 2 * moved[this[:, 0] > 0].mean(dim=0)[1:]).all())
    assert bool((moved[this[:, 0] == 0].mean(dim=0)[1] > 2 * moved[this[:, 0] == 0].mean(dim=0)[2:]).all())


def test_the_best_hypothesis_and_the_ball_are_what_a_choice_costs() -> None:
    errors_m = torch.full((4, 16, 3), 0.1)
    near = torch.stack([errors_m, -errors_m], dim=1) * torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)
    nowhere = torch.zeros(4, 2, 16, 3)
    assert float(spread.choice_loss(near, errors_m)) < 0.1
    assert float(spread.choice_loss(nowhere, errors_m)) > 1.7  # 173 mm from the truth, and nothing inside


def test_the_causal_stack_says_what_dilated_convolutions_say() -> None:
    torch.manual_seed(0)
    stack = CausalStack(5, 7, 27, 4)
    torch.nn.init.normal_(stack.out.weight)
    rows = torch.randn(2, 27, 5)
    x = rows.transpose(1, 2)
    for depth, layer in enumerate(stack.convolutions):
        dilation = 3**depth
        kernel = layer.weight.unflatten(1, (3, -1)).transpose(1, 2)  # (out, 3 in) to (out, in, 3)
        y = torch.relu(torch.nn.functional.conv1d(x, kernel, layer.bias, dilation=dilation))
        if depth:
            mixer = stack.mixers[depth - 1]
            y = x[:, :, 2 * dilation :] + torch.relu(torch.nn.functional.conv1d(y, mixer.weight[..., None], mixer.bias))
        x = y
    torch.testing.assert_close(stack(rows), stack.out(x[:, :, -1]))


def test_the_divergence_is_zero_for_the_prior_and_that_of_the_closed_form() -> None:
    zero = torch.zeros(2, 4)
    assert float(Belief(zero, zero, zero).divergence().abs().max()) == 0.0
    mean, logvar = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, -1.0]])
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * logvar).exp()), torch.distributions.Normal(0.0, 1.0)
    ).sum(dim=-1)
    torch.testing.assert_close(Belief(mean, logvar, mean).divergence(), expected)


def test_an_unseen_joint_changes_nothing() -> None:
    points, seen, size = views(SMALL)
    vae = Vae(SMALL).eval()
    seen[:, :, 5] = 0
    other = points.clone()
    other[:, :, 5] = 7.0
    with torch.inference_mode():
        torch.testing.assert_close(vae(points, seen, size), vae(other, seen, size))


def test_the_root_is_zero_and_the_scaler_inverts() -> None:
    with torch.inference_mode():
        assert float(Vae(SMALL).eval()(*views(SMALL))[:, ROOT].abs().max()) == 0.0
    scaler, values = Scaler(3), torch.randn(50, 3) * 4 + 2
    scaler.fit(values)
    torch.testing.assert_close(scaler.inverse(scaler(values)), values)
    torch.testing.assert_close(scaler(values).std(0, correction=0), torch.ones(3))


@pytest.mark.parametrize(
    ("annealing", "expected"),
    [("none", [1.0, 1.0, 1.0, 1.0]), ("monotonic", [0.0, 0.25, 1.0, 1.0]), ("cyclical", [0.0, 1.0, 0.0, 1.0])],
)
def test_beta_is_annealed(annealing: str, expected: list[float]) -> None:
    settings = small(annealing=annealing, beta=1.0)
    assert [settings.beta_at(progress) for progress in (0.0, 0.125, 0.5, 0.999)] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("changes", [{"form": "gan"}, {"frames": 10}, {"beta": -1.0}, {"annealing": "sometimes"}, {"real": 2.0}])
def test_settings_that_do_not_exist_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        small(**changes)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        open_run(tmp_path)


def test_a_mirrored_view_gives_the_mirrored_mode() -> None:
    points, seen, size = views(SMALL)
    live, noise = LiveVae(Vae(SMALL), Spread(SMALL)).eval(), torch.zeros(3, 1, 6)
    with torch.inference_mode():
        torch.testing.assert_close(live(mirrored(points), seen, size, noise), mirrored(live(points, seen, size, noise)))
