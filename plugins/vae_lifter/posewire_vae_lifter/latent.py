"""`python -m posewire_vae_lifter.latent umap|interpolate|sample`: looks into the latent space of a trained VAE.

umap         every pose of the test subject as a point, coloured by activity (thesis 000, figure 5.1.2)
interpolate  from one frame to another along a line in the latent space (section 2.1.2)
sample       hypotheses of one frame, from the camera and from the side
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from posewire.data import FloatArray, ImageArray
from posewire.errors import EXIT_CODE, ModelError, PosewireError
from posewire_data.motion import MotionSet, load
from posewire_training.samples import Sampler, Samples
from posewire_vae_lifter import figures
from posewire_vae_lifter.export import open_run
from posewire_vae_lifter.live import LiveVae

_PLOT_PX, _MARGIN_PX = 900, 40
_LEGEND_PX = 320


def open_vae(folder: Path) -> tuple[LiveVae, int]:
    """The VAE of a run's folder and its frames a window.

    Raises:
        ModelError: it is a baseline, which has no latent space, or there are no weights.
    """
    net, settings = open_run(folder)
    if not isinstance(net, LiveVae):
        raise ModelError(f"{folder} holds a baseline: it has no latent space.", hint="give the folder of a VAE with live.pt")
    return net, settings.frames


def samples_of(motion: MotionSet, frames: int, rows: Sequence[int]) -> Samples:
    """Views of some frames, each by a camera of its own.

    Raises:
        PosewireError: a frame is not there.
    """
    if bad := [row for row in rows if not 0 <= row < motion.frame_count]:
        raise PosewireError("There is no such frame.", got=bad[0], allowed=f"0 to {motion.frame_count - 1}")
    return Sampler(motion, frames).at(np.random.default_rng(0), np.array(rows, dtype=np.int64))


def means(net: LiveVae, samples: Samples) -> Tensor:
    """(B, L) where each sample lies in the latent space."""
    with torch.inference_mode():
        return net.vae.encoder(net.vae.features(*samples.inputs))[0]


def interpolated(net: LiveVae, samples: Samples, steps: int) -> FloatArray:
    """(steps, 17, 3) from the first sample's pose to the second's."""
    first, last = means(net, samples)
    part = torch.linspace(0.0, 1.0, steps)[:, None]
    with torch.inference_mode():
        return net.vae.poses(net.vae.decoder(first + part * (last - first))).double().numpy()


def hypotheses(net: LiveVae, samples: Samples, count: int) -> FloatArray:
    """(1 + count, 17, 3) of the first sample: the mode, then hypotheses."""
    noise = torch.randn(1, count + 1, net.spread.directions, generator=torch.Generator().manual_seed(0))
    noise[:, 0] = 0.0
    with torch.inference_mode():
        return net(*(value[:1] for value in samples.inputs), noise)[0].double().numpy()


def projected(latents: Tensor, neighbours: int) -> FloatArray:
    """(N, 2) by UMAP (McInnes et al. 2018).

    Raises:
        PosewireError: umap-learn is not installed.
    """
    try:
        umap: Any = importlib.import_module("umap")
    except ImportError as error:
        raise PosewireError("The latent-space plot needs umap-learn.", got=error, hint="pip install umap-learn") from error
    return np.asarray(umap.UMAP(n_neighbors=neighbours, random_state=0).fit_transform(latents.numpy()), dtype=np.float64)


def scatter(points: FloatArray, labels: Sequence[str]) -> ImageArray:
    """Points (N, 2), a colour for each label, with a legend."""
    names = sorted(set(labels))
    hues = np.array([[[180 * i / len(names), 200, 200]] for i in range(len(names))], np.uint8)
    colours = [tuple(map(int, colour)) for colour in cv2.cvtColor(hues, cv2.COLOR_HSV2BGR)[:, 0]]
    picture = np.full((_PLOT_PX, _PLOT_PX + _LEGEND_PX, 3), 255, np.uint8)
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    places = (_MARGIN_PX + (points - low) / span * (_PLOT_PX - 2 * _MARGIN_PX)).astype(int)
    for (x, y), label in zip(places, labels, strict=True):
        cv2.circle(picture, (int(x), int(y)), 2, colours[names.index(label)], cv2.FILLED, cv2.LINE_AA)
    for i, name in enumerate(names):
        at = (_PLOT_PX + 10, 30 + 22 * i)
        cv2.putText(picture, name[:36], at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colours[i], 1, cv2.LINE_AA)
    return picture


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vae_lifter.latent", description=__doc__)
    parser.add_argument("what", choices=("umap", "interpolate", "sample"))
    parser.add_argument("--run", type=Path, required=True, metavar="FOLDER", help="with live.pt")
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--frames", type=int, nargs="+", default=[0, 600], metavar="N", help="frames of the test subject")
    parser.add_argument("--count", type=int, default=9, help="poses to draw")
    parser.add_argument("--neighbours", type=int, default=15, help="of UMAP: few show detail, many the whole")
    flags = parser.parse_args(arguments)
    try:
        figures.write(flags.out, _picture(flags))
    except PosewireError as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    print(flags.out)
    return 0


def _picture(flags: argparse.Namespace) -> ImageArray:
    net, frames = open_vae(flags.run)
    motion = load(flags.motion, "test")
    if flags.what == "umap":
        rows = list(range(0, motion.frame_count, 10))
        labels = [motion.clips[i].activity for i in motion.frame_clips()[rows]]
        return scatter(projected(means(net, samples_of(motion, frames, rows)), flags.neighbours), labels)
    if flags.what == "interpolate":
        first, last = flags.frames[0], flags.frames[-1]
        return figures.strip(interpolated(net, samples_of(motion, frames, [first, last]), flags.count))
    poses = hypotheses(net, samples_of(motion, frames, flags.frames[:1]), flags.count)
    return figures.cloud(poses[1:], poses[0])


if __name__ == "__main__":
    sys.exit(main())
