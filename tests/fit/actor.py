"""A made-up person in front of a camera, as a method would see them."""

from __future__ import annotations

import numpy as np

from posewire import camera as cameras
from posewire import rotation, skeleton
from posewire.data import Camera, FloatArray, Track
from posewire.fit import FitSettings, Fitter
from posewire.skeleton import MARKERS, Skeleton

NAMES = ("nose", "left_ear", "right_ear")
for _joint in ("shoulder", "elbow", "wrist", "index", "hip", "knee", "ankle", "heel", "foot_index"):
    NAMES += (f"left_{_joint}", f"right_{_joint}")
LIMBS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
VIEW = cameras.assumed(1280, 720)


def angles_at(time_s: FloatArray, person: Skeleton = skeleton.REFERENCE) -> FloatArray:
    """(T, D) a brisk walk on the spot with swinging arms."""
    moves = {
        "left_hip_flexion": (-15, 30, 0.0),
        "right_hip_flexion": (-15, 30, np.pi),
        "left_knee_flexion": (35, 30, 0.6),
        "right_knee_flexion": (35, 30, np.pi + 0.6),
        "left_shoulder_elevation": (-65, 0, 0.0),
        "right_shoulder_elevation": (65, 0, 0.0),
        "left_shoulder_horizontal": (0, 25, np.pi),
        "right_shoulder_horizontal": (0, 25, np.pi),
        "left_elbow_flexion": (-40, 20, 0.0),
        "right_elbow_flexion": (40, 20, 0.0),
        "chest_rotation": (0, 8, 0.0),
    }
    angles = np.zeros((len(time_s), len(person.dofs)))
    for name, (middle, swing, phase) in moves.items():
        angles[:, person.dof_names.index(name)] = np.radians(middle + swing * np.sin(2 * np.pi * 0.8 * time_s + phase))
    return angles


def poses_m(time_s: FloatArray, person: Skeleton = skeleton.REFERENCE, yaw_rad: float = 0.4) -> tuple[FloatArray, FloatArray]:
    """Keypoints (T, J, 3) and joints (T, N, 3) in world axes, 3.5 m before the camera."""
    turn = np.broadcast_to(rotation.exp([0.0, yaw_rad, 0.0]), (len(time_s), 4))
    local = person.joint_rotations(angles_at(time_s, person), turn)
    root = np.array([0.1, 0.0, -3.5]) + 0.1 * np.sin(2 * np.pi * 0.3 * time_s)[:, None] * [1.0, 0.2, 1.0]
    joints, world = person.positions_m(root, local), person.world_rotations(local)
    at = [person.index(MARKERS[name].joint) for name in NAMES]
    scale = person.bone_lengths_m[1] / skeleton.REFERENCE.bone_lengths_m[1]
    offsets = np.array([MARKERS[name].offset_m for name in NAMES]) * scale
    return joints[:, at] + rotation.rotate(world[:, at], offsets), joints


def tracks(
    keypoints: FloatArray, seed: int = 0, noise_m: float = 0.01, noise_px: float = 2.0, camera: Camera = VIEW
) -> list[Track]:
    """What a method says of keypoints (T, J, 3): noisy, root-relative, camera axes."""
    rng = np.random.default_rng(seed)
    seen = cameras.to_camera(keypoints, camera)
    pixels = cameras.project(seen, camera) + rng.normal(0, noise_px, (*seen.shape[:2], 2))
    hips = seen[:, [NAMES.index("left_hip"), NAMES.index("right_hip")]].mean(axis=1, keepdims=True)
    relative = seen - hips + rng.normal(0, noise_m, seen.shape)
    box, sure = np.array([0.0, 0.0, 1280.0, 720.0]), np.full(len(NAMES), 0.9)
    return [Track(7, px, sure, box, xyz) for px, xyz in zip(pixels, relative, strict=True)]


def replaced(
    track: Track, rows: FloatArray | list[int], *, px: object = np.nan, m: object = np.nan, confidence: float = 0.0
) -> Track:
    """The track with some keypoints unseen or elsewhere."""
    pixels, metres, sure = np.array(track.keypoints_px), np.array(track.keypoints_m), np.array(track.confidence)
    pixels[rows], metres[rows], sure[rows] = px, m, confidence
    return Track(track.person_id, pixels, sure, track.box_px, metres)


def mirrored_labels(track: Track) -> Track:
    """The track with left and right exchanged."""
    order = [NAMES.index(name.replace("left", "#").replace("right", "left").replace("#", "right")) for name in NAMES]
    assert track.keypoints_m is not None
    return Track(track.person_id, track.keypoints_px[order], track.confidence[order], track.box_px, track.keypoints_m[order])


def limbs(person: Skeleton) -> list[int]:
    """Indices of the twelve limb joints."""
    return [person.index(name) for name in LIMBS]


def fitted(rows: list[Track], time_s: FloatArray, fitter: Fitter | None = None, camera: Camera = VIEW) -> FloatArray:
    """(T, N, 3) joints of every frame; NaN where the fitter says nothing."""
    fitter = fitter or Fitter(NAMES, FitSettings())
    poses = [fitter.fit(track, t, camera) for track, t in zip(rows, time_s.tolist(), strict=True)]
    nothing = np.full((len(skeleton.REFERENCE.names), 3), np.nan)
    return np.array([nothing if pose is None else pose.positions_m for pose in poses])


def error_m(joints: FloatArray, truth: FloatArray) -> FloatArray:
    """(T,) mean distance of the limb joints from the truth, both from the pelvis."""
    at = limbs(skeleton.REFERENCE)
    return np.linalg.norm((joints - joints[:, :1])[:, at] - (truth - truth[:, :1])[:, at], axis=-1).mean(axis=1)


def acceleration(joints: FloatArray, fps: float) -> float:
    """Mean of the limb joints, m/s^2."""
    return float(np.linalg.norm(np.diff(joints[:, limbs(skeleton.REFERENCE)], 2, axis=0), axis=-1).mean() * fps**2)
