"""Real footage as training pictures: what the default method says of it is the label (pseudo-labels), in 2D and in 3D.

BlazePose speaks of people and joints of which it is sure. Of the others, and of the head's top, which it does not have, the heads
are to say what they say already. Beside people they are to say nothing: tripods and bollards are nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from av.error import FFmpegError
from numpy.typing import NDArray
from torch import Tensor

from posewire import camera as cameras
from posewire.data import Camera, Detections, FloatArray, Frame
from posewire.errors import SettingsError, SourceError
from posewire.methods import MethodOptions
from posewire.runtime import open_session
from posewire_blazepose.estimator import open_blazepose
from posewire_blazepose.pseudo_labels import as_joints
from posewire_data.joints import JOINTS, MIRROR
from posewire_synth.layers import BY_OBJECT, OUTSIDE, VISIBLE
from posewire_training import tensors
from posewire_training.origin import digest
from posewire_xnect import album, cache, truth
from posewire_xnect.films import Mark, digest_of
from posewire_xnect.letterbox import LONGER_PX, SHORTER_PX
from posewire_xnect.movenet import FEATURES, Features, Flat, Heads, gathered
from posewire_xnect.placed import Placed
from posewire_xnect.skeleton import LINKS, NECK, J
from posewire_xnect.stage_one import Maps, Truth
from posewire_xnect.targets import STRIDE, BoolArray
from posewire_xnect.truth import Scene

PICTURES = cache.GROUPS + 1
"""Of a part, as of a rendered one."""
SURE, SEEN = 0.6, 0.5
"""Lowest mean confidence of a person that is believed, and of a joint that is there."""
MOST = 10
"""People of a frame whom BlazePose looks for; a part has room for more (album.MOST)."""
BESIDE = 0.2
"""A person's box is so much wider and higher on each side, as a share of its height: nobody knows where exactly it ends."""
STANDING_M = 1.7
"""Height of somebody whose distance is guessed from the height in the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One picture of a film."""

    scene: Scene
    """Of people of whom BlazePose is sure."""
    left_open: BoolArray
    """(J, h, w) where it is not, or has no such joint: nobody knows what is right."""


def make(video: Path, trunk: Path, heads: Heads, folder: Path, pictures: int, first: int = 0, seed: int = 0) -> Iterator[int]:
    """Makes parts (cache.py) of so many pictures of a film, evenly spread, and yields the number of each that is new.

    Asked again, it makes what is missing; asked otherwise, it replaces what there is of the film.

    Args:
        video: A film that you may use.
        trunk: Of models/convert/convert_movenet.py.
        heads: Trained on rendered pictures, in eval mode: they say what BlazePose leaves open.
        folder: Where the parts go, beside those of other films.
        pictures: How many.
        first: Frame to begin with; those before it may then be a test.
        seed: Source of chance.

    Raises:
        SettingsError: they do not fill a part.
        SourceError: a film cannot be read.
    """
    _check_enough(pictures, PICTURES)
    mark = Mark.of(video, pictures, first, seed, digest(trunk), digest_of(heads))
    names = [mark.file_name("part", f"-{number:03d}.pt") for number in range(pictures // PICTURES)]
    if all((folder / name).exists() for name in names):
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    known = list(labelled(video, pictures, rng, first))
    order = rng.permutation(len(known))
    mark.forget_others(folder, "part")
    with closing(open_session(trunk, threads=1)) as session:
        for number, name in enumerate(names[: len(known) // PICTURES]):
            if (folder / name).exists():
                continue
            chosen = [known[row] for row in order[number * PICTURES : (number + 1) * PICTURES]]
            said = session.run({"image": torch.cat([one.scene.image for one in chosen]).numpy()})
            features = gathered(tuple(torch.from_numpy(said[name]) for name in FEATURES))
            due = [_due(one, heads, Features(*(value[row : row + 1] for value in features))) for row, one in enumerate(chosen)]
            cache.save(folder / name, features, [one.scene for one in chosen], due)
            yield number


def add_pictures(video: Path, folder: Path, pictures: int, first: int = 0, seed: int = 0) -> Path:
    """Makes one file of labelled pictures (album.py) of a film, from which trunk and heads learn together, beside those of other
    films, and returns it; one that is there already stays, one that was made otherwise goes. See `make`.

    Raises:
        SettingsError: none are asked for.
        SourceError: a film cannot be read.
    """
    _check_enough(pictures, 1)
    mark = Mark.of(video, pictures, first, seed)
    path = folder / mark.file_name("album", ".npz")
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    known = [album.of_scene(one.scene, torch.from_numpy(one.left_open)[None]) for one in labelled(video, pictures, rng, first)]
    mark.forget_others(folder, "album")
    tensors.save(tensors.joined(known), path)
    return path


def _check_enough(pictures: int, least: int) -> None:
    if pictures < least:
        raise SettingsError("These are too few pictures of a film.", got=f"--pictures {pictures}", allowed=f"{least} and more")


def labelled(video: Path, pictures: int, rng: np.random.Generator, first: int = 0) -> Iterator[Labelled]:
    """Pictures of one film, each frame looked at afresh, at a random size and half of them in the mirror."""
    estimator = open_blazepose("blazepose_full", MethodOptions(max_people=MOST, threads=1))
    try:
        for image in _frames(video, pictures, first):
            view = cameras.assumed(image.shape[1], image.shape[0])
            estimator.reset()
            yield _labelled(image, view, estimator.estimate(Frame(image, 0.0, 0, view)), rng)
    finally:
        estimator.close()


def _frames(video: Path, pictures: int, first: int) -> Iterator[NDArray[np.uint8]]:
    """RGB (H, W, 3)."""
    try:
        with av.open(str(video)) as container:
            count = sum(1 for _ in container.decode(video=0))
        chosen = set(np.linspace(min(first, count - 1), count - 1, min(pictures, count)).round().astype(int).tolist())
        with av.open(str(video)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number in chosen:
                    yield np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    except (FFmpegError, OSError, IndexError) as error:
        raise SourceError(f"{video} cannot be read.", got=str(error), allowed="a film") from error


def _labelled(image: NDArray[np.uint8], view: Camera, found: Detections, rng: np.random.Generator) -> Labelled:
    placed = Placed.drawn((image.shape[1], image.shape[0]), rng)
    assert found.keypoints_m is not None
    points_px = placed.points(as_joints(found.keypoints_px, JOINTS))
    confidence = as_joints(found.confidence[..., None], JOINTS)[..., 0]
    joints_m = placed.joints(as_joints(found.keypoints_m, JOINTS))
    if placed.mirrored:
        points_px, confidence, joints_m = (value[:, list(MIRROR)] for value in (points_px, confidence, joints_m))
    sure = np.nan_to_num(np.nanmean(confidence, axis=1)) >= SURE if len(confidence) else np.zeros(0, bool)
    said = sure[:, None] & (np.nan_to_num(confidence) >= SEEN)
    left_open = _left_open(points_px, said)
    here = (points_px[sure], joints_m[sure], said[sure])
    if not sure.any():  # a scene has a place for somebody, though it be empty
        here = (np.full((1, J, 2), np.nan), np.full((1, J, 3), np.nan), np.zeros((1, J), bool))
    return Labelled(_scene(placed.picture(image), *here, placed.K(view)), left_open)


def _left_open(points_px: FloatArray, said: BoolArray) -> BoolArray:
    """(J, h, w): of a joint that was not said of somebody (P, J), that person's whole box."""
    left_open = np.zeros((J, SHORTER_PX // STRIDE, LONGER_PX // STRIDE), bool)
    for points, of_person in zip(points_px, said, strict=True):
        low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
        margin = BESIDE * (high[1] - low[1]) + STRIDE
        x0, y0 = np.maximum((low - margin) / STRIDE, 0).astype(int)
        x1, y1 = np.maximum((high + margin) / STRIDE + 1, 0).astype(int)
        left_open[~of_person, y0:y1, x0:x1] = True
    return left_open


def _scene(image: NDArray[np.float32], points_px: FloatArray, joints_m: FloatArray, said: BoolArray, K: FloatArray) -> Scene:
    """Of pictures (3, H, W); how far away people stand is guessed from their heights."""
    inside = ((points_px >= 0) & (points_px < [LONGER_PX, SHORTER_PX])).all(axis=-1)
    y = points_px[..., 1]
    height_px = np.ptp(np.where(np.isnan(y), y[:, NECK, None], y), axis=1)
    joints_m = joints_m + np.array([0.0, 0.0, 1.0]) * (STANDING_M * K[1, 1] / np.fmax(height_px, STRIDE))[:, None, None]
    points, joints, camera_K = (torch.from_numpy(np.asarray(value, np.float32))[None] for value in (points_px, joints_m, K))
    facing = truth.facing(truth.universal(joints), points[:, :, NECK], camera_K)
    visibility = np.where(inside, np.where(said, VISIBLE, BY_OBJECT), OUTSIDE).astype(np.uint8)
    return Scene(torch.from_numpy(image)[None], points, facing, torch.from_numpy(visibility)[None])


@torch.inference_mode()
def _due(one: Labelled, heads: Heads, features: Features) -> Truth:
    """Labels; where something was left open, also what the heads say already."""
    due, said = truth.of_scene(one.scene), heads.flat(heads.standardised(features))
    heatmaps, fields = completed(due.heatmaps, due.fields, said, torch.from_numpy(one.left_open)[None])
    return due._replace(heatmaps=heatmaps, fields=fields)


def completed(heatmaps: Tensor, fields: Tensor, said: Flat | Maps, left_open: Tensor) -> tuple[Tensor, Tensor]:
    """Labelled heatmaps and fields, and besides what was `said` of the joints and cells that are left open (B, J, h, w)."""
    first, second = np.array(LINKS).T
    links = (left_open[:, first] | left_open[:, second])[:, :, None] & (fields == 0).all(2, keepdim=True)
    told = torch.where(left_open, torch.maximum(heatmaps, said.heatmaps.float()), heatmaps)
    return told, torch.where(links, said.fields.float(), fields)
