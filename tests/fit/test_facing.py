"""Labels that are exchanged little by little, so that no frame is far from what is expected."""

import actor
import numpy as np
import pytest

from posewire import rotation
from posewire.data import FloatArray, Track
from posewire.fit import FitSettings, Fitter, points

TIME_S = np.arange(150) / 60.0
KEYPOINTS, JOINTS = actor.poses_m(TIME_S)
ROWS = actor.tracks(KEYPOINTS, noise_m=0.01)
FIRST, LAST, GOES_OVER = 60, 111, 12
POINTS = points.make_points(actor.NAMES)
LEGS, ARMS = (np.flatnonzero(POINTS.group == group).tolist() for group in (points.LEGS, points.ARMS))
ALL = list(range(len(actor.NAMES)))


def gradually_exchanged(only: list[int]) -> list[Track]:
    """The rows with left and right of some points exchanged in some frames, by way of what lies between."""
    frames = np.arange(len(ROWS))
    share = np.clip(np.minimum(frames - FIRST, LAST - frames) / GOES_OVER, 0.0, 1.0)
    return [_mixed(row, only, s) for row, s in zip(ROWS, share.tolist(), strict=True)]


def _mixed(row: Track, only: list[int], share: float) -> Track:
    other = actor.mirrored_labels(row)
    px = row.keypoints_px + share * (other.keypoints_px - row.keypoints_px)
    m = np.asarray(row.keypoints_m) + share * (np.asarray(other.keypoints_m) - np.asarray(row.keypoints_m))
    return actor.replaced(row, only, px=px[only], m=m[only], confidence=0.9)


def errors_m(rows: list[Track]) -> FloatArray:
    return actor.error_m(actor.fitted(rows, TIME_S, Fitter(actor.NAMES, FitSettings())), JOINTS)


@pytest.mark.parametrize("only", [LEGS, ARMS, ALL], ids=["legs", "arms", "all"])
def test_sides_that_are_exchanged_little_by_little_are_noticed_within_a_fifth_of_a_second(only: list[int]) -> None:
    errors = errors_m(gradually_exchanged(only))
    assert errors[FIRST + GOES_OVER + 12 : LAST - GOES_OVER].max() < 0.12
    assert errors[LAST + 12 :].max() < 0.12


def test_no_joint_jumps_when_the_fit_turns_back() -> None:
    fitter = Fitter(actor.NAMES, FitSettings())
    poses = [fitter.fit(row, t, actor.VIEW) for row, t in zip(gradually_exchanged(LEGS), TIME_S.tolist(), strict=True)]
    local = np.array([pose.rotations_wxyz for pose in poses if pose is not None])
    turns = rotation.log(rotation.multiply(rotation.inverse(local[:-1]), local[1:]))
    assert np.degrees(np.linalg.norm(turns, axis=-1)).max() < 60.0


def test_what_lies_in_front_is_the_same_when_sides_are_exchanged() -> None:
    front = POINTS.front
    assert front.min() >= 0
    rows = KEYPOINTS[0], KEYPOINTS[0][[actor.NAMES.index(_mirrored(name)) for name in actor.NAMES]]
    ahead = [sum(row[tip] - 0.5 * (row[a] + row[b]) for tip, a, b in front) for row in rows]
    np.testing.assert_allclose(ahead[0], ahead[1], atol=1e-12)
    assert np.linalg.norm(ahead[0]) > 0.4


def _mirrored(name: str) -> str:
    return name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")


def test_a_method_without_toes_or_nose_shows_the_front_by_its_knees() -> None:
    names = [f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "hip", "knee", "ankle")]
    known = points.make_points(names).front.min(axis=1) >= 0
    np.testing.assert_array_equal(known, [False, True, True, False, False])
