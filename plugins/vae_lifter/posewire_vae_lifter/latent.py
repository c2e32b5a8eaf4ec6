"""`python -m posewire_vae_lifter.latent umap|interpolate|sample`: looks into the latent space of a trained VAE.

umap         poses of the test subject as points, coloured by activity (thesis 000, figure 5.1.2) and by the side seen
interpolate  from one frame to another along a line in the latent space (section 2.1.2)
sample       hypotheses of one frame, from the camera and from the side
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from posewire.data import FloatArray, ImageArray
from posewire.errors import ModelError, PosewireError
from posewire_data.motion import MotionSet, load
from posewire_training.command import command
from posewire_training.samples import Sampler, Samples
from posewire_vae_lifter import figures, latent_map
from posewire_vae_lifter.export import open_run
from posewire_vae_lifter.live import LiveVae
from posewire_vae_lifter.model import Vae
from posewire_vae_lifter.settings import VaeSettings


def open_vae(folder: Path) -> tuple[LiveVae, int]:
    """The VAE of a run's folder and its frames a window.

    Raises:
        ModelError: it is a baseline, which has no latent space, its spread was not learned, or there are no weights.
    """
    net, settings = open_run(folder)
    if not isinstance(net, LiveVae):
        raise _without_spread(folder, net.net, settings)
    return net, settings.frames


def _without_spread(folder: Path, net: Module, settings: VaeSettings) -> ModelError:
    """Why a run has no live.pt, and what to do."""
    if isinstance(net, Vae) and settings.form == "vae":
        hint = f"python -m posewire_vae_lifter.spread --motion FILE.npz --run {folder}"
        return ModelError(f"The VAE in {folder} was not taught its spread yet: there is no live.pt.", hint=hint)
    hint = "python -m posewire_vae_lifter.train --form vae, then posewire_vae_lifter.spread"
    if isinstance(net, Vae):
        problem = f"The {settings.form} network in {folder} has no spread, which this needs: only a VAE is taught one."
        return ModelError(problem, got=f"--form {settings.form}", allowed="--form vae", hint=hint)
    return ModelError(f"{folder} holds a baseline, which has no latent space.", hint=hint)


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


def mapped(net: LiveVae, motion: MotionSet, frames: int, count: int, neighbours: int) -> ImageArray:
    """UMAP of `count` poses, each seen by a camera of its own; fewer where the motion has fewer frames.

    Raises:
        PosewireError: too few points for so many neighbours, or umap-learn is not installed.
    """
    if not 2 <= neighbours < min(count, motion.frame_count):
        raise PosewireError("A point has as many neighbours as there are others.", got=neighbours, allowed="2 to below --points")
    rows = np.linspace(0, motion.frame_count - 1, min(count, motion.frame_count)).astype(int).tolist()
    samples = samples_of(motion, frames, rows)
    points = latent_map.projected(means(net, samples), neighbours)
    activities = [motion.clips[i].activity for i in motion.frame_clips()[rows]]
    sides = latent_map.sides_seen(samples.target_m.double().numpy())
    by_activity = latent_map.scatter(points, activities, sorted(set(activities)))
    return np.concatenate([by_activity, latent_map.scatter(points, sides, latent_map.SIDES)], axis=1)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vae_lifter.latent", description=__doc__)
    parser.add_argument("what", choices=("umap", "interpolate", "sample"))
    parser.add_argument("--run", type=Path, required=True, metavar="FOLDER", help="with live.pt")
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--frames", type=int, nargs="+", default=[0, 600], metavar="N", help="frames of the test subject")
    parser.add_argument("--count", type=int, default=9, help="poses to draw")
    parser.add_argument("--points", type=int, default=1000, help="of UMAP: so many frames, evenly spaced")
    parser.add_argument("--neighbours", type=int, default=15, help="of UMAP: few show detail, many the whole")
    flags = parser.parse_args(arguments)
    figures.write(flags.out, _picture(flags))
    print(flags.out)


def _picture(flags: argparse.Namespace) -> ImageArray:
    net, frames = open_vae(flags.run)
    motion = load(flags.motion, "test")
    if flags.what == "umap":
        return mapped(net, motion, frames, flags.points, flags.neighbours)
    if flags.what == "interpolate":
        first, last = flags.frames[0], flags.frames[-1]
        return figures.strip(interpolated(net, samples_of(motion, frames, [first, last]), flags.count))
    poses = hypotheses(net, samples_of(motion, frames, flags.frames[:1]), flags.count)
    return figures.cloud(poses[1:], poses[0])


if __name__ == "__main__":
    sys.exit(main())
