"""MPI-INF-3DHP's people cut out of the green screen: frames, masks, labels of the training set, for who has its licence.

S1/Seq1/imageSequence, FGmasks and ChairMasks hold the same videos (video_0.avi) or, as its README advises, their pictures
(img_0_000001.jpg, counted from 1). What the masks say, after that README and the data set's own MuCo-3DHP code: FGmasks' red is
bright on whatever is not green screen, its green and blue are dark on upper and lower clothes, ChairMasks' red
is dark on the chair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray, ImageArray
from posewire_data.errors import DatasetError
from posewire_data.matlab import read_mat
from posewire_data.mpi_inf_3dhp import CHEST_CAMERAS
from posewire_data.sequences import MM, fitted_camera, joints_of, needed

_PARTS = ("imageSequence", "FGmasks", "ChairMasks")
_SIDED = ("clavicle", "shoulder", "elbow", "wrist", "hand")
_LEG = ("hip", "knee", "ankle", "foot", "toe")
ALL_28: tuple[str, ...] = (
    *("spine3", "spine4", "spine2", "chest", "pelvis", "neck", "head", "head_top"),
    *(f"{side}_{name}" for side in ("left", "right") for name in _SIDED),
    *(f"{side}_{name}" for side in ("left", "right") for name in _LEG),
)
"""The annotation's joints in its order (mpii_get_joint_set 'all'), by Posewire's names; its "spine" is our `chest`."""
_PELVIS, _HIPS = ALL_28.index("pelvis"), [ALL_28.index("left_hip"), ALL_28.index("right_hip")]
_BAD_MASKS = {("S1", "Seq2"), ("S4", "Seq2")}
"""mpii_get_sequence_info says that their masks do not do for another background."""
_CLOTHES = {("S2", "Seq2"), ("S3", "Seq2"), ("S5", "Seq2"), ("S6", "Seq2"), ("S7", "Seq1"), ("S8", "Seq1")}
"""Plain clothes, of which both masks are good (mpii_get_sequence_info: ub_augmentable, lb_augmentable)."""
_FOREGROUND, _CHAIR = 100, 32
"""Brighter than this is no green screen, darker than this is the chair."""
_AROUND = 0.25
"""Of the longer side of the box round the joints: farther away, what is not green belongs to the studio."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskedFrame:
    """One person and perhaps a chair in one frame of one camera."""

    subject: str
    sequence: str
    camera: int
    frame: int
    rgb: ImageArray
    """(H, W, 3) the whole frame."""
    person: NDArray[np.bool_]
    """(H, W) the person and the chair."""
    chair: NDArray[np.bool_]
    """(H, W) the chair alone."""
    clothes: NDArray[np.uint8]
    """(2, H, W) 255 on upper, on lower clothes; zero where the sequence has no mask of them."""
    points_px: FloatArray
    """(28, 2) in the order of ALL_28; the pelvis is put between the hips, as everywhere here."""
    points_m: FloatArray
    """(28, 3) camera axes: `annot3`, which projects onto `points_px` (the universal one does not)."""
    K: FloatArray
    """(3, 3) fitted to the sequence's 2D and 3D."""


def masked_videos(folder: Path) -> list[tuple[Path, int]]:
    """Every S*/Seq* with the number of a chest-high camera whose frames and masks are there.

    Raises:
        DatasetError: there is none.
    """
    seats = [seat for seat in sorted(folder.glob("S[1-8]/Seq[12]")) if (seat.parent.name, seat.name) not in _BAD_MASKS]
    seats = seats or [needed(folder / "S1" / "Seq1", "MPI-INF-3DHP's training set")]
    videos = [(seat, camera) for seat in seats for camera in CHEST_CAMERAS if all(_count(seat, part, camera) for part in _PARTS)]
    if not videos:
        raise DatasetError(
            f"There are no masked frames in {folder}.",
            got=f"{len(seats)} sequences, {seats[0]} first",
            allowed=f"video_0.avi or img_0_000001.jpg in each of {', '.join(_PARTS)}",
            hint="fetch the data set with download_masks=1 in its conf.ig",
        )
    return videos


def read_masked_frames(seat: Path, camera: int, count: int, rng: np.random.Generator) -> Iterator[MaskedFrame]:
    """`count` frames of a video, drawn at random from equal parts of it; frames without a person in the mask are left out.

    Raises:
        DatasetError: a file does not read, or has other joints or another size than its mask.
    """
    path = needed(seat / "annot.mat", "the annotation of a sequence")
    found = read_mat(path, ("annot2", "annot3"))
    if camera >= found["annot3"].size:
        raise DatasetError(f"{path} has no camera {camera}.", got=f"{found['annot3'].size} cameras", hint="fetch it again")
    points_px, places_m = (joints_of(found[name].ravel()[camera], 28, n, path) for name, n in (("annot2", 2), ("annot3", 3)))
    for points in (points_px, places_m):
        points[:, _PELVIS] = points[:, _HIPS].mean(axis=1)
    places_m = places_m * MM
    length = min(len(points_px), *(_count(seat, part, camera) for part in _PARTS))
    edges = np.linspace(0, length, min(count, length) + 1)
    frames = [int(rng.uniform(a, b)) for a, b in pairwise(edges)]
    pinhole: Camera | None = None
    readers = [_reader(seat, part, camera) for part in _PARTS]
    for frame in frames:
        rgb, foreground, chair = (read(frame) for read in readers)
        if not rgb.shape == foreground.shape == chair.shape:
            got = f"{rgb.shape}, {foreground.shape}, {chair.shape}"
            raise DatasetError(f"Frame {frame} of camera {camera} in {seat} and its masks differ in size.", got=got)
        pinhole = pinhole or fitted_camera(places_m, points_px, (rgb.shape[1], rgb.shape[0]))
        person, seat_mask = _cut(foreground, chair, points_px[frame])
        if person.any():
            names = (seat.parent.name, seat.name)
            clothes = _clothes(foreground, person) if names in _CLOTHES else np.zeros((2, *person.shape), np.uint8)
            yield MaskedFrame(
                *names, camera, frame, rgb, person, seat_mask, clothes, points_px[frame], places_m[frame], pinhole.K
            )


def _cut(foreground: ImageArray, chair: ImageArray, points_px: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks (H, W) of person and chair, and of the chair: the pieces near the joints that hold a joint, and the largest chair."""
    height, width = foreground.shape[:2]
    low, high = np.nanmin(points_px, axis=0), np.nanmax(points_px, axis=0)
    margin = _AROUND * float((high - low).max())
    x0, y0 = np.clip(low - margin, 0, (width, height)).astype(int)
    x1, y1 = np.clip(high + margin + 1, 0, (width, height)).astype(int)
    window = np.zeros((height, width), dtype=np.bool_)
    window[y0:y1, x0:x1] = True
    seat = _largest((chair[..., 0] < _CHAIR) & window)
    solid = ((foreground[..., 0] > _FOREGROUND) & window) | seat
    pieces = cv2.connectedComponents(solid.astype(np.uint8))[1]
    inside = (
        np.isfinite(points_px).all(axis=1) & (points_px >= 0).all(axis=1) & (points_px < (width - 0.5, height - 0.5)).all(axis=1)
    )
    x, y = points_px[inside].round().astype(int).T
    held = np.unique(pieces[y, x])
    return np.isin(pieces, held[held > 0]), seat & np.isin(pieces, held[held > 0])


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected piece: compression leaves specks."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return mask if count < 2 else pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _clothes(foreground: ImageArray, person: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(2, H, W) from the dark parts of green and blue."""
    return np.stack([np.where(person, 255 - foreground[..., channel], 0).astype(np.uint8) for channel in (1, 2)])


def _count(seat: Path, part: str, camera: int) -> int:
    """Frames that there are of a part: extracted pictures, else the video's."""
    pictures = len(list((seat / part).glob(f"img_{camera}_*.jpg")))
    video = seat / part / f"video_{camera}.avi"
    return pictures or (int(cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_COUNT)) if video.is_file() else 0)


def _reader(seat: Path, part: str, camera: int) -> Callable[[int], ImageArray]:
    """From a frame's number, from 0, to its picture (H, W, 3) RGB."""
    video = seat / part / f"video_{camera}.avi"
    first = seat / part / f"img_{camera}_000001.jpg"
    capture = None if first.is_file() else cv2.VideoCapture(str(video))

    def read(frame: int) -> ImageArray:
        if capture is None:
            path = seat / part / f"img_{camera}_{frame + 1:06d}.jpg"
            picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.is_file() else None
        else:
            path = video
            capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
            picture = capture.read()[1]
        if picture is None:
            raise DatasetError(f"Frame {frame} does not read from {path}.", hint="fetch the file again")
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    return read
