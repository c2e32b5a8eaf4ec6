"""One picture of the preview: the frame with its overlay, the side view beside it, and the labels."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from posewire.data import Frame, ImageArray, SkeletonPose, Track
from posewire.preview import legend
from posewire.preview.overlay import draw_overlay
from posewire.preview.palette import BACKGROUND, TEXT, TEXT_DIM
from posewire.preview.side_view import SideView
from posewire.preview.text import put_text
from posewire.skeleton import Skeleton

_WIDTH_PX, _HEIGHT_PX = 1280, 720
"""The sheet is no larger than this, whatever the source is."""
_ASPECTS = (0.4, 3.0)
"""Narrowest and widest picture that sets the layout; others get margins."""


class Sheet:
    """Draws one picture per frame, all of the same size, which the first frame decides.

    Args:
        keypoint_names: (J,) names of the tracks' keypoints.
        title: A word on the source and the method.
    """

    def __init__(self, keypoint_names: Sequence[str], title: str = "") -> None:
        self._keypoint_names, self._title = tuple(keypoint_names), title
        self._layout: tuple[int, int, int] | None = None
        self._side_view: SideView | None = None
        self._times_s: deque[float] = deque(maxlen=31)

    def draw(
        self,
        frame: Frame,
        tracks: Sequence[Track] = (),
        poses: Sequence[SkeletonPose] = (),
        skeletons: Mapping[int, Skeleton] | None = None,
    ) -> ImageArray:
        """The sheet (H, W, 3) uint8 RGB, H and W even."""
        skeletons = skeletons or {}
        height, picture_width, panel_width = self._layout = self._layout or layout(*frame.image.shape[:2])
        if self._side_view is None:
            size = _text_px(height)
            self._side_view = SideView(panel_width, height, header_px=5 * size, footer_px=legend.height_px(size))
        picture = _fitted(frame.image, picture_width, height)
        draw_overlay(picture, tracks, poses, skeletons, camera=frame.camera, keypoint_names=self._keypoint_names)
        sheet = np.empty((height, picture_width + panel_width, 3), dtype=np.uint8)
        _centre(sheet[:, :picture_width], picture)
        sheet[:, picture_width:] = self._side_view.draw(poses, skeletons)
        people = sorted({person.person_id for person in (*tracks, *poses)})
        self._label(sheet[:, picture_width:], frame, people, self._side_view.out_of_view(poses))
        return sheet

    def _label(self, panel: ImageArray, frame: Frame, people: Sequence[int], out_of_view: int) -> None:
        self._times_s.append(frame.time_s)
        height, width = panel.shape[:2]
        size = _text_px(height)
        put_text(panel, self._title or "posewire", size, size, size, TEXT)
        put_text(panel, clock_text(frame.time_s), width - size, size, size, TEXT, "right")
        put_text(panel, self._rate_text(), width - size, round(2.8 * size), size, TEXT_DIM, "right")
        put_text(panel, "1 m grid", width - size, height - 2 * size, size, TEXT_DIM, "right")
        if out_of_view:
            put_text(panel, f"{out_of_view} too far away", width - size, height - 4 * size, size, TEXT_DIM, "right")
        legend.draw_legend(panel, people, size, width - 10 * size)

    def _rate_text(self) -> str:
        """Frames of media time per second, over the last half second or so."""
        if len(self._times_s) < 2 or self._times_s[-1] <= self._times_s[0]:
            return ""
        return f"{(len(self._times_s) - 1) / (self._times_s[-1] - self._times_s[0]):.0f} fps"


def layout(picture_height_px: int, picture_width_px: int) -> tuple[int, int, int]:
    """Height, width of the picture and width of the panel, all even; together at most 1280 x 720."""
    aspect = float(np.clip(picture_width_px / picture_height_px, *_ASPECTS))
    panel_aspect = float(np.clip(_WIDTH_PX / _HEIGHT_PX - aspect, 0.6, 1.0))
    height = min(_HEIGHT_PX, _WIDTH_PX / (aspect + panel_aspect))
    return _even(height), _even(height * aspect), _even(height * panel_aspect)


def clock_text(time_s: float) -> str:
    """1:02.345"""
    minutes, seconds = divmod(round(time_s, 3), 60.0)
    return f"{minutes:.0f}:{seconds:06.3f}"


def _text_px(height_px: int) -> int:
    """Height of the capitals on a sheet of this height."""
    return max(8, height_px // 55)


def _even(value: float) -> int:
    return max(2, 2 * int(value / 2))


def _fitted(image: ImageArray, width: int, height: int) -> ImageArray:
    """A writable copy of the image, scaled to fit into the box."""
    scale = min(width / image.shape[1], height / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(_thinned(image, int(1 / scale)), size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _thinned(image: ImageArray, factor: int) -> ImageArray:
    """The image with blocks of factor x factor pixels averaged: much faster than averaging by a fraction."""
    factor = min(factor, *image.shape[:2])
    if factor < 2:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    whole = image[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _centre(area: ImageArray, picture: ImageArray) -> None:
    if picture.shape != area.shape:
        area[:] = BACKGROUND
    top, left = (area.shape[0] - picture.shape[0]) // 2, (area.shape[1] - picture.shape[1]) // 2
    area[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
