"""Where clothes lie and end: from a wardrobe to a displacement and a trim value for every vertex of every person."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from posewire_synth.bodies import FIELDS, PARTS
from posewire_synth.skinning import BodyModel

_UNDER_CLOTHES_M = -0.008
"""Skin under cloth is drawn in a little, so that it does not show through."""
_COVERED, _HIDDEN = 0.015, 0.09
"""Skin this far inside a garment's end is drawn in, and this far inside is not drawn at all."""
_SKIN, _EYES, _SCALP, _HAIR, _TOP, _BOTTOM, _SKIRT, _SHOES = range(len(PARTS))
TWO_SIDED = (_HAIR, _TOP, _BOTTOM, _SKIRT)


@dataclass(frozen=True, slots=True, eq=False)
class Tailor:
    """Static per-vertex facts of the mean body that clothes refer to."""

    arm: Tensor
    leg: Tensor
    hair: Tensor
    noise: Tensor
    """(V, fields)."""
    part: Tensor
    y: Tensor
    x: Tensor
    z: Tensor
    heights_m: dict[str, float]
    """hip, waist, knee, neck, shoulder on the mean body."""

    @classmethod
    def of(cls, body: BodyModel, heights_m: dict[str, float]) -> Tailor:
        """Measures a body model."""
        f, c = body.fields, body.canon_m
        noise = f[:, [i for i, name in enumerate(FIELDS) if name.startswith("noise")]]
        return cls(f[:, 0], f[:, 1], f[:, 2], noise, body.part, c[:, 1], c[:, 0], c[:, 2], heights_m)


def lift_m(tailor: Tailor, dress: dict[str, Tensor], trim: Tensor) -> Tensor:
    """(L, V) metres along the rest normal; `dress` holds the fields of a Wardrobe as tensors, `trim` this module's trim()."""
    part = tailor.part
    lift = dress["thickness_m"][:, part] + dress["looseness_m"][:, part] * _hang(tailor)
    lift = lift + torch.einsum("lvf,vf->lv", dress["noise"][:, part], tailor.noise)
    scalp = part == _SCALP
    rise = ((tailor.hair - dress["hairline_m"][:, None]) / 0.03).clamp(0, 1)
    lift = torch.where(scalp, 0.001 + (lift - 0.001).clamp(min=0.0) * rise, lift)
    under = (part == _SKIN) & (_cover(tailor, dress) > _COVERED)
    lift = torch.where(under, torch.full_like(lift, _UNDER_CLOTHES_M), lift)
    cloth = (part == _TOP) | (part == _BOTTOM)
    return torch.where(cloth, lift.clamp(min=0.002), lift)


def _hang(tailor: Tailor) -> Tensor:
    """(V,) 0 where cloth lies on the body, about 1 at its loose end."""
    h = tailor.heights_m
    trunk = ((h["shoulder"] - tailor.y) / (h["shoulder"] - h["hip"])).clamp(0, 1.3)
    sleeve = (0.35 + 0.5 * tailor.arm).clamp(0, 1.0)
    leg = (0.15 + 0.55 * tailor.leg).clamp(0.1, 1.1)
    flare = ((h["waist"] - tailor.y) / (h["waist"] - h["knee"])).clamp(0, 1.5)
    hang = torch.zeros_like(trunk)
    hang = torch.where(tailor.part == _TOP, torch.where(tailor.arm > 0, sleeve, trunk), hang)
    hang = torch.where(tailor.part == _BOTTOM, leg, hang)
    return torch.where(tailor.part == _SKIRT, flare, hang)


def _top_trim(tailor: Tailor, dress: dict[str, Tensor]) -> Tensor:
    front = (tailor.z * 12).clamp(0, 1) * (1 - tailor.x.abs() / 0.12).clamp(0, 1)
    depth = dress["collar_m"][:, :1] + dress["collar_m"][:, 1:] * front
    trunk = torch.minimum(tailor.y - dress["hem_m"][:, None], tailor.heights_m["neck"] + 0.02 - depth - tailor.y)
    return torch.where(tailor.arm > 0, (dress["sleeve"][:, None] - tailor.arm) * 0.3, trunk)


def _bottom_trim(tailor: Tailor, dress: dict[str, Tensor]) -> Tensor:
    return torch.minimum(dress["waist_m"][:, None] - tailor.y, (dress["trouser"][:, None] - tailor.leg) * 0.4)


def _cover(tailor: Tailor, dress: dict[str, Tensor]) -> Tensor:
    """(L, V) how far inside the ends of a garment each vertex lies; negative outside all garments."""
    worn, none = dress["worn"], torch.tensor(-1.0, device=tailor.y.device)
    top = torch.where(worn[:, _TOP, None], _top_trim(tailor, dress), none)
    bottom = torch.where(worn[:, _BOTTOM, None] & (tailor.arm <= 0), _bottom_trim(tailor, dress), none)
    shoe = torch.where(worn[:, _SHOES, None], (tailor.leg - dress["shaft"][:, None] - 0.04) * 0.4, none)
    return torch.maximum(torch.maximum(top, bottom), shoe)


def trim(tailor: Tailor, dress: dict[str, Tensor]) -> Tensor:
    """(L, V) positive where the part is there."""
    part, worn = tailor.part, dress["worn"][:, tailor.part]
    value = torch.ones_like(worn, dtype=torch.float32)
    value = torch.where((part == _SKIN) & (_cover(tailor, dress) > _HIDDEN), -value, value)
    value = torch.where(part == _TOP, _top_trim(tailor, dress), value)
    value = torch.where(part == _BOTTOM, _bottom_trim(tailor, dress), value)
    value = torch.where(part == _SKIRT, tailor.y - dress["skirt_m"][:, None], value)
    value = torch.where(part == _HAIR, tailor.y - dress["hair_m"][:, None], value)
    value = torch.where(part == _SHOES, (tailor.leg - dress["shaft"][:, None]) * 0.2, value)
    value = torch.where(part == _SCALP, tailor.hair - dress["hairline_m"][:, None], value)
    return torch.where(worn, value, torch.full_like(value, -1.0))
