"""What colour each fragment has: skin with a face, hair, patterned cloth; two lights, sky and ground, shadows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from posewire_synth.bodies import PARTS
from posewire_synth.raster import Fragments, rasterise

_SHADOW_PX = 160
_SKIN, _EYES, _SCALP, _HAIR, _TOP, _BOTTOM, _SKIRT, _SHOES = range(len(PARTS))


@dataclass(frozen=True, slots=True, eq=False)
class Dress:
    """A wardrobe.Wardrobe on the device; the fields of the same names, as tensors."""

    colours: Tensor
    pattern: Tensor
    pattern_scale: Tensor
    roughness: Tensor
    sock: Tensor
    beard: Tensor
    hat: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Lights:
    """Two lamps far away, and what sky and ground send back. World axes for directions."""

    to_lamp: Tensor
    """(L, 2, 3) unit, towards each lamp."""
    lamp: Tensor
    """(L, 2, 3) linear RGB."""
    sky: Tensor
    """(L, 3) linear RGB."""
    ground: Tensor
    """(L, 3) linear RGB."""
    shadow: Tensor
    """(L,) how dark the first lamp's shadow is, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Banks:
    """Textures and the face's landmarks on the mean body."""

    patterns: Tensor
    """(T, S, S) 0..1."""
    bumps: Tensor
    """(B, 2, S, S)."""
    eyes_m: Tensor
    """(2, 3) left and right eye on the mean body."""
    mouth_m: Tensor
    """(3,)."""
    head_height_m: float
    """Eye to crown."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The fragments' interpolated attributes, P rows."""

    layer: Tensor
    part: Tensor
    canon_m: Tensor
    """(P, 3) place on the mean body."""
    limb: Tensor
    """(P, 2) arm and leg coordinate."""
    place_m: Tensor
    """(P, 3) world."""
    normal: Tensor
    """(P, 3) unit, world."""
    view: Tensor
    """(P, 3) unit, towards the camera, world."""


def shade(surface: Surface, dress: Dress, lights: Lights, banks: Banks, shadowed: Tensor) -> Tensor:
    """Linear RGB (P, 3); `shadowed` (P,) 0..1 is how much the first lamp is hidden."""
    albedo, normal = albedo_of(surface, dress, banks), wrinkled(surface, dress, banks)
    layer = surface.layer
    up = 0.5 + 0.5 * normal[:, 1:2]
    light = lights.sky[layer] * up + lights.ground[layer] * (1 - up)
    wrap = torch.where(surface.part <= _EYES, 0.25, 0.1)  # light that skin and cloth scatter round the edge
    gloss = torch.zeros_like(albedo)
    for i in range(2):
        cosine = (normal * lights.to_lamp[layer, i]).sum(-1)
        lit = ((cosine + wrap) / (1 + wrap)).clamp(min=0)
        if i == 0:
            lit = lit * (1 - lights.shadow[layer] * shadowed)
        light = light + lights.lamp[layer, i] * lit[:, None]
        half = torch.nn.functional.normalize(lights.to_lamp[layer, i] + surface.view, dim=-1)
        sharp = (normal * half).sum(-1).clamp(min=0) ** 24 * (lit > 0)
        gloss = gloss + lights.lamp[layer, i] * sharp[:, None]
    shine = torch.tensor([0.05, 0.4, 0.10, 0.12, 0.012, 0.012, 0.012, 0.06], device=albedo.device)[surface.part]
    return albedo * light + gloss * shine[:, None]


def _sample(bank: Tensor, row: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Nearest texel (P,) of tiling textures (T, S, S) at u, v in repeats."""
    side = bank.shape[-1]
    column, line = (u * side).long() % side, (v * side).long() % side
    return bank.flatten()[(row * side + line) * side + column]


def albedo_of(surface: Surface, dress: Dress, banks: Banks) -> Tensor:
    """(P, 3) linear RGB."""
    layer, part, x = surface.layer, surface.part, surface.canon_m
    scale = dress.pattern_scale[layer, part]
    mix = _sample(
        banks.patterns, dress.pattern[layer, part], (x[:, 0] + 0.4 * x[:, 2]) * scale, (x[:, 1] + 0.1 * x[:, 2]) * scale
    )
    pair = dress.colours[layer, part]
    albedo = pair[:, 0] + mix[:, None] * (pair[:, 1] - pair[:, 0])
    grain = _sample(banks.patterns, torch.full_like(part, 5), x[:, 0] * 3.0 + layer, x[:, 1] * 3.0)  # row 5 is a weave
    albedo = albedo * (0.88 + 0.24 * grain[:, None])
    return _faces(albedo, surface, dress, banks)


def _faces(albedo: Tensor, surface: Surface, dress: Dress, banks: Banks) -> Tensor:
    """Lips, brows, beard, iris and socks painted where the mean body has them."""
    layer, x, h = surface.layer, surface.canon_m, banks.head_height_m
    skin = surface.part == _SKIN
    face = skin & (x[:, 1] > banks.mouth_m[1] - 0.9 * h) & (x[:, 2] > banks.eyes_m[0, 2] - 0.75 * h)
    lips = _ellipse(x, banks.mouth_m, 0.26 * h, 0.085 * h) * (face & (x[:, 2] > banks.mouth_m[2] - 0.1 * h))
    albedo = albedo * (1 - lips[:, None] * torch.tensor([0.15, 0.5, 0.45], device=x.device))
    hair = dress.colours[layer, _HAIR, 0]
    brow = torch.zeros_like(lips)
    for eye in banks.eyes_m:
        centre = eye + torch.tensor([0.0, 0.17 * h, 0.0], device=x.device)
        brow = torch.maximum(brow, _ellipse(x, centre, 0.22 * h, 0.05 * h) * face)
    chin = ((banks.mouth_m[1] + 0.16 * h - x[:, 1]) / (0.10 * h)).clamp(0, 1) * face * (1 - lips)
    chin = torch.maximum(
        chin, _ellipse(x, banks.mouth_m + torch.tensor([0.0, 0.19 * h, 0.0], device=x.device), 0.3 * h, 0.08 * h) * face
    )
    cover = torch.maximum(0.75 * brow, chin * dress.beard[layer])[:, None]
    albedo = albedo * (1 - cover) + hair * cover
    eyes = surface.part == _EYES
    iris = torch.stack([_ellipse(x, eye, 0.085 * h, 0.085 * h) for eye in banks.eyes_m]).amax(0) * eyes
    albedo = albedo * (1 - iris[:, None]) + dress.colours[layer, _EYES, 1] * iris[:, None]
    sock = (skin & (surface.limb[:, 1] > dress.sock[layer]))[:, None]
    return torch.where(sock, dress.colours[layer, _SHOES, 1], albedo)


def _ellipse(x: Tensor, centre: Tensor, half_width: float, half_height: float) -> Tensor:
    """(P,) 1 inside, softly 0 outside, an ellipse seen from the front."""
    r = ((x[:, 0] - centre[0]) / half_width) ** 2 + ((x[:, 1] - centre[1]) / half_height) ** 2
    return (1.6 * (1.3 - r)).clamp(0, 1)


def wrinkled(surface: Surface, dress: Dress, banks: Banks) -> Tensor:
    """(P, 3) normals with folds, hair and pores, towards the camera."""
    layer, part, x = surface.layer, surface.part, surface.canon_m
    row = (layer * 7 + part * 3) % len(banks.bumps)
    fine = torch.where(part == _SCALP, 9.0, torch.where(part == _HAIR, 6.0, 2.5))
    u, v = (x[:, 0] + 0.5 * x[:, 2]) * fine, x[:, 1] * torch.where(part == _HAIR, 0.6, fine)
    strength = dress.roughness[layer, part]
    across = _sample(banks.bumps[:, 0], row, u, v) * strength
    along = _sample(banks.bumps[:, 1], row, u, v) * strength
    side = torch.stack([surface.normal[:, 2], torch.zeros_like(across), -surface.normal[:, 0]], -1)
    bumped = surface.normal + across[:, None] * side
    bumped = bumped + along[:, None] * torch.tensor([0.0, 1.0, 0.0], device=x.device)
    normal = torch.nn.functional.normalize(bumped, dim=-1)
    towards = (normal * surface.view).sum(-1, keepdim=True)
    return torch.where(towards < 0, normal - 2 * towards * surface.view, normal)  # the inside of a skirt


def shadows(vertices_m: Tensor, faces: Tensor, trim: Tensor, to_lamp: Tensor, points_m: Tensor, fragments: Fragments) -> Tensor:
    """(P,) 0..1 how much of the first lamp is hidden from points (P, 3): a depth map seen from the lamp, softened by 4 taps.

    Args:
        vertices_m: (L, V, 3) world.
        faces: (F, 3).
        trim: (L, V) as for rasterise.
        to_lamp: (L, 3) unit.
        points_m: (P, 3) world, of the fragments.
        fragments: For their layers.
    """
    middle = (vertices_m.amax(1) + vertices_m.amin(1)) / 2  # (L, 3)
    radius = (vertices_m - middle[:, None]).norm(dim=-1).amax(1)  # (L,)
    scale = 0.48 * _SHADOW_PX / radius
    helper = torch.tensor([0.31, 0.2, 0.93], device=to_lamp.device).expand_as(to_lamp)
    right = torch.nn.functional.normalize(torch.linalg.cross(helper, to_lamp), dim=-1)
    down = torch.linalg.cross(right, to_lamp)
    axes = torch.stack([right, down, -to_lamp], -1)  # (L, 3, 3): columns

    def seen(x: Tensor, layer: Tensor | slice) -> tuple[Tensor, Tensor]:
        local = (x @ axes[layer]) if x.dim() == 3 else torch.einsum("pi,pij->pj", x, axes[layer])
        s = scale[layer].reshape(-1, *(1,) * (local.dim() - 1))
        return local[..., :2] * s + _SHADOW_PX / 2, local[..., 2]

    pixels, depth = seen(vertices_m - middle[:, None], slice(None))
    far = 4.0
    lamp = rasterise(pixels, depth + far, faces, trim, (_SHADOW_PX, _SHADOW_PX))
    nearest = torch.full((len(vertices_m) * _SHADOW_PX * _SHADOW_PX,), 1e6, device=depth.device)
    nearest[lamp.pixel] = lamp.depth_m
    place, depth = seen(points_m - middle[fragments.layer], fragments.layer)
    hidden = torch.zeros_like(depth)
    for dx, dy in ((-0.6, -0.2), (0.2, -0.6), (0.6, 0.2), (-0.2, 0.6)):
        x = (place[:, 0] + dx).round().long().clamp(0, _SHADOW_PX - 1)
        y = (place[:, 1] + dy).round().long().clamp(0, _SHADOW_PX - 1)
        found = nearest[(fragments.layer * _SHADOW_PX + y) * _SHADOW_PX + x]
        hidden += 0.25 * (depth + far > found + 0.03)
    return hidden
