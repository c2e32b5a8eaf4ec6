"""Motion in the layout of CMU's Daz-friendly conversion: somebody made by hand, nobody's recording."""

from __future__ import annotations

import numpy as np

_TREE: list[tuple[str, str | None, tuple[float, float, float]]] = [
    ("hip", None, (0, 0, 0)),
    ("abdomen", "hip", (0, 20, 0)),
    ("chest", "abdomen", (0, 12, 0)),
    ("neck", "chest", (0, 22, -2)),
    ("head", "neck", (0, 7, 1)),
    ("leftEye", "head", (4, 8, 8)),
    ("rightEye", "head", (-4, 8, 8)),
    *[
        row
        for side, x in (("l", 1), ("r", -1))
        for row in (
            (f"{side}Collar", "chest", (3 * x, 19, -5)),
            (f"{side}Shldr", f"{side}Collar", (9 * x, -2, 1)),
            (f"{side}ForeArm", f"{side}Shldr", (28 * x, -2, 0)),
            (f"{side}Hand", f"{side}ForeArm", (23 * x, 1, 7)),
            (f"{side}Mid1", f"{side}Hand", (8 * x, 0, 0)),
            (f"{side}Buttock", "hip", (9 * x, 4, 1)),
            (f"{side}Thigh", f"{side}Buttock", (0, -2, -2)),
            (f"{side}Shin", f"{side}Thigh", (0, -37, 1)),
            (f"{side}Foot", f"{side}Shin", (-x, -45, -5)),
        )
    ],
]

WIDTH = 6 + 3 * (len(_TREE) - 1)
"""Channels of a frame."""


def hierarchy(parent: str | None = None, depth: int = 0) -> str:
    """The Daz-like tree as BVH text."""
    text = ""
    for name, above, offset in _TREE:
        if above != parent:
            continue
        channels = "Zrotation Yrotation Xrotation" if above is None else "Zrotation Xrotation Yrotation"
        channels = f"6 Xposition Yposition Zposition {channels}" if above is None else f"3 {channels}"
        below = hierarchy(name, depth + 1) or "End Site { OFFSET 0 1 0 }\n"
        kind = "ROOT" if above is None else "JOINT"
        text += f"{kind} {name}\n{{\nOFFSET {offset[0]} {offset[1]} {offset[2]}\nCHANNELS {channels}\n{below}}}\n"
    return text


def bvh_text(rows: np.ndarray, frame_time: str = "0.00833333") -> str:
    lines = "\n".join(" ".join(f"{value:.6f}" for value in row) for row in rows)
    return f"HIERARCHY\n{hierarchy()}MOTION\nFrames: {len(rows)}\nFrame Time: {frame_time}\n{lines}\n"


def swaying(frames: int) -> np.ndarray:
    """Channel values of somebody who walks a little and swings about; the first frame is a T-pose elsewhere."""
    phase = np.linspace(0, 3, frames)[:, None]
    rows = 20 * np.sin(phase + np.arange(WIDTH))
    rows[:, :3] = np.concatenate([10 * phase, 90 + 0 * phase, 5 * phase], axis=1)
    rows[0] = 0.0
    return rows
