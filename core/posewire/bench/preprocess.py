"""preprocess: a 1080p picture to BlazePose's network input (crop, turn, scale, 0..1, channels first)."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from posewire.bench.clip import bundled_frames
from posewire.bench.row import BenchRow, Peers
from posewire.data import ImageArray
from posewire_blazepose.regions import Region, to_network

_SIZE = 256
_REPEATS = 60


def run(peers: Peers) -> list[BenchRow]:
    """Ours against naive numpy and against cv2.dnn.blobFromImage, which cannot turn the crop."""
    image = bundled_frames(1)[0].image
    region = Region(image.shape[1] / 2, image.shape[0] / 2, 1050.0, 0.1)
    candidates: dict[str, Callable[[], Any]] = {
        "ours": lambda: to_network([region.crop(image, _SIZE)]),
        "naive numpy": lambda: _naive(image, region),
        "cv2.dnn.blobFromImage (upright crop)": lambda: _blob(image, region),
    }
    median_ms = _medians_ms(candidates)
    ours = median_ms.pop("ours")
    workload = f"{image.shape[1]}x{image.shape[0]} to {_SIZE}x{_SIZE}"
    return [BenchRow.against("preprocess", workload, peer, "ms", ours, value) for peer, value in median_ms.items()]


def _medians_ms(candidates: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median of each, the candidates in turn so that a change of the machine's speed hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(_REPEATS):
        for name, work in candidates.items():
            start = perf_counter()
            work()
            times[name].append(perf_counter() - start)
    return {name: 1e3 * float(np.median(values)) for name, values in times.items()}


def _naive(image: ImageArray, region: Region) -> np.ndarray[Any, Any]:
    """Bilinear sampling with numpy indexing."""
    steps = np.arange(_SIZE, dtype=np.float64)
    u, v = np.meshgrid(steps, steps)
    points = region.to_picture(np.stack([u, v], axis=-1), _SIZE)
    x = np.clip(points[..., 0], 0, image.shape[1] - 1.001)
    y = np.clip(points[..., 1], 0, image.shape[0] - 1.001)
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    top = image[y0, x0] * (1 - fx) + image[y0, x0 + 1] * fx
    bottom = image[y0 + 1, x0] * (1 - fx) + image[y0 + 1, x0 + 1] * fx
    crop = (top * (1 - fy) + bottom * fy) / 255.0
    return crop.transpose(2, 0, 1)[None].astype(np.float32)


def _blob(image: ImageArray, region: Region) -> Any:
    """The library's one call for the job, on a slice of the picture."""
    half = int(region.size_px / 2)
    x, y = int(region.x_px), int(region.y_px)
    upright = image[max(0, y - half) : y + half, max(0, x - half) : x + half]
    return cv2.dnn.blobFromImage(upright, 1 / 255.0, (_SIZE, _SIZE))
