"""A training computes on the device that was asked for, or says before anything else that it cannot."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import pretended  # noqa: E402
from test_training_loop import SETTINGS, Line  # noqa: E402

from posewire.errors import DeviceError  # noqa: E402
from posewire_training import device, loop  # noqa: E402
from posewire_training.flags import settings_of  # noqa: E402
from posewire_training.settings import TrainSettings  # noqa: E402


@pytest.mark.parametrize("name", ["cuda", "gpu", "meta", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_with_what_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: name == "cuda:99")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(name == "cuda:99"))
    with pytest.raises(DeviceError, match=r"allowed: cpu(.|\n)*next: +--device cpu"):
        device.check(name)
    device.check("cpu")


def test_a_cuda_device_s_generator_is_read_and_set_by_the_device_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"cuda:1": torch.tensor([1], dtype=torch.uint8)}
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda name: states[name])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, name: states.update({name: state}))
    before = device.chance("cuda:1")
    assert before is not None
    states.clear()
    device.set_chance("cuda:1", before)
    assert states["cuda:1"] is before and device.chance("cpu") is None


def test_every_trainer_refuses_it_as_soon_as_its_flags_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no CUDA device"):
        settings_of(Namespace(device="cuda"), TrainSettings)
    with pytest.raises(DeviceError, match="no CUDA device"):
        loop.set_up(TrainSettings(device="cuda"))


def test_a_checkpoint_that_is_read_onto_the_device_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        loop.train(Line(stop_after=27), SETTINGS, tmp_path, quiet=True)
    loaded = loop._loaded
    with pretended.device() as there:
        monkeypatch.setattr(loop, "_loaded", lambda *of: (state := loaded(*of)) | {"random": state["random"].to(there)})
        assert loop.averaged(Line(), SETTINGS, tmp_path)
