"""Procedural pictures: cloth patterns, bumps and backgrounds, made once per renderer from a seed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

SIDE_PX = 128
"""Of a cloth pattern, which tiles."""


def patterns(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, SIDE_PX, SIDE_PX) values 0..1 that mix a garment's two colours; the first one is plain."""
    makers = (_stripes, _checks, _dots, _blotches, _weave, _patches, _print)
    made = [np.zeros((SIDE_PX, SIDE_PX))]
    made += [makers[i % len(makers)](rng) for i in range(count - 1)]
    return np.stack(made).astype(np.float32)


def bumps(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, 2, SIDE_PX, SIDE_PX) slopes along both directions of a wrinkled surface, of about unit size."""
    rows: list[FloatArray] = []
    for _ in range(count):
        height = noise(rng, SIDE_PX, rng.uniform(1.2, 2.2), stretch=rng.uniform(0.5, 2.0))
        height = np.abs(height) if rng.random() < 0.5 else height
        slopes = np.stack([np.roll(height, -1, axis) - np.roll(height, 1, axis) for axis in (1, 0)])
        rows.append(slopes / (slopes.std() + 1e-9))
    return np.stack(rows).astype(np.float32)


def noise(rng: np.random.Generator, side: int, slope: float, stretch: float = 1.0) -> FloatArray:
    """(side, side) tiling noise of zero mean and unit deviation whose amplitude falls with frequency to the power `slope`."""
    fy = np.fft.fftfreq(side)[:, None] * side
    fx = np.fft.rfftfreq(side)[None] * side * stretch
    amplitude = 1.0 / np.maximum(np.hypot(fx, fy), 1.0) ** slope
    amplitude[0, 0] = 0.0
    spectrum = amplitude * np.exp(2j * np.pi * rng.random(amplitude.shape))
    field = np.fft.irfft2(spectrum, s=(side, side))
    return (field - field.mean()) / (field.std() + 1e-12)


def _grid() -> tuple[FloatArray, FloatArray]:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    return x, y


def _stripes(rng: np.random.Generator) -> FloatArray:
    x, y = _grid()
    phase = (y if rng.random() < 0.6 else x) * rng.integers(2, 7)
    return (phase % 1.0 < rng.uniform(0.15, 0.6)).astype(np.float64)


def _checks(rng: np.random.Generator) -> FloatArray:
    x, y = _grid()
    n, width = rng.integers(2, 6), rng.uniform(0.2, 0.5)
    return ((x * n % 1.0 < width) * 0.5 + (y * n % 1.0 < width) * 0.5).astype(np.float64)


def _dots(rng: np.random.Generator) -> FloatArray:
    x, y = _grid()
    n = rng.integers(3, 8)
    return (np.hypot(x * n % 1.0 - 0.5, y * n % 1.0 - 0.5) < rng.uniform(0.15, 0.4)).astype(np.float64)


def _blotches(rng: np.random.Generator) -> FloatArray:
    return (noise(rng, SIDE_PX, rng.uniform(1.0, 1.8)) > rng.uniform(-0.3, 0.8)).astype(np.float64)


def _weave(rng: np.random.Generator) -> FloatArray:
    return np.clip(0.5 + 0.3 * noise(rng, SIDE_PX, rng.uniform(0.3, 1.0), stretch=rng.uniform(0.2, 5.0)), 0, 1)


def _patches(rng: np.random.Generator) -> FloatArray:
    levels = np.digitize(noise(rng, SIDE_PX, 1.5), (-0.7, 0.0, 0.7)) / 3.0
    return levels.astype(np.float64)


def _print(rng: np.random.Generator) -> FloatArray:
    """Letters and shapes, as on a T-shirt."""
    image = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint8)
    for _ in range(rng.integers(1, 4)):
        centre = (int(rng.integers(20, 108)), int(rng.integers(20, 108)))
        if rng.random() < 0.5:
            text = "".join(chr(c) for c in rng.integers(65, 91, 4))
            cv2.putText(image, text, (4, centre[1]), cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.6, 1.4)), 255, 4)
        else:
            cv2.circle(image, centre, int(rng.integers(8, 36)), int(rng.integers(90, 256)), -1)
    return image / 255.0


def background(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of nothing in particular: gradient or floor and wall, noise of all scales, things with edges."""
    image = _stage(rng, width, height)
    image += _coloured_noise(rng, width, height) * rng.uniform(0.02, 0.15)
    for _ in range(rng.integers(0, 26)):
        _thing(image, rng)
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 4.0))
    image = np.clip(image * rng.uniform(0.5, 1.3), 0, 1)
    return (image * 255).astype(np.uint8)


def _stage(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    wall = rng.uniform(0.1, 1.0) * (0.6 + 0.4 * rng.random(3))
    floor = rng.uniform(0.1, 0.8) * (0.6 + 0.4 * rng.random(3))
    horizon = rng.uniform(0.3, 0.9)
    shade = wall * (1 - rng.uniform(0, 0.5) * y)
    ground = floor * (0.7 + 0.3 * y)
    sharp = rng.uniform(4, 400)
    mix = 1 / (1 + np.exp(-np.clip((y - horizon) * sharp, -30, 30)))
    image = (1 - mix) * shade + mix * ground
    return np.broadcast_to(image, (height, width, 3)).astype(np.float32).copy()


def _coloured_noise(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    side = 256
    grey = noise(rng, side, rng.uniform(0.6, 1.8), stretch=rng.uniform(0.4, 2.5))
    tint = noise(rng, side, 1.5)[..., None] * rng.normal(0, 0.22, 3)
    return np.asarray(cv2.resize((grey[..., None] + tint).astype(np.float32), (width, height)), dtype=np.float32)


def _thing(image: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Draws one box, disc, bar or polygon, plain or textured."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), dtype=np.uint8)
    x, y = int(rng.integers(width)), int(rng.integers(height))
    w, h = (int(v) for v in rng.lognormal(3.4, 0.9, 2))
    kind = rng.integers(4)
    if kind == 0:
        cv2.rectangle(mask, (x, y), (x + w, y + h), 255, -1)
    elif kind == 1:
        cv2.ellipse(mask, (x, y), (max(1, w // 2), max(1, h // 2)), float(rng.uniform(0, 180)), 0, 360, 255, -1)
    elif kind == 2:
        cv2.line(mask, (x, y), (int(rng.integers(width)), int(rng.integers(height))), 255, int(rng.integers(1, 14)))
    else:
        corners = (np.array([x, y]) + rng.normal(0, 1, (5, 2)) * [w, h]).astype(np.int32)
        cv2.fillPoly(mask, [cv2.convexHull(corners)], 255)
    colour = rng.random(3) * rng.uniform(0.2, 1.0)
    inside = mask > 0
    if rng.random() < 0.5:
        stripes = np.sin(np.arange(width) * rng.uniform(0.05, 0.8))[None, :, None] * rng.uniform(0, 0.4)
        image[inside] = np.broadcast_to(colour + stripes, image.shape)[inside]
    else:
        image[inside] = colour + rng.normal(0, 0.03, 3)
