"""preprocess: a 1080p picture to BlazePose's network input (crop, turn, scale, 0..1, channels first).

A file's pictures come out of the decoder in planes, which ours crops as they are; the peer needs RGB first. A camera's are RGB:
there the peer for the same crop is OpenCV's two calls. blobFromImage alone cannot turn a crop, which is most of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from posewire.bench.clip import bundled_clip
from posewire.bench.row import BenchRow, Peers
from posewire.capture.picture import PictureConverter
from posewire.data import ImageArray
from posewire.pictures import to_network
from posewire_blazepose.regions import Region

_SIZE = 256
_REPEATS = 60
_CACHES_BYTES = 96 << 20
"""More than the caches hold."""
_OURS = "ours"


def run(peers: Peers) -> list[BenchRow]:
    """Ours against naive numpy and against OpenCV."""
    decoded, converter = _first_frame(), PictureConverter()
    image = converter.image(decoded)
    region = Region(decoded.width / 2, decoded.height / 2, 1050.0, 0.1)
    from_decoder: dict[str, Callable[[], Any]] = {
        _OURS: lambda: to_network([region.crop(converter.picture(decoded), _SIZE)]),
        "to RGB, cv2.dnn.blobFromImage (upright crop)": lambda: _blob(_rgb(decoded), region),
    }
    from_rgb: dict[str, Callable[[], Any]] = {
        _OURS: lambda: to_network([region.crop(image, _SIZE)]),
        "naive numpy": lambda: _naive(image, region),
        "cv2.warpAffine, cv2.dnn.blobFromImage": lambda: _warped(image, region),
        "cv2.dnn.blobFromImage (upright crop)": lambda: _blob(image, region),
    }
    size = f"{decoded.width}x{decoded.height}"
    return [
        *_rows(f"decoded {size} to {_SIZE}x{_SIZE}, turned crop", from_decoder),
        *_rows(f"RGB {size} to {_SIZE}x{_SIZE}, turned crop", from_rgb),
    ]


def _first_frame() -> VideoFrame:
    with bundled_clip() as clip, av.open(str(clip)) as container:
        return next(container.decode(video=0))


def _rgb(decoded: VideoFrame) -> ImageArray:
    return np.asarray(decoded.to_ndarray(format="rgb24"), dtype=np.uint8)


def _rows(workload: str, candidates: Mapping[str, Callable[[], Any]]) -> list[BenchRow]:
    median_ms = _medians_ms(candidates)
    ours = median_ms.pop(_OURS)
    return [BenchRow.against("preprocess", workload, peer, "ms", ours, value) for peer, value in median_ms.items()]


def _medians_ms(candidates: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Median of each, the candidates in turn so that a change of the machine's speed hits all of them.

    The caches are emptied before each: in a run every picture is new, and written by another core.
    """
    elsewhere, times = np.zeros(_CACHES_BYTES, np.uint8), {name: list[float]() for name in candidates}
    for _ in range(_REPEATS):
        for name, work in candidates.items():
            elsewhere += 1
            start = perf_counter()
            work()
            times[name].append(perf_counter() - start)
    return {name: 1e3 * float(np.median(values)) for name, values in times.items()}


def _naive(image: ImageArray, region: Region) -> np.ndarray[Any, Any]:
    """Bilinear sampling with numpy indexing."""
    points = region.to_picture(_crop_px(), _SIZE)
    x = np.clip(points[..., 0], 0, image.shape[1] - 1.001)
    y = np.clip(points[..., 1], 0, image.shape[0] - 1.001)
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    top = image[y0, x0] * (1 - fx) + image[y0, x0 + 1] * fx
    bottom = image[y0 + 1, x0] * (1 - fx) + image[y0 + 1, x0 + 1] * fx
    crop = (top * (1 - fy) + bottom * fy) / 255.0
    return crop.transpose(2, 0, 1)[None].astype(np.float32)


def _crop_px() -> np.ndarray[Any, Any]:
    """(S, S, 2) x and y of the crop's pixels."""
    return np.stack(np.meshgrid(np.arange(_SIZE, dtype=np.float64), np.arange(_SIZE, dtype=np.float64)), axis=-1)


def _warped(image: ImageArray, region: Region) -> Any:
    """The same crop by the library's own calls."""
    origin, right, down = region.to_picture(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), _SIZE)
    to_picture = np.stack([right - origin, down - origin, origin], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, to_picture, (_SIZE, _SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cv2.dnn.blobFromImage(crop, 1 / 255.0)


def _blob(image: ImageArray, region: Region) -> Any:
    """The library's one call for a crop that is not turned, on a slice of the picture."""
    half = int(region.size_px / 2)
    x, y = int(region.x_px), int(region.y_px)
    upright = image[max(0, y - half) : y + half, max(0, x - half) : x + half]
    return cv2.dnn.blobFromImage(upright, 1 / 255.0, (_SIZE, _SIZE))
