"""The training loop: it continues where it was stopped, keeps what it learned, and refuses another run's checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posewire.errors import ModelError, SettingsError  # noqa: E402 - torch first: without it nothing here can be imported
from posewire_training import curves, device, loop, weights  # noqa: E402
from posewire_training.settings import TrainSettings  # noqa: E402
from posewire_training.task import descend  # noqa: E402

SETTINGS = TrainSettings(steps=40, batch=16, learning_rate=0.05, warm_up_steps=5, validate_every=10, average=0.9)


class Line:
    """Learns y = 2 x + 1 from noisy batches."""

    def __init__(self, settings: TrainSettings = SETTINGS, stop_after: int | None = None) -> None:
        loop.set_up(settings)
        self.net = torch.nn.Linear(1, 1)
        self.settings, self.stop_after = settings, stop_after
        self.modules: Mapping[str, torch.nn.Module] = {"net": self.net}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            "net": torch.optim.Adam(self.net.parameters(), settings.learning_rate)
        }

    def step(self, number: int, progress: float) -> dict[str, float]:
        if number == self.stop_after:
            raise KeyboardInterrupt
        x = torch.from_numpy(np.random.default_rng([self.settings.seed, number]).normal(size=(16, 1)).astype(np.float32))
        loss = ((self.net(x) - 2 * x - 1 - 0.1 * torch.randn(16, 1)) ** 2).mean()
        descend(self.optimizers["net"], loss, 1.0)
        return {"loss": float(loss.detach())}

    def validate(self) -> dict[str, float]:
        return {"slope_error": abs(self.net.weight.item() - 2.0)}


def test_the_loss_falls_and_the_curves_are_drawn(tmp_path: Path) -> None:
    loop.train(Line(), SETTINGS, tmp_path, quiet=True)
    table = curves.read(tmp_path / "curves.csv")
    assert list(table["step"]) == [10, 20, 30, 40]
    assert table["loss"][-1] < 0.5 * table["loss"][0]
    assert table["slope_error"][-1] < table["slope_error"][0]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    whole = loop.train(Line(), SETTINGS, tmp_path / "whole", quiet=True)["net"].state_dict()
    with pytest.raises(KeyboardInterrupt):
        loop.train(Line(stop_after=27), SETTINGS, tmp_path / "cut", quiet=True)
    continued = loop.train(Line(), SETTINGS, tmp_path / "cut", quiet=True)["net"].state_dict()
    for name in whole:
        torch.testing.assert_close(continued[name], whole[name], rtol=0, atol=0)
    assert (tmp_path / "cut" / "curves.csv").read_text() == (tmp_path / "whole" / "curves.csv").read_text()


class Dropped(Line):
    """As Line, but what is random comes from a generator of the device's own."""

    chance = torch.Generator()

    def step(self, number: int, progress: float) -> dict[str, float]:
        scores = super().step(number, progress)
        with torch.no_grad():
            self.net.bias += torch.randn(1, generator=self.chance)
        return scores


def test_the_device_s_own_generator_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "chance", lambda _: Dropped.chance.get_state())
    monkeypatch.setattr(device, "set_chance", lambda _, state: Dropped.chance.set_state(state))

    def trained(folder: Path, stop_after: int | None = None) -> torch.Tensor:
        Dropped.chance.manual_seed(3)
        return loop.train(Dropped(stop_after=stop_after), SETTINGS, folder, quiet=True)["net"].state_dict()["bias"]

    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", 27)
    assert torch.equal(trained(tmp_path / "cut"), whole)


def test_half_a_line_of_curves_is_forgotten(tmp_path: Path) -> None:
    loop.train(Line(), SETTINGS, tmp_path, quiet=True)
    path = tmp_path / "curves.csv"
    whole = path.read_bytes()
    path.write_bytes(whole + b"4")
    curves.Curves(path).forget_after(40)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda _: b"nothing", lambda _: b""], ids=["half", "other", "empty"]
)
def test_a_damaged_checkpoint_is_said_to_be_one(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    loop.train(Line(), SETTINGS, tmp_path, quiet=True)
    last = tmp_path / "last.pt"
    last.write_bytes(damage(last.read_bytes()))
    with pytest.raises(ModelError, match=r"last.pt cannot be read(.|\n)*next:"):
        loop.train(Line(), SETTINGS, tmp_path, quiet=True)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    loop.train(Line(), SETTINGS, tmp_path, quiet=True)
    other = TrainSettings(**{**SETTINGS.to_json(), "batch": 17})
    with pytest.raises(ModelError, match=r"batch=16(.|\n)*batch=17"):
        loop.train(Line(other), other, tmp_path, quiet=True)


def test_an_unfinished_run_gives_its_averaged_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no checkpoint"):
        loop.averaged(Line(), SETTINGS, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        loop.train(Line(stop_after=25), SETTINGS, tmp_path, quiet=True)
    assert abs(loop.averaged(Line(), SETTINGS, tmp_path)["net"].state_dict()["weight"].item() - 2.0) < 1.7


def test_the_learning_rate_rises_then_falls_to_a_hundredth() -> None:
    factors = [loop.rate_factor(step, SETTINGS) for step in range(SETTINGS.steps + 1)]
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[5:] == sorted(factors[5:], reverse=True)
    assert factors[-1] == pytest.approx(0.01)


def test_a_step_with_a_gradient_that_is_not_finite_changes_nothing() -> None:
    net = torch.nn.Linear(1, 1)
    before = net.weight.detach().clone()
    descend(torch.optim.SGD(net.parameters(), 1.0), net(torch.full((1, 1), float("nan"))).sum(), 1.0)
    torch.testing.assert_close(net.weight.detach(), before)


@pytest.mark.parametrize(
    ("field", "value"),
    [("steps", 0), ("batch", 0), ("threads", 0), ("validate_every", 0), ("learning_rate", -1.0), ("largest_gradient", -1.0)],
)
def test_settings_that_cannot_be_are_refused(field: str, value: float) -> None:
    with pytest.raises(SettingsError, match=field):
        TrainSettings(**{field: value})


def test_settings_of_another_version_are_refused() -> None:
    with pytest.raises(ModelError, match="colour"):
        TrainSettings.from_json({"steps": 3, "colour": "red"})


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    net, other = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    weights.save(tmp_path / "w.pt", "line", ("a", "b"), SETTINGS.to_json(), {"net": net})
    kept = weights.load(tmp_path / "w.pt", "line", ("a", "b"))
    kept.load_into({"net": other})
    torch.testing.assert_close(other.weight, net.weight, rtol=0, atol=0)
    assert TrainSettings.from_json(kept.settings) == SETTINGS


def test_weights_of_another_method_or_skeleton_or_of_nothing_are_refused(tmp_path: Path) -> None:
    weights.save(tmp_path / "w.pt", "line", ("a", "b"), {}, {"net": torch.nn.Linear(4, 3)})
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(ModelError, match="other weights"):
        weights.load(tmp_path / "w.pt", "curve", ("a", "b"))
    with pytest.raises(ModelError, match="another skeleton"):
        weights.load(tmp_path / "w.pt", "line", ("a", "c"))
    for name in ("text.pt", "missing.pt"):
        with pytest.raises(ModelError, match="cannot be read"):
            weights.load(tmp_path / name, "line", ("a", "b"))
    with pytest.raises(ModelError, match="do not fit"):
        weights.load(tmp_path / "w.pt", "line", ("a", "b")).load_into({"net": torch.nn.Linear(5, 3)})
