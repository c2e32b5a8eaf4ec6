"""How far the score of a clip moves when every picture is a fraction of a grey level brighter or darker:

    python tests/evaluate/measure_spread.py CLIP REFERENCE.npz

What nobody can see should move nothing; where the method is unsure (left for right on cam02) it does, and one run says little.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from posewire import pictures
from posewire.cli.recording import record_file
from posewire.evaluate import evaluate, load_prediction, load_reference
from posewire.settings import Settings

OFFSETS = tuple(np.arange(-1.0, 1.51, 0.25).tolist())
"""Grey levels added to R, G and B; 0 is what Posewire does."""


def score(clip: str, reference: str, offset: float) -> tuple[float, float, float, float]:
    """PA-MPJPE in mm and acceleration in m/s^2, of the raw and of the fitted motion."""
    for table in (pictures.BT601, pictures.BT709):
        table[:, 3] += offset
    with tempfile.TemporaryDirectory() as folder:
        take = Path(folder) / f"{Path(clip).stem}.pwt"
        record_file(clip, take, Settings())
        report = evaluate(load_prediction(take, None), load_reference(Path(reference), None, clip))
    for table in (pictures.BT601, pictures.BT709):
        table[:, 3] -= offset
    raw, fitted = report.row("raw"), report.row("fitted")
    return raw.pa_mpjpe_mm, raw.acceleration_m_s2, fitted.pa_mpjpe_mm, fitted.acceleration_m_s2


def main(clip: str, reference: str) -> None:
    """A row an offset, then median, smallest and largest."""
    print("grey levels   raw mm   m/s2   fitted mm   m/s2")
    rows = np.array([score(clip, reference, offset) for offset in OFFSETS])
    for offset, row in zip(OFFSETS, rows, strict=True):
        print(f"{offset:+11.2f} {row[0]:8.1f} {row[1]:6.1f} {row[2]:11.1f} {row[3]:6.1f}")
    for name, row in (("median", np.median(rows, axis=0)), ("smallest", rows.min(axis=0)), ("largest", rows.max(axis=0))):
        print(f"{name:>11} {row[0]:8.1f} {row[1]:6.1f} {row[2]:11.1f} {row[3]:6.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
