"""The latent space on paper: UMAP's two dimensions, twice, coloured by activity and by the side that the camera sees."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from posewire.data import FloatArray, ImageArray
from posewire.errors import PosewireError
from posewire_data.joints import JOINTS

SIDES = ("front", "front left", "left", "back left", "back", "back right", "right", "front right")
"""Of the person, as the camera sees them; once around."""

_LEFT_HIP, _RIGHT_HIP = JOINTS.index("left_hip"), JOINTS.index("right_hip")
_PLOT_PX, _LEGEND_PX, _MARGIN_PX = 560, 165, 20


def projected(latents: Tensor, neighbours: int) -> FloatArray:
    """(N, 2) by UMAP (McInnes et al. 2018).

    Most of its time is not the points: the first call of a process compiles it (numba). From 4096 points on it also compiles a
    search for approximate neighbours.

    Raises:
        PosewireError: umap-learn is not installed.
    """
    try:
        umap: Any = importlib.import_module("umap")
    except ImportError as error:
        raise PosewireError("The latent-space plot needs umap-learn.", got=error, hint="pip install umap-learn") from error
    made = umap.UMAP(n_neighbors=neighbours, random_state=0, n_jobs=1)  # a seed allows one thread only
    return np.asarray(made.fit_transform(latents.numpy()), dtype=np.float64)


def sides_seen(joints_m: FloatArray) -> list[str]:
    """Which of SIDES the camera sees of each pose (N, 17, 3): x to the right, z away from the camera."""
    across = joints_m[:, _LEFT_HIP] - joints_m[:, _RIGHT_HIP]
    eighths = np.round(np.arctan2(-across[:, 2], across[:, 0]) / (np.pi / 4)).astype(int)
    return [SIDES[i] for i in eighths % len(SIDES)]


def scatter(points: FloatArray, labels: Sequence[str], names: Sequence[str]) -> ImageArray:
    """Points (N, 2), a colour for the label of each, with a legend; `names`: all labels, in the order of their hues."""
    hues = np.array([[[180 * i / len(names), 220, 205]] for i in range(len(names))], np.uint8)
    shades = cv2.cvtColor(hues, cv2.COLOR_HSV2BGR)[:, 0]
    colours = {name: tuple(map(int, shade)) for name, shade in zip(names, shades, strict=True)}
    picture = np.full((_PLOT_PX, _PLOT_PX + _LEGEND_PX, 3), 255, np.uint8)
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    places = (_MARGIN_PX + (points - low) / span * (_PLOT_PX - 2 * _MARGIN_PX)).astype(int)
    for (x, y), label in zip(places, labels, strict=True):
        cv2.circle(picture, (int(x), int(y)), 2, colours[label], cv2.FILLED)
    for i, (name, colour) in enumerate(colours.items()):
        at = (_PLOT_PX + 10, 30 + 22 * i)
        cv2.putText(picture, name[:20], at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    return picture
