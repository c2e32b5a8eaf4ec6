"""What a solve is worth beside the live fit, on the BVH files of CMU motion below a folder:

    PYTHONPATH=tests/take python tests/solve/measure_solve.py FOLDER [CLIPS [PATTERN]]

Each clip stands in front of a camera and is seen with two kinds of noise, then recorded live and solved. Printed: mean error of
the 12 limb joints from the middle of the hips (mm), and their mean acceleration (m/s^2). `white` is the issue's: 20 mm, 3 px and
5 % dropouts, anew in every frame. `network` is made of slow errors of 4 cm (a quarter of a second) and fast ones of 1.2 cm,
twice as much along the line of sight, as single-view networks make them; no smoothing removes what is slow.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from bvh_reader import Bvh  # of tests/take
from scipy.ndimage import gaussian_filter1d

from posewire import camera as cameras
from posewire import metrics, rotation
from posewire.data import Track
from posewire.fit import FitSettings, Fitter
from posewire.solve import solve_take
from posewire.take import Take, TakeFrame, TakeHeader, TakeWriter

FPS, SECONDS, SEED = 60, 3, 11
CMU_NAMES = {
    f"{side}_{joint}": side[0] + name
    for side in ("left", "right")
    for joint, name in {
        "shoulder": "Shldr",
        "elbow": "ForeArm",
        "wrist": "Hand",
        "hip": "Thigh",
        "knee": "Shin",
        "ankle": "Foot",
    }.items()
}
NAMES = tuple(CMU_NAMES)
HIPS = [NAMES.index("left_hip"), NAMES.index("right_hip")]
LEG_M = 0.835
"""Thigh and shank of a person of 1.70 m (Winter 2009), to which a clip is scaled."""
CAMERA = cameras.assumed(1920, 1080)


def clip_m(path: Path, rng: np.random.Generator) -> np.ndarray:
    """(T, 12, 3) limbs in world axes before the camera, in a random heading."""
    bvh = Bvh(path)
    step = max(1, round(1 / (FPS * bvh.frame_time_s)))
    rows = [bvh.positions_cm(k) for k in range(1, bvh.frames, step)[: FPS * SECONDS]]  # the first frame is a T-pose
    joints = np.array([[row[name] for name in CMU_NAMES.values()] for row in rows])
    knee, ankle = NAMES.index("left_knee"), NAMES.index("left_ankle")
    leg = np.linalg.norm(joints[0, HIPS[0]] - joints[0, knee]) + np.linalg.norm(joints[0, knee] - joints[0, ankle])
    joints = rotation.rotate(rotation.exp([0.0, rng.uniform(0, 2 * np.pi), 0.0]), joints * (LEG_M / leg))
    joints -= joints.mean(axis=(0, 1))
    return joints - [0.0, 0.0, max(3.2, 2.2 * np.abs(joints).max())]


def seen(joints: np.ndarray, kind: str, rng: np.random.Generator) -> list[Track]:
    """What a method says of them."""
    points = cameras.to_camera(joints, CAMERA)
    pixels, relative = cameras.project(points, CAMERA), points - points[:, HIPS].mean(axis=1, keepdims=True)
    confidence = np.full(points.shape[:2], 0.95)
    if kind == "white":
        relative, pixels = relative + rng.normal(0, 0.02, points.shape), pixels + rng.normal(0, 3.0, pixels.shape)
        dropped = rng.random(confidence.shape) < 0.05
        relative[dropped], pixels[dropped], confidence[dropped] = np.nan, np.nan, 0.0
    else:
        px_per_m = CAMERA.K[0, 0] / points[..., 2].mean()
        relative = 0.97 * relative + (slow(rng, points.shape, 0.25, 0.04) + slow(rng, points.shape, 0.03, 0.012)) * [1, 1, 2]
        pixels += px_per_m * (slow(rng, pixels.shape, 0.25, 0.012) + slow(rng, pixels.shape, 0.03, 0.006))
    return [Track(0, *row) for row in zip(pixels, confidence, np.tile([0.0, 0, 1, 1], (len(points), 1)), relative, strict=True)]


def slow(rng: np.random.Generator, shape: tuple[int, ...], time_s: float, deviation: float) -> np.ndarray:
    """Noise that changes within about `time_s`."""
    noise = gaussian_filter1d(rng.normal(0, 1, (shape[0] + 16 * FPS, *shape[1:])), time_s * FPS, axis=0)[-shape[0] :]
    return noise / noise.std() * deviation


def record(path: Path, tracks: list[Track]) -> Take:
    """The live take of a file: its first 15 frames calibrate the bones, as in the pipeline."""
    fitter = Fitter(NAMES, FitSettings())
    fitter.learn(tracks[:15], CAMERA)
    with TakeWriter(path, TakeHeader("cmu", "made up", NAMES)) as writer:
        for k, track in enumerate(tracks):
            pose = fitter.fit(track, k / FPS, CAMERA)
            poses = () if pose is None else (pose,)
            writer.add_frame(TakeFrame(k / FPS, k, 0, CAMERA, (track,), poses, {0: fitter.skeleton}))
    return Take.open(path)


def numbers(said: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Error in mm and acceleration in m/s^2."""
    roots = (HIPS[0], HIPS[1])
    errors = metrics.joint_errors_m(metrics.root_relative(said, roots), metrics.root_relative(truth, roots))
    return 1e3 * float(np.nanmean(errors)), metrics.mean_acceleration_m_s2(said, np.arange(len(said)) / FPS)


def limbs_m(take: Take) -> np.ndarray:
    arrays = take.arrays(0)
    return arrays.positions_m[:, 0, [arrays.joint_names.index(name) for name in NAMES]].astype(float)


def main(folder: Path, clips: int, pattern: str) -> None:
    """Prints a line for each clip and noise, and the means."""
    rng = np.random.default_rng(SEED)
    files = sorted(folder.rglob(pattern))
    rows: dict[str, list[tuple[float, ...]]] = {"white": [], "network": []}
    print(f"{'clip':8} {'noise':8} {'live mm':>8} {'solve mm':>8} {'ratio':>6} {'live acc':>9} {'solve acc':>9} {'true acc':>9}")
    for path in [files[k] for k in rng.choice(len(files), min(clips, len(files)), replace=False)]:
        truth = clip_m(path, rng)
        for kind, found in rows.items():
            with tempfile.TemporaryDirectory() as made:
                live = record(Path(made) / "live.pwt", seen(truth, kind, rng))
                solved = Take.open(solve_take(live, Path(made) / "solved.pwt").path)
                (a, a_acc), (b, b_acc) = (numbers(limbs_m(take), truth) for take in (live, solved))
            found.append((a, b, b / a, a_acc, b_acc, numbers(truth, truth)[1]))
            print(line(path.stem, kind, found[-1]), flush=True)
    for kind, found in rows.items():
        print(line("mean", kind, tuple(np.mean(found, axis=0))))


def line(name: str, kind: str, row: tuple[float, ...]) -> str:
    return f"{name:8} {kind:8} {row[0]:8.1f} {row[1]:8.1f} {row[2]:6.2f} {row[3]:9.1f} {row[4]:9.1f} {row[5]:9.1f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 12, sys.argv[3] if len(sys.argv) > 3 else "*.bvh")
