"""lifter: the VAE lifter's network, as it ships and with 8-bit weights, against the same network in PyTorch, eager, one thread.

The int8 files (one row, many rows) are made on the spot by posewire_training, which needs the extra [train], as the peer does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np

import posewire_models
from posewire.bench.row import BenchRow, Peers
from posewire.runtime import Session, open_session

MODEL = "lifter_vae"
BATCHES = (1, 64)
_TURNS, _CALLS = 20, 15
_PEER = "torch eager"

_Inputs = dict[str, Any]
_Sessions = dict[tuple[str, int], Session]
"""By precision and batch size."""


def run(peers: Peers) -> list[BenchRow]:
    """A row for each precision and batch size; without torch the peer's column is empty."""
    torch, training = peers.load("torch"), peers.load("posewire_training.eight_bits")
    sessions = {("fp32", batch): open_session(MODEL, threads=1) for batch in BATCHES}
    with tempfile.TemporaryDirectory() as folder:
        if training is not None:
            sessions |= _eight_bits(training, Path(folder))
        rows = [_row(session, precision, batch, torch) for (precision, batch), session in sessions.items()]
        for session in sessions.values():
            session.close()
    return rows


def _eight_bits(training: ModuleType, folder: Path) -> _Sessions:
    """The int8 variant for one row, and the one for many."""
    kinds = dict(zip(BATCHES, (training.quantize_for_one, training.quantize), strict=True))
    for batch, quantize in kinds.items():
        quantize(posewire_models.model_path(MODEL), folder / f"{batch}.onnx")
    return {("int8", batch): open_session(folder / f"{batch}.onnx", threads=1) for batch in BATCHES}


def _row(session: Session, precision: str, batch: int, torch: ModuleType | None) -> BenchRow:
    inputs = _inputs(session, batch)
    candidates: dict[str, Callable[[], Any]] = {"ours": lambda: session.run(inputs)}
    if torch is not None:
        candidates["theirs"] = _eager(torch, inputs)
    median_ms = _medians_ms(candidates)
    theirs = median_ms.get("theirs")
    note = "" if theirs else "torch is not installed: pip install posewire[train]"
    return BenchRow.against(
        "lifter", f"VAE, batch {batch}, {precision}, one thread", _PEER, "ms", median_ms["ours"], theirs, note
    )


def _inputs(session: Session, batch: int) -> _Inputs:
    """Random numbers in the shapes that the network names; one hypothesis, the mode."""
    rng = np.random.default_rng(0)
    shapes = {tensor.name: [batch, *(length or 1 for length in tensor.shape[1:])] for tensor in session.inputs}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def _eager(torch: Any, inputs: _Inputs) -> Callable[[], Any]:
    """The same layers with weights of their own, which cost the same."""
    from posewire_vae_lifter.live import LiveVae, Spread  # needs torch
    from posewire_vae_lifter.model import Vae
    from posewire_vae_lifter.settings import VaeSettings

    torch.set_num_threads(1)
    settings = VaeSettings(frames=inputs["points"].shape[1], latent=inputs["noise"].shape[2])
    net = LiveVae(Vae(settings), Spread(settings)).eval()

    def work() -> Any:
        with torch.inference_mode():
            return net(*(torch.from_numpy(inputs[name]) for name in ("points", "seen", "size", "noise"))).numpy()

    return work


def _medians_ms(candidates: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median of each, the candidates in turns of a few calls so that a change of the machine's speed hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(_TURNS):
        for name, work in candidates.items():
            work()  # the other one's weights have just filled the cache
            times[name] += [_seconds(work) for _ in range(_CALLS)]
    return {name: 1e3 * float(np.median(values)) for name, values in times.items()}


def _seconds(work: Callable[[], Any]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
