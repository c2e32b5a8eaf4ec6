"""The last solve: every frame of everybody, near the smoothed motion, within the limits, resting feet where they stand.

The fit's own energy, without data: the smoothed joints take the place of the expected ones, the smoothed angles that of the
frame before, and the contact term holds the feet. No frame waits for another, so that all of them are one batch: numba solves
them one after the other, torch (solve.batched) side by side, on the CPU or a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from posewire.data import Camera, FloatArray
from posewire.fit import FitSettings
from posewire.fit.body import Body, make_body, make_workspace
from posewire.fit.compiling import telling
from posewire.fit.contacts import FEET
from posewire.fit.packing import pack
from posewire.fit.residuals import TERMS
from posewire.fit.solver import solve
from posewire.fit.targets import Targets, make_targets
from posewire.skeleton import REFERENCE, Skeleton
from posewire.solve.batched import BatchedSolver, Poses
from posewire.solve.motion import Motion
from posewire.solve.planting import Planted
from posewire.solve.settings import Device
from posewire.solve.tensors import open_torch

_NEAR_W, _NEAR_RAD_W, _PLANTED_W = 0.03**-2, 0.3**-2, 0.003**-2
"""Weights of joints and angles near the smoothed motion, and of a resting foot in its place: 1 / sigma^2, metres, radians."""
_LIMIT_W = FitSettings().limit_sigma_rad ** -2
_ITERATIONS, _TOLERANCE = 30, 1e-9
_BATCH = 2048
"""Frames side by side on a torch device: some 0.5 GB of tensors."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A person's smoothed motion over one stretch, known in every frame, and where its feet are to stand."""

    skeleton: Skeleton
    camera: Camera
    motion: Motion
    joints_m: FloatArray
    """(R, N, 3) of the motion, world."""
    planted: Planted


def check_device(device: Device) -> None:
    """Raises DeviceError when torch is asked for and not installed, or the GPU and it has no CUDA."""
    if device != "cpu":
        open_torch("gpu" if device == "gpu" else "cpu")


def settle(drafts: Sequence[Draft], device: Device = "cpu", advance: Callable[[], None] | None = None) -> list[Motion]:
    """The motions with their feet planted; `advance` is called once for each of their frames.

    Raises:
        DeviceError: see check_device.
    """
    if not drafts:
        return []
    start = Poses(*(np.concatenate(rows) for rows in zip(*map(_start, drafts), strict=True)))
    found = _by_numba(drafts, start, advance) if device == "cpu" else _by_torch(drafts, start, device, advance)
    ends = np.cumsum([len(draft.joints_m) for draft in drafts]).tolist()
    spans = [slice(end - len(draft.joints_m), end) for draft, end in zip(drafts, ends, strict=True)]
    return [_motion(draft, found, span) for draft, span in zip(drafts, spans, strict=True)]


def warm_up(report: Callable[[str], None] | None = None) -> None:
    """Compiles the solver that numba needs for this, or takes it from the cache; `report` is told if that takes a moment."""
    body = pack(make_body(REFERENCE, ()))
    targets, work = pack(make_targets(body.values)), pack(make_workspace(body.values, len(TERMS)))
    with telling(report, "the solve"):
        solve(body.record, targets.record, work.record, 1, _TOLERANCE)


def _start(draft: Draft) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The smoothed poses: roots (R, 3), their rotations (R, 4) and angles (R, D)."""
    rotations_wxyz = draft.motion.rotations_wxyz
    return draft.motion.root_m, rotations_wxyz[:, 0], draft.skeleton.angles_rad(rotations_wxyz)


def _motion(draft: Draft, found: Poses, span: slice) -> Motion:
    """The draft's motion with the poses that were found for it."""
    rotations_wxyz = draft.skeleton.joint_rotations(found.angles_rad[span], found.root_wxyz[span])
    return replace(draft.motion, root_m=found.root_m[span], rotations_wxyz=rotations_wxyz)


def _by_numba(drafts: Sequence[Draft], start: Poses, advance: Callable[[], None] | None) -> Poses:
    found = Poses(start.root_m.copy(), start.root_wxyz.copy(), start.angles_rad.copy())
    number = 0
    for draft in drafts:
        body = pack(make_body(draft.skeleton, ()))
        targets, work = pack(make_targets(body.values)), pack(make_workspace(body.values, len(TERMS)))
        pose = work.values.root_m[0], work.values.root_wxyz[0], work.values.angles_rad[0]
        shifts_rad = draft.skeleton.limit_shift_rad(start.angles_rad[number : number + len(draft.joints_m)])
        for row in range(len(draft.joints_m)):
            _ask(targets.values, draft, row, start.angles_rad[number], shifts_rad[row])
            rows = found.root_m[number], found.root_wxyz[number], found.angles_rad[number]
            for mine, begins in zip(pose, rows, strict=True):
                mine[:] = begins
            solve(body.record, targets.record, work.record, _ITERATIONS, _TOLERANCE)
            for ends, mine in zip(rows, pose, strict=True):
                ends[:] = mine
            number += 1
            if advance is not None:
                advance()
    return found


def _by_torch(drafts: Sequence[Draft], start: Poses, device: Device, advance: Callable[[], None] | None) -> Poses:
    """Side by side, _BATCH frames at a time."""
    bodies = [make_body(draft.skeleton, ()) for draft in drafts]
    frames = [(which, row) for which, draft in enumerate(drafts) for row in range(len(draft.joints_m))]
    parts: list[Poses] = []
    for first in range(0, len(frames), _BATCH):
        span = slice(first, first + _BATCH)
        begin = Poses(start.root_m[span], start.root_wxyz[span], start.angles_rad[span])
        asked = [
            _asked(bodies[which], drafts[which], row, angles)
            for (which, row), angles in zip(frames[span], begin.angles_rad, strict=True)
        ]
        solver = BatchedSolver([bodies[which] for which, _ in frames[span]], "gpu" if device == "gpu" else "cpu")
        parts.append(solver.solve(solver.load(asked), begin, _ITERATIONS, _TOLERANCE)[0])
        for _ in asked:
            if advance is not None:
                advance()
    columns = ([getattr(part, name) for part in parts] for name in ("root_m", "root_wxyz", "angles_rad"))
    return Poses(*(np.concatenate(column) for column in columns))


def _asked(body: Body, draft: Draft, row: int, angles_rad: FloatArray) -> Targets:
    targets = make_targets(body)
    _ask(targets, draft, row, angles_rad, draft.skeleton.limit_shift_rad(angles_rad))
    return targets


def _ask(targets: Targets, draft: Draft, row: int, angles_rad: FloatArray, shift_rad: FloatArray) -> None:
    """What a frame is asked for; angles_rad (D,) are the smoothed ones, shift_rad (D,) where they move the limits."""
    T, joints_m = draft.camera.T_world_camera, draft.joints_m[row]
    targets.K[:] = draft.camera.K
    targets.T_camera_world[:3, :3] = T[:3, :3].T
    targets.T_camera_world[:3, 3] = -T[:3, :3].T @ T[:3, 3]
    targets.predicted_m[:], targets.predicted_w[:] = joints_m, _NEAR_W
    targets.sight[:] = (joints_m[0] - T[:3, 3]) / max(float(np.linalg.norm(joints_m[0] - T[:3, 3])), 1e-9)
    targets.depth[:] = targets.T_camera_world[2, :3] @ joints_m[0] + targets.T_camera_world[2, 3], _NEAR_W
    targets.limit_w[:], targets.damping_w[:], targets.previous_rad[:] = _LIMIT_W, _NEAR_RAD_W, angles_rad
    targets.limit_shift_rad[:] = shift_rad
    targets.contact_m[list(FEET)] = draft.planted.place_m[row]
    targets.contact_w[list(FEET)] = _PLANTED_W * draft.planted.share[row]
