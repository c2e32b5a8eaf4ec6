"""Networks that say what a test tells them: sessions without a file, with everything that a real one has.

A reading is made from known people by the targets themselves, through perfect maps, so association, crowd and geometry are real.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from xnect_scenes import SHAPE, inside

from posewire.runtime import Tensor
from posewire_data.joints import JOINTS
from posewire_xnect import association, encodings, networks, targets
from posewire_xnect.rows import WIDTH
from posewire_xnect.skeleton import LINKS, J, Scheme
from posewire_xnect.targets import FloatArray

Arrays = Mapping[str, np.ndarray]
K = association.CANDIDATES


class Told:
    """A posewire.runtime.Session that answers by a function."""

    def __init__(
        self,
        kind: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        answer: Callable[[Arrays], Arrays],
        scheme: Scheme = "sparse",
        size: tuple[int, int] | None = None,
    ) -> None:
        width, height = size or (512, 320)
        self.name = f"told {kind}"
        self.metadata = {
            "posewire_kind": kind,
            "posewire_version": networks.VERSION,
            "joints": ",".join(JOINTS),
            "stride_px": str(targets.STRIDE),
            "scheme": scheme,
            "size": f"{width}x{height}",
        }
        self.inputs, self.outputs = _tensors(inputs), _tensors(outputs)
        self.asked: list[Arrays] = []
        self.closed = 0
        self._answer = answer

    def run(self, inputs: Arrays) -> Arrays:
        self.asked.append(inputs)
        return self._answer(inputs)

    def close(self) -> None:
        self.closed += 1


def _tensors(shapes: Mapping[str, Any]) -> tuple[Tensor, ...]:
    return tuple(Tensor(name, shape, "tensor(float)") for name, shape in shapes.items())


def stage_one(
    answer: Callable[[Arrays], Arrays] | Arrays,
    size: tuple[int, int] | None = (512, 320),
    *,
    centres: bool = False,
    scheme: Scheme = "sparse",
) -> Told:
    """Stage I for pictures of a size, or of any; the same reading for every picture, or one by its picture; on a trunk that says
    centres, or on another."""
    width, height = size or (None, None)
    outputs: dict[str, Any] = {"peaks": (1, J, K, 3), "integrals": (1, len(LINKS), K, K), "encodings": (1, J, K, 3 * J)}
    if centres:
        outputs |= {"centres": (1, K), "guesses": (1, K, J, 2)}
    say = answer if callable(answer) else lambda _: answer
    return Told(networks.STAGE_ONE, {"image": (1, 3, height, width)}, outputs, say, scheme, size)


def stage_two(pose_m: FloatArray, scheme: Scheme = "sparse") -> Told:
    """Stage II that says this pose (J, 3) of everybody."""
    inputs, outputs = {"rows": (None, J, WIDTH)}, {"joints_m": (None, J, 3)}

    def answer(asked: Arrays) -> Arrays:
        return {"joints_m": np.repeat(pose_m[None].astype(np.float32), len(asked["rows"]), axis=0)}

    return Told(networks.STAGE_TWO, inputs, outputs, answer, scheme)


def reading(
    points: FloatArray, joints_m: FloatArray | None = None, shape: tuple[int, int] = SHAPE, scheme: Scheme = "sparse"
) -> Arrays:
    """What a perfect Stage I leaves of people at (P, J, 2) cells, NaN = hidden; joints_m (P, J, 3) for the encodings."""
    visible = np.isfinite(points).all(axis=-1)
    visible[visible] = inside(points[visible]) if shape == SHAPE else True
    points = np.where(visible[..., None], points, -100.0)
    peaks = association.find_peaks(targets.heatmaps(points, visible, shape))
    integrals = association.line_integrals(targets.affinity_fields(points, visible, shape), peaks.points)
    told = np.zeros((J, K, 3 * J))
    if joints_m is not None:
        maps, _ = encodings.encode(points, joints_m, visible, shape, scheme)
        x, y = np.rint(peaks.points).astype(int).transpose(2, 0, 1)
        told = maps[:, y, x].transpose(1, 2, 0) * (peaks.scores > 0)[..., None]
    rows = np.concatenate([peaks.points, peaks.scores[..., None]], axis=-1)
    return {"peaks": rows[None], "integrals": integrals[None], "encodings": told[None]}


def with_centres(said: Arrays, guesses: FloatArray, scores: list[float]) -> Arrays:
    """The same reading, and centres of these heights whose joints are guessed at (C, J, 2) cells."""
    heights, places = np.zeros((1, K)), np.zeros((1, K, J, 2))
    heights[0, : len(scores)], places[0, : len(scores)] = scores, guesses
    return {**said, "centres": heights, "guesses": places}


def nobody() -> Arrays:
    return {
        "peaks": np.zeros((1, J, K, 3)),
        "integrals": np.zeros((1, len(LINKS), K, K)),
        "encodings": np.zeros((1, J, K, 3 * J)),
    }
