"""The whole calibration: views -> lens -> floor -> camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from posewire import camera as cameras
from posewire.calibrate.board import Board
from posewire.calibrate.choosing import choose
from posewire.calibrate.floor import BoardFloor, floor_of
from posewire.calibrate.intrinsics import Intrinsics, solve_intrinsics
from posewire.calibrate.looking import Looked
from posewire.data import Camera
from posewire.ground import on_floor

GroundChoice = Literal["board", "none"] | float
"""Where the floor comes from: the board's last rest, nowhere, or the board at a moment (seconds, or an image's number)."""
_POOR_RMS_PX, _POOR_COVERAGE = 1.0, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A camera, and what it rests on."""

    camera: Camera
    lens: Intrinsics | None
    """None where the lens was known before."""
    floor: BoardFloor | None
    """None where it was not asked for: the world then stands at the camera."""

    @property
    def remarks(self) -> list[str]:
        """What could be better."""
        remarks: list[str] = []
        if self.lens is not None and self.lens.coverage < _POOR_COVERAGE:
            remarks.append(f"the board covered only {self.lens.coverage:.0%} of the picture: the lens is unsure at the edges")
        if self.lens is not None and self.lens.rms_px > _POOR_RMS_PX:
            remarks.append(f"corners are {self.lens.rms_px:.2f} pixels off: is the board flat, and the focus fixed?")
        if self.floor is not None and self.floor.rms_px > 2 * _POOR_RMS_PX:
            remarks.append(f"the board on the floor is {self.floor.rms_px:.2f} pixels off: is it flat, is the lens the same?")
        return remarks


def calibrate(looked: Looked, board: Board, ground: GroundChoice = "board") -> Calibration:
    """Lens and floor from what was seen of the board.

    Raises:
        CalibrationError: too few, too blurred or too similar views, or no floor where one is asked for.
    """
    lens = solve_intrinsics(choose(looked.views, looked.width_px, looked.height_px), looked.width_px, looked.height_px)
    camera = Camera(looked.width_px, looked.height_px, lens.K, lens.distortion)  # origin: assumed, until a floor is known
    if ground == "none":
        return Calibration(camera, lens, None)
    floor = floor_of(looked, board, camera, at=None if ground == "board" else ground)
    return Calibration(on_floor(camera, floor.T_world_camera, "calibrated"), lens, floor)


def place_on_floor(looked: Looked, board: Board, known: Camera, ground: GroundChoice = "board") -> Calibration:
    """Only the floor, for a camera whose lens is known: after it was moved.

    Raises:
        CalibrationError: the pictures have another shape than the camera, or there is no floor.
    """
    camera = cameras.resized(known, looked.width_px, looked.height_px)
    floor = floor_of(looked, board, camera, at=ground if isinstance(ground, float) else None)
    return Calibration(on_floor(camera, floor.T_world_camera, "calibrated"), None, floor)
