"""Draws a scene: pictures for the pipeline, and for every picture who is really where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from posewire import camera
from posewire.data import FloatArray, Frame, ImageArray
from posewire.evaluate.identity.cutouts import FRAMES_PER_S, Cutout, Footage, dressed
from posewire.evaluate.identity.scenes import HEIGHT_PX, WIDTH_PX, Actor, Scene


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Who is really in a picture: A actors."""

    boxes_px: FloatArray
    """(A, 4) x0 y0 x1 y1 around the whole person, hidden parts as well, inside the picture; NaN = outside the picture."""
    visible: FloatArray
    """(A,) share 0..1 of the person that can be seen."""


class Composite:
    """A source of the drawn frames; `truth[i]` belongs to frame i once it was drawn."""

    live = False

    def __init__(self, scene: Scene, footage: Footage) -> None:
        self.scene = scene
        self.truth: list[Truth] = []
        self.frame_count = round(scene.duration_s * FRAMES_PER_S)
        self._footage = footage
        size = (WIDTH_PX, HEIGHT_PX)
        self._room = np.asarray(cv2.resize(footage.room, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        self._camera = camera.assumed(WIDTH_PX, HEIGHT_PX)

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.frame_count):
            image, truth = self._draw(index)
            self.truth.append(truth)
            yield Frame(image, index / FRAMES_PER_S, index, self._camera)

    def close(self) -> None:
        """Nothing is held open."""

    def _draw(self, index: int) -> tuple[ImageArray, Truth]:
        """Back to front; who is drawn over loses visibility."""
        canvas = self._room.astype(np.float64)
        masks = np.zeros((len(self.scene.actors), HEIGHT_PX, WIDTH_PX))
        sizes = np.ones(len(masks))
        for who, actor in enumerate(self.scene.actors):
            image, masks[who], sizes[who] = _placed(actor, self._cutout(actor, index), index / FRAMES_PER_S)
            canvas += masks[who][..., None] * (image - canvas)
        boxes_px = np.array([_bounds(mask) for mask in masks])
        for who in range(len(masks)):
            masks[:who] *= 1 - masks[who]
        for screen in self.scene.screens:
            columns = slice(screen.x0_px, screen.x1_px)
            canvas[:, columns] = 0.55 * self._room[:, columns.stop : columns.start : -1] + [70, 62, 50]
            masks[:, :, columns] = 0.0
        return canvas.round().astype(np.uint8), Truth(boxes_px, masks.sum(axis=(1, 2)) / sizes)

    def _cutout(self, actor: Actor, index: int) -> Cutout:
        """The film of cutouts runs forwards and backwards for ever."""
        count = len(self._footage.cutouts)
        place = (actor.first_picture + index) % (2 * count - 2)
        return self._footage.cutouts[min(place, 2 * count - 2 - place)]


def _placed(actor: Actor, cutout: Cutout, time_s: float) -> tuple[FloatArray, FloatArray, float]:
    """The dressed cutout on an empty picture (H, W, 3), its mask (H, W), and the size of the whole mask in pixels."""
    mirror = -1.0 if actor.mirrored else 1.0
    foot_x, foot_y = cutout.foot_px
    x_px = actor.x_px(time_s) - mirror * actor.tall * foot_x
    y_px = actor.floor_px - actor.tall * foot_y
    place = np.array([[mirror * actor.tall, 0.0, x_px], [0.0, actor.tall, y_px]])
    size = (WIDTH_PX, HEIGHT_PX)
    image = cv2.warpAffine(dressed(cutout, actor.shirt), place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(cutout.mask, place, size, flags=cv2.INTER_LINEAR)
    return image.astype(np.float64), np.asarray(mask, dtype=np.float64), actor.tall**2 * float(cutout.mask.sum())


def _bounds(mask: FloatArray) -> FloatArray:
    rows, columns = np.nonzero(mask > 0.5)
    if len(rows) == 0:
        return np.full(4, np.nan)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], dtype=np.float64)
