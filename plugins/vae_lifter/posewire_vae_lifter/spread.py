"""`python -m posewire_vae_lifter.spread --motion FILE.npz --run FOLDER`: teaches a trained VAE how sure it is.

The VAE stays as it is. A small head says for each input in which latent directions hypotheses go, and how far. It begins with the
principal directions of the mode's errors and learns by the best of twenty hypotheses (multiple choice learning: Guzman-Rivera et
al. 2012, eq. 2), while half of the truths shall lie nearer to the mode than half of the hypotheses. A temperature then makes that
exact on the validation subjects.
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
from torch.optim.lr_scheduler import CosineAnnealingLR

from posewire.errors import SettingsError
from posewire_data.joints import JOINTS
from posewire_data.motion import MotionSet, load
from posewire_lifting.hypotheses import paired_noise
from posewire_training import loop, weights
from posewire_training.command import command
from posewire_training.samples import Augmentation, Sampler, Samples
from posewire_training.task import descend
from posewire_vae_lifter.live import SHARE, LiveVae, Spread
from posewire_vae_lifter.model import Vae
from posewire_vae_lifter.settings import VaeSettings
from posewire_vae_lifter.train import VALIDATION_SUBJECTS, training_sampler

DAMPING = 0.02
"""Of the least-squares step, in standardised units squared: what is smaller is noise of the solver."""
_LEAST_SAMPLES = 200
_CALIBRATION_SAMPLES = 500
_CHUNK = 100
_BATCH = 128
HYPOTHESES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """What the mode got wrong on N samples."""

    mean: Tensor
    """(N, L) in the latent space."""
    errors: Tensor
    """(N, 48) truth less mode, standardised."""
    hidden: Tensor
    """(N, H) the encoder's last hidden layer."""


def misses_of(live: LiveVae, samples: Samples) -> Misses:
    """Of the usable rows."""
    vae, usable = live.vae, torch.from_numpy(samples.view.usable)
    with torch.no_grad():
        mean, _, hidden = (value[usable] for value in vae.encoder(vae.features(*samples.inputs)))
        mode_m = live(*samples.inputs, torch.zeros(len(samples.size), 1, live.spread.directions))[usable, 0]
        errors = vae.poses.standardised(samples.target_m[usable]) - vae.poses.standardised(mode_m)
    return Misses(mean, errors, hidden)


def _joined(a: Misses, b: Misses) -> Misses:
    return Misses(torch.cat([a.mean, b.mean]), torch.cat([a.errors, b.errors]), torch.cat([a.hidden, b.hidden]))


def steps_to_truth(vae: Vae, misses: Misses) -> Tensor:
    """(N, L) J^T (J J^T + damping)^-1 (truth - mode), J the decoder's Jacobian at the mean."""
    with torch.no_grad():
        pairs = zip(misses.mean.split(_CHUNK), misses.errors.split(_CHUNK), strict=True)
        return torch.cat([_steps(vae, mean, errors) for mean, errors in pairs])


def _steps(vae: Vae, mean: Tensor, errors: Tensor) -> Tensor:
    J = vmap(jacrev(vae.decoder))(mean)  # (B, 48, L)
    normal = J @ J.transpose(1, 2) + DAMPING * torch.eye(J.shape[1])
    return (J.transpose(1, 2) @ torch.linalg.solve(normal, errors[..., None]))[..., 0]


def point(spread: Spread, complete: Misses, steps: Tensor) -> None:
    """Sets the directions for all inputs alike: the principal ones of the misses on complete input, by their latent steps."""
    count = spread.directions
    variance, vectors = torch.linalg.eigh(complete.errors.T @ complete.errors / len(complete.errors))
    along = torch.linalg.lstsq(complete.errors @ vectors[:, -count:], steps).solution  # (D, L)
    with torch.no_grad():
        spread.steps.weight.normal_(std=0.02)
        spread.steps.bias.copy_((along * variance[-count:].clamp_min(1e-8).sqrt()[:, None]).flatten())


def learn(live: LiveVae, misses: Misses, descents: int = 600, *, bf16: bool = False) -> list[float]:
    """Teaches the head on misses; returns the loss of every descent."""
    optimizer, losses = AdamW(live.spread.parameters(), 2e-3, weight_decay=1e-2), list[float]()
    schedule = CosineAnnealingLR(optimizer, descents, 2e-5)
    for _ in range(descents):
        rows = torch.randint(len(misses.errors), (_BATCH,))
        half = torch.randn(_BATCH, HYPOTHESES // 2, live.spread.directions)
        noise = torch.stack([half, -half], dim=2).flatten(1, 2)  # in pairs, as the live lifter's
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            moved_m = moves_of(live, misses, rows, noise)
        loss = choice_loss(moved_m.float(), errors_of(live, misses, rows))
        descend(optimizer, loss, 1.0)
        schedule.step()
        losses.append(float(loss.detach()))
    return losses


def choice_loss(moved_m: Tensor, errors_m: Tensor) -> Tensor:
    """Of hypotheses (B, S, 16, 3) for truth (B, 16, 3), both less the mode: the best one's distance, and how the ball fits."""
    best_m = _lengths(moved_m - errors_m[:, None]).mean(dim=-1).min(dim=1).values.mean()
    radius, wanted = _lengths(moved_m).median(dim=1).values, errors_m.norm(dim=-1)
    inside = torch.sigmoid((radius - wanted) / (0.3 * wanted + 0.003)).mean()  # a soft edge, so that it has a slope
    return 10.0 * best_m + 5.0 * (inside - 0.5) ** 2


def _lengths(vectors: Tensor) -> Tensor:
    """Norms with a slope at zero."""
    return (vectors.square().sum(dim=-1) + 1e-8).sqrt()


def moves_of(live: LiveVae, misses: Misses, rows: Tensor, noise: Tensor) -> Tensor:
    """(B, S, 16, 3) hypotheses less mode, metres."""
    mean, decoder = misses.mean[rows], live.vae.decoder
    latent = mean[:, None] + live.spread(misses.hidden[rows], noise)
    moved = decoder(latent.flatten(0, 1)).unflatten(0, noise.shape[:2]) - decoder(mean)[:, None]
    return SHARE * moved.unflatten(-1, (-1, 3)) * live.vae.poses.scaler.deviation


def errors_of(live: LiveVae, misses: Misses, rows: Tensor) -> Tensor:
    """(B, 16, 3) truth less mode, metres."""
    return misses.errors[rows].unflatten(-1, (-1, 3)) * live.vae.poses.scaler.deviation


def covered(hypotheses_m: Tensor, mode_m: Tensor, truth_m: Tensor) -> Tensor:
    """(B, J) True where the truth lies in the 50 % ball: nearer to the mode than half of the hypotheses."""
    radius = (hypotheses_m - mode_m[:, None]).norm(dim=-1).quantile(0.5, dim=1)
    return (truth_m - mode_m).norm(dim=-1) <= radius


def coverage_scores(live: LiveVae, samples: Samples) -> Mapping[str, float]:
    """Share of truths inside the 50 % ball; MPJPE of the mode and of the best of 20, mm."""
    mode_m, hypotheses_m, truth_m = _said(live, samples)
    errors_m = (hypotheses_m - truth_m[:, None]).norm(dim=-1).mean(dim=-1)
    return {
        "covered": float(covered(hypotheses_m, mode_m, truth_m).float().mean()),
        "mode_mm": 1e3 * float((mode_m - truth_m).norm(dim=-1).mean()),
        "best_of_20_mm": 1e3 * float(errors_m.min(dim=1).values.mean()),
    }


def _said(live: LiveVae, samples: Samples) -> tuple[Tensor, Tensor, Tensor]:
    """Mode (B, 16, 3), hypotheses (B, S, 16, 3) and truth (B, 16, 3) of the usable rows."""
    drawn = torch.from_numpy(paired_noise(HYPOTHESES, live.spread.directions)).float()  # the live lifter's own
    noise = torch.cat([torch.zeros_like(drawn[:1]), drawn]).expand(len(samples.size), -1, -1)
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


def run(
    motion: MotionSet,
    folder: Path,
    subjects: Sequence[str],
    count: int = 16_000,
    *,
    descents: int = 600,
) -> tuple[Path, Mapping[str, float]]:
    """Adds the head to the VAE of `folder`; returns folder/live.pt, which holds both, and its scores on validation subjects.

    Raises:
        SettingsError: `count` samples are too few.
    """
    if count < _LEAST_SAMPLES:
        raise SettingsError("--samples are too few to learn from.", got=count, allowed=f"{_LEAST_SAMPLES} and above")
    trained = weights.load(folder / "weights.pt", "vae", JOINTS)
    settings = VaeSettings.from_json(trained.settings)
    loop.set_up(settings)
    vae = Vae(settings)
    trained.load_into({"net": vae})
    live = LiveVae(vae.eval().requires_grad_(False), Spread(settings))
    training, validation = motion.divided(subjects)
    plain = misses_of(live, Sampler(training, settings.frames, Augmentation()).draw(np.random.default_rng(4), count // 2))
    few = Misses(*(value[: count // 20] for value in (plain.mean, plain.errors, plain.hidden)))
    point(live.spread, few, steps_to_truth(vae, few) / SHARE)
    drawn = training_sampler(settings, training)
    corrupted = misses_of(live, drawn.draw(np.random.default_rng(5), count - count // 2))
    learn(live, _joined(plain, corrupted), descents, bf16=settings.bf16)
    judged = Sampler(validation, settings.frames).draw(np.random.default_rng(3), _CALIBRATION_SAMPLES)
    calibrate(live, judged)
    weights.save(folder / "live.pt", "vae-live", JOINTS, settings.to_json(), {"live": live})
    return folder / "live.pt", coverage_scores(live, judged)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vae_lifter.spread", description=__doc__)
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--run", type=Path, required=True, metavar="FOLDER", help="where train.py left weights.pt")
    parser.add_argument("--samples", type=int, default=16_000, help="training samples to learn from")
    parser.add_argument("--descents", type=int, default=600, help="steps of learning")
    flags = parser.parse_args(arguments)
    motion = load(flags.motion, "train")
    path, scores = run(motion, flags.run, VALIDATION_SUBJECTS, flags.samples, descents=flags.descents)
    print(path, ", ".join(f"{name} {value:.3g}" for name, value in scores.items()))


if __name__ == "__main__":
    sys.exit(main())
