"""The floor from a board that lies on it: its plane, its middle the world's origin, the heading the camera's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from posewire.calibrate.board import Board
from posewire.calibrate.looking import STEP_S, Looked
from posewire.calibrate.view import View
from posewire.data import Camera, FloatArray, read_only
from posewire.errors import CalibrationError
from posewire.ground import world_from_floor

STILL_S = 0.6
"""A board that lies does not move for so long; one that is held does."""
_STILL_SHARE, _STILL_LEAST_PX = 5e-4, 0.5
"""Movement of a lying board's corners between two looks: share of the picture's diagonal, and at least so many pixels."""
_STEEPEST_DEG = 75.0
"""A floor is seen from above: its up leans at most this far from the picture's up, unless the moment was named."""


@dataclass(frozen=True, slots=True, eq=False)
class BoardFloor:
    """A floor seen by a board."""

    T_world_camera: FloatArray
    """(4, 4) origin under the board's middle."""
    view: View
    """The corners that it comes from, averaged over the time that the board lay still."""
    rms_px: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "T_world_camera", read_only(self.T_world_camera, 4, 4))

    @property
    def camera_height_m(self) -> float:
        """How high the camera is over the floor."""
        return float(self.T_world_camera[1, 3])

    @property
    def pitch_deg(self) -> float:
        """How far the camera looks down."""
        return math.degrees(math.asin(-self.T_world_camera[1, 2]))


def floor_of(looked: Looked, board: Board, camera: Camera, *, at: float | None = None) -> BoardFloor:
    """The floor on which the board lies.

    Args:
        at: Seconds into a video, or the number of an image (from 1), where it lies there; None = the last time that it lay
            still in a video, the last image that shows it.

    Raises:
        CalibrationError: it never lay still, is not seen at that moment, or does not look like lying on a floor.
    """
    view = _last_lying(looked) if at is None else _named(looked, at)
    up, middle_m, rms_px = _plane(view, board, camera)
    lean_deg = math.degrees(math.acos(np.clip(-up[1], -1.0, 1.0)))
    if at is None and lean_deg > _STEEPEST_DEG:
        insist = f"--ground {_named_flag(looked, view)}"
        raise CalibrationError(
            "The board does not look like lying on the floor.",
            got=f"its plane leans {lean_deg:.0f} degrees from the picture's up, at {_moment(looked, view)}",
            allowed=f"up to {_STEEPEST_DEG:g} degrees",
            hint=f"end the film with the board on the floor; --ground none leaves it away, {insist} insists",
        )
    return BoardFloor(world_from_floor(up, middle_m), view, rms_px)


def _plane(view: View, board: Board, camera: Camera) -> tuple[FloatArray, FloatArray, float]:
    """Up (3,) towards the camera, the board's middle (3,), camera axes, and the RMS in pixels."""
    # The plane that is mirrored at the line of sight explains a far board nearly as well: IPPE gives both, the better first.
    _, turns, moves, _ = cv2.solvePnPGeneric(
        view.corners_m, np.array(view.corners_px), camera.K, camera.distortion, flags=cv2.SOLVEPNP_IPPE
    )
    turn, move = cv2.solvePnPRefineLM(
        view.corners_m, np.array(view.corners_px), camera.K, camera.distortion, turns[0].copy(), moves[0].copy()
    )
    R = np.asarray(cv2.Rodrigues(turn)[0], dtype=np.float64)
    middle_m = R @ board.middle_m + np.ravel(move)
    seen, _ = cv2.projectPoints(view.corners_m, turn, move, camera.K, camera.distortion)
    rms_px = float(np.sqrt(np.mean(np.sum((seen.reshape(-1, 2) - view.corners_px) ** 2, axis=1))))
    normal = R[:, 2]
    return (-normal if normal @ middle_m > 0 else normal), middle_m, rms_px


def _last_lying(looked: Looked) -> View:
    if looked.single_images:
        return looked.views[-1]
    for stretch in reversed(_still_stretches(looked)):
        if stretch[-1].time_s - stretch[0].time_s >= STILL_S - 1e-6:
            return _averaged(stretch)
    raise CalibrationError(
        "The board never lies still, so the floor is not known.",
        got=f"{len(looked.views)} views, moving in all of them",
        allowed=f"at least {STILL_S:g} s on the floor, wholly in view",
        hint="lay it on the floor at the end of the film; or leave the floor away with --ground none",
    )


def _still_stretches(looked: Looked) -> list[list[View]]:
    limit_px = max(_STILL_LEAST_PX, _STILL_SHARE * math.hypot(looked.width_px, looked.height_px))
    stretches: list[list[View]] = []
    for view in looked.views:
        last = stretches[-1][-1] if stretches else None
        if last is not None and view.time_s - last.time_s <= 2 * STEP_S and _movement_px(last, view) <= limit_px:
            stretches[-1].append(view)
        else:
            stretches.append([view])
    return stretches


def _movement_px(a: View, b: View) -> float:
    """Mean way of the corners that both views show; a checkerboard may be read from its other end."""
    ways = [_mean_way(a, b.corners_px, b.corners_m), _mean_way(a, b.corners_px[::-1], b.corners_m)]
    return min(ways)


def _mean_way(a: View, corners_px: FloatArray, corners_m: FloatArray) -> float:
    same = np.linalg.norm(a.corners_m[:, None] - corners_m[None], axis=-1) < 1e-6  # (Na, Nb)
    first, second = np.nonzero(same)
    return float(np.mean(np.linalg.norm(a.corners_px[first] - corners_px[second], axis=1))) if len(first) else math.inf


def _averaged(stretch: Sequence[View]) -> View:
    """The stretch's last view, each corner averaged over those views that show the same corners in the same order."""
    last = stretch[-1]
    alike = [view.corners_px for view in stretch if _alike(view, last)]
    return View(last.index, last.time_s, np.mean(alike, axis=0), last.corners_m, last.edge_px)


def _alike(a: View, b: View) -> bool:
    return a.corners_m.shape == b.corners_m.shape and bool(np.all(a.corners_m == b.corners_m)) and _near(a, b)


def _near(a: View, b: View) -> bool:
    return float(np.abs(a.corners_px - b.corners_px).max()) < 10.0


def _named(looked: Looked, at: float) -> View:
    distances = [abs(view.index + 1 - at) if looked.single_images else abs(view.time_s - at) for view in looked.views]
    best = int(np.argmin(distances))
    if distances[best] > (0.0 if looked.single_images else STEP_S):
        raise CalibrationError(
            "The board is not seen at the moment that --ground names.",
            got=f"image {at:g}" if looked.single_images else f"{at:g} s",
            allowed=f"for example {_named_flag(looked, looked.views[best])}, the nearest at which it is",
            hint=f"--ground {_named_flag(looked, looked.views[best])}",
        )
    return looked.views[best]


def _named_flag(looked: Looked, view: View) -> str:
    return str(view.index + 1) if looked.single_images else f"{view.time_s:.1f}"


def _moment(looked: Looked, view: View) -> str:
    return f"image {view.index + 1}" if looked.single_images else f"{view.time_s:.1f} s"
