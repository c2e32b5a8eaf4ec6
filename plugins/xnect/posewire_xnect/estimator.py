"""XNect live (Mehta et al. 2020; thesis 002, sections 6.3 and 8.3): everybody in the picture, at nearly the cost of one.

frame -> letterbox -> Stage I -> association (host) -> crowd -> Stage II, all people at once -> real camera's axes
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posewire import camera, rotation
from posewire.data import Detections, FloatArray, Frame
from posewire.errors import SettingsError
from posewire.methods import MethodOptions
from posewire.runtime import checked_file, open_session
from posewire_xnect import hidden
from posewire_xnect.association import CANDIDATES
from posewire_xnect.crowd import Crowd
from posewire_xnect.letterbox import Letterbox
from posewire_xnect.networks import StageOneNet, StageTwoNet, check_together
from posewire_xnect.people import People
from posewire_xnect.rows import anchors
from posewire_xnect.scale import Scale
from posewire_xnect.second_look import SecondLook
from posewire_xnect.skeleton import J
from posewire_xnect.targets import STRIDE

MODELS = ("xnect_stage1", "xnect_stage2")


class XNect:
    """The estimator. Owned by one thread. Each picture is seen anew; the choice of people and the scale remember the last one.

    Raises:
        ModelError: the networks do not belong together (networks.check_together).
    """

    def __init__(self, stage_one: StageOneNet, stage_two: StageTwoNet, max_people: int) -> None:
        check_together(stage_one, stage_two)
        self._stage_one, self._stage_two = stage_one, stage_two
        self._crowd, self._scale = Crowd(max_people), Scale()

    def reset(self) -> None:
        """Forgets everybody."""
        self._crowd.reset()
        self._scale.reset()

    def estimate(self, frame: Frame) -> Detections:
        """Everybody in the frame of whom enough shows, those already followed first, at most max_people.

        What Stage I does not see of a person has the place that Stage II's pose gives it, with confidence `hidden.CONFIDENCE`.
        """
        box, found = self._look(frame)
        if self._scale.learn(found):
            self._crowd.reset()
            box, found = self._look(frame)
            self._scale.learn(found)
        if not len(found.confidence):
            return Detections.nobody(J, with_3d=True)
        return _detections(found, self._stage_two.joints_m(found), box, frame)

    def _look(self, frame: Frame) -> tuple[Letterbox, People]:
        """Who is told of, in pixels of the network's picture."""
        box = Letterbox.into(frame.size_px, self._stage_one.fixed, self._scale.share)
        found = self._stage_one.look(box.to_network(frame.image))
        return box, self._crowd.choose(found, SecondLook(self._stage_one, frame.image, box))

    def close(self) -> None:
        """Frees the networks; may be called twice."""
        self._stage_one.close()
        self._stage_two.close()


def _detections(found: People, joints_m: FloatArray, box: Letterbox, frame: Frame) -> Detections:
    """From the network's picture and the axes of cameras that look at each neck to the frame's (thesis 002, appendix B.1)."""
    keypoints_px = box.to_picture(np.asarray(found.points_px, dtype=np.float64))
    R_camera_neck = camera.R_camera_crop(anchors(keypoints_px), frame.camera)  # (P, 4)
    keypoints_m = rotation.rotate(R_camera_neck[:, None], joints_m)
    confidence = np.clip(np.asarray(found.confidence, dtype=np.float64), 0.0, 1.0)
    keypoints_px, confidence = hidden.filled(keypoints_px, confidence, keypoints_m, frame.camera)
    half_cell_px = 0.5 * STRIDE * box.frame_px_per_px
    low_px, high_px = np.nanmin(keypoints_px, axis=1) - half_cell_px, np.nanmax(keypoints_px, axis=1) + half_cell_px
    return Detections(keypoints_px, confidence, np.concatenate([low_px, high_px], axis=1), keypoints_m)


def open_xnect(options: MethodOptions, models: Sequence[Path | str] = MODELS) -> XNect:
    """Opens both networks on the asked device.

    Args:
        options: What the host says.
        models: Stage I and II: names of bundled models, or .onnx files of one's own training.

    Raises:
        SettingsError: more people are wanted than a joint has candidates.
        ModelError: a file is missing, of another kind, version or skeleton, or the two differ in scheme or resolution.
        DeviceError: the device is not there.
    """
    if options.max_people > CANDIDATES:
        raise SettingsError(
            f"xnect sees at most {CANDIDATES} people.",
            got=f"--max-people {options.max_people}",
            allowed=f"1 to {CANDIDATES}",
            hint=f"--max-people {CANDIDATES}, or --method blazepose, whose time grows with the people",
        )
    for model in models:
        checked_file(model, options.device)
    first, second = (open_session(model, options.device, options.threads) for model in models)
    return XNect(StageOneNet(first), StageTwoNet(second), options.max_people)
