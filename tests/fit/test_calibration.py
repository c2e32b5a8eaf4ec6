"""Bone lengths change at few moments, towards what is seen, and both sides alike."""

import actor
import numpy as np

from posewire import skeleton
from posewire.fit import FitSettings, Fitter
from posewire.fit.calibration import EVENTS

FPS = 30.0
TIME_S = np.arange(EVENTS[1] + 20) / FPS


def long_legged() -> skeleton.Skeleton:
    lengths = np.full(len(skeleton.REFERENCE.names), np.nan)
    for side in ("left", "right"):
        for joint, factor in (("knee", 1.15), ("ankle", 1.15), ("elbow", 0.9), ("wrist", 0.9)):
            k = skeleton.REFERENCE.index(f"{side}_{joint}")
            lengths[k] = skeleton.REFERENCE.bone_lengths_m[k] * factor
    return skeleton.REFERENCE.with_bone_lengths(lengths)


def digests() -> tuple[Fitter, list[str]]:
    keypoints, _ = actor.poses_m(TIME_S, long_legged())
    fitter, seen = Fitter(actor.NAMES, FitSettings(height_m=skeleton.REFERENCE_HEIGHT_M)), []
    for track, t in zip(actor.tracks(keypoints, noise_m=0.02), TIME_S.tolist(), strict=True):
        fitter.fit(track, t, actor.VIEW)
        seen.append(fitter.skeleton.digest)
    return fitter, seen


def test_the_skeleton_changes_only_at_calibration_events() -> None:
    _, seen = digests()
    changes = [k for k in range(1, len(seen)) if seen[k] != seen[k - 1]]  # adopted by the pose after the event
    assert changes
    assert set(changes) <= set(EVENTS)


def test_lengths_move_towards_what_is_seen_and_both_sides_alike() -> None:
    fitter, _ = digests()
    ratio = dict(zip(fitter.skeleton.names, fitter.skeleton.bone_lengths_m / skeleton.REFERENCE.bone_lengths_m, strict=True))
    assert ratio["left_knee"] > 1.01
    assert ratio["left_elbow"] < 0.99
    for joint in ("knee", "ankle", "elbow", "wrist"):
        np.testing.assert_allclose(ratio[f"left_{joint}"], ratio[f"right_{joint}"])
    assert ratio["head"] == 1.0


def test_hips_that_a_method_sees_wider_become_wide_and_keep_the_pelvis_from_turning() -> None:
    keypoints, joints = actor.poses_m(TIME_S, skeleton.REFERENCE)
    left, right = (actor.NAMES.index(f"{side}_hip") for side in ("left", "right"))
    wider = 0.2 * (keypoints[:, left] - keypoints[:, right])  # 1.4 times as wide
    keypoints[:, left] += wider
    keypoints[:, right] -= wider
    fitter = Fitter(actor.NAMES, FitSettings())
    rows = actor.tracks(keypoints, noise_m=0.005, noise_px=1.0)
    fitter.learn(rows[:15], actor.VIEW)
    hip = fitter.skeleton.index("left_hip")
    assert fitter.skeleton.bone_lengths_m[hip] > 1.3 * skeleton.REFERENCE.bone_lengths_m[hip]
    found = actor.fitted(rows, TIME_S, fitter)
    across, true = (points[30:, hip] - points[30:, skeleton.REFERENCE.index("right_hip")] for points in (found, joints))
    cosine = np.sum(across * true, axis=1) / np.linalg.norm(across, axis=1) / np.linalg.norm(true, axis=1)
    assert np.degrees(np.arccos(cosine)).mean() < 5.0


def test_a_known_skeleton_keeps_its_lengths_and_learns_how_large_the_method_sees_it() -> None:
    keypoints, joints = actor.poses_m(TIME_S, long_legged())
    fitter = Fitter(actor.NAMES, FitSettings(skeleton=long_legged()))
    rows = actor.tracks(keypoints, noise_m=0.005, noise_px=1.0)
    small = [
        actor.replaced(row, slice(None), px=row.keypoints_px, m=0.8 * np.array(row.keypoints_m), confidence=0.9) for row in rows
    ]
    found = actor.fitted(small, TIME_S, fitter)
    assert fitter.measured
    assert fitter.skeleton.digest == long_legged().digest
    assert actor.error_m(found, joints)[EVENTS[0] + 15 :].mean() < 0.03


def test_a_person_seen_too_small_keeps_the_given_size() -> None:
    keypoints, _ = actor.poses_m(TIME_S, skeleton.REFERENCE)
    fitter = Fitter(actor.NAMES, FitSettings(height_m=skeleton.REFERENCE_HEIGHT_M))
    for track, t in zip(actor.tracks(keypoints * 0.8, noise_m=0.0), TIME_S.tolist(), strict=True):
        fitter.fit(track, t, actor.VIEW)
    np.testing.assert_allclose(fitter.skeleton.bone_lengths_m, skeleton.REFERENCE.bone_lengths_m, rtol=0.02)


def test_what_is_learnt_beforehand_holds_from_the_first_pose_on() -> None:
    keypoints, _ = actor.poses_m(TIME_S, skeleton.REFERENCE)
    rows = actor.tracks(keypoints, noise_m=0.02)
    fitter = Fitter(actor.NAMES, FitSettings())
    fitter.learn(rows[:15], actor.VIEW)
    first = fitter.skeleton.digest
    for track, t in zip(rows, TIME_S.tolist(), strict=True):
        fitter.fit(track, t, actor.VIEW)
        assert fitter.skeleton.digest == first


def test_a_long_recording_is_learnt_too() -> None:
    keypoints, _ = actor.poses_m(TIME_S, skeleton.REFERENCE.with_bone_lengths(1.1 * skeleton.REFERENCE.bone_lengths_m))
    rows = actor.tracks(keypoints, noise_m=0.0)
    long = (rows * (EVENTS[-1] // len(rows) + 2))[: EVENTS[-1] + 20]
    fitter, brief = Fitter(actor.NAMES, FitSettings()), Fitter(actor.NAMES, FitSettings())
    fitter.learn(long, actor.VIEW)
    brief.learn(rows[:200], actor.VIEW)
    np.testing.assert_allclose(fitter.skeleton.bone_lengths_m, brief.skeleton.bone_lengths_m, rtol=0.02)


def seen_small(*, uneven: float) -> Fitter:
    """Somebody of unknown size, seen at 0.8 of the reference; left limbs longer and right ones shorter by `uneven`."""
    person = skeleton.REFERENCE.bone_lengths_m.copy()
    limbs = ("elbow", "wrist", "knee", "ankle")
    for side, factor in (("left", 1.0 + uneven), ("right", 1.0 - uneven)):
        person[[skeleton.REFERENCE.index(f"{side}_{joint}") for joint in limbs]] *= factor
    keypoints, _ = actor.poses_m(TIME_S[:20], skeleton.REFERENCE.with_bone_lengths(0.8 * person))
    fitter = Fitter(actor.NAMES, FitSettings())
    fitter.learn(actor.tracks(keypoints, noise_m=0.01), actor.VIEW)
    return fitter


def size(fitter: Fitter) -> float:
    knee = skeleton.REFERENCE.index("left_knee")
    return float(fitter.skeleton.bone_lengths_m[knee] / skeleton.REFERENCE.bone_lengths_m[knee])


def test_somebody_of_unknown_size_is_as_large_as_a_precise_method_says() -> None:
    assert size(seen_small(uneven=0.0)) < 0.84


def test_a_method_whose_left_and_right_differ_is_believed_less() -> None:
    assert size(seen_small(uneven=0.15)) > 0.87


def test_a_given_height_is_kept_whatever_the_method_says() -> None:
    keypoints, _ = actor.poses_m(TIME_S[:20], skeleton.REFERENCE.scaled(0.8))
    fitter = Fitter(actor.NAMES, FitSettings(height_m=skeleton.REFERENCE_HEIGHT_M))
    fitter.learn(actor.tracks(keypoints, noise_m=0.01), actor.VIEW)
    assert abs(size(fitter) - 1.0) < 0.02


def precision(*, lasts: float) -> float:
    """Of a method of 15 mm of noise, of which `lasts` is left after a frame."""
    keypoints, _ = actor.poses_m(TIME_S[:15])
    rng, noise_m = np.random.default_rng(5), np.zeros(keypoints.shape)
    for k in range(15):
        fresh_m = rng.normal(0.0, 0.015, keypoints.shape[1:])
        noise_m[k] = fresh_m if k == 0 else lasts * noise_m[k - 1] + np.sqrt(1.0 - lasts**2) * fresh_m
    fitter = Fitter(actor.NAMES, FitSettings())
    fitter.learn(actor.tracks(keypoints + noise_m, noise_m=0.0), actor.VIEW)
    return fitter._calibration.precision  # pyright: ignore[reportPrivateUsage]


def test_only_errors_that_do_not_last_are_worth_following_closely() -> None:
    assert precision(lasts=0.0) > 1.5
    assert precision(lasts=0.7) == 1.0
