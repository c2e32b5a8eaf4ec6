"""`python -m posewire_vae_lifter.spread --motion FILE.npz --run FOLDER`: teaches a trained VAE how sure it is.

The VAE stays as it is. The errors of its mode on training samples have a few principal directions; the steps in the latent space
that would have gone along them become the directions of hypotheses. A small head learns how far they go for which input
(likelihood, Nix and Weigend 1994). A temperature then makes the 50 % ball hold half of the truths of the validation subjects.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.func import jacrev, vmap
from torch.optim import AdamW

from posewire.errors import EXIT_CODE, PosewireError
from posewire_data.joints import JOINTS
from posewire_data.motion import MotionSet, load
from posewire_training import loop, weights
from posewire_training.samples import Augmentation, Disturbance, Hiding, Sampler, Samples
from posewire_training.task import descend
from posewire_vae_lifter.model import LiveVae, Spread, Vae
from posewire_vae_lifter.settings import VaeSettings

DAMPING = 0.02
"""Of the least-squares step, in standardised units squared: what is smaller is noise of the solver."""
_JUDGED = 32
_CALIBRATION_SAMPLES = 500
_CHUNK = 100
_STEPS, _BATCH = 600, 256


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """What the mode got wrong on N samples."""

    mean: Tensor
    """(N, L) in the latent space."""
    errors: Tensor
    """(N, 48) truth less mode, standardised."""
    hidden: Tensor
    """(N, H) the encoder's last hidden layer."""


def misses_of(vae: Vae, samples: Samples) -> Misses:
    """Of the usable rows."""
    usable = torch.from_numpy(samples.view.usable)
    with torch.no_grad():
        mean, _, hidden = (value[usable] for value in vae.encoder(vae.features(*samples.inputs)))
        errors = vae.poses.standardised(samples.target_m[usable]) - vae.decoder(mean)
    return Misses(mean, errors, hidden)


def steps_to_truth(vae: Vae, misses: Misses) -> Tensor:
    """(N, L) J^T (J J^T + damping)^-1 (truth - mode), J the decoder's Jacobian at the mean."""
    with torch.no_grad():
        pairs = zip(misses.mean.split(_CHUNK), misses.errors.split(_CHUNK), strict=True)
        return torch.cat([_steps(vae, mean, errors) for mean, errors in pairs])


def _steps(vae: Vae, mean: Tensor, errors: Tensor) -> Tensor:
    J = vmap(jacrev(vae.decoder))(mean)  # (B, 48, L)
    normal = J @ J.transpose(1, 2) + DAMPING * torch.eye(J.shape[1])
    return (J.transpose(1, 2) @ torch.linalg.solve(normal, errors[..., None]))[..., 0]


def point(spread: Spread, complete: Misses, steps: Tensor) -> Tensor:
    """Sets the directions from misses on complete input and their steps; returns them in the space of poses (48, D)."""
    count = spread.mix.in_features
    variance, vectors = torch.linalg.eigh(complete.errors.T @ complete.errors / len(complete.errors))
    directions = vectors[:, -count:]
    with torch.no_grad():
        spread.mix.weight.copy_(torch.linalg.lstsq(complete.errors @ directions, steps).solution.T)
        spread.gain.bias.copy_(0.5 * variance[-count:].clamp_min(1e-8).log())
    return directions


def learn(spread: Spread, misses: Misses, directions: Tensor) -> list[float]:
    """Teaches the head how far to go for which input; returns the negative log-likelihood of every descent."""
    along = misses.errors @ directions  # (N, D)
    head = [*spread.hidden.parameters(), *spread.gain.parameters()]
    optimizer, losses = AdamW(head, 2e-3, weight_decay=1e-2), list[float]()
    for _ in range(_STEPS):
        rows = torch.randint(len(along), (_BATCH,))
        logs = spread.log_gain(misses.hidden[rows])
        # The t distribution of 4 degrees of freedom rather than the normal's square: a few flipped limbs must not rule.
        loss = (logs + 2.5 * torch.log1p((along[rows] * (-logs).exp()) ** 2 / 4.0)).mean()
        descend(optimizer, loss, 1.0)
        losses.append(float(loss.detach()))
    return losses


def covered(hypotheses_m: Tensor, mode_m: Tensor, truth_m: Tensor) -> Tensor:
    """(B, J) True where the truth lies in the 50 % ball: nearer to the mode than half of the hypotheses."""
    radius = (hypotheses_m - mode_m[:, None]).norm(dim=-1).quantile(0.5, dim=1)
    return (truth_m - mode_m).norm(dim=-1) <= radius


def coverage_scores(live: LiveVae, samples: Samples) -> Mapping[str, float]:
    """Share of truths inside the 50 % ball; MPJPE of the mode and of the best of 20, mm."""
    mode_m, hypotheses_m, truth_m = _said(live, samples)
    errors_m = (hypotheses_m[:, :20] - truth_m[:, None]).norm(dim=-1).mean(dim=-1)
    return {
        "covered": float(covered(hypotheses_m, mode_m, truth_m).float().mean()),
        "mode_mm": 1e3 * float((mode_m - truth_m).norm(dim=-1).mean()),
        "best_of_20_mm": 1e3 * float(errors_m.min(dim=1).values.mean()),
    }


def _said(live: LiveVae, samples: Samples) -> tuple[Tensor, Tensor, Tensor]:
    """Mode (B, 16, 3), hypotheses (B, S, 16, 3) and truth (B, 16, 3) of the usable rows."""
    noise = torch.randn((len(samples.size), _JUDGED, live.spread.mix.in_features), generator=torch.Generator().manual_seed(0))
    noise = torch.cat([torch.zeros_like(noise[:, :1]), noise], dim=1)
    usable = torch.from_numpy(samples.view.usable)
    with torch.inference_mode():
        poses_m = live(*samples.inputs, noise)[usable][:, :, 1:]
    return poses_m[:, 0], poses_m[:, 1:], samples.target_m[usable][:, 1:]


def calibrate(live: LiveVae, samples: Samples) -> float:
    """Sets the temperature at which the 50 % ball holds half of the truths, by halving; returns it."""
    low, high, middle = 0.05, 20.0, 1.0
    for _ in range(9):
        middle = (low * high) ** 0.5
        live.spread.temperature.fill_(middle)
        low, high = (middle, high) if coverage_scores(live, samples)["covered"] < 0.5 else (low, middle)
    return middle


def run(motion: MotionSet, folder: Path, subjects: Sequence[str], count: int = 8000) -> tuple[Path, Mapping[str, float]]:
    """Adds the head to the VAE of `folder`; returns folder/live.pt, which holds both, and its scores on validation subjects."""
    trained = weights.load(folder / "weights.pt", "vae", JOINTS)
    settings = VaeSettings.from_json(trained.settings)
    loop.set_up(settings)
    vae = Vae(settings)
    trained.load_into({"net": vae})
    live = LiveVae(vae.eval().requires_grad_(False), Spread(settings))
    training, validation = motion.divided(subjects)
    complete = misses_of(vae, Sampler(training, settings.frames, Augmentation()).draw(np.random.default_rng(4), count // 10))
    directions = point(live.spread, complete, steps_to_truth(vae, complete))
    drawn = Sampler(training, settings.frames, Augmentation(), Hiding(), Disturbance(settings.noise))
    learn(live.spread, misses_of(vae, drawn.draw(np.random.default_rng(5), count)), directions)
    judged = Sampler(validation, settings.frames).draw(np.random.default_rng(3), _CALIBRATION_SAMPLES)
    calibrate(live, judged)
    weights.save(folder / "live.pt", "vae-live", JOINTS, settings.to_json(), {"live": live})
    return folder / "live.pt", coverage_scores(live, judged)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    from posewire_vae_lifter.train import VALIDATION_SUBJECTS

    parser = argparse.ArgumentParser(prog="python -m posewire_vae_lifter.spread", description=__doc__)
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--run", type=Path, required=True, metavar="FOLDER", help="where train.py left weights.pt")
    parser.add_argument("--samples", type=int, default=8000, help="training samples to learn from")
    flags = parser.parse_args(arguments)
    try:
        path, scores = run(load(flags.motion, "train"), flags.run, VALIDATION_SUBJECTS, flags.samples)
    except PosewireError as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    print(path, ", ".join(f"{name} {value:.3g}" for name, value in scores.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
