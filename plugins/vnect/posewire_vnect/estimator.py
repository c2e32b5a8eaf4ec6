"""VNect (Mehta et al. 2017b; thesis 002, chapters 5 and 8.2): one person, 2D and 3D from one picture, followed at no cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posewire.data import Detections, FloatArray, Frame
from posewire.methods import MethodOptions
from posewire.runtime import Session, checked_file, open_session
from posewire_blazepose.body_detector import BodyDetector
from posewire_blazepose.person_detector import PersonDetector
from posewire_vnect.crop_tracker import CropTracker
from posewire_vnect.extent import whole_body
from posewire_vnect.location_net import LocationNet
from posewire_vnect.names import JOINTS
from posewire_vnect.person import Person, seen_in
from posewire_vnect.search import Search
from posewire_vnect.steady import SteadyPoints

MODEL = "vnect"
LOST_SCORE = 0.15
"""A person followed may be half hidden; below it nobody is there."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """What tells the bundled variants apart."""

    scales: tuple[float, ...] = (1.0,)
    """Sizes at which each frame is looked at, relative to the tracked window: (1.0, 0.7) as section 5.3.3 averages."""
    steady: bool = False
    """Filters the 2D before the 3D is read at it, as section 8.2.1 does; what is said is then no longer the raw answer."""


class VNect:
    """The estimator. Owned by one thread."""

    def __init__(self, net: LocationNet, search: Search, settings: LiveSettings | None = None) -> None:
        self._net, self._search, self._settings = net, search, settings or LiveSettings()
        self._tracker = CropTracker()
        self._steady = SteadyPoints(len(JOINTS))

    def reset(self) -> None:
        """Forgets the person."""
        self._search.reset()
        self._lose()

    def estimate(self, frame: Frame) -> Detections:
        """The person followed, else the most prominent one; nobody where there is none."""
        person = self._follow(frame)
        if person is None:
            self._lose()
            person = self._search.find(frame)
        if person is None:
            return Detections.nobody(len(JOINTS), with_3d=True)
        self._tracker.follow(whole_body(person, frame.size_px), frame.time_s, person.body_turn_rad)
        return self._said(person, frame)

    def estimate_in(self, frame: Frame, box_px: FloatArray) -> Detections:
        """Whoever is in a box (4,), whatever was seen before (posewire.methods.BoxEstimator)."""
        self.reset()
        person = self._search.in_box(frame, box_px)
        return Detections.nobody(len(JOINTS), with_3d=True) if person is None else self._said(person, frame)

    def _follow(self, frame: Frame) -> Person | None:
        window = self._tracker.next_window(frame.time_s)
        if window is None:
            return None
        windows = [window.scaled(scale) for scale in self._settings.scales]
        person = seen_in(self._net.look(frame, windows))
        return person if person.there and person.score >= LOST_SCORE else None

    def _said(self, person: Person, frame: Frame) -> Detections:
        points_px = person.points_px
        if self._settings.steady:
            points_px = self._steady(points_px, frame.time_s, person.sights[0].window.side_px)
        points_m = person.points_m(points_px, frame.camera)
        return Detections(points_px[None], person.confidence[None], _box(points_px)[None], points_m[None])

    def _lose(self) -> None:
        self._tracker.forget()
        self._steady.reset()

    def close(self) -> None:
        """Frees the networks; may be called twice."""
        self._net.close()
        self._search.close()


def _box(points_px: FloatArray) -> FloatArray:
    """(4,) around the seen points."""
    return np.concatenate([np.nanmin(points_px, axis=0), np.nanmax(points_px, axis=0)])


def open_vnect(options: MethodOptions, settings: LiveSettings | None = None, model: str | Path = MODEL) -> VNect:
    """Opens the networks on the asked device.

    Args:
        options: What the host says.
        settings: Scales and filter.
        model: A bundled model's name, or an .onnx file of one's own training.

    Raises:
        ModelError: the file is missing, or of another kind, version, skeleton or resolution.
        DeviceError: the device is not there.
    """

    def session(name: str | Path) -> Session:
        return open_session(name, options.device, options.threads)

    checked_file("person_detector", options.device)
    net = LocationNet(session(model))
    search = Search(net, BodyDetector(session("blazepose_detector")), PersonDetector(lambda: session("person_detector")))
    return VNect(net, search, settings)
