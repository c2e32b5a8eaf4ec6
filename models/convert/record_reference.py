"""Record what mediapipe's own runtime says on a clip, for tests and experiments (mediapipe 0.10.21, numpy < 2).

    python record_reference.py VIDEO --out reference.npz             # 12 static + 100 tracked frames, for tests/
    python record_reference.py VIDEO --out all.npz --smooth both     # tracked frames, raw and smoothed, for experiments

Keys of the file are listed in README.md beside this script.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mediapipe.python.solution_base import SolutionBase

GRAPH = "mediapipe/modules/pose_landmark/pose_landmark_cpu.binarypb"
# The public mp.solutions.pose.Pose asks for the first two only; the regions tell a test what the landmark net looked at.
OUTPUTS = [
    "pose_landmarks",
    "pose_world_landmarks",
    "pose_detection",
    "pose_rect_from_detection",
    "pose_rect_from_landmarks",
]
LANDMARKS = 33


class Pose(SolutionBase):
    """mp.solutions.pose.Pose with its defaults (model_complexity 1, confidences 0.5) and the regions as extra outputs."""

    def __init__(self, *, static: bool, smooth: bool) -> None:
        side_inputs = {
            "model_complexity": 1,
            "smooth_landmarks": smooth and not static,
            "enable_segmentation": False,
            "smooth_segmentation": False,
            "use_prev_landmarks": not static,
        }
        thresholds = {
            "posedetectioncpu__TensorsToDetectionsCalculator.min_score_thresh": 0.5,
            "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation__ThresholdingCalculator.threshold": 0.5,
        }
        super().__init__(binary_graph_path=GRAPH, side_inputs=side_inputs, calculator_params=thresholds, outputs=OUTPUTS)


def frames_rgb(video: Path, limit: int) -> Iterator[np.ndarray]:
    capture = cv2.VideoCapture(str(video))
    for _ in range(limit):
        found, image_bgr = capture.read()
        if not found:
            return
        yield cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)


def rect_row(rect: Any) -> np.ndarray:
    """(5,) centre x, centre y, width, height as fractions of the image, rotation in radians; NaN where there is none."""
    if not rect:
        return np.full(5, np.nan)
    return np.array([rect.x_center, rect.y_center, rect.width, rect.height, rect.rotation])


def detection_row(detection: Any) -> np.ndarray:
    """(13,) score, box x, y, width, height, four key points x, y; all positions as fractions of the image."""
    if not detection:
        return np.full(13, np.nan)
    box = detection.location_data.relative_bounding_box
    points = [v for p in detection.location_data.relative_keypoints for v in (p.x, p.y)]
    return np.array([detection.score[0], box.xmin, box.ymin, box.width, box.height, *points])


def landmark_rows(result: Any, width_px: int, height_px: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Landmarks in pixels (33,3) with z at x's scale, world landmarks in metres (33,3), visibility (33,)."""
    if not result.pose_landmarks:
        nan = np.full((LANDMARKS, 3), np.nan)
        return nan, nan, np.full(LANDMARKS, np.nan)
    scale = np.array([width_px, height_px, width_px])
    image = np.array([(p.x, p.y, p.z) for p in result.pose_landmarks.landmark]) * scale
    world = np.array([(p.x, p.y, p.z) for p in result.pose_world_landmarks.landmark])
    return image, world, np.array([p.visibility for p in result.pose_landmarks.landmark])


def record(video: Path, indices: list[int], *, static: bool, smooth: bool) -> dict[str, np.ndarray]:
    """Run the original on the named frames, in order; every array has one row a frame."""
    rows: dict[str, list[np.ndarray]] = {}
    with Pose(static=static, smooth=smooth) as pose:
        for index, image in enumerate(frames_rgb(video, max(indices) + 1)):
            if index not in indices:
                continue
            result: Any = pose.process(input_data={"image": image})
            keypoints_px, keypoints_m, visibility = landmark_rows(result, image.shape[1], image.shape[0])
            row = {
                "keypoints_px": keypoints_px,
                "keypoints_m": keypoints_m,
                "visibility": visibility,
                "detection": detection_row(result.pose_detection),
                "region_from_detection": rect_row(result.pose_rect_from_detection),
                "region_from_landmarks": rect_row(result.pose_rect_from_landmarks),
            }
            for name, value in row.items():
                rows.setdefault(name, []).append(value.astype(np.float32))
    return {name: np.stack(values) for name, values in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=100, help="tracked frames, from the first")
    parser.add_argument("--static", type=int, default=12, help="single frames, evenly spread")
    parser.add_argument("--smooth", choices=["off", "both"], default="off")
    options = parser.parse_args()

    first = next(frames_rgb(options.video, 1))
    all_frames = list(range(options.frames))
    arrays = {
        "image_size_px": np.array([first.shape[1], first.shape[0]]),
        "tracked_index": np.array(all_frames),
    }
    tracked = record(options.video, all_frames, static=False, smooth=False)
    arrays |= {f"tracked_{name}": rows for name, rows in tracked.items()}
    if options.static:
        indices = np.linspace(0, options.frames - 1, options.static).astype(int)
        single = record(options.video, indices.tolist(), static=True, smooth=False)
        arrays |= {"static_index": indices} | {f"static_{name}": rows for name, rows in single.items()}
    if options.smooth == "both":
        smoothed = record(options.video, all_frames, static=False, smooth=True)
        arrays |= {f"smoothed_{name}": rows for name, rows in smoothed.items()}
    np.savez_compressed(options.out, **arrays)
    for name, rows in arrays.items():
        print(name, rows.shape, rows.dtype)


if __name__ == "__main__":
    main()
