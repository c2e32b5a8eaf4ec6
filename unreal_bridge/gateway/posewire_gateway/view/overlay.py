"""The 2D part of the page: what the method saw, and the fitted skeletons in the same picture."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from posewire.data import Camera, ImageArray, SkeletonPose, Track
from posewire.preview.overlay import draw_overlay
from posewire.wire import ViewMessage
from posewire_gateway.moment import Moment

_WIDTH_PX, _HEIGHT_PX = 480, 320
_BACKGROUND = 24
_RECENT = 16
"""Moments kept, until the view message of the same picture is there."""


class Overlay:
    """Draws view messages over the moments of the same sequence. Belongs to one thread."""

    def __init__(self) -> None:
        self._recent: deque[Moment] = deque(maxlen=_RECENT)
        self._drawn: ViewMessage | None = None

    def note(self, moment: Moment) -> None:
        """A moment as it came from the stream, not moved."""
        self._recent.append(moment)

    def draw(self, view: ViewMessage | None) -> ImageArray | None:
        """The picture (H, W, 3) RGB of a view message that was not drawn yet; None = nothing new."""
        if view is None or view is self._drawn:
            return None
        self._drawn = view
        image = _canvas(view)
        moment = next((m for m in self._recent if (m.message.session, m.message.sequence) == (view.session, view.sequence)), None)
        poses = [] if moment is None else _poses(moment)
        skeletons = {} if moment is None else {person.pose.person_id: person.skeleton for person in moment.people}
        tracks = [Track(seen.person_id, seen.keypoints_px, seen.confidence, np.full(4, np.nan)) for seen in view.people]
        camera = _camera(view) if moment is None else _camera(view, moment)
        draw_overlay(image, tracks, poses, skeletons, camera=camera, keypoint_names=view.keypoint_names)
        margin = _WIDTH_PX - image.shape[1]
        return np.pad(image, ((0, 0), (margin // 2, margin - margin // 2), (0, 0)), constant_values=_BACKGROUND)


def _canvas(view: ViewMessage) -> ImageArray:
    """The publisher's picture where it sends one, else a dark one of the same aspect; as large as the panel has room."""
    scale = min(_WIDTH_PX / view.width_px, _HEIGHT_PX / view.height_px)
    width, height = max(1, round(scale * view.width_px)), max(1, round(scale * view.height_px))
    picture = None if view.picture is None else cv2.imdecode(np.frombuffer(view.picture, dtype=np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return np.full((height, width, 3), _BACKGROUND, dtype=np.uint8)
    return np.ascontiguousarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)[..., ::-1]).astype(np.uint8)


def _camera(view: ViewMessage, moment: Moment | None = None) -> Camera:
    if moment is None:
        return Camera(view.width_px, view.height_px, view.K, view.distortion)
    return Camera(view.width_px, view.height_px, view.K, view.distortion, moment.subject.T_world_camera)


def _poses(moment: Moment) -> list[SkeletonPose]:
    """What is needed to draw: angles are not, and computing them would take longer than all else."""
    _, positions_m = moment.world
    return [
        SkeletonPose(
            person_id=pose.person_id,
            time_s=moment.message.media_time_s,
            root_m=pose.root_m,
            angles_rad=np.empty(0),
            rotations_wxyz=pose.rotations_wxyz,
            positions_m=positions_m[p],
            confidence=pose.confidence,
            contacts=pose.contacts,
        )
        for p, pose in enumerate(moment.message.people)
    ]
