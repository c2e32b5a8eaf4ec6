"""Pictures to Frames: attaches the camera, which is built once per picture size, and closes the picture for writing."""

from __future__ import annotations

import numpy as np

from posewire import camera as cameras
from posewire.data import Camera, Frame, ImageArray, Picture
from posewire.methods import SourceOptions


class FrameMaker:
    """Makes one source's Frames. Images of another size (a turned phone, mixed files) get a camera of their own."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._camera: Camera | None = None

    def frame(self, picture: ImageArray | Picture, time_s: float, index: int, unix_ns: int) -> Frame:
        """The Frame of a picture; RGB (H, W, 3) uint8 becomes C-contiguous and read-only.

        Raises:
            CalibrationError: the calibration is for a picture of another aspect ratio.
        """
        if isinstance(picture, np.ndarray):
            picture = np.ascontiguousarray(picture)
            picture.flags.writeable = False
            return Frame(picture, time_s, index, self._camera_for(picture.shape[1], picture.shape[0]), unix_ns)
        return Frame(picture, time_s, index, self._camera_for(picture.width_px, picture.height_px), unix_ns)

    def _camera_for(self, width: int, height: int) -> Camera:
        camera = self._camera
        if camera is None or (camera.width_px, camera.height_px) != (width, height):
            camera = self._camera = self._build(width, height)
        return camera

    def _build(self, width: int, height: int) -> Camera:
        if self._options.camera is not None:
            return cameras.resized(self._options.camera, width, height)
        return cameras.assumed(width, height, self._options.vertical_fov_deg)
