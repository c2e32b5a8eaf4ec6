"""What lenses, sensors and codecs do to a picture, batched on the device: blur, exposure, colour, noise, JPEG."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

# fmt: off
_LUMINANCE = (
    16, 11, 10, 16,  24,  40,  51,  61,
    12, 12, 14, 19,  26,  58,  60,  55,
    14, 13, 16, 24,  40,  57,  69,  56,
    14, 17, 22, 29,  51,  87,  80,  62,
    18, 22, 37, 56,  68, 109, 103,  77,
    24, 35, 55, 64,  81, 104, 113,  92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103,  99,
)
"""ITU-T T.81, table K.1."""
_CHROMINANCE = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    *([99] * 32),
)
"""ITU-T T.81, table K.2."""
# fmt: on


def degrade(image: Tensor, rng: np.random.Generator, generator: torch.Generator) -> Tensor:
    """A realistic version of clean pictures (B, 3, H, W) 0..1; H and W are multiples of 16."""
    image = blurred(image, rng)
    image = recoloured(image, rng)
    image = noisy(image, rng, generator)
    return compressed(image, rng)


def _column(values: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(values.astype(np.float32)).to(like.device).view(-1, *(1,) * (like.dim() - 1))


def blurred(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Out of focus or moving (one direction) in about half of the pictures."""
    B, C, height, width = image.shape
    sigma = np.where(rng.random(B) < 0.45, rng.gamma(1.6, 0.55, B), 0.05).clip(0.05, 2.6)
    stretch = np.where(rng.random(B) < 0.15, rng.uniform(1.5, 4.0, B), 1.0)
    angle = rng.uniform(0, np.pi, B)
    y, x = np.mgrid[-4:5, -4:5]
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    across = y * np.cos(angle)[:, None, None] - x * np.sin(angle)[:, None, None]
    s = sigma[:, None, None]
    kernel = np.exp(-0.5 * ((along / (s * stretch[:, None, None])) ** 2 + (across / s) ** 2))
    kernel /= kernel.sum(axis=(1, 2), keepdims=True)
    rows = np.flatnonzero(sigma > 0.3)
    if not len(rows):
        return image
    chosen = torch.as_tensor(rows).to(image.device)
    weight = torch.as_tensor(kernel[rows].astype(np.float32)).to(image.device).repeat_interleave(C, 0)[:, None]
    part = pad(image[chosen], (4, 4, 4, 4), mode="replicate").reshape(1, len(rows) * C, height + 8, width + 8)
    out = image.clone()
    out[chosen] = conv2d(part, weight, groups=len(rows) * C).view(len(rows), C, height, width)
    return out


def recoloured(image: Tensor, rng: np.random.Generator) -> Tensor:
    """White balance, exposure, contrast, gamma, saturation; one in 25 is grey."""
    B = len(image)
    gain = torch.as_tensor(rng.normal(1.0, 0.06, (B, 3, 1, 1)).astype(np.float32)).to(image.device)
    image = image * gain * _column(np.exp(rng.normal(0.04, 0.15, B)), image)
    grey = image.mean(1, keepdim=True)
    saturation = np.where(rng.random(B) < 0.04, 0.0, rng.uniform(0.6, 1.3, B))
    image = torch.lerp(grey, image, _column(saturation, image))
    image = (image - 0.45) * _column(rng.uniform(0.75, 1.25, B), image) + 0.45 + _column(rng.normal(0, 0.03, B), image)
    return image.clamp(1e-4, 1.0) ** _column(np.exp(rng.normal(0, 0.12, B)), image)


def noisy(image: Tensor, rng: np.random.Generator, generator: torch.Generator) -> Tensor:
    """Shot and read noise in two pictures of three."""
    B = len(image)
    on = rng.random(B) < 0.66
    shot, read = _column(on * rng.gamma(1.3, 0.011, B), image), _column(on * rng.gamma(1.3, 0.005, B), image)
    normal = torch.randn(image.shape, generator=generator, device=image.device)
    return (image + normal * (shot * shot * image + read * read).sqrt()).clamp(0, 1)


def _dct(device: torch.device) -> Tensor:
    """(8, 8) orthonormal DCT-II."""
    k = torch.arange(8, dtype=torch.float32, device=device)
    matrix = torch.cos(math.pi / 8 * (k[None] + 0.5) * k[:, None]) * 0.5
    matrix[0] *= math.sqrt(0.5)
    return matrix


def compressed(image: Tensor, rng: np.random.Generator) -> Tensor:
    """JPEG's loss (T.81: YCbCr, halved chrominance, 8 x 8 DCT, quantisation) at quality 25 to 95; a quarter is spared."""
    B = len(image)
    quality = rng.uniform(25, 95, B)
    scale = np.where(quality < 50, 50 / quality, 2 - quality / 50)
    spared = rng.random(B) < 0.25
    r, g, b = (image * 255).unbind(1)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    chroma = torch.stack([0.564 * (b - y), 0.713 * (r - y)], 1)
    y = _quantised(y[:, None] - 128, _LUMINANCE, scale)[:, 0] + 128
    chroma = _quantised(avg_pool2d(chroma, 2), _CHROMINANCE, scale)
    cb, cr = interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False).unbind(1)
    out = torch.stack([y + 1.402 * cr, y - 0.344 * cb - 0.714 * cr, y + 1.772 * cb], 1) / 255
    return torch.where(_column(spared, image) > 0, image, out).clamp(0, 1)


def _quantised(plane: Tensor, table: tuple[int, ...], scale: np.ndarray) -> Tensor:
    """(B, C, H, W) through DCT, rounding to multiples of table * scale, and back."""
    B, C, height, width = plane.shape
    step = torch.tensor(table, dtype=torch.float32, device=plane.device).view(1, 8, 8) * _column(scale, plane[:, 0])
    step = step.clamp(min=1.0).view(B, 1, 1, 8, 1, 8)
    D = _dct(plane.device)
    blocks = plane.view(B, C, height // 8, 8, width // 8, 8)
    coefficients = torch.einsum("ij,bcyjxk,lk->bcyixl", D, blocks, D)
    rounded = (coefficients / step).round() * step
    return torch.einsum("ji,bcyjxk,kl->bcyixl", D, rounded, D).reshape(B, C, height, width)
