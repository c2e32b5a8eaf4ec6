"""Shapes and poses to dressed, posed surfaces: linear blend skinning on MakeHuman's CMU rig, batched in torch.

A pose is given as local rotations of Posewire's native skeleton from its T-pose (poses.DRIVEN). MakeHuman rests in an A-pose,
so each bone is first turned into the T-pose of its own body: `align`. L people, V vertices, N bones, J labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from posewire_synth.pack import Pack
from posewire_synth.points import POINTS
from posewire_synth.poses import DRIVEN, PARENTS

_DRIVERS: dict[str, tuple[tuple[str, float], ...]] = {
    "Hips": (("pelvis", 1.0),),
    "LowerBack": (("pelvis", 0.3), ("spine", 0.7)),
    "Spine": (("spine", 0.5), ("chest", 0.5)),
    "Spine1": (("chest", 1.0),),
    "Neck": (("chest", 0.5), ("neck", 0.5)),
    "Neck1": (("neck", 0.6), ("head", 0.4)),
    "Head": (("head", 1.0),),
}
_SIDED_DRIVERS = {
    "Shoulder": "clavicle",
    "Arm": "shoulder",
    "ForeArm": "elbow",
    "Hand": "wrist",
    "FingerBase": "wrist",
    "HandFinger1": "wrist",
    "UpLeg": "hip",
    "Leg": "knee",
    "Foot": "ankle",
    "ToeBase": "ankle",
}


def _drivers(bone: str) -> tuple[tuple[str, float], ...]:
    if bone in _DRIVERS:
        return _DRIVERS[bone]
    if bone in ("LHipJoint", "RHipJoint"):
        return (("pelvis", 1.0),)
    if bone in ("LThumb", "RThumb"):
        return ((f"{'left' if bone[0] == 'L' else 'right'}_wrist", 1.0),)
    side = "left" if bone.startswith("Left") else "right"
    return ((f"{side}_{_SIDED_DRIVERS[bone.removeprefix('Left').removeprefix('Right')]}", 1.0),)


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """Surfaces and labels in the world, pelvis near the origin."""

    vertices_m: Tensor
    """(L, V, 3)."""
    normals: Tensor
    """(L, V, 3) unit."""
    points_m: Tensor
    """(L, J, 3) in the order of POINTS."""


class BodyModel:
    """The linear body of a pack on one device."""

    def __init__(self, pack: Pack, device: torch.device) -> None:
        def tensor(name: str) -> Tensor:
            return torch.as_tensor(pack[name]).to(device)

        self.source, self.part, self.faces = tensor("source").long(), tensor("part").long(), tensor("faces").long()
        self.fields = tensor("fields").float()
        self.canon_m = tensor("mean_m").float()[self.source]
        self.canon_normals = vertex_normals(self.canon_m[None], self.faces)[0]
        self._mean, self._basis = tensor("mean_m").float(), tensor("basis_m").float()
        self._weights, self._label_bone = tensor("weights").float(), tensor("label_bone").long()
        self._bones = [str(name) for name in pack["bones"]]
        self._parents: list[int] = pack["parents"].tolist()
        self._blend = torch.zeros(len(self._bones), len(DRIVEN), device=device)
        for n, bone in enumerate(self._bones):
            for name, weight in _drivers(bone):
                self._blend[n, DRIVEN.index(name)] = weight

    def pose(self, shape: Tensor, local_wxyz: Tensor, curl_rad: Tensor, lift_m: Tensor) -> Posed:
        """Poses people.

        Args:
            shape: (L, K) coefficients.
            local_wxyz: (L, D, 4).
            curl_rad: (L, 2) finger curl, left and right.
            lift_m: (L, V) displacement of each vertex along its rest normal: clothes, hair.
        """
        rest = self._mean + torch.einsum("lk,kui->lui", shape, self._basis)
        labels, bones = len(POINTS), len(self._bones)
        heads, marks = rest[:, -bones:], rest[:, -bones - labels : -bones]
        surface = rest[:, self.source] + lift_m[..., None] * self.canon_normals
        turns = self._turns(local_wxyz, curl_rad) @ self._align(heads, marks)
        places = self._places(heads, turns)
        offset = places - (turns @ heads[..., None])[..., 0]
        affine = torch.cat([turns, offset[..., None]], -1).flatten(2)  # (L, N, 12)
        skin = (self._weights @ affine).unflatten(-1, (3, 4))
        vertices = (skin[..., :3] @ surface[..., None])[..., 0] + skin[..., 3]
        carrier = self._label_bone
        points = (turns[:, carrier] @ marks[..., None])[..., 0] + offset[:, carrier]
        return Posed(vertices, vertex_normals(vertices, self.faces), points)

    def _turns(self, local_wxyz: Tensor, curl_rad: Tensor) -> Tensor:
        """World turn (L, N, 3, 3) of every bone from the T-pose."""
        world: list[Tensor] = []
        for d, parent in enumerate(PARENTS):
            world.append(local_wxyz[:, d] if parent < 0 else multiply(world[parent], local_wxyz[:, d]))
        q = torch.stack(world, 1)  # (L, D, 4)
        main = q[:, self._blend.argmax(1)]  # (L, N, 4): blends are taken on the hemisphere of the strongest
        sign = torch.sign((main[:, :, None] * q[:, None]).sum(-1))  # (L, N, D)
        blended = torch.einsum("nd,lnd,ldi->lni", self._blend, sign, q)
        turns = matrices(blended / blended.norm(dim=-1, keepdim=True))
        for s, (side, sign_z) in enumerate((("Left", -1.0), ("Right", 1.0))):
            for bone, share in ((f"{side}FingerBase", 0.5), (f"{side}HandFinger1", 1.2)):
                n = self._bones.index(bone)
                turns[:, n] = turns[:, n] @ _about_z(sign_z * share * curl_rad[:, s])
        return turns

    def _align(self, heads: Tensor, marks: Tensor) -> Tensor:
        """Turn (L, N, 3, 3) of every bone from the body's own rest into the T-pose."""
        align = torch.eye(3, device=heads.device).repeat(*heads.shape[:2], 1, 1)

        def to(bone: str, before: Tensor, direction: Tensor, goal: tuple[float, float, float]) -> Tensor:
            start = (before @ direction[..., None])[..., 0]
            turn = _least_turn(start, torch.tensor(goal, device=heads.device, dtype=torch.float32).expand_as(start)) @ before
            align[:, self._bones.index(bone)] = turn
            return turn

        def between(a: str, b: str) -> Tensor:
            return heads[:, self._bones.index(b)] - heads[:, self._bones.index(a)]

        identity = align[:, 0].clone()
        for side, thumb, s in (("Left", "LThumb", 1.0), ("Right", "RThumb", -1.0)):
            arm = to(f"{side}Arm", identity, between(f"{side}Arm", f"{side}ForeArm"), (s, 0, 0))
            fore = to(f"{side}ForeArm", arm, between(f"{side}ForeArm", f"{side}Hand"), (s, 0, 0))
            fingers = marks[:, POINTS.index(f"{side.lower()}_hand")] - heads[:, self._bones.index(f"{side}Hand")]
            hand = to(f"{side}Hand", fore, fingers, (s, 0, 0))
            hand = _thumb_forward(hand, between(f"{side}Hand", thumb))
            for bone in (f"{side}Hand", f"{side}FingerBase", f"{side}HandFinger1", thumb):
                align[:, self._bones.index(bone)] = hand
            thigh = to(f"{side}UpLeg", identity, between(f"{side}UpLeg", f"{side}Leg"), (0, -1, 0))
            to(f"{side}Leg", thigh, between(f"{side}Leg", f"{side}Foot"), (0, -1, 0))
            toe = between(f"{side}Foot", f"{side}ToeBase") * torch.tensor([1.0, 0.0, 1.0], device=heads.device)
            for bone in (f"{side}Foot", f"{side}ToeBase"):
                to(bone, identity, toe, (0, 0, 1))
        return align

    def _places(self, heads: Tensor, turns: Tensor) -> Tensor:
        """(L, N, 3) posed bone heads; the root stays at its rest place."""
        places = [heads[:, 0]]
        for n, parent in enumerate(self._parents[1:], start=1):
            offset = (heads[:, n] - heads[:, parent])[..., None]
            places.append(places[parent] + (turns[:, parent] @ offset)[..., 0])
        return torch.stack(places, 1)


def _least_turn(start: Tensor, goal: Tensor) -> Tensor:
    """Rotation matrices (L, 3, 3) by the smallest angle from `start` to `goal` (L, 3)."""
    a, b = start / start.norm(dim=-1, keepdim=True), goal / goal.norm(dim=-1, keepdim=True)
    v = torch.linalg.cross(a, b)
    zero = torch.zeros_like(v[:, 0])
    K = torch.stack([zero, -v[:, 2], v[:, 1], v[:, 2], zero, -v[:, 0], -v[:, 1], v[:, 0], zero], -1).unflatten(-1, (3, 3))
    scale = 1.0 / (1.0 + (a * b).sum(-1)).clamp(min=1e-3)
    return torch.eye(3, device=start.device) + K + K @ K * scale[:, None, None]


def _thumb_forward(hand: Tensor, thumb: Tensor) -> Tensor:
    """The hand's turn followed by a twist about its x axis that brings the thumb towards +Z: palms down."""
    seen = (hand @ thumb[..., None])[..., 0]
    angle = torch.atan2(seen[:, 1], seen[:, 2])
    return _about_x(angle) @ hand


def _about_x(angle: Tensor) -> Tensor:
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([one, zero, zero, zero, c, -s, zero, s, c], -1).unflatten(-1, (3, 3))


def _about_z(angle: Tensor) -> Tensor:
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([c, -s, zero, s, c, zero, zero, zero, one], -1).unflatten(-1, (3, 3))


def multiply(p: Tensor, q: Tensor) -> Tensor:
    """Hamilton product of quaternions (..., 4) wxyz."""
    pw, px, py, pz = p.unbind(-1)
    qw, qx, qy, qz = q.unbind(-1)
    return torch.stack(
        [
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ],
        -1,
    )


def matrices(q: Tensor) -> Tensor:
    """Unit quaternions (..., 4) wxyz to rotation matrices (..., 3, 3)."""
    w, x, y, z = q.unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def vertex_normals(vertices_m: Tensor, faces: Tensor) -> Tensor:
    """(L, V, 3) unit normals, the area-weighted mean of the faces around."""
    a, b, c = (vertices_m[:, faces[:, i]] for i in range(3))
    face = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices_m)
    for i in range(3):
        normals.index_add_(1, faces[:, i], face)
    return normals / normals.norm(dim=-1, keepdim=True).clamp(min=1e-12)
