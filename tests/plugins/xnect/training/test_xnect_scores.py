"""Scores count what they say they count."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import row

from posewire_data.joints import JOINTS, root_relative
from posewire_xnect import targets
from posewire_xnect.scores import Seen, score, table


def picture(seed: int = 1) -> Seen:
    """Two people, both found exactly; the second one's legs are hidden, and Stage I did not see them."""
    points, joints_m = row(seed, 2)
    visible = np.ones(points.shape[:2], bool)
    visible[1, [JOINTS.index(name) for name in ("left_knee", "left_ankle", "right_knee", "right_ankle")]] = False
    found_px = np.where(visible[..., None], targets.to_pixels(points), np.nan)
    return Seen(found_px, root_relative(joints_m), targets.to_pixels(points), root_relative(joints_m), visible)


def test_who_is_right_everywhere_scores_full_marks() -> None:
    found = score([picture(1), picture(2)])
    assert (found.pictures, found.people, found.found, found.ghosts) == (2, 4, 100.0, 0.0)
    assert found.pck_all == found.pck_matched == found.pck_occluded == found.pck_2d == 100.0
    assert found.mpjpe_matched_mm == 0.0 and found.auc_matched == 100.0


def test_whoever_is_missed_is_wrong_in_all_but_the_matched() -> None:
    seen = picture()
    found = score([Seen(seen.found_px[:1], seen.found_m[:1], seen.true_px, seen.true_m, seen.visible)])
    assert (found.found, found.pck_all, found.pck_matched, found.pck_occluded) == (50.0, 50.0, 100.0, 0.0)


def test_an_error_of_20_cm_is_wrong_and_of_10_cm_right() -> None:
    seen = picture()
    off = seen.found_m.copy()
    off[0, :, 2] += 0.2
    off[1, :, 2] += 0.1
    found = score([Seen(seen.found_px, off, seen.true_px, seen.true_m, seen.visible)])
    assert found.pck_all == pytest.approx(50.0) and found.mpjpe_matched_mm == pytest.approx(150.0)
    assert found.pck_occluded == 100.0


def test_a_ghost_is_counted_and_harms_nobody() -> None:
    seen = picture()
    ghost_px = np.concatenate([seen.found_px, seen.found_px[:1] + 400.0])
    found = score([Seen(ghost_px, np.concatenate([seen.found_m, seen.found_m[:1]]), seen.true_px, seen.true_m, seen.visible)])
    assert found.ghosts == 1.0 and found.pck_all == 100.0
    assert "groups" in table([("groups", found)])


def test_somebody_of_whom_almost_nothing_shows_does_not_count() -> None:
    seen = picture()
    visible = seen.visible.copy()
    visible[1, 4:] = False
    assert score([Seen(seen.found_px, seen.found_m, seen.true_px, seen.true_m, visible)]).people == 1
