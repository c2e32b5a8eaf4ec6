"""The 3D part of the page: everybody's bones and joints, a floor, the camera."""

from __future__ import annotations

import math

import numpy as np
import viser  # pyright: ignore[reportMissingImports] - an extra
from numpy.typing import NDArray

from posewire import rotation
from posewire.camera import DEFAULT_VERTICAL_FOV_DEG
from posewire.data import FloatArray
from posewire.preview.palette import person_colour
from posewire.wire import ViewMessage
from posewire_gateway.moment import Moment

Colours = NDArray[np.uint8]
_FLOOR_GREY = 205
_SIDES = {"left": 0.75, "right": 1.0}
"""The left side is darker: the page is white."""
_ASPECT = 16 / 9
_FLOOR_M = 6


class Scene:
    """Draws moments: one line object and one point object for all people together, so that a frame is two messages."""

    def __init__(self, server: viser.ViserServer) -> None:
        self._server = server
        scene = server.scene
        scene.set_up_direction("+y")
        server.initial_camera.position, server.initial_camera.look_at = (5.0, 2.4, 4.2), (0.0, 0.8, 1.6)  # person and webcam
        floor_m = _floor_m()  # viser's own grid halves the frame rate where the CPU draws
        floor = _for_lines(np.full(floor_m.shape, _FLOOR_GREY, dtype=np.uint8))
        scene.add_line_segments("/floor", floor_m, floor, thickness=1.0, thickness_units="screen")
        nothing, black = np.zeros((1, 2, 3)), np.zeros((1, 2, 3), dtype=np.uint8)
        self._bones = scene.add_line_segments("/bones", nothing, black, thickness=0.035)
        self._joints = scene.add_point_cloud(
            "/joints", nothing[0], black[0], point_size=0.035, point_shape="circle", precision="float32"
        )
        # until a view message says how wide the camera sees, it has the width that an unknown camera is given
        fov = math.radians(DEFAULT_VERTICAL_FOV_DEG)
        self._camera = scene.add_camera_frustum("/camera", fov=fov, aspect=_ASPECT, scale=0.15, thickness=0.006)
        self._camera_at: FloatArray | None = None
        self._coloured: tuple[tuple[str, ...], list[int]] | None = None

    def show(self, moment: Moment) -> None:
        """Draws this moment in place of the one before."""
        _, positions_m = moment.world
        parents = np.array(moment.subject.parents)
        children = np.flatnonzero(parents >= 0)
        ends_m = np.stack([positions_m[:, parents[children]], positions_m[:, children]], axis=2)  # (P, N - 1, 2, 3)
        with self._server.atomic():
            self._bones.visible = self._joints.visible = bool(moment.people)
            if moment.people:
                self._bones.points = ends_m.reshape(-1, 2, 3).astype(np.float32)
                self._joints.points = positions_m.reshape(-1, 3).astype(np.float32)
                self._colour(moment, children)
            self._place_camera(moment)
        self._server.flush()

    def _colour(self, moment: Moment, children: NDArray[np.int64]) -> None:
        """Only when other people are there: the page makes colours anew at a cost."""
        who = moment.subject.names, [person.person_id for person in moment.message.people]
        if who != self._coloured:
            self._coloured = who
            colours = _colours(moment)  # (P, N, 3)
            self._bones.colors = _for_lines(np.repeat(colours[:, children].reshape(-1, 1, 3), 2, axis=1))
            self._joints.colors = colours.reshape(-1, 3)

    def show_camera(self, view: ViewMessage) -> None:
        """The frustum as wide as the camera sees."""
        fov, aspect = 2.0 * math.atan(0.5 * view.height_px / view.K[1, 1]), view.width_px / view.height_px
        if abs(self._camera.fov - fov) > 1e-3 or abs(self._camera.aspect - aspect) > 1e-3:
            self._camera.fov, self._camera.aspect = fov, aspect

    def _place_camera(self, moment: Moment) -> None:
        T = moment.subject.T_world_camera.copy()
        T[:3, 3] += moment.moved_m
        if self._camera_at is None or np.abs(T - self._camera_at).max() > 1e-3:
            self._camera_at = T
            self._camera.wxyz, self._camera.position = rotation.from_matrix(T[:3, :3]), T[:3, 3]


def _floor_m() -> NDArray[np.float32]:
    """(L, 2, 3) lines a metre apart on the ground around the origin."""
    at = np.arange(-_FLOOR_M, _FLOOR_M + 1)
    ends = np.zeros((2, len(at), 2, 3), dtype=np.float32)
    ends[0, :, :, 0], ends[0, :, :, 2] = at[:, None], (-_FLOOR_M, _FLOOR_M)
    ends[1, :, :, 2], ends[1, :, :, 0] = at[:, None], (-_FLOOR_M, _FLOOR_M)
    return ends.reshape(-1, 2, 3)


def _colours(moment: Moment) -> Colours:
    """(P, N, 3) a colour for each person, the same as in the 2D overlay and the preview, and a shade for each side."""
    colours = np.array([person_colour(person.pose.person_id) for person in moment.people])  # (P, 3)
    shade = np.array([_SIDES.get(name.partition("_")[0], 0.9) for name in moment.subject.names])
    return (colours[:, None, :] * shade[None, :, None]).astype(np.uint8)


def _for_lines(colours: Colours) -> Colours:
    """viser takes the colours of lines, not those of points, for linear light, and would show sRGB too pale."""
    return (255 * (colours / 255) ** 2.2).round().astype(np.uint8)
