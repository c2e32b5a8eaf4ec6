"""How far the fit of a film changes where its lower part is cut off, as a webcam's picture is:

    python tests/evaluate/measure_cut.py FILM X Y WIDTH HEIGHT WHOLE METHOD [METHOD ...]

X, Y and WIDTH pixels of the film, HEIGHT of them in the cut film and WHOLE in the one that it is held against; both are seen by
the film's own camera (54 degrees high), so nothing but the picture's size differs. One row a method: in how many frames the
person is there; how far head, shoulders, elbows and wrists lie from where the whole film has them, seen from the neck; how far
the thighs are from hanging straight down (mean, 95 %); the ankles' acceleration.
"""

from __future__ import annotations

import json
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from posewire.camera import assumed
from posewire.cli.recording import record_file
from posewire.data import FloatArray
from posewire.settings import Settings
from posewire.take import Take

UPPER = ("head", *(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")))


class Box(NamedTuple):
    """Pixels of the film."""

    x: int
    y: int
    width: int
    height: int


class Motion(NamedTuple):
    """The person who is there for longest."""

    joints_m: FloatArray
    """(T, N, 3) NaN where nobody is."""
    names: tuple[str, ...]
    rate_hz: float

    def of(self, *joints: str) -> FloatArray:
        """(T, len(joints), 3)."""
        return self.joints_m[:, [self.names.index(joint) for joint in joints]]


def cut(film: str, box: Box, to: Path) -> float:
    """Writes the part of the film and, beside it, its camera; the frames a second."""
    with av.open(film) as source, av.open(str(to), "w") as target:
        shown = source.streams.video[0]
        rate = shown.average_rate or Fraction(30)
        stream = target.add_stream("libx264", rate=rate, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = box.width, box.height, "yuv420p"
        for frame in source.decode(shown):
            image = frame.to_ndarray(format="rgb24").astype(np.uint8)
            part = np.ascontiguousarray(image[box.y : box.y + box.height, box.x : box.x + box.width])
            target.mux(stream.encode(av.VideoFrame.from_ndarray(part, format="rgb24")))
        target.mux(stream.encode())
        K = assumed(shown.width, shown.height).K - np.array([[0, 0, box.x], [0, 0, box.y], [0, 0, 0]])
    camera = {"width_px": box.width, "height_px": box.height, "K": K.tolist(), "distortion": [0.0] * 5, "origin": "assumed"}
    camera["T_world_camera"] = np.diag([1.0, -1.0, -1.0, 1.0]).tolist()
    to.with_suffix(".json").write_text(json.dumps(camera))
    return float(rate)


def motion(film: Path, rate_hz: float, method: str) -> Motion:
    """Runs the whole of Posewire on a film."""
    take = film.with_suffix(".pwt")
    take.unlink(missing_ok=True)
    record_file(str(film), take, Settings(method=method, camera=film.with_suffix(".json"), floor="none"))
    arrays = Take.open(take).arrays()
    there = np.isfinite(arrays.root_m[..., 0]).sum(axis=0)
    return Motion(arrays.positions_m[:, int(there.argmax())].astype(np.float64), arrays.joint_names, rate_hz)


def row(whole: Motion, part: Motion) -> str:
    """One method."""
    both = np.isfinite(whole.of("pelvis") + part.of("pelvis")).all(axis=(1, 2))
    off_m = (part.of(*UPPER) - part.of("neck")) - (whole.of(*UPPER) - whole.of("neck"))
    thighs = part.of("left_knee", "right_knee") - part.of("left_hip", "right_hip")
    leaning_deg = np.degrees(np.arccos(-thighs[..., 1] / np.linalg.norm(thighs, axis=2)))
    ankles = part.of("left_ankle", "right_ankle") - part.of("pelvis")
    acceleration = np.linalg.norm(np.diff(ankles, 2, axis=0), axis=2) * part.rate_hz**2
    return (
        f"{np.isfinite(part.joints_m[:, 0, 0]).sum():6d} {np.isfinite(whole.joints_m[:, 0, 0]).sum():6d}"
        f" {1e3 * np.linalg.norm(off_m[both], axis=2).mean():9.0f} mm"
        f" {np.nanmean(leaning_deg):8.0f} {np.nanpercentile(leaning_deg, 95):4.0f} deg {np.nanmean(acceleration):8.1f} m/s2"
    )


def main(film: str, x: str, y: str, width: str, height: str, whole: str, *methods: str) -> None:
    """A row a method."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "part.mp4", Path(folder) / "whole.mp4"]
        boxes = [Box(int(x), int(y), int(width), int(high)) for high in (height, whole)]
        rates = [cut(film, box, to) for box, to in zip(boxes, paths, strict=True)]
        print("method      frames  whole  upper joints off     thighs off down   ankles")
        for method in methods:
            part, full = (motion(path, rate, method) for path, rate in zip(paths, rates, strict=True))
            print(f"{method:<11} {row(full, part)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
