"""Left and right confused by a method: mended while it lasts, and never for good."""

import actor
import numpy as np

from posewire.data import FloatArray, Track
from posewire.fit import FitSettings, Fitter

FPS = 30.0
TIME_S = np.arange(150) / FPS
KEYPOINTS, JOINTS = actor.poses_m(TIME_S)
ROWS = actor.tracks(KEYPOINTS, noise_m=0.01)
ARMS = [
    k
    for k, name in enumerate(actor.NAMES)
    if name.split("_")[-1] in ("shoulder", "elbow", "wrist", "index") and "foot" not in name
]


def exchanged(first: int, last: int, only: list[int] | None = None) -> list[Track]:
    """The rows with left and right exchanged in some frames, of all points or of some."""
    return [_mirrored(row, only) if first <= k < last else row for k, row in enumerate(ROWS)]


def _mirrored(row: Track, only: list[int] | None) -> Track:
    other = actor.mirrored_labels(row)
    if only is None:
        return other
    return actor.replaced(row, only, px=other.keypoints_px[only], m=np.asarray(other.keypoints_m)[only], confidence=0.9)


def errors_m(rows: list[Track]) -> FloatArray:
    return actor.error_m(actor.fitted(rows, TIME_S, Fitter(actor.NAMES, FitSettings())), JOINTS)


def test_sides_exchanged_for_a_second_and_a_half_are_mended_all_the_while() -> None:
    assert errors_m(exchanged(80, 125)).max() < 0.12


def test_arms_alone_are_mended_too() -> None:
    assert errors_m(exchanged(80, 125, ARMS)).max() < 0.12


def test_a_fit_that_began_with_exchanged_sides_turns_around_when_they_are_right_for_longer() -> None:
    errors = errors_m(exchanged(0, 8))
    assert errors[:8].mean() > 0.15
    assert errors[70:].max() < 0.1


def test_shoulders_do_not_stay_turned_against_the_hips() -> None:
    errors = errors_m(exchanged(0, 30, ARMS))
    assert errors[60:].max() < 0.1
