"""A tiny MPI-INF-3DHP with masks: people of sticks before a green screen, in its layout, as videos or as extracted pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from posewire_data.mpi_inf_3dhp_masks import ALL_28

SIDE_PX, FRAMES = 512, 4
K = np.array([[400.0, 0, 255.5], [0, 400.0, 255.5], [0, 0, 1]])
GREEN, SHIRT, LEGS, CHAIR, WALL = (40, 200, 60), (200, 60, 60), (60, 60, 200), (160, 30, 30), (90, 90, 90)
"""RGB."""
_CENTRE = {"spine3": 1.3, "spine4": 1.4, "spine2": 1.1, "chest": 1.2, "pelvis": 0.95, "neck": 1.46, "head": 1.6, "head_top": 1.75}
_SIDE = {
    "clavicle": (0.05, 1.44),
    "shoulder": (0.18, 1.42),
    "elbow": (0.25, 1.15),
    "wrist": (0.3, 0.92),
    "hand": (0.31, 0.85),
    "hip": (0.1, 0.95),
    "knee": (0.11, 0.53),
    "ankle": (0.11, 0.1),
    "foot": (0.12, 0.05),
    "toe": (0.13, 0.02),
}
_UPPER = [("neck", "head_top"), ("neck", "pelvis"), *((f"{s}_shoulder", f"{s}_wrist") for s in ("left", "right"))]
_LOWER = [(f"{s}_hip", f"{s}_toe") for s in ("left", "right")]


def places_m(frame: int, away_m: float, aside_m: float) -> np.ndarray:
    """(28, 3) camera axes: somebody who stands, faces the camera and moves aside, frame by frame."""
    world = {name: (0.0, y) for name, y in _CENTRE.items()}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        world |= {f"{side}_{name}": (sign * x, y) for name, (x, y) in _SIDE.items()}
    points = np.array([(*world[name], 0.0) for name in ALL_28])
    points[:, 2] = 0.05 * np.cos(np.arange(28) + frame)  # not flat: the camera is fitted to it
    return points * (1, -1, 1) + (aside_m + 0.1 * frame, 1.0, away_m)


def pixels(points_m: np.ndarray) -> np.ndarray:
    return points_m[..., :2] / points_m[..., 2:] * K[0, 0] + K[:2, 2]


def write(
    root: Path, seat: str = "S2/Seq2", *, away_m: float = 4.0, aside_m: float = 0.0, camera: int = 0, extracted: bool = False
) -> Path:
    """One sequence of FRAMES frames of one camera, its annotation and both masks; returns its folder."""
    folder = root / seat
    people = np.stack([places_m(frame, away_m, aside_m) for frame in range(FRAMES)])
    cells = {name: np.empty((14, 1), dtype=object) for name in ("annot2", "annot3", "univ_annot3")}
    for number in range(14):
        cells["annot3"][number, 0] = cells["univ_annot3"][number, 0] = people.reshape(FRAMES, -1) * 1000.0
        cells["annot2"][number, 0] = pixels(people).reshape(FRAMES, -1)
    folder.mkdir(parents=True)
    savemat(folder / "annot.mat", cells)
    drawn = [_drawn(points_m) for points_m in people]
    for part, pictures in zip(("imageSequence", "FGmasks", "ChairMasks"), zip(*drawn, strict=True), strict=True):
        (folder / part).mkdir()
        _write(folder / part, list(pictures), camera, extracted)
    return folder


def _drawn(points_m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture, FGmasks' and ChairMasks' frame (SIDE_PX, SIDE_PX, 3) RGB."""
    upper, lower, chair, wall = (np.zeros((SIDE_PX, SIDE_PX), np.uint8) for _ in range(4))
    px = pixels(points_m).round().astype(int)
    for mask, bones in ((upper, _UPPER), (lower, _LOWER)):
        for a, b in bones:
            cv2.line(mask, px[ALL_28.index(a)].tolist(), px[ALL_28.index(b)].tolist(), 255, 17)
    middle = points_m[ALL_28.index("left_knee")] * (0, 1, 1) + points_m[ALL_28.index("pelvis")] * (1, 0, 0)
    ends = pixels(middle + np.array([[-0.3, 0, 0], [0.3, 0, 0]])).round().astype(int)
    cv2.line(chair, ends[0].tolist(), ends[1].tolist(), 255, 15)
    wall[:, :24] = 255  # the studio beyond the screen is no green either
    image = np.full((SIDE_PX, SIDE_PX, 3), GREEN, np.uint8)
    for mask, colour in ((wall, WALL), (lower, LEGS), (upper, SHIRT), (chair, CHAIR)):
        image[mask > 0] = colour
    solid = np.maximum.reduce([upper, lower, chair, wall])
    covered = chair > 0
    clothes = [255 - np.where(covered, 0, mask) for mask in (upper, np.where(upper > 0, 0, lower))]
    return image, np.stack([solid, *clothes], axis=-1).astype(np.uint8), np.stack([255 - chair] * 3, axis=-1)


def _write(folder: Path, pictures: list[np.ndarray], camera: int, extracted: bool) -> None:
    if extracted:
        for number, picture in enumerate(pictures, start=1):
            cv2.imwrite(str(folder / f"img_{camera}_{number:06d}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
        return
    video = cv2.VideoWriter(str(folder / f"video_{camera}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (SIDE_PX, SIDE_PX))
    assert video.isOpened()
    for picture in pictures:
        video.write(np.ascontiguousarray(picture[..., ::-1]))
    video.release()
