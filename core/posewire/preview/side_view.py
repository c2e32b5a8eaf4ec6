"""The 3D view beside the picture: the people from the side, on a ground grid, by a small projection of our own.

The virtual camera is steady: it follows only when people leave the middle, steps back until everybody is in view, and comes
nearer again only where much of the panel stays empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from posewire.data import FloatArray, ImageArray, SkeletonPose
from posewire.preview import strokes
from posewire.preview.overlay import head_ball
from posewire.preview.palette import GRID, PANEL_BOTTOM, PANEL_TOP, SHADOW, joint_colour, mix, side_colour
from posewire.skeleton import REFERENCE, Skeleton

_YAW_RAD, _PITCH_RAD = math.radians(68.0), math.radians(9.0)
"""From where it looks: nearly from the left of someone who faces the camera, a little from above."""
_FOCAL = 2.6
"""Focal length in half panel sizes: a long lens, so that sizes compare."""
_SMALLEST_RADIUS_M = 1.15
"""Half of what is shown at least: a standing person with raised arms."""
_LARGEST_RADIUS_M = 12.0
"""Half of what is shown at most, so that people stay legible."""
_EYE_M, _JUMP_M = 0.92, 0.6
"""How high above the ground it looks, and how far from there the middle of the people may be before it looks at that."""
_MARGIN = 1.06
"""How much more than the people is shown."""
_ROOMY = 0.75
"""It comes nearer if this share of what is shown would do."""
_EASE, _EASE_NEARER = 0.12, 0.01
"""Part of the way that the virtual camera moves in one frame, and of the way nearer."""
_DEAD_ZONE_M = 0.35
"""How far people move before the virtual camera follows."""
_GRID_CELLS = 5
_NEAREST_M = 0.3
"""Nothing nearer to the virtual camera is drawn."""


class SideView:
    """Draws poses into a panel of a fixed size; remembers where it looked in the frame before.

    Args:
        width_px: Of the panel.
        height_px: Of the panel.
        header_px: Rows at the top that people are kept out of, for labels.
        footer_px: The same at the bottom.
    """

    def __init__(self, width_px: int, height_px: int, *, header_px: int = 0, footer_px: int = 0) -> None:
        self._size_px = np.array([width_px, max(1, height_px - header_px - footer_px)], dtype=np.float64)
        self._middle_px = self._size_px / 2 + [0, header_px]
        self._background = _gradient(width_px, height_px)
        self._R = _view_rotation()
        self._focus_m = np.zeros(3)  # where it looks, world
        self._empty = True  # nobody was ever there
        self._radius_m = _SMALLEST_RADIUS_M
        self._ground_m = 0.0

    def draw(self, poses: Sequence[SkeletonPose], skeletons: Mapping[int, Skeleton]) -> ImageArray:
        """The panel (H, W, 3) with the people as they stand now; an empty room before the first one came."""
        seen = _whole(poses)
        self._follow(seen)
        image = self._background.copy()
        self._draw_grid(image)
        for pose in seen:
            self._draw_shadow(image, pose, skeletons.get(pose.person_id, REFERENCE))
        for pose in sorted(seen, key=lambda pose: -self._view(pose.root_m)[2]):
            self._draw_person(image, pose, skeletons.get(pose.person_id, REFERENCE))
        return image

    def out_of_view(self, poses: Sequence[SkeletonPose]) -> int:
        """How many of the people are too far from the others to be shown."""
        roots_m = _roots(_whole(poses))
        in_view = (np.abs(self._pixels(roots_m) - self._middle_px) <= self._size_px / 2).all(axis=1)  # (P,), False for NaN
        return int(np.count_nonzero(~in_view))

    def _follow(self, poses: Sequence[SkeletonPose]) -> None:
        if not poses:
            return
        poses = _together(poses)
        middle = (_roots(poses).min(axis=0) + _roots(poses).max(axis=0)) / 2
        lowest = float(np.median([pose.positions_m[:, 1].min() for pose in poses]))
        if self._empty:
            self._focus_m, self._ground_m = middle, lowest
        # The ground is where the lowest foot was: quickly down, slowly up, so that a jump leaves it where it is.
        self._ground_m += (0.3 if lowest < self._ground_m else 0.005) * (lowest - self._ground_m)
        points = np.concatenate([pose.positions_m for pose in poses])  # (P*N, 3)
        eye_m = self._eye_m(points[:, 1])
        self._focus_m[1] = middle[1] = eye_m if self._empty else self._focus_m[1] + _EASE * (eye_m - self._focus_m[1])
        self._focus_m = self._focus_m + _EASE * _beyond(middle - self._focus_m, _DEAD_ZONE_M)
        self._widen(float(np.clip(_MARGIN * self._reach_m(points), _SMALLEST_RADIUS_M, _LARGEST_RADIUS_M)))
        self._empty = False

    def _widen(self, radius_m: float) -> None:
        """Towards a radius that shows everybody: at once for the first people, then soon, and slowly if it is much smaller."""
        if radius_m > self._radius_m:
            self._radius_m += (1.0 if self._empty else _EASE) * (radius_m - self._radius_m)
        elif radius_m < _ROOMY * self._radius_m:
            self._radius_m += _EASE_NEARER * (radius_m - self._radius_m)

    def _eye_m(self, heights_m: FloatArray) -> float:
        """The height to look at: of people who stand on the ground always the same."""
        eye_m = self._ground_m + _EYE_M
        off_m = float(heights_m.min() + heights_m.max()) / 2 - eye_m
        return eye_m + float(np.sign(off_m)) * max(0.0, abs(off_m) - _JUMP_M)

    def _reach_m(self, points_m: FloatArray) -> float:
        """The radius at which all points (M, 3) are in view: |x| / (z + focal * radius) * focal = half a width, solved for it."""
        x_y_z = (points_m - self._focus_m) @ self._R.T
        across = np.abs(x_y_z[:, :2]) * self._size_px.min() / self._size_px
        return float((across.max(axis=1) - x_y_z[:, 2] / _FOCAL).max())

    def _view(self, points_m: FloatArray) -> FloatArray:
        """World points (..., 3) to view axes: x right, y down, z away, metres; z from the virtual camera."""
        return (points_m - self._focus_m) @ self._R.T + [0.0, 0.0, _FOCAL * self._radius_m]

    def _pixels(self, points_m: FloatArray) -> FloatArray:
        """World points (..., 3) to panel pixels (..., 2); NaN behind the virtual camera."""
        view = self._view(points_m)
        depth = np.where(view[..., 2:] > 0.9 * _NEAREST_M, view[..., 2:], np.nan)
        return self._middle_px + view[..., :2] / depth * self._px_per_m(1.0)

    def _px_per_m(self, depth_m: float) -> float:
        return _FOCAL * float(self._size_px.min()) / 2 / depth_m

    def _draw_grid(self, image: ImageArray) -> None:
        """Squares of one metre around the focus; fixed in the world."""
        cells = _GRID_CELLS + math.ceil(self._radius_m)
        for axis, other in ((0, 2), (2, 0)):
            for step in range(-cells, cells + 1):
                ends = np.full((2, 3), self._ground_m)
                ends[:, axis] = math.floor(self._focus_m[axis]) + step
                ends[:, other] = math.floor(self._focus_m[other]) + np.array([-cells, cells])
                a, b = self._pixels(self._in_front(ends))
                strokes.line(image, a, b, mix(GRID, PANEL_BOTTOM, min(0.9, abs(step) / cells)), 1)

    def _in_front(self, ends_m: FloatArray) -> FloatArray:
        """The part of a segment (2, 3) that lies before the virtual camera."""
        near, far = ends_m[np.argsort(self._view(ends_m)[:, 2])]
        near_z, far_z = self._view(np.stack([near, far]))[:, 2]
        share = max(0.0, (_NEAREST_M - near_z) / max(far_z - near_z, 1e-9))
        return np.stack([near + (far - near) * share, far])

    def _draw_shadow(self, image: ImageArray, pose: SkeletonPose, skeleton: Skeleton) -> None:
        """The bones seen from above, on the ground."""
        flat = pose.positions_m.copy()
        flat[:, 1] = self._ground_m
        pixels = self._pixels(flat)
        for child, parent in enumerate(skeleton.parents):
            if parent >= 0:
                strokes.line(image, pixels[parent], pixels[child], SHADOW, self._width_px())

    def _draw_person(self, image: ImageArray, pose: SkeletonPose, skeleton: Skeleton) -> None:
        """Bones and head, the farthest first."""
        pixels, depth_m = self._pixels(pose.positions_m), self._view(pose.positions_m)[:, 2]
        parts: list[tuple[float, Callable[[], None]]] = []
        for child, parent in enumerate(skeleton.parents):
            if parent >= 0:
                colour = joint_colour(pose.person_id, skeleton.names[child], float(pose.confidence[child]))
                draw = partial(strokes.bone, image, pixels[parent], pixels[child], colour, self._width_px())
                parts.append((float(depth_m[child] + depth_m[parent]) / 2, draw))
        ball = head_ball(skeleton, pose.positions_m)
        if ball is not None:
            away_m = float(self._view(ball[0])[2])
            radius_px = ball[1] * self._px_per_m(max(_NEAREST_M, away_m))
            colour = side_colour(pose.person_id, "head")
            parts.append((away_m, partial(strokes.dot, image, self._pixels(ball[0]), colour, radius_px)))
        for _, draw in sorted(parts, key=lambda part: -part[0]):
            draw()

    def _width_px(self) -> int:
        return max(1, round(0.018 * self._size_px.min() / self._radius_m / 2))


def _whole(poses: Sequence[SkeletonPose]) -> list[SkeletonPose]:
    """Those who can be drawn."""
    return [pose for pose in poses if np.isfinite(pose.positions_m).all()]


def _roots(poses: Sequence[SkeletonPose]) -> FloatArray:
    """(P, 3) world."""
    return np.array([pose.root_m for pose in poses], dtype=np.float64).reshape(-1, 3)


def _together(poses: Sequence[SkeletonPose]) -> list[SkeletonPose]:
    """Those who can be shown with the middle one of them: a ghost far away does not shrink everybody."""
    roots_m = _roots(poses)
    middle_m = roots_m[np.linalg.norm(roots_m - np.median(roots_m, axis=0), axis=1).argmin()]
    near = np.linalg.norm(roots_m - middle_m, axis=1) <= 2 * _LARGEST_RADIUS_M
    return [pose for pose, is_near in zip(poses, near, strict=True) if is_near]


def _beyond(offset_m: FloatArray, zone_m: float) -> FloatArray:
    """The part of an offset (3,) that leaves a ball of radius `zone_m`."""
    length = float(np.linalg.norm(offset_m))
    return offset_m * max(0.0, 1.0 - zone_m / length) if length > 0 else offset_m


def _view_rotation() -> FloatArray:
    """(3, 3) rows: the view's right, down and away axes in the world."""
    cy, sy, cp, sp = math.cos(_YAW_RAD), math.sin(_YAW_RAD), math.cos(_PITCH_RAD), math.sin(_PITCH_RAD)
    away = np.array([-sy * cp, -sp, -cy * cp])
    right = np.array([cy, 0.0, -sy])
    return np.stack([right, np.cross(away, right), away])


def _gradient(width_px: int, height_px: int) -> ImageArray:
    share = np.linspace(0.0, 1.0, height_px)[:, None, None]
    column = np.array(PANEL_TOP) * (1 - share) + np.array(PANEL_BOTTOM) * share
    return np.ascontiguousarray(np.broadcast_to(column, (height_px, width_px, 3)).astype(np.uint8))
