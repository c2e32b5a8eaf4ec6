"""Feet on the ground stay where they landed, and nothing else changes."""

import actor
import numpy as np
import stepper

from posewire import skeleton
from posewire.data import FloatArray, SkeletonPose, Track
from posewire.fit import FitSettings, Fitter
from posewire.fit.contacts import FEET
from posewire.metrics import slide_speeds_m_s

TIME_S = np.arange(0.0, stepper.END_S, 1.0 / 30.0)
ROWS = actor.tracks(stepper.keypoints_m(TIME_S), noise_m=0.03, noise_px=4.0)
LOCKED, FREE = FitSettings(lock_feet=True), FitSettings(lock_feet=False)


def poses(settings: FitSettings, rows: list[Track] = ROWS) -> list[SkeletonPose]:
    fitter = Fitter(actor.NAMES, settings)
    said = [fitter.fit(row, t, actor.VIEW) for row, t in zip(rows, TIME_S.tolist(), strict=False)]
    assert all(said)
    return [pose for pose in said if pose]


def feet_m(said: list[SkeletonPose]) -> FloatArray:
    """(T, 4, 3)"""
    return np.array([pose.positions_m for pose in said])[:, FEET]


def slides_m_s(settings: FitSettings) -> FloatArray:
    said = poses(settings)
    return slide_speeds_m_s(feet_m(said), np.array([pose.contacts for pose in said]), TIME_S)


def test_feet_on_the_ground_slide_a_fifth_of_what_they_do_free() -> None:
    free, locked = slides_m_s(FREE), slides_m_s(LOCKED)
    assert len(locked) > 0.8 * len(free)
    assert np.median(locked) < 0.2 * np.median(free)
    assert np.percentile(locked, 95) < 0.2 * np.percentile(free, 95)


def test_a_lifted_foot_goes_where_it_goes_free() -> None:
    apart = np.linalg.norm(feet_m(poses(LOCKED)) - feet_m(poses(FREE)), axis=-1)[stepper.moves(TIME_S), :2]
    assert np.median(apart) < 0.04
    assert apart.max() < 0.12


def test_the_contacts_and_the_motion_are_those_of_the_free_fit() -> None:
    locked, free = Fitter(actor.NAMES, LOCKED), Fitter(actor.NAMES, FREE)
    for row, t in zip(ROWS[:60], TIME_S.tolist(), strict=False):
        one, other = locked.fit(row, t, actor.VIEW), free.fit(row, t, actor.VIEW)
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one.contacts, other.contacts, atol=1e-9)
    np.testing.assert_allclose(
        locked._memory.motion.velocity_m_s,  # pyright: ignore[reportPrivateUsage]
        free._memory.motion.velocity_m_s,  # pyright: ignore[reportPrivateUsage]
        atol=1e-9,
    )


def test_the_contact_energy_is_zero_where_nothing_is_held() -> None:
    assert all(pose.residuals["contact"] == 0.0 for pose in poses(FREE))
    assert poses(LOCKED)[0].residuals["contact"] == 0.0
    assert poses(LOCKED)[20].residuals["contact"] > 0.0


def test_the_positions_and_rotations_of_a_held_pose_agree() -> None:
    fitter, pose = Fitter(actor.NAMES, LOCKED), None
    for row, t in zip(ROWS[:21], TIME_S.tolist(), strict=False):
        pose = fitter.fit(row, t, actor.VIEW)
    assert pose is not None
    assert pose.residuals["contact"] > 0.0
    np.testing.assert_allclose(fitter.skeleton.positions_m(pose.root_m, pose.rotations_wxyz), pose.positions_m, atol=1e-9)


def test_a_person_who_is_moved_away_is_let_go_within_five_frames() -> None:
    moved = actor.tracks(stepper.keypoints_m(TIME_S) + np.where(TIME_S < 0.7, 0.0, 0.4)[:, None, None] * [1.0, 0.0, 0.0])
    apart = np.linalg.norm(feet_m(poses(LOCKED, moved)) - feet_m(poses(FREE, moved)), axis=-1).max(axis=1)
    after = int(np.argmax(TIME_S >= 0.7))
    assert apart[after + 5 : after + 8].max() < 0.06


def test_the_feet_of_every_stature_are_found() -> None:
    assert [skeleton.for_height(1.4).names[joint] for joint in FEET] == ["left_heel", "left_toe", "right_heel", "right_toe"]
