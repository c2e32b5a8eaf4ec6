"""SelecSLS from nothing: it learns rendered pictures by heart, 2D first, and a stopped run goes on with the next pictures."""

from __future__ import annotations

from itertools import islice, repeat
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from xnect_nets import SHORT, tiny  # noqa: E402

from posewire_synth.dataset import Pictures  # noqa: E402
from posewire_xnect.whole_task import WholeRun, WholeTask  # noqa: E402

TINY = Path(__file__).parents[2] / "synth" / "tiny_pack.npz"
SIZE = (96, 160)


@pytest.fixture(scope="module")
def task() -> WholeTask:
    torch.manual_seed(0)
    settings = WholeRun(batch=2, device="cpu", bf16=False, learning_rate=3e-3, largest_gradient=10.0)
    return WholeTask(settings, tiny(levels=SHORT), TINY, SIZE)


def test_it_learns_two_pictures_by_heart_first_in_2d_and_then_in_3d(task: WholeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = next(iter(Pictures(TINY, "groups", batch=2, size=SIZE, seed=3, erase=False, procedural=2)))
    monkeypatch.setattr(WholeTask, "_batches", lambda *_: repeat(batch))
    first = task.step(0, 0.0)
    early = [task.step(number, 0.0) for number in range(50)][-1]
    late = [task.step(number, 0.9) for number in range(60)][-1]
    assert early["heatmaps"] < 0.7 * first["heatmaps"]
    assert late["heatmaps"] < 0.5 * first["heatmaps"]
    assert late["encodings"] < 0.7 * early["encodings"]
    with torch.inference_mode():
        assert set(task.validate()) == {"validation_heatmaps", "validation_fields", "validation_encodings"}


def test_a_stopped_run_goes_on_with_the_pictures_that_come_next() -> None:
    whole, later = (Pictures(TINY, "groups", batch=1, size=SIZE, seed=1, first=first, procedural=2) for first in (0, 2))
    third, same = next(islice(iter(whole), 2, None)), next(iter(later))
    torch.testing.assert_close(third.image, same.image)
