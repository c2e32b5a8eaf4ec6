"""A lifter that runs an ONNX network; the network's own inputs say how many frames it takes and whether it can sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posewire import camera as cameras
from posewire.data import Camera, FloatArray
from posewire.errors import ModelError
from posewire.methods import MethodOptions
from posewire.runtime import Session, open_session
from posewire_data.joints import ROOT
from posewire_lifting.carrying import KEPT_FRAMES
from posewire_lifting.hypotheses import paired_noise
from posewire_lifting.names import LIFTER_JOINTS
from posewire_lifting.view import View, seen_by

LEAST_CONFIDENCE = 0.1
"""A keypoint below it is a guess; the lifter guesses better."""


class OnnxLifter:
    """Runs a network of `posewire_training.onnx_export`. One thread owns it.

    Inputs: points (batch, T, 17, 2), seen (batch, T, 17), size (batch, 1): posewire_lifting.view. A network that can sample takes
    `noise` (batch, samples, latent) too. Output: joints_m (batch, 17, 3), or (batch, samples, 17, 3); turned camera, metres.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        shapes = {tensor.name: tensor.shape for tensor in session.inputs}
        frames, joints = _window_of(shapes.get("points", ()))
        if joints != len(LIFTER_JOINTS) or frames is None:
            raise ModelError(
                "This network is no lifter of Posewire's skeleton.",
                got=", ".join(map(str, session.inputs)),
                allowed=f"points (batch, frames, {len(LIFTER_JOINTS)}, 2), seen, size and perhaps noise",
            )
        self._frames = frames
        self._latent = shapes["noise"][2] if "noise" in shapes else None

    @property
    def receptive_field(self) -> int:
        """Frames of history: a network of one frame is shown, too, where a joint that is hidden now was a moment ago."""
        return max(self._frames, 1 + KEPT_FRAMES)

    @property
    def can_sample(self) -> bool:
        """True where the network takes noise."""
        return self._latent is not None

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        """(17, 3) the most plausible pose, unseen joints filled in; NaN where too little is seen now."""
        return self._run(window_px, confidence, camera, np.zeros((1, self._latent or 0)))[0]

    def sample(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera, count: int) -> FloatArray:
        """(count, 17, 3) poses that would look the same. The same call gives the same poses; neighbouring frames similar ones.

        They come in pairs on opposite sides of the most plausible pose, so that few of them have its mean.
        """
        if self._latent is None:
            raise ModelError("This lifter has one answer only: it cannot sample.", hint="use --lifter vae")
        return self._run(window_px, confidence, camera, paired_noise(count, self._latent))

    def _run(self, window_px: FloatArray, confidence: FloatArray, camera: Camera, noise: FloatArray) -> FloatArray:
        view = self._view(window_px, confidence, camera)
        if not view.usable[0]:
            return np.full((len(noise), len(LIFTER_JOINTS), 3), np.nan)
        inputs = view.inputs()
        if self._latent is not None:
            inputs["noise"] = noise[None].astype(np.float32)
        turned_m = self._session.run(inputs)["joints_m"].astype(np.float64)
        points_m = view.to_camera(turned_m.reshape(1, len(noise), -1, 3))[0]
        return points_m - points_m[:, ROOT : ROOT + 1]

    def _view(self, window_px: FloatArray, confidence: FloatArray, camera: Camera) -> View:
        """The window as the network takes it; rows before the person's first frame are unseen."""
        rows = min(len(window_px), self.receptive_field)
        rays = np.full((1, max(rows, self._frames), len(LIFTER_JOINTS), 2), np.nan)
        seen = np.zeros(rays.shape[:3], dtype=np.bool_)
        rays[0, -rows:] = cameras.rays(window_px[-rows:], camera)[..., :2]
        seen[0, -rows:] = confidence[-rows:] >= LEAST_CONFIDENCE
        return seen_by(rays, seen).newest(self._frames)

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._session.close()


def _window_of(shape: tuple[int | None, ...]) -> tuple[int | None, int | None]:
    """Frames and joints of the input `points`."""
    return (shape[1], shape[2]) if len(shape) == 4 else (None, None)


def open_lifter(model: str | Path, options: MethodOptions) -> OnnxLifter:
    """Opens a bundled lifter by its name in posewire_models, or a file of one's own.

    One thread: such a network is too small to share out, and a second thread costs more than it brings.
    """
    return OnnxLifter(open_session(model, options.device, options.threads or 1))
