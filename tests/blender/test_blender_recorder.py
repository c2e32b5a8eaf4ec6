"""Recordings keep the capture's time at any frame rate, and what artists may ask of a motion does what it says."""

from __future__ import annotations

import numpy as np
import pytest
from posewire_live import rotation
from posewire_live.conversion import BLENDER, bone_conversions, model_frame
from posewire_live.protocol import Skeleton
from posewire_live.recorder import CaptureClock, Recorder, continuous
from posewire_live.shaping import HORIZONTAL, IN_PLACE, Shape, Shaper

NOBODY = np.full(4, np.nan)
UP = np.array([0.0, 1.0, 0.0])
TREE = Skeleton(
    ("pelvis", "left_hip", "right_hip"), (-1, 0, 0), np.array([[0, 0.9, 0], [0.1, 0, 0], [-0.1, 0, 0]], dtype=np.float64)
)


def turning(time_s: float) -> np.ndarray:
    return rotation.about(UP, 3.0 * time_s)[None]


@pytest.mark.parametrize("fps", [24.0, 23.976, 30.0, 60.0, 120.0])
def test_ten_minutes_do_not_drift(fps: float) -> None:
    """Irregular capture times; at every frame the motion is that of the frame's own time."""
    rng = np.random.default_rng(1)
    times_s = np.cumsum(rng.uniform(0.012, 0.021, 36_500))
    times_s -= times_s[0]
    recorder = Recorder(turned=1)
    for time_s in times_s:
        recorder.add(time_s, np.array([[time_s, 0.0, 0.0]]), turning(time_s), NOBODY)
    baked = recorder.baked(fps, start_frame=11)
    assert baked.frames[0] == 11
    assert baked.frames[-1] == 11 + int(times_s[-1] * fps)
    assert np.abs(baked.locations[:, 0, 0] - (baked.frames - 11) / fps).max() < 1e-4
    last_s = (baked.frames[-1] - 11) / fps
    assert abs(np.sum(baked.rotations_wxyz[-1, 0] * turning(last_s)[0])) > 1 - 1e-5


def test_signs_do_not_jump() -> None:
    q = np.array([turning(t) * (-1) ** i for i, t in enumerate(np.linspace(0, 6, 200))])
    smooth = continuous(q)
    assert (np.sum(smooth[1:] * smooth[:-1], axis=-1) > 0).all()
    assert np.allclose(np.abs(np.sum(smooth * q, axis=-1)), 1.0)


def test_one_sample_gives_one_frame() -> None:
    recorder = Recorder(turned=1)
    recorder.add(0.0, np.zeros((1, 3)), turning(0.0), NOBODY)
    assert recorder.baked(24.0, 1).frames.tolist() == [1]


@pytest.mark.parametrize(
    ("times_s", "frames"),
    [
        ((0.0, 0.1, 0.5, 0.6), [*range(7)]),
        ((0.0, 0.1, 2.0, 2.1), [0, 1, 20, 21]),
        ((0.0, 0.1, 0.17, 1.93, 2.0, 2.1), [0, 1, 20, 21]),
        ((0.0, 1.0, 2.0), [*range(21)]),  # a slow source has no gaps
        ((0.05, 0.08, 0.11, 0.14, 3.05), [1]),
    ],
)
def test_a_short_gap_is_bridged_and_a_long_one_stays_empty(times_s: tuple[float, ...], frames: list[int]) -> None:
    recorder = Recorder(turned=1)
    for time_s in times_s:
        recorder.add(time_s, np.array([[time_s, 0, 0]]), turning(0.1 * time_s), NOBODY)
    baked = recorder.baked(10.0, 0)
    assert baked.frames.tolist() == frames
    assert np.allclose(baked.locations[:, 0, 0], baked.frames / 10)


def test_the_clock_runs_on_when_a_publisher_starts_again_or_loops() -> None:
    clock = CaptureClock()
    assert clock.time_s("a", 100.0, 0.0) == 0.0
    assert clock.time_s("a", 100.5, 0.5) == pytest.approx(0.5)
    assert clock.time_s("b", 3.0, 2.5) == pytest.approx(2.5)  # two seconds on the wall
    assert clock.time_s("b", 3.25, 2.8) == pytest.approx(2.75)
    assert clock.time_s("b", 0.0, 2.9) == pytest.approx(2.85)  # the file began again
    assert clock.time_s("b", 500.0, 3.0) == pytest.approx(2.95)


def test_mirroring_exchanges_sides_and_reflects() -> None:
    bent = np.array([rotation.IDENTITY, rotation.about(np.array([0, 0, 1.0]), 0.5), rotation.IDENTITY])
    root_m, mirrored = Shaper(TREE, Shape(mirror=True))(0.0, np.array([0.3, 1.0, 2.0]), bent)
    assert root_m.tolist() == [-0.3, 1.0, 2.0]
    assert np.allclose(mirrored[2], rotation.about(np.array([0, 0, 1.0]), -0.5))
    assert np.allclose(mirrored[1], rotation.IDENTITY)


def test_root_motion_and_ground_offset() -> None:
    still = np.tile(rotation.IDENTITY, (3, 1))
    root_m = np.array([0.3, 1.0, 2.0])
    assert Shaper(TREE, Shape(root_motion=HORIZONTAL))(0.0, root_m, still)[0].tolist() == [0.3, 0.9, 2.0]
    assert Shaper(TREE, Shape(root_motion=IN_PLACE))(0.0, root_m, still)[0].tolist() == [0.0, 1.0, 0.0]
    assert Shaper(TREE, Shape(ground_offset_m=0.1))(0.0, root_m, still)[0][1] == pytest.approx(1.1)


def test_smoothing_calms_noise_and_follows_in_the_end() -> None:
    shaper = Shaper(TREE, Shape(smoothing_s=0.1))
    noise = np.random.default_rng(2).normal(0, 0.02, (300, 3))
    rows = [shaper(i / 60, np.array([1.0, 1.0, 1.0]) + noise[i], np.tile(rotation.IDENTITY, (3, 1)))[0] for i in range(300)]
    assert np.std(rows[60:], axis=0).max() < 0.5 * np.std(noise, axis=0).min()
    assert np.allclose(np.mean(rows[60:], axis=0), 1.0, atol=0.01)


def test_model_axes_are_found_in_any_armature() -> None:
    assert np.allclose(model_frame(None, None, 1.0).R_armature_model, BLENDER)
    assert np.allclose(model_frame(np.array([0.2, 0.01, 0]), np.array([0.02, -0.1, 1.0]), 1.0).R_armature_model, BLENDER)
    y_up = model_frame(np.array([20.0, 0, 0]), np.array([0, 70.0, 3.0]), 0.01)
    assert np.allclose(y_up.R_armature_model, np.eye(3))
    assert np.allclose(y_up.to_armature(np.array([0.0, 1.0, 0.0])), [0, 100, 0])
    facing_x = model_frame(np.array([0, 1.0, 0]), np.array([0, 0, 1.0]), 1.0)
    assert np.allclose(facing_x.R_armature_model[:, 2], [1, 0, 0])
    slanted = model_frame(np.array([1.0, 1.0, 0]), np.array([0, 0, 1.0]), 1.0).R_armature_model
    assert np.allclose(slanted.T @ slanted, np.eye(3))
    assert np.linalg.det(slanted) == pytest.approx(1.0)


def test_a_turn_in_model_axes_is_the_same_turn_in_a_bones_own_axes() -> None:
    frame = model_frame(None, None, 1.0)
    roll = rotation.to_matrix(rotation.about(np.array([0.6, 0.0, 0.8]), 1.1))
    q = rotation.about(UP, 0.7)
    got = bone_conversions(frame, roll[None])[0] @ q
    turn = BLENDER @ rotation.to_matrix(q) @ BLENDER.T
    assert np.allclose(roll @ rotation.to_matrix(got) @ roll.T, turn)
