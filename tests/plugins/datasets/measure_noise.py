"""How BlazePose really errs in 2D on the balancing trial, beside the noise model (which was not fitted to it).

python tests/plugins/datasets/measure_noise.py balancing_cam01.mp4 balancing_reference.npz cam01
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from posewire_data.joints import JOINTS
from posewire_data.noise import NoiseModel
from posewire_data.watch import sizes_px, watch

SIDES = {"R": "right", "L": "left"}


def universal_name(name: str) -> str:
    """RHip to right_hip."""
    return f"{SIDES[name[0]]}_{name[1:].lower()}" if name[0] in SIDES else name.lower()


def true_px(reference: Path, view: str) -> np.ndarray:
    """(T, 17, 2) the reference in the picture; NaN where it has no such joint."""
    with np.load(reference) as file:
        R, t, K, distortion = (file[f"{view}_{key}"].astype(float) for key in ("R_cam_world", "t_cam_world_m", "K", "dist"))
        pixels = np.full((len(file["time_s"]), len(JOINTS), 2), np.nan)
        for i, name in enumerate(file["joint_names"]):
            if universal_name(str(name)) in JOINTS and name != "Neck":
                world_m = file["joints_world_m"][:, i].astype(float)
                points = cv2.projectPoints(world_m, cv2.Rodrigues(R)[0], t, K, distortion)[0]
                pixels[:, JOINTS.index(universal_name(str(name)))] = points[:, 0]
    return pixels


def spread(errors: np.ndarray) -> str:
    lengths = 100 * np.linalg.norm(errors, axis=-1)
    return f"median {np.nanmedian(lengths):.1f} %, 90 % below {np.nanpercentile(lengths, 90):.1f} %"


def main(clip: str, reference: str, view: str) -> None:
    seen = max(watch(Path(clip)), key=lambda one: len(one.frames))
    errors = (seen.points_px - true_px(Path(reference), view)[seen.frames.astype(int)]) / np.median(sizes_px(seen.points_px))
    with np.errstate(invalid="ignore"):
        known = np.isfinite(errors).any(axis=(0, 2))
    errors = errors[:, known]
    print(f"{Path(clip).name}, shares of the person's size, {errors.shape[0]} frames, {known.sum()} joints")
    print("real                 ", spread(errors))
    print("real, less the median", spread(errors - np.nanmedian(errors, axis=0)))
    pose = np.tile(np.nanmedian(np.where(known[:, None], seen.points_px, np.nan), axis=0, keepdims=True)[None], (300, 60, 1, 1))
    said, _ = NoiseModel.load().said(np.random.default_rng(0), pose, seen.rate_hz)
    print("model                ", spread(((said - pose) / sizes_px(pose[0, 0]))[:, :, known]))


if __name__ == "__main__":
    main(*sys.argv[1:])
