"""Cameras over a floor and people on it, as exact numbers; noise is added where a test wants it."""

import numpy as np

from posewire import camera as cam
from posewire.data import Camera
from posewire.ground import world_from_floor
from posewire.skeleton import MARKERS, REFERENCE, for_height


def camera_over_floor(height_m=1.4, pitch_deg=12.0, roll_deg=4.0, width_px=1280, height_px=720, fov_deg=50.0):
    """A camera that looks down by the pitch, rolled, its world's origin on the floor below it."""
    pitch, roll = np.radians([pitch_deg, roll_deg])
    up = np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])
    lens = cam.assumed(width_px, height_px, fov_deg)
    return Camera(width_px, height_px, lens.K, lens.distortion, world_from_floor(up, -height_m * up), "calibrated")


def walk(seconds=12.0, fps=30.0, stride_m=0.65, radius_m=1.3, centre_m=(0.0, 0.0, -4.0)):
    """Feet (T, 4, 3) of somebody who walks in a circle, world axes: heel and toe left, heel and toe right. And (T,) times."""
    time_s = np.arange(0.0, seconds, 1.0 / fps)
    feet = np.empty((len(time_s), 4, 3))
    for side, phase in enumerate((0.0, 0.5)):
        cycle = time_s / 1.1 + phase
        swing = np.clip((cycle % 1.0 - 0.6) / 0.4, 0.0, 1.0)  # 60 % of a cycle a foot stands
        way_m = 2 * stride_m * (np.floor(cycle) - phase + 0.5 - 0.5 * np.cos(np.pi * swing))
        angle = way_m / radius_m
        ahead = np.stack([-np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)
        out = np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], axis=-1)
        heel = np.array(centre_m) + (radius_m + (0.1 if side else -0.1)) * out
        heel[:, 1] += 0.12 * np.sin(np.pi * swing)
        feet[:, 2 * side], feet[:, 2 * side + 1] = heel, heel + 0.21 * ahead
    return feet, time_s


def depth_noise(points_m, rng, across_m=0.01, along_m=0.03, smooth=9):
    """The points (T, F, 3) in camera axes with the noise of a filtered single view: slow, and worse along the line of sight."""
    sight = points_m / np.linalg.norm(points_m, axis=-1, keepdims=True)
    noise = rng.normal(0.0, across_m, points_m.shape) + sight * rng.normal(0.0, along_m, (*points_m.shape[:-1], 1))
    kernel = np.ones(smooth) / np.sqrt(smooth)  # keeps the deviation
    return points_m + np.apply_along_axis(np.convolve, 0, noise, kernel, mode="same")


def marker_positions_m(height_m, names):
    """Where markers (J, 3) of the native skeleton are in its rest pose."""
    skeleton, scale = for_height(height_m), height_m / 1.70
    joints = skeleton.positions_m(skeleton.offsets_m[0], np.tile([1.0, 0, 0, 0], (len(skeleton.names), 1)))
    return np.array([joints[REFERENCE.index(MARKERS[n].joint)] + scale * np.array(MARKERS[n].offset_m) for n in names])


def angle_deg(a, b):
    """The angle between two directions."""
    return np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))
