"""The tree of joints on tensors: forward kinematics and the full Jacobian of B poses; and torch, imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.errors import DeviceError
from posewire.fit.body import ROOT_UNKNOWNS, Body

Tensor: TypeAlias = Any
"""torch.Tensor."""
BatchDevice = Literal["cpu", "gpu"]
TORCH_COMMAND = "pip install 'posewire[train]'"
CUDA_COMMAND = "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu126"


class Tree:
    """B bodies that differ in size, not in their tree. Kinematics as fit.kinematics tells it."""

    def __init__(self, torch: ModuleType, bodies: Sequence[Body], options: dict[str, Any]) -> None:
        self._torch, self._options, body = torch, options, bodies[0]
        self._levels = _levels(body)
        self._index = {name: torch.as_tensor(rows, device=options["device"]) for name, rows in _tables(body).items()}
        constants = (torch.as_tensor(values, **options) for values in _constants(body))
        self._swing, self._twist, self._swing_axes, self._twist_axes, self._feels = constants
        self._offsets = torch.as_tensor(np.stack([b.offsets_m for b in bodies]), **options)
        self._marker_offsets = torch.as_tensor(np.stack([b.marker_offset_m[: body.markers] for b in bodies]), **options)

    def forward(self, root: Tensor, q: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
        """Joint rotations (B, N, 3, 3) and places, joints then markers, (B, N + M, 3)."""
        torch = self._torch
        swing, twist = (torch.einsum("bd,dnc->bnc", angles, table) for table in (self._swing, self._twist))
        local = _turn(torch, swing) @ _turn(torch, twist)
        R, x = local.clone(), torch.zeros_like(self._offsets)
        R[:, 0], x[:, 0] = _matrix(torch, q), root
        for joints, parents in self._levels:
            x[:, joints] = x[:, parents] + (R[:, parents] @ self._offsets[:, joints, :, None])[..., 0]
            R[:, joints] = R[:, parents] @ local[:, joints]
        carrier = self._index["marker_joint"]
        markers = x[:, carrier] + (R[:, carrier] @ self._marker_offsets[..., None])[..., 0]
        return R, torch.cat([x, markers], dim=1)

    def jacobian(self, angles: Tensor, R: Tensor, x: Tensor) -> Tensor:
        """(B, N + M, 3, P): how each place moves with each unknown."""
        torch, at = self._torch, self._index
        swing = torch.einsum("bd,dnc->bnc", angles, self._swing)[:, at["joint"]]  # (B, D, 3)
        rate = _left_jacobian_times(torch, swing, self._swing_axes)
        axes = (R[:, at["parent"]] @ rate[..., None] + R[:, at["joint"]] @ self._twist_axes[..., None])[..., 0]
        arms = x[:, :, None] - x[:, at["joint"]][:, None]  # (B, N + M, D, 3)
        by_angle = torch.linalg.cross(axes[:, None].expand_as(arms), arms) * self._feels[..., None]
        arms = (x - x[:, :1])[:, :, None]  # (B, N + M, 1, 3)
        eye = torch.eye(3, **self._options).expand(*arms.shape[:2], 3, 3)
        by_turn = torch.linalg.cross(eye, arms.expand_as(eye))
        return torch.cat([eye, by_turn, by_angle], dim=2).transpose(2, 3)


def open_torch(device: BatchDevice) -> ModuleType:
    """Imports torch.

    Raises:
        DeviceError: torch is not installed, or has no CUDA though the GPU was asked for.
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise DeviceError("The batched solver needs PyTorch, which is not installed.", hint=TORCH_COMMAND) from error
    if device == "gpu" and not torch.cuda.is_available():
        raise DeviceError(
            "The GPU was asked for and PyTorch has no CUDA here.",
            got=f"torch {torch.__version__}",
            allowed="a CUDA GPU and a CUDA build of torch",
            hint=CUDA_COMMAND,
        )
    return torch


def moved(torch: ModuleType, pose: tuple[Tensor, Tensor, Tensor], step: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The poses (root (B, 3), quaternion (B, 4), angles (B, D)) `step` (B, P) away."""
    root, q, angles = pose
    half = 0.5 * step[:, 3:6]
    c, v = torch.cos(half.norm(dim=1)), half * torch.sinc(half.norm(dim=1) / torch.pi)[:, None]
    w, u = q[:, :1], q[:, 1:]
    scalar = c[:, None] * w - (v * u).sum(dim=1, keepdim=True)
    turned = torch.cat([scalar, c[:, None] * u + w * v + torch.linalg.cross(v, u)], dim=1)
    return root + step[:, :3], turned / turned.norm(dim=1, keepdim=True), angles + step[:, ROOT_UNKNOWNS:]


def _levels(body: Body) -> list[tuple[list[int], list[int]]]:
    """Joints of equal depth in the tree and their parents, from below the root on."""
    depth = np.zeros(len(body.parents), dtype=np.int64)
    for joint, parent in enumerate(body.parents[1:], start=1):
        depth[joint] = depth[parent] + 1
    joints = [np.flatnonzero(depth == level) for level in range(1, int(depth.max()) + 1)]
    return [(row.tolist(), body.parents[row].tolist()) for row in joints]


def _joint_of(body: Body) -> NDArray[np.int64]:
    """(D,) the joint of each angle."""
    return np.repeat(np.arange(len(body.parents)), np.diff(body.first_dof))


def _tables(body: Body) -> dict[str, NDArray[np.int64]]:
    joint = _joint_of(body)
    return {"joint": joint, "parent": body.parents[joint], "marker_joint": body.marker_joint[: body.markers]}


def _constants(body: Body) -> tuple[FloatArray, ...]:
    """Swing and twist axes as tables (D, N, 3) and as rows (D, 3), and which place feels which angle (N + M, D)."""
    joint, N, D = _joint_of(body), len(body.parents), len(body.axes)
    last = np.append(joint[1:] != joint[:-1], True)
    is_twist = last & (body.twist[joint] == 1)
    rows = [np.where((is_twist == kind)[:, None], body.axes, 0.0) for kind in (False, True)]
    tables = [np.zeros((D, N, 3)) for _ in rows]
    for table, axes in zip(tables, rows, strict=True):
        table[np.arange(D), joint] = axes
    above = np.eye(N)
    for child, parent in enumerate(body.parents[1:], start=1):
        above[child] += above[parent]
    carriers = np.concatenate([np.arange(N), body.marker_joint[: body.markers]])
    return *tables, *rows, above[carriers][:, joint]


def _shares(torch: ModuleType, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """sin(t) / t, (1 - cos(t)) / t^2, (t - sin(t)) / t^3 of rotation vectors (..., 3), each (..., 1)."""
    t2 = (s * s).sum(dim=-1, keepdim=True)
    near, t2_safe = t2 < 1e-4, t2.clamp(min=1e-4)
    t = t2_safe.sqrt()
    a = torch.where(near, 1.0 - t2 / 6.0 + t2 * t2 / 120.0, torch.sin(t) / t)
    b = torch.where(near, 0.5 - t2 / 24.0 + t2 * t2 / 720.0, (1.0 - torch.cos(t)) / t2_safe)
    c = torch.where(near, 1.0 / 6.0 - t2 / 120.0 + t2 * t2 / 5040.0, (t - torch.sin(t)) / (t2_safe * t))
    return a, b, c


def _turn(torch: ModuleType, s: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3)."""
    a, b, _ = _shares(torch, s)
    x, y, z = s.unbind(dim=-1)
    zero = torch.zeros_like(x)
    S = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*s.shape, 3)
    return torch.eye(3, dtype=s.dtype, device=s.device) + a[..., None] * S + b[..., None] * (S @ S)


def _left_jacobian_times(torch: ModuleType, s: Tensor, u: Tensor) -> Tensor:
    """J_l(s) u of rotation vectors (B, D, 3) and axes (D, 3)."""
    _, b, c = _shares(torch, s)
    u = u.expand_as(s)
    su = torch.linalg.cross(s, u)
    return u + b * su + c * torch.linalg.cross(s, su)


def _matrix(torch: ModuleType, q: Tensor) -> Tensor:
    """Rotation matrices (B, 3, 3) of unit quaternions (B, 4)."""
    w, x, y, z = q.unbind(dim=1)
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    rows += [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    rows += [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    return torch.stack(rows, dim=1).reshape(-1, 3, 3)
