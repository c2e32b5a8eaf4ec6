"""The metrics by their axioms: what they ignore, what they must see, and how they treat what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posewire import metrics, rotation

RNG = np.random.default_rng(11)
POSES = RNG.normal(0, 0.4, (20, 12, 3))
NOISY = POSES + RNG.normal(0, 0.03, POSES.shape)
SHIFT_M = np.array([0.03, 0.0, 0.04])
TIME_S = np.cumsum(RNG.uniform(0.01, 0.03, 20))


def turned(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Each frame under its own rotation, scale and shift."""
    rng = np.random.default_rng(seed)
    R = rotation.to_matrix(rotation.normalise(rng.normal(size=(len(points), 4))))
    return rng.uniform(0.3, 3, (len(points), 1, 1)) * points @ np.swapaxes(R, -1, -2) + rng.normal(size=(len(points), 1, 3))


# ---- position


def test_a_motion_has_no_distance_from_itself() -> None:
    for metric in (metrics.mpjpe_m, metrics.n_mpjpe_m, metrics.pa_mpjpe_m, metrics.depth_error_m):
        assert metric(POSES, POSES) == pytest.approx(0.0, abs=1e-12)
    assert metrics.pck_3d(POSES, POSES) == 1.0
    assert metrics.auc_3d(POSES, POSES) == 1.0


def test_mpjpe_is_the_distance_of_a_shift() -> None:
    assert metrics.mpjpe_m(POSES + SHIFT_M, POSES) == pytest.approx(0.05)
    assert metrics.depth_error_m(POSES + SHIFT_M, POSES) == pytest.approx(0.04)


def test_root_relative_ignores_a_shift_of_each_frame() -> None:
    shifted = POSES + RNG.normal(size=(20, 1, 3))
    np.testing.assert_allclose(metrics.root_relative(shifted, [6, 7]), metrics.root_relative(POSES, [6, 7]))
    np.testing.assert_allclose(metrics.root_relative(POSES, [6, 7])[:, 6:8].mean(axis=1), 0, atol=1e-15)


def test_centred_ignores_a_shift_of_each_frame() -> None:
    np.testing.assert_allclose(metrics.centred(POSES + RNG.normal(size=(20, 1, 3))), metrics.centred(POSES), atol=1e-15)


def test_n_mpjpe_ignores_scale_only() -> None:
    scale = RNG.uniform(0.5, 2, (20, 1, 1))
    assert metrics.n_mpjpe_m(NOISY * scale, POSES) == pytest.approx(metrics.n_mpjpe_m(NOISY, POSES))
    assert metrics.n_mpjpe_m(turned(POSES), POSES) > 0.1


def test_pa_mpjpe_ignores_every_similarity_of_the_prediction() -> None:
    assert metrics.pa_mpjpe_m(turned(POSES), POSES) == pytest.approx(0.0, abs=1e-9)
    assert metrics.pa_mpjpe_m(turned(NOISY), POSES) == pytest.approx(metrics.pa_mpjpe_m(NOISY, POSES))


def test_pa_mpjpe_does_not_mirror() -> None:
    assert metrics.pa_mpjpe_m(POSES * [-1, 1, 1], POSES) > 0.05


def test_alignment_is_the_best_of_many_similarities() -> None:
    best = np.sum((metrics.aligned(NOISY, POSES) - POSES) ** 2, axis=(1, 2))
    for seed in range(50):
        rng = np.random.default_rng(seed)
        R = rotation.to_matrix(rotation.exp(rng.normal(0, 0.02, (20, 3))))
        other = metrics.aligned(NOISY, POSES) @ R * rng.normal(1, 0.02) + rng.normal(0, 0.01, 3)
        assert (np.sum((other - POSES) ** 2, axis=(1, 2)) >= best - 1e-12).all()


def test_alignment_without_scale_is_rigid() -> None:
    moved = turned(NOISY)
    np.testing.assert_allclose(distances(metrics.aligned(moved, POSES, with_scale=False)), distances(moved), atol=1e-9)
    R = rotation.to_matrix(rotation.exp(RNG.normal(size=(20, 3))))
    same = NOISY @ R + RNG.normal(size=(20, 1, 3))
    expected = metrics.aligned(NOISY, POSES, with_scale=False)
    np.testing.assert_allclose(metrics.aligned(same, POSES, with_scale=False), expected, atol=1e-9)


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)


def test_errors_are_ordered_by_what_is_taken_out() -> None:
    p, r = metrics.root_relative(NOISY * 1.1, [0]), metrics.root_relative(POSES, [0])
    squared = [np.mean(np.sum((q - r) ** 2, -1)) for q in (p, metrics.scaled(p, r), metrics.aligned(p, r))]
    assert squared[0] > squared[1] > squared[2]


@pytest.mark.parametrize("points", [np.zeros((1, 12, 3)), np.full((1, 12, 3), np.nan)], ids=["one point", "nothing"])
def test_a_degenerate_pose_has_no_alignment(points: np.ndarray) -> None:
    assert np.isnan(metrics.pa_mpjpe_m(points, POSES[:1]))


def test_two_common_joints_are_too_few_to_align() -> None:
    prediction = POSES.copy()
    prediction[:, 2:] = np.nan
    assert np.isnan(metrics.pa_mpjpe_m(prediction, POSES))


def test_a_flat_pose_is_aligned_by_a_proper_rotation() -> None:
    flat = POSES * [1, 1, 0]
    assert metrics.pa_mpjpe_m(turned(flat), flat) == pytest.approx(0.0, abs=1e-9)


def test_missing_joints_leave_the_mean_and_fail_the_pck() -> None:
    prediction = POSES.copy()
    prediction[:, :3] = np.nan
    assert metrics.pa_mpjpe_m(prediction, POSES) == pytest.approx(0.0, abs=1e-9)
    assert metrics.pck_3d(prediction, POSES) == pytest.approx(9 / 12)
    assert metrics.seen_fraction(prediction, POSES) == pytest.approx(9 / 12)


def test_joints_that_are_not_annotated_never_count() -> None:
    reference = POSES.copy()
    reference[:, :3] = np.nan
    assert metrics.pck_3d(POSES, reference) == 1.0
    assert metrics.seen_fraction(POSES, reference) == 1.0
    assert metrics.mpjpe_m(NOISY, reference) == pytest.approx(metrics.mpjpe_m(NOISY[:, 3:], POSES[:, 3:]))


def test_auc_and_pck_of_a_known_error() -> None:
    prediction = POSES + np.array([0.0751, 0, 0])
    assert metrics.pck_3d(prediction, POSES) == 1.0
    assert metrics.pck_3d(prediction, POSES, threshold_m=0.075) == 0.0
    assert metrics.auc_3d(prediction, POSES) == pytest.approx(15 / 31)  # 80, 85, ... 150 mm of 0, 5, ... 150 mm


def test_thresholds_are_0_to_150_mm_in_steps_of_5() -> None:
    assert len(metrics.AUC_THRESHOLDS_M) == 31
    assert metrics.AUC_THRESHOLDS_M[[0, 1, -1]].tolist() == [0.0, 0.005, 0.15]


@settings(max_examples=50, deadline=None)
@given(arrays(float, (6, 5), elements=st.floats(0, 0.3) | st.just(float("nan"))))
def test_the_pck_curve_never_falls(errors: np.ndarray) -> None:
    curve = metrics.pck_curve(errors, np.ones_like(errors, dtype=bool))
    assert (np.diff(curve) >= 0).all()
    assert 0 <= curve[0] <= curve[-1] <= 1


def test_nothing_annotated_is_nan_not_zero() -> None:
    nothing = np.full_like(POSES, np.nan)
    assert np.isnan([metrics.pck_3d(POSES, nothing), metrics.auc_3d(POSES, nothing), metrics.mpjpe_m(POSES, nothing)]).all()


def test_pck_2d_is_relative_to_the_longer_side_of_the_box() -> None:
    reference = np.zeros((1, 4, 2))
    prediction = np.array([[[19.0, 0], [21, 0], [0, 20], [np.nan, 0]]])
    boxes = np.array([[0.0, 0, 50, 100]])
    assert metrics.pck_2d(prediction, reference, boxes) == pytest.approx(2 / 4)
    assert metrics.pck_2d(prediction * 7, reference, boxes * 7) == pytest.approx(2 / 4)


# ---- motion


def test_a_parabola_has_its_acceleration_at_uneven_times() -> None:
    a = np.array([1.0, -2.0, 3.0])
    positions = 0.5 * a * TIME_S[:, None, None] ** 2 + TIME_S[:, None, None] * [5.0, 6, 7] + np.zeros((1, 4, 1))
    np.testing.assert_allclose(metrics.accelerations_m_s2(positions, TIME_S), np.broadcast_to(a, (18, 4, 3)), atol=1e-8)


def test_acceleration_ignores_a_constant_velocity_and_a_fixed_rotation() -> None:
    R = rotation.to_matrix(rotation.exp([0.3, 0.5, -1.0]))
    drifting = POSES @ R.T + TIME_S[:, None, None] * [1.0, 2, 3]
    assert metrics.mean_acceleration_m_s2(drifting, TIME_S) == pytest.approx(metrics.mean_acceleration_m_s2(POSES, TIME_S))


def test_acceleration_goes_with_the_inverse_square_of_time() -> None:
    assert metrics.mean_acceleration_m_s2(POSES, 2 * TIME_S) == pytest.approx(metrics.mean_acceleration_m_s2(POSES, TIME_S) / 4)


def test_a_missing_frame_costs_three_accelerations_and_no_more() -> None:
    positions = POSES.copy()
    positions[10] = np.nan
    assert np.isnan(metrics.accelerations_m_s2(positions, TIME_S)).all(axis=(1, 2)).sum() == 3
    assert np.isfinite(metrics.mean_acceleration_m_s2(positions, TIME_S))


def test_acceleration_error_is_zero_for_the_same_motion_elsewhere() -> None:
    assert metrics.acceleration_error_m_s2(POSES + 5.0, POSES, TIME_S) == pytest.approx(0.0, abs=1e-8)
    assert metrics.acceleration_error_m_s2(NOISY, POSES, TIME_S) > 1


def test_a_clock_that_stands_still_gives_no_acceleration_there() -> None:
    stuck = TIME_S.copy()
    stuck[10] = stuck[9]
    assert np.isnan(metrics.accelerations_m_s2(POSES, stuck)).all(axis=(1, 2)).sum() == 2
    assert np.isfinite(metrics.mean_acceleration_m_s2(POSES, stuck))


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_too_few_frames_have_no_acceleration(frames: int) -> None:
    assert np.isnan(metrics.mean_acceleration_m_s2(POSES[:frames], TIME_S[:frames]))


def test_a_rigid_motion_has_constant_bones() -> None:
    R = rotation.to_matrix(rotation.exp(RNG.normal(size=(20, 3))))
    rigid = POSES[:1] @ np.swapaxes(R, -1, -2) + RNG.normal(size=(20, 1, 3))
    assert metrics.bone_length_std_m(rigid, [(0, 1), (1, 2)]) == pytest.approx(0.0, abs=1e-12)


def test_bone_length_deviation_of_a_known_bone() -> None:
    positions = np.zeros((4, 2, 3))
    positions[:, 1, 0] = [0.9, 1.1, 0.9, 1.1]
    assert metrics.bone_length_std_m(positions, [(0, 1)]) == pytest.approx(0.1)


def test_only_horizontal_motion_in_contact_slides() -> None:
    feet = np.zeros((5, 2, 3))
    feet[:, 0] = np.arange(5)[:, None] * [0.003, 0.5, 0.004]  # 5 mm a step along the floor, and up
    feet[:, 1, 0] = np.arange(5) * 0.1
    contacts = np.array([[1, 0]] * 4 + [[0, 0]], bool)
    np.testing.assert_allclose(metrics.slide_speeds_m_s(feet, contacts, np.arange(5) / 60), [0.3, 0.3, 0.3])
    likely = np.where(contacts, 0.55, 0.45)
    np.testing.assert_allclose(metrics.slide_speeds_m_s(feet, likely, np.arange(5) / 60), [0.3, 0.3, 0.3])
    assert metrics.slide_speeds_m_s(feet, contacts * np.nan, np.arange(5) / 60).size == 0


def test_contact_f1_of_known_flags() -> None:
    true = np.array([1, 1, 1, 0, 0, 0])
    assert metrics.contact_f1(true, true) == 1.0
    assert metrics.contact_f1(np.zeros(6), true) == 0.0
    assert metrics.contact_f1(np.array([1, 1, 0, 1, 0, 0]), true) == pytest.approx(2 / 3)
    assert metrics.contact_f1(np.array([0.6, 0.51, 0.4, 0.51, 0.0, 0.49]), true) == pytest.approx(2 / 3)
    assert np.isnan(metrics.contact_f1(np.zeros(6), np.zeros(6)))


def swinging(time_s: np.ndarray) -> np.ndarray:
    """A smooth motion (T, 3, 3)."""
    phases, angle = np.arange(9).reshape(3, 3), 2 * np.pi * time_s[:, None, None]
    return np.sin(0.9 * angle + phases) + 0.3 * np.sin(2.3 * angle + 2 * phases)


@pytest.mark.parametrize("frames", [-2.0, -0.55, 0.0, 0.36, 1.5, 4.0])
def test_delay_of_a_shifted_motion(frames: float) -> None:
    time_s = np.arange(120) / 60
    delayed = 1.3 * swinging(time_s - frames / 60) + 4.0
    assert metrics.delay_s(delayed, swinging(time_s), time_s) * 60 == pytest.approx(frames, abs=0.005)


def test_delay_is_found_under_noise_and_with_missing_frames() -> None:
    time_s = np.arange(200) / 60
    delayed = swinging(time_s - 0.05) + np.random.default_rng(4).normal(0, 0.1, (200, 3, 3))
    delayed[50:55] = np.nan
    assert metrics.delay_s(delayed, swinging(time_s), time_s) == pytest.approx(0.05, abs=0.005)


def test_delay_does_not_depend_on_axes_or_on_a_joint_that_is_never_seen() -> None:
    time_s = np.arange(120) / 60
    turned_late = swinging(time_s - 0.04) @ rotation.to_matrix(rotation.exp([1.0, -2.0, 0.5]))
    unseen = np.full((120, 1, 3), np.nan)
    late = metrics.delay_s(np.concatenate([turned_late, unseen], 1), np.concatenate([swinging(time_s), unseen + 1], 1), time_s)
    assert late == pytest.approx(0.04, abs=0.001)


def test_delay_of_a_still_person_is_unknown() -> None:
    time_s = np.arange(60) / 60
    assert np.isnan(metrics.delay_s(np.ones((60, 3, 3)), np.ones((60, 3, 3)), time_s))
    assert np.isnan(metrics.delay_s(np.full((60, 3, 3), np.nan), swinging(time_s), time_s))


def test_delay_is_unknown_where_time_does_not_increase_and_beyond_the_range() -> None:
    time_s = np.arange(120) / 60
    stuck = np.where(np.arange(120) == 50, time_s[49], time_s)
    assert np.isnan(metrics.delay_s(swinging(time_s - 0.05), swinging(time_s), stuck))
    assert np.isnan(metrics.delay_s(swinging(time_s - 0.05), swinging(time_s), time_s, longest_s=0.04))
    assert np.isnan(metrics.delay_s(swinging(time_s + 0.05), swinging(time_s), time_s, longest_s=0.04))


def test_delay_needs_eight_frames_that_are_judged_at_every_delay() -> None:
    time_s = np.arange(14) / 60
    late = swinging(time_s - 0.01)
    assert metrics.delay_s(late, swinging(time_s), time_s, longest_s=0.05) == pytest.approx(0.01, abs=1e-3)
    assert np.isnan(metrics.delay_s(late[:13], swinging(time_s)[:13], time_s[:13], longest_s=0.05))
    assert np.isnan(metrics.delay_s(late[:5], swinging(time_s)[:5], time_s[:5]))


# ---- people


def test_people_are_matched_whatever_their_order() -> None:
    reference = RNG.uniform(0, 500, (4, 12, 2))
    order = np.array([2, 0, 3, 1])
    matches = metrics.match_people(reference[order] + 3.0, reference, gate_px=50)
    np.testing.assert_array_equal(order[matches], np.arange(4))


def test_a_person_too_far_away_or_unseen_is_not_matched() -> None:
    reference = np.zeros((2, 3, 2))
    prediction = np.stack([np.full((3, 2), 400.0), np.full((3, 2), np.nan)])
    assert metrics.match_people(prediction, reference, gate_px=50).tolist() == [-1, -1]
    assert metrics.match_people(np.empty((0, 3, 2)), reference, gate_px=50).tolist() == [-1, -1]
    assert metrics.match_people(prediction, np.empty((0, 3, 2)), gate_px=50).tolist() == []


def test_all_annotated_counts_whom_matched_only_leaves_out() -> None:
    score = metrics.score_people(POSES[[1, 0]], POSES[:4], np.array([1, 0, -1, -1]))
    assert score.pck_matched_only == 1.0
    assert score.pck_all_annotated == 0.5
    assert score.matched_fraction == 0.5
    assert score.mpjpe_matched_m == pytest.approx(0.0)


def test_nobody_matched_is_nan_and_zero() -> None:
    score = metrics.score_people(np.empty((0, 12, 3)), POSES[:2], np.array([-1, -1]))
    assert np.isnan(score.pck_matched_only)
    assert score.pck_all_annotated == 0.0
