"""solve_batch: the last solve of whole takes (solve.settling), every frame of everybody, by numba and as tensors in torch.

Both find the same poses: the row says how far the two are apart. Made-up people walk on the spot with noisy feet that are planted
again. numba solves on one thread; torch on the GPU where it has one, else on the CPU.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, cast

import numpy as np

from posewire import rotation
from posewire.bench.fit_scene import VIEW
from posewire.bench.row import BenchRow, Peers
from posewire.data import FloatArray
from posewire.fit.contacts import FEET
from posewire.skeleton import REFERENCE
from posewire.solve.motion import Motion
from posewire.solve.planting import plant
from posewire.solve.settings import Device
from posewire.solve.settling import Draft, settle

NAME = "solve_batch"
PEOPLE, FRAMES, FPS = 4, 600, 30.0
_PEER, _UNIT = "torch batched, float64", "ms/1000 people-frames"
FEWER = 6
"""On a CPU torch takes so long that it is timed on this share of the frames."""


def run(peers: Peers) -> list[BenchRow]:
    """numba beside torch on the best device that it has; without torch the row has numba's number alone."""
    torch = peers.load("torch")
    if torch is None:
        return [measure(FRAMES, None)]
    return [measure(FRAMES, "gpu") if cast(Any, torch).cuda.is_available() else measure(FRAMES // FEWER, "torch")]


def measure(frames: int, device: Device | None) -> BenchRow:
    """Both on the same frames, after a first round that compiles and allocates; device None = no torch."""
    _timed(2, "cpu")
    ours_s, ours_m = _timed(frames, "cpu")
    note = f"people-frames/s: numba {PEOPLE * frames / ours_s:.0f}"
    if device is None:
        return BenchRow.against(
            NAME, _workload(frames), _PEER, _UNIT, _ms(ours_s, frames), None, f"{note}; torch is not installed"
        )
    _timed(2, device)
    theirs_s, theirs_m = _timed(frames, device)
    apart_mm = 1e3 * float(np.abs(ours_m - theirs_m).max())
    where = "GPU" if device == "gpu" else "CPU"
    note += f", torch on the {where} {PEOPLE * frames / theirs_s:.0f}; at most {apart_mm:.1g} mm apart"
    return BenchRow.against(NAME, _workload(frames), _PEER, _UNIT, _ms(ours_s, frames), _ms(theirs_s, frames), note)


def _ms(seconds: float, frames: int) -> float:
    return 1e6 * seconds / (PEOPLE * frames)


def _workload(frames: int) -> str:
    return f"{PEOPLE} people, {frames} frames"


def _timed(frames: int, device: Device) -> tuple[float, FloatArray]:
    """Seconds, and the joints (people * frames, N, 3)."""
    drafts = [make_draft(person, frames) for person in range(PEOPLE)]
    begin = perf_counter()
    motions = settle(drafts, device)
    seconds = perf_counter() - begin
    return seconds, np.concatenate([REFERENCE.positions_m(motion.root_m, motion.rotations_wxyz) for motion in motions])


def make_draft(person: int, frames: int) -> Draft:
    """Somebody who moves smoothly and whose feet, touching the ground half of the time, slide."""
    rng = np.random.default_rng(person)
    time_s = np.arange(frames) / FPS
    middle, half = REFERENCE.limits_rad.mean(axis=1), 0.04 * np.ptp(REFERENCE.limits_rad, axis=1)
    phase = rng.uniform(0.0, 2.0 * np.pi, len(middle))
    angles = middle + half * np.sin(2.0 * np.pi * 0.5 * time_s[:, None] + phase)
    local = REFERENCE.joint_rotations(angles, np.broadcast_to(rotation.exp([0.0, 0.4, 0.0]), (frames, 4)))
    root_m = np.array([0.5 * person - 0.75, 0.0, -4.0]) + 0.05 * np.sin(time_s)[:, None]
    contacts = (np.sin(2.0 * np.pi * time_s[:, None] + [0.0, 0.3, np.pi, np.pi + 0.3]) > 0.0).astype(float)
    motion = Motion(time_s, root_m, local, contacts, np.ones((frames, len(REFERENCE.names))))
    joints_m = REFERENCE.positions_m(root_m, local)
    return Draft(REFERENCE, VIEW, motion, joints_m, plant(time_s, joints_m[:, FEET], contacts))
