"""How right people are: who was found, 3DPCK and 2D PCK of all, matched and occluded (as thesis 002, Table 6.11). Numpy only.

Somebody counts who shows SHOWN joints. Whoever is not found counts as wrong in every joint, but not where it says "matched".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import COMMON_14, ROOT
from posewire_xnect.people import belongs_to
from posewire_xnect.skeleton import NECK
from posewire_xnect.targets import BoolArray, FloatArray

NEAR_M = 0.15
"""Of 3DPCK."""
NEAR_TORSO = 0.2
"""Of 2D PCK: share of the way from neck to pelvis in the picture."""
SHOWN = 5
"""Joints that somebody must show to count."""
_OTHERS = [joint for joint in COMMON_14 if joint != ROOT]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One picture: who was found, and who is there."""

    found_px: FloatArray
    """(P, J, 2) NaN = unseen."""
    found_m: FloatArray
    """(P, J, 3) root-relative."""
    true_px: FloatArray
    """(T, J, 2)."""
    true_m: FloatArray
    """(T, J, 3) root-relative."""
    visible: BoolArray
    """(T, J)."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares in per cent."""

    pictures: int
    people: int
    found: float
    """Of the people."""
    ghosts: float
    """People found who are nobody, a picture."""
    pck_all: float
    """3DPCK at 150 mm."""
    pck_matched: float
    pck_visible: float
    """Of all people's joints that Stage I should see."""
    pck_occluded: float
    """Of the others: behind things and people, or outside."""
    auc_matched: float
    """Mean 3DPCK of thresholds 0 to 150 mm."""
    mpjpe_matched_mm: float
    pck_2d: float
    """Of all people's visible joints."""


def score(pictures: Sequence[Seen]) -> Scores:
    """All pictures together."""
    off_m, off_torso, visible, matched, ghosts = (np.concatenate(parts) for parts in zip(*map(_of_one, pictures), strict=True))
    joints = np.array(_OTHERS)
    near, seen = off_m[:, joints] <= NEAR_M, visible[:, joints]
    curve = [(off_m[matched][:, joints] <= limit).mean() for limit in np.linspace(0, NEAR_M, 31)]
    return Scores(
        pictures=len(pictures),
        people=len(off_m),
        found=_percent(matched),
        ghosts=float(ghosts.sum()) / max(len(pictures), 1),
        pck_all=_percent(near),
        pck_matched=_percent(near[matched]),
        pck_visible=_percent(near[seen]),
        pck_occluded=_percent(near[~seen]),
        auc_matched=100.0 * float(np.mean(curve)),
        mpjpe_matched_mm=1e3 * float(off_m[matched][:, joints].mean()),
        pck_2d=_percent((off_torso <= NEAR_TORSO)[visible]),
    )


def _percent(which: NDArray[np.bool_]) -> float:
    return 100.0 * float(which.mean()) if which.size else float("nan")


def _of_one(seen: Seen) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray, NDArray[np.int64]]:
    """Of everybody who counts: (T, J) metres off, (T, J) torsos off (inf = missed), what is visible, who is matched; ghosts."""
    counts = seen.visible.sum(axis=1) >= SHOWN
    owner = belongs_to(seen.found_px, seen.true_px)
    off_m, off_torso = (np.full(seen.visible.shape, np.inf) for _ in range(2))
    torso = np.linalg.norm(seen.true_px[:, NECK] - seen.true_px[:, ROOT], axis=-1)
    for person, true in enumerate(owner):
        if true >= 0:
            off_m[true] = np.linalg.norm(seen.found_m[person] - seen.true_m[true], axis=-1)
            off_px = np.linalg.norm(seen.found_px[person] - seen.true_px[true], axis=-1)
            off_torso[true] = np.nan_to_num(off_px, nan=np.inf) / max(float(torso[true]), 1.0)
    matched = np.isin(np.arange(len(counts)), owner)
    return off_m[counts], off_torso[counts], seen.visible[counts], matched[counts], np.array([int((owner < 0).sum())])


def table(rows: Sequence[tuple[str, Scores]]) -> str:
    """As the commands print it."""
    names = ("found", "ghosts", "all", "matched", "visible", "occluded", "AUC", "MPJPE", "2D PCK")
    lines = [f"{'':34s}" + "".join(f"{name:>9s}" for name in names)]
    for name, one in rows:
        values = (one.found, one.ghosts, one.pck_all, one.pck_matched, one.pck_visible, one.pck_occluded)
        more = (one.auc_matched, one.mpjpe_matched_mm, one.pck_2d)
        lines.append(f"{name:34s}" + "".join(f"{value:9.1f}" for value in (*values, *more)))
    return "\n".join(lines)
