"""The fit's energy for many poses at once, as dense normal equations in torch: crowds and whole takes on a GPU.

The same residuals, weights and Levenberg-Marquardt as posewire.fit.solver, written for tensors instead of a tree: every place (a
joint or a marker) has its full Jacobian. In float64 it reaches the same minima; in float32 it is meant for speed. B poses are
solved side by side, each with its own damping; their bodies may differ in size, not in their tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal, TypeAlias

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import ROOT_UNKNOWNS, Body
from posewire.fit.residuals.reprojection import NEAR_M
from posewire.fit.targets import Targets
from posewire.solve.tensors import BatchDevice, Tensor, Tree, moved, open_torch

Precision = Literal["float32", "float64"]
_MU_START, _MU_LEAST, _MU_MOST = 1e-4, 1e-7, 1e6
_MU_FALL, _MU_RISE, _MU_AFTER_FAILURE = 0.1, 8.0, 1e-3
"""As in fit.solver."""


Asked: TypeAlias = dict[str, Tensor]
"""Targets by name, (B, ...)."""


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """B poses."""

    root_m: FloatArray
    """(B, 3)"""
    root_wxyz: FloatArray
    """(B, 4)"""
    angles_rad: FloatArray
    """(B, D)"""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Poses on the device with what was found there."""

    root: Tensor  # (B, 3)
    q: Tensor  # (B, 4)
    angles: Tensor  # (B, D)
    energy: Tensor  # (B,)
    H: Tensor  # (B, P, P)
    g: Tensor  # (B, P)

    def where(self, torch: ModuleType, mask: Tensor, other: _State) -> _State:
        """The rows of `other` where the mask (B,) says so."""
        mine = (self.root, self.q, self.angles, self.energy, self.H, self.g)
        theirs = (other.root, other.q, other.angles, other.energy, other.H, other.g)
        pairs = zip(mine, theirs, strict=True)
        return _State(*(torch.where(mask.view(-1, *(1,) * (a.ndim - 1)), b, a) for a, b in pairs))


class BatchedSolver:
    """Solves B problems of one tree. Owned by one thread."""

    def __init__(self, bodies: Sequence[Body], device: BatchDevice = "cpu", precision: Precision = "float64") -> None:
        """Takes the bodies of the B problems.

        Raises:
            DeviceError: torch is not installed, or has no CUDA though the GPU was asked for.
        """
        self._torch = open_torch(device)
        self._options = {"dtype": getattr(self._torch, precision), "device": "cuda" if device == "gpu" else "cpu"}
        self._tree = Tree(self._torch, bodies, self._options)
        self._markers, self._joints = bodies[0].markers, len(bodies[0].parents)
        self._limits = self._to_device(np.stack([body.limits_rad for body in bodies]))

    def load(self, asked: Sequence[Targets]) -> Asked:
        """What is asked of each of the B poses, as tensors; data without weight is 0, because here nothing branches on NaN."""
        rows = {name: np.stack([getattr(t, name) for t in asked]) for name in Targets._fields}
        for name in ("position", "pixel"):
            data = f"{name}_{'m' if name == 'position' else 'px'}"
            rows[f"{name}_w"], rows[data] = rows[f"{name}_w"][:, : self._markers], rows[data][:, : self._markers]
        pairs = (("position_w", "position_m"), ("pixel_w", "pixel_px"), ("contact_w", "contact_m"))
        for weight, data in pairs:
            rows[data] = np.where(rows[weight][..., None] > 0.0, rows[data], 0.0)
        rows["predicted_w"] = np.where(rows["predicted_w"][..., :1] > 0.0, rows["predicted_w"], 0.0)
        root = rows["predicted_m"][:, :1]  # its place counts for all joints, whatever its own weight
        rows["predicted_m"] = np.nan_to_num(np.where(rows["predicted_w"][..., :1] > 0.0, rows["predicted_m"], root))
        return {name: self._to_device(values) for name, values in rows.items()}

    def solve(self, asked: Asked, start: Poses, iterations: int, tolerance: float = 0.0) -> tuple[Poses, FloatArray]:
        """Minimises every energy; the poses and energies (B,).

        Args:
            asked: What is asked of each of the B poses, from `load`.
            start: Where each begins.
            iterations: Steps at most.
            tolerance: A pose is left alone after a step that lowers its energy by less than this share of it; 0 = never.
        """
        with self._torch.inference_mode():
            poses = map(self._to_device, (start.root_m, start.root_wxyz, start.angles_rad))
            best = self._minimise(asked, self._linearise(asked, *poses), iterations, tolerance)
            found = [tensor.double().cpu().numpy() for tensor in (best.root, best.q, best.angles, best.energy)]
        return Poses(*found[:3]), found[3]

    def _minimise(self, targets: Asked, best: _State, iterations: int, tolerance: float) -> _State:
        torch, mu = self._torch, self._torch.full_like(best.energy, _MU_START)
        active = torch.ones_like(best.energy, dtype=torch.bool)
        for _ in range(iterations):
            step, promised = self._step(best, mu)
            trial = self._linearise(targets, *moved(torch, (best.root, best.q, best.angles), step))
            fall = best.energy - trial.energy
            better = active & (promised > 0) & (fall > 0)  # False for NaN
            kept = 2.0 * (fall / promised).clamp(max=1.0) - 1.0
            after_fall = (mu * (1.0 - kept**3).clamp(min=_MU_FALL)).clamp(min=_MU_LEAST)
            mu = torch.where(better, after_fall, (_MU_RISE * mu).clamp(min=_MU_AFTER_FAILURE))
            best = best.where(torch, better, trial)
            active = active & ~(better & (fall < tolerance * best.energy)) & (mu < _MU_MOST)
            if tolerance > 0.0 and not bool(active.any()):
                break
        return best

    def _step(self, state: _State, mu: Tensor) -> tuple[Tensor, Tensor]:
        """Damped Gauss-Newton steps (B, P) and by how much the model falls (B,); NaN where not positive definite."""
        torch, D = self._torch, state.H.diagonal(dim1=1, dim2=2)
        damped = state.H + torch.diag_embed(mu[:, None] * D)
        L, failed = torch.linalg.cholesky_ex(damped)
        step = -torch.cholesky_solve(state.g[..., None], L)[..., 0]
        fall = (step * (mu[:, None] * D * step - state.g)).sum(dim=1)
        return step, torch.where(failed == 0, fall, torch.full_like(fall, float("nan")))

    def _linearise(self, t: Asked, root: Tensor, q: Tensor, angles: Tensor) -> _State:
        """Energy, Gauss-Newton matrix and gradient."""
        R, x = self._tree.forward(root, q, angles)
        J = self._tree.jacobian(angles, R, x)  # (B, N + M, 3, P)
        W, f, energy = self._loads(t, root, x)  # (B, 2, N + M, 3, 3), (B, 2, N + M, 3)
        relative = J.clone()
        relative[..., :3] = 0.0
        B, P = len(root), J.shape[-1]
        matrix, gradient = (self._torch.zeros(B, *shape, **self._options) for shape in ((P, P), (P,)))
        for kind, slopes in enumerate((J, relative)):
            flat = slopes.reshape(B, -1, P)
            matrix += flat.transpose(1, 2) @ (W[:, kind] @ slopes).reshape(B, -1, P)
            gradient += (f[:, kind].reshape(B, 1, -1) @ flat)[:, 0]
        weight, slope, angle_energy = self._angle_loads(t, angles)
        matrix.diagonal(dim1=1, dim2=2)[:, ROOT_UNKNOWNS:] += weight
        gradient[:, ROOT_UNKNOWNS:] += slope
        return _State(root, q, angles, energy + angle_energy, matrix, gradient)

    def _loads(self, t: Asked, root: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights and forces of the absolute and relative residuals of each place, as in fit.inertia; energy (B,)."""
        torch, N = self._torch, self._joints
        W, f = (torch.zeros(len(root), 2, x.shape[1], 3, *end, **self._options) for end in ((3,), ()))
        energy = self._load_joints(t, root, x[:, :N], W[:, :, :N], f[:, :, :N])
        e = x[:, N:] - root[:, None] - t["position_m"]
        w = t["position_w"]
        W[:, 1, N:] += w[..., None, None] * torch.eye(3, **self._options)
        f[:, 1, N:] += w[..., None] * e
        energy = energy + (w[..., None] * e * e).sum(dim=(1, 2))
        e, A = self._reprojection(t, x[:, N:])  # (B, M, 2), (B, M, 2, 3)
        w = t["pixel_w"][..., None]
        W[:, 0, N:] += A.transpose(2, 3) @ (w[..., None] * A)
        f[:, 0, N:] += (A.transpose(2, 3) @ (w * e)[..., None])[..., 0]
        return W, f, energy + (w * e * e).sum(dim=(1, 2))

    def _load_joints(self, t: Asked, root: Tensor, x: Tensor, W: Tensor, f: Tensor) -> Tensor:
        """Smoothness, contact and depth; their energy (B,)."""
        torch, n = self._torch, t["sight"]
        eye, along_n = torch.eye(3, **self._options), n[:, :, None] * n[:, None]
        e, across, along = x - t["predicted_m"], t["predicted_w"][..., 0], t["predicted_w"][..., 1]
        e_along = (e * n[:, None]).sum(dim=2)
        e_relative = e_along - ((root - t["predicted_m"][:, 0]) * n).sum(dim=1, keepdim=True)
        e_across = e - e_along[..., None] * n[:, None]
        W[:, 0] += across[..., None, None] * (eye - along_n)[:, None]
        W[:, 1] += along[..., None, None] * along_n[:, None]
        f[:, 0] += across[..., None] * e_across
        f[:, 1] += (along * e_relative)[..., None] * n[:, None]
        energy = (across[..., None] * e_across**2).sum(dim=(1, 2)) + (along * e_relative**2).sum(dim=1)
        e, w = x - t["contact_m"], t["contact_w"]
        W[:, 0] += w[..., None, None] * eye
        f[:, 0] += w[..., None] * e
        energy = energy + (w[..., None] * e * e).sum(dim=(1, 2))
        axis, w = t["T_camera_world"][:, 2, :3], t["depth"][:, 1]
        e = (axis * root).sum(dim=1) + t["T_camera_world"][:, 2, 3] - t["depth"][:, 0]
        W[:, 0, 0] += w[:, None, None] * axis[:, :, None] * axis[:, None]
        f[:, 0, 0] += (w * e)[:, None] * axis
        return energy + w * e * e

    def _reprojection(self, t: Asked, points: Tensor) -> tuple[Tensor, Tensor]:
        """Residuals (B, M, 2) of the pixels, and their slopes along the world's axes (B, M, 2, 3)."""
        torch, T, K = self._torch, t["T_camera_world"], t["K"][:, None]
        x, y, depth = (points @ T[:, :3, :3].transpose(1, 2) + T[:, None, :3, 3]).unbind(dim=2)
        z = depth.clamp(min=NEAR_M)
        u, v = (K[..., 0, 0] * x + K[..., 0, 1] * y) / z, K[..., 1, 1] * y / z
        seen = torch.stack([u + K[..., 0, 2], v + K[..., 1, 2]], dim=2)
        along, zero = (depth > NEAR_M) / z, torch.zeros_like(z)
        A = torch.stack([K[..., 0, 0] / z, K[..., 0, 1] / z, -u * along, zero, K[..., 1, 1] / z, -v * along], dim=2)
        return seen - t["pixel_px"], A.reshape(*z.shape, 2, 3) @ T[:, None, :3, :3]

    def _angle_loads(self, t: Asked, angles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weight and slope (B, D) of limits, rest and damping; their energy (B,)."""
        low, high = self._limits.unbind(dim=2)
        moved = angles - t["limit_shift_rad"]
        outside = moved - moved.clamp(low, high)
        weights = (t["limit_w"] * (outside != 0), t["rest_w"], t["damping_w"])
        errors = (outside, angles - t["rest_rad"], angles - t["previous_rad"])
        slopes = [w * e for w, e in zip(weights, errors, strict=True)]
        return sum(weights), sum(slopes), sum((s * e).sum(dim=1) for s, e in zip(slopes, errors, strict=True))

    def _to_device(self, values: FloatArray) -> Tensor:
        return self._torch.as_tensor(np.ascontiguousarray(values), **self._options)
