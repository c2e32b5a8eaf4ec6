"""Where a lifter's hypotheses lie: one fixed set of noise, learned, so that few of them come near to many truths."""

from __future__ import annotations

import numpy as np

from posewire.data import FloatArray

LEARNED = np.array(
    [
        [0.49, -0.57, 0.34, -0.13, -0.38, 0.12],
        [0.03, 0.7, -0.08, -0.64, -0.67, 0.24],
        [-0.81, -0.39, -0.17, 1.7, -1.02, 0.82],
        [0.27, -0.97, 0.27, -0.94, 0.86, 2.27],
        [-1.51, -0.78, 0.01, -1.92, -0.9, -0.61],
        [0.34, 0.78, -0.35, 1.84, -0.81, 1.05],
        [-0.05, -0.02, -0.4, -1.07, -0.63, 0.85],
        [-1.36, -0.64, -0.17, 0.97, 0.3, 0.57],
        [1.57, 1.2, 0.51, -2.29, 0.06, 0.49],
        [-0.1, 0.55, 0.27, 0.91, -0.86, -0.38],
    ]
)
"""(10, 6) by `python -m posewire_vae_lifter.hypotheses`, on training subjects, for the two bundled VAEs at once. In such an
order that the first four pairs, which the host asks for, are spread like all."""
LEARNED.flags.writeable = False


def paired_noise(count: int, latent: int) -> FloatArray:
    """(count, latent) numbers like normal ones, always the same; row 2k + 1 is the negative of row 2k.

    What is learned comes first; what is asked for beyond that, and for a network of other directions, is drawn.
    """
    pairs = (count + 1) // 2
    learned = LEARNED[:pairs] if latent == LEARNED.shape[1] else np.empty((0, latent))
    drawn = np.random.default_rng(0).standard_normal((pairs - len(learned), latent))
    half = np.concatenate([learned, drawn])
    return np.stack([half, -half], axis=1).reshape(-1, latent)[:count]
