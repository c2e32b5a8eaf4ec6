"""Background pictures from panoramas: views of HDRIs as cameras would take them, exposed and developed.

Reads Radiance (.hdr), OpenEXR (.exr, `pip install OpenEXR`: OpenCV's reader is switched off and knows no DWAB) and the .exr.js
files of npm's `@pmndrs/assets`, whose 18 panoramas are CC0. Those are 512 x 256, made smaller with a filter that rings: round
every lamp and along bright horizons lie rows of negative light, which would be black. `mended` replaces them.
"""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.errors import PluginError, SourceError

Track: TypeAlias = Callable[[Iterable[Path]], Iterable[Path]]

_SUFFIXES = (".hdr", ".exr", ".exr.js")
_VIEW_PX = (640, 480)
_UNDERSHOOT = 0.03
"""Of the brightest light within two pixels: the filter's ringing is as strong as that, so anything darker is not known."""
_PALEST = 0.02
"""Of a pixel's strongest colour, what the others have at least: yellow has less than no blue in these files."""
_PALEST_BRIGHT = 0.4
"""The same of lamps and the sun, which ring in some colours and would be blue."""
_LAMP = 30.0
"""Times the median."""
_BRIGHT = 4.0
"""Times the median: brighter is white or nearly, ringing or not."""
_WHITE = 3.0
"""Light that is developed as white, where 0.18 is the picture's middle grey (Reinhard et al. 2002, eq. 4)."""


def write_views(folder: Path, out: Path, *, each: int, seed: int, track: Track = iter) -> int:
    """Writes `each` views of every panorama in a folder as NAME/NAME_00.jpg ...; returns how many.

    Raises:
        SourceError: there is no panorama, or one does not read.
        PluginError: OpenEXR is needed and not installed.
    """
    panoramas = sorted(path for path in folder.glob("*") if path.name.lower().endswith(_SUFFIXES))
    if not panoramas:
        raise SourceError(f"There is no panorama in {folder}.", allowed=_SUFFIXES, hint="docs/SYNTH.md says where 18 are")
    rng = np.random.default_rng(seed)
    for path in track(panoramas):
        panorama, name = mended(read_panorama(path)), path.name.split(".")[0]
        (out / name).mkdir(parents=True, exist_ok=True)
        for k in range(each):
            picture = view(panorama, rng, 2 * np.pi * (k + rng.uniform(-0.3, 0.3)) / each)
            data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
            data.tofile(out / name / f"{name}_{k:02d}.jpg")
    return each * len(panoramas)


def read_panorama(path: Path) -> NDArray[np.float32]:
    """(H, W, 3) linear RGB of an equirectangular panorama.

    Raises:
        SourceError: it does not read, or is not twice as wide as high.
        PluginError: OpenEXR is needed and not installed.
    """
    if path.suffix.lower() == ".hdr":
        found = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
        pixels = None if found is None else cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
    else:
        pixels = _read_exr(path)
    if pixels is None or pixels.ndim != 3 or pixels.shape[1] != 2 * pixels.shape[0]:
        got = "nothing that decodes" if pixels is None else pixels.shape
        raise SourceError(f"{path} is no panorama.", got=got, allowed="an equirectangular picture (H, 2 H, 3)")
    return np.asarray(pixels[..., :3], dtype=np.float32)


def _read_exr(path: Path) -> NDArray[Any] | None:
    try:
        import OpenEXR  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise PluginError("OpenEXR files need OpenEXR.", got="it is not installed", hint="pip install OpenEXR") from error
    data = path.read_bytes()
    if path.suffix == ".js":
        held = re.search(rb"base64,([A-Za-z0-9+/=]+)", data)
        data = base64.b64decode(held[1]) if held else b""
    with tempfile.TemporaryDirectory() as place:
        (copy := Path(place) / "panorama.exr").write_bytes(data)
        try:
            channels = OpenEXR.File(str(copy)).channels()
        except Exception as error:
            raise SourceError(f"{path} does not read.", got=error, hint="fetch it again") from error
    return next((channels[name].pixels for name in ("RGB", "RGBA") if name in channels), None)


def mended(panorama: NDArray[np.float32]) -> NDArray[np.float32]:
    """The panorama without its ringing: what a bright neighbour's undershoot hides is as the darkest known pixel nearby."""
    filled = np.pad(panorama, ((2, 2), (0, 0), (0, 0)), mode="edge")
    filled = np.pad(filled, ((0, 0), (2, 2), (0, 0)), mode="wrap")
    light = filled.mean(axis=-1)
    brightest = cv2.dilate(light, np.ones((5, 5), np.uint8))
    unknown = (light <= 0) | ((light < _UNDERSHOOT * brightest) & (light < _BRIGHT * float(np.median(light))))
    while unknown.any():
        known = np.where(unknown, np.inf, light)
        near = np.stack([np.roll(known, shift, (0, 1)) for shift in _NEAR])
        best = near.argmin(axis=0)
        reached = unknown & np.isfinite(near.min(axis=0))
        if not reached.any():
            raise SourceError("A panorama is dark.", got=f"{unknown.mean():.0%} of it is no light at all")
        y, x = np.nonzero(reached)
        dy, dx = np.array(_NEAR)[best[y, x]].T
        filled[y, x] = filled[(y - dy) % len(light), (x - dx) % light.shape[1]]
        light, unknown = filled.mean(axis=-1), unknown & ~reached
    share = np.where(light > _LAMP * float(np.median(light)), _PALEST_BRIGHT, _PALEST)
    return np.maximum(filled, (share * filled.max(axis=-1))[..., None])[2:-2, 2:-2]


_NEAR = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if (dy, dx) != (0, 0)]


def view(panorama: NDArray[np.float32], rng: np.random.Generator, yaw_rad: float) -> NDArray[np.uint8]:
    """(480, 640, 3) as a camera in the middle sees it: 50 to 85 degrees wide, exposed for its own picture."""
    pitch, fov = np.radians(rng.uniform(-15, 12)), np.radians(rng.uniform(50, 85))
    width, height = _VIEW_PX
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    ray = np.stack([x, y, np.full_like(x, width / 2 / np.tan(fov / 2))], axis=-1)
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    c, s = np.cos(pitch), np.sin(pitch)
    ray = ray @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    rows, columns = panorama.shape[:2]
    u = ((np.arctan2(ray[..., 0], ray[..., 2]) + yaw_rad) / (2 * np.pi) % 1) * columns - 0.5
    v = (np.arcsin(ray[..., 1].clip(-1, 1)) / np.pi + 0.5) * rows - 0.5
    at = u.astype(np.float32), v.astype(np.float32)
    seen = cv2.remap(panorama.mean(axis=-1), *at, cv2.INTER_NEAREST, borderMode=cv2.BORDER_WRAP)
    exposure = 0.18 / float(np.exp(np.log(seen + 1e-6).mean())) * rng.uniform(0.7, 1.5)
    light = panorama * exposure
    developed = (light * (1 + light / _WHITE**2) / (1 + light)).clip(0, 1) ** (1 / 2.2)
    # Developed before it is enlarged: the cubic kernel then overshoots by little, whatever the contrast.
    picture = cv2.remap(developed.astype(np.float32), *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
    return np.asarray((picture.clip(0, 1) * 255).round(), dtype=np.uint8)
