"""Print how long the ONNX files of a folder take: python measure.py DIR [--people 1 4] (onnxruntime and numpy only)."""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before onnxruntime is imported, which reports to its maker

import numpy as np
import onnxruntime


def best_and_median_ms(session: onnxruntime.InferenceSession, shape: list[int], runs: int = 60) -> tuple[float, float]:
    image = np.random.default_rng(0).random(shape, np.float32)
    times_s: list[float] = []
    for _ in range(runs):
        start_s = time.perf_counter()
        session.run(None, {"image": image})
        times_s.append(time.perf_counter() - start_s)
    return min(times_s) * 1000, float(np.median(times_s)) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    free = {"height": 384, "width": 512}  # what a 4:3 picture becomes with its long side at 512
    for path in sorted(options.folder.glob("*.onnx")):
        for threads in (1, 2):
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = threads
            session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
            axes = session.get_inputs()[0].shape
            for people in options.people if "people" in axes else [1]:
                shape = [{**free, "people": people}[n] if isinstance(n, str) else n for n in axes]
                best, median = best_and_median_ms(session, shape)
                print(f"{path.name} {shape} threads {threads}: best {best:.2f} ms, median {median:.2f} ms")


if __name__ == "__main__":
    main()
