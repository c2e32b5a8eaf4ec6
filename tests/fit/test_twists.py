"""The range of the shoulder's rotation goes with the arm, so that elbows reach overhead and still never bend backwards."""

import actor
import numpy as np
import pytest

from posewire import rotation
from posewire.data import SkeletonPose
from posewire.fit import FitSettings, Fitter
from posewire.skeleton import REFERENCE

LOW, HIGH = REFERENCE.limits_rad.T
SHOULDERS = [REFERENCE.dof_names.index(f"{side}_shoulder_rotation") for side in ("left", "right")]
ARMS = {side: [REFERENCE.index(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist")] for side in ("left", "right")}
BESIDE = {"shoulder_elevation": -80.0}
TIME_S = np.arange(60) / 30.0


def posed(**degrees: float) -> np.ndarray:
    """(D,) angles of both arms, named as on the left side."""
    angles = np.zeros(len(REFERENCE.dofs))
    for name, value in degrees.items():
        for side, sign in (("left", 1.0), ("right", -1.0)):
            d = REFERENCE.dof_names.index(f"{side}_{name}")
            angles[d] = np.radians(value) * (1.0 if REFERENCE.dofs[d].axis == (1.0, 0.0, 0.0) else sign)
    return angles


def moved(start: dict[str, float], end: dict[str, float]) -> np.ndarray:
    """(T, D) from one pose to the other within a second, and there for another."""
    share = np.clip(TIME_S, 0.0, 1.0)[:, None]
    return (1.0 - share) * posed(**start) + share * posed(**end)


def seen(angles_rad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (T, J, 3) and joints (T, N, 3) of somebody who faces the camera."""
    local = REFERENCE.joint_rotations(angles_rad, np.tile([1.0, 0.0, 0.0, 0.0], (len(angles_rad), 1)))
    joints, world = (
        REFERENCE.positions_m(np.tile([0.0, 0.0, -3.5], (len(angles_rad), 1)), local),
        REFERENCE.world_rotations(local),
    )
    markers = [actor.MARKERS[name] for name in actor.NAMES]
    at = [REFERENCE.index(marker.joint) for marker in markers]
    return joints[:, at] + rotation.rotate(world[:, at], np.array([marker.offset_m for marker in markers])), joints


def fitted(angles_rad: np.ndarray) -> tuple[Fitter, list[SkeletonPose], np.ndarray]:
    """The fitter, its poses and the true joints (T, N, 3)."""
    keypoints, joints = seen(angles_rad)
    fitter = Fitter(actor.NAMES, FitSettings(skeleton=REFERENCE))
    rows = actor.tracks(keypoints, noise_m=0.0, noise_px=0.0)
    poses = [fitter.fit(row, t, actor.VIEW) for row, t in zip(rows, TIME_S.tolist(), strict=True)]
    return fitter, [pose for pose in poses if pose is not None], joints


def test_nothing_moves_in_the_rest_pose_and_only_shoulders_move_at_all() -> None:
    np.testing.assert_allclose(REFERENCE.limit_shift_rad(np.zeros(len(REFERENCE.dofs))), 0.0, atol=1e-12)
    shift = REFERENCE.limit_shift_rad(np.random.default_rng(0).uniform(LOW, HIGH, (50, len(LOW))))
    assert np.abs(shift[:, SHOULDERS]).max() > 0.5
    assert not np.delete(shift, SHOULDERS, axis=1).any()


def test_both_sides_move_as_mirror_images() -> None:
    left, right = REFERENCE.limit_shift_rad(posed(shoulder_elevation=50.0, shoulder_horizontal=-70.0))[SHOULDERS]
    assert left == pytest.approx(right)
    assert left < -0.5


def test_the_range_moves_as_a_bone_turns_that_is_carried_over_the_resting_position() -> None:
    rng, b = np.random.default_rng(1), np.array([1.0, 0.0, 0.0])
    p = REFERENCE.twist_from[REFERENCE.index("left_shoulder")]
    at = [REFERENCE.dof_names.index(f"left_shoulder_{name}") for name in ("horizontal", "elevation")]
    for angles in rng.uniform(0.8 * LOW, 0.8 * HIGH, (30, len(LOW))):
        straight = rotation.exp(angles[at] @ REFERENCE.dof_axes[at])
        u = rotation.rotate(straight, b)
        carried = rotation.multiply(rotation.between(p, u), rotation.between(b, p))
        about = rotation.log(rotation.multiply(rotation.inverse(straight), carried))
        np.testing.assert_allclose(np.cross(about, b), 0.0, atol=1e-9)
        shift = REFERENCE.limit_shift_rad(angles)[SHOULDERS[0]]
        assert np.cos(shift - about @ b) == pytest.approx(1.0)


def test_the_kernel_moves_the_ranges_as_the_skeleton_does() -> None:
    fitter, poses, _ = fitted(moved(BESIDE, {"shoulder_elevation": 40.0, "shoulder_horizontal": -60.0, "elbow_flexion": -70.0}))
    moved_rad = fitter._memory.targets.limit_shift_rad  # pyright: ignore[reportPrivateUsage]
    expected = REFERENCE.limit_shift_rad(poses[-2].angles_rad)
    np.testing.assert_allclose(moved_rad, expected, atol=1e-9)
    assert np.abs(expected).max() > 0.3


def test_a_hand_behind_the_head_is_reached() -> None:
    up = {"shoulder_elevation": 40.0, "shoulder_horizontal": -90.0, "shoulder_rotation": -150.0, "elbow_flexion": -120.0}
    _, poses, joints = fitted(moved(BESIDE, up))
    off = (poses[-1].positions_m - poses[-1].positions_m[0]) - (joints[-1] - joints[-1, 0])
    for side in ("left", "right"):
        assert np.linalg.norm(off[ARMS[side]], axis=1).max() < 0.02


def test_a_forearm_that_points_backwards_from_a_hanging_arm_is_not_believed() -> None:
    backwards = {"shoulder_elevation": -80.0, "elbow_flexion": 70.0}
    _, poses, _ = fitted(moved(BESIDE, backwards))
    angles = np.array([pose.angles_rad for pose in poses])
    shift = REFERENCE.limit_shift_rad(angles)
    elbows = [REFERENCE.dof_names.index(f"{side}_elbow_flexion") for side in ("left", "right")]
    beyond = np.maximum(LOW - (angles - shift), angles - shift - HIGH)
    assert np.degrees(beyond[:, [*elbows, *SHOULDERS]]).max() < 5.0


def test_the_range_stays_with_the_angle_when_the_arm_passes_what_lies_opposite_its_axis() -> None:
    across = posed(shoulder_elevation=-130.0, shoulder_horizontal=-130.0)
    shifts = np.array([REFERENCE.limit_shift_rad(share * across) for share in np.linspace(0.9, 1.1, 50)])[:, SHOULDERS]
    assert np.abs(np.diff(shifts, axis=0)).max() < np.radians(30.0)


def test_a_twist_and_a_whole_turn_more_have_the_same_room() -> None:
    fitter, _, _ = fitted(moved(BESIDE, BESIDE))
    memory = fitter._memory  # pyright: ignore[reportPrivateUsage]
    before = memory.targets.limit_shift_rad[SHOULDERS].copy()
    memory.work.angles_rad[0, SHOULDERS] += 2.0 * np.pi
    fitter.fit(actor.tracks(seen(moved(BESIDE, BESIDE))[0], noise_m=0.0, noise_px=0.0)[-1], 2.0, actor.VIEW)
    np.testing.assert_allclose(memory.targets.limit_shift_rad[SHOULDERS], before + 2.0 * np.pi, atol=0.02)
