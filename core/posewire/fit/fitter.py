"""One person's fit: Track -> SkeletonPose. The top of the room: read, follow or start, calibrate, say the pose."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from posewire import camera as cameras
from posewire import skeleton
from posewire.data import Camera, FloatArray, SkeletonPose, Track
from posewire.fit import frame, start
from posewire.fit.body import make_body
from posewire.fit.bones import make_bones
from posewire.fit.calibration import BoneCalibration, changes_much
from posewire.fit.compiling import telling
from posewire.fit.frame import Order, Person, Rows, make_memory
from posewire.fit.handover import Handover, handover
from posewire.fit.packing import Packed, pack
from posewire.fit.points import IntArray, make_points, marker_names
from posewire.fit.residuals import TERMS
from posewire.fit.settings import FitSettings
from posewire.fit.weighing import make_weighing
from posewire.skeleton import MARKERS, Skeleton

LONGEST_GAP_S = 0.5
"""After so long without a pose the motion is forgotten."""
FEWEST_LIMB_POINTS = 4
LOST_MISFIT = 10.0
"""Mean squared distance of pose and data, in deviations, of a fit that may be lost."""
LOST_S = 0.06
"""After so long of it the fit starts anew."""
_CONVERGED = (60, 1e-9)


class Fitter:
    """Fits the native skeleton to one person, frame by frame. Owned by one thread."""

    def __init__(self, keypoint_names: Sequence[str], settings: FitSettings) -> None:
        self._settings, self._precision = settings, 1.0
        self._points = make_points(keypoint_names)
        self._markers = [MARKERS[name] for name in marker_names(keypoint_names)]
        self._skeleton = settings.skeleton or skeleton.for_height(settings.height_m or skeleton.REFERENCE_HEIGHT_M)
        self._person = self._make_person()
        known = settings.skeleton is not None
        self._calibration = BoneCalibration(
            self._skeleton,
            self._person.values.bones,
            self._markers,
            keep_lengths=known,
            keep_size=settings.height_m is not None,
        )
        self._changed: Skeleton | None = None
        self._camera: Camera | None = None
        self._bent_rad = start.bent_rad(self._skeleton)
        self._packed = make_memory(self._person.values, self._skeleton)
        self._memory = self._packed.values
        self._memory.targets.limit_w[:] = settings.limit_sigma_rad**-2
        self.reset()

    @property
    def skeleton(self) -> Skeleton:
        """The person's skeleton now; its digest changes only at calibration events."""
        return self._skeleton

    @property
    def measured(self) -> bool:
        """Whether the person's bones were measured on enough good frames."""
        return self._calibration.measured

    def reset(self) -> None:
        """Forgets the motion (a cut); keeps the calibrated bone lengths."""
        self._time_s, self._lost_s = -math.inf, 0.0
        self._told: SkeletonPose | None = None
        self._handover: Handover | None = None
        self._anew = False
        for values in self._memory.sides:
            values[:] = 0.0
        self._memory.filter_px.time_s[:] = -math.inf
        self._memory.filter_m.time_s[:] = -math.inf

    def fit(self, track: Track, time_s: float, camera: Camera) -> SkeletonPose | None:
        """The pose at `time_s`, or None while nothing can be said (too little has been seen)."""
        self._adopt_calibration()
        self._look(track, camera)
        time_s = float(time_s)
        step_s = time_s - self._time_s
        follows = 0.0 < step_s <= LONGEST_GAP_S
        if not (self._follow(time_s, step_s) if follows else self._start(time_s)):
            return None
        self._time_s = time_s
        self._changed = self._calibration.add(self._memory.seen.raw_m)
        self._told = self._tell(self._pose(track.person_id, time_s))
        return self._told

    def learn(self, tracks: Sequence[Track], camera: Camera) -> None:
        """Calibrates the bone lengths on several frames of the person before any is fitted, and keeps them from then on.

        For a recording, whose first frames can be looked at before anything is said. Too few good frames change nothing:
        the calibration then happens while fitting.
        """
        for track in tracks:
            self._look(track, camera)
            if self._run(Order(frame.AIM, 0.0, fewest=FEWEST_LIMB_POINTS)) != frame.TOO_LITTLE:
                self._calibration.add(self._memory.seen.raw_m)
        self._changed = self._calibration.finish()
        self._adopt_calibration()
        self.reset()

    def _look(self, track: Track, camera: Camera) -> None:
        """Lays the track's rows out for the kernels, and the camera if it is another one."""
        if camera is not self._camera:
            self._look_through(camera)
        keypoints_m = np.full((len(track.confidence), 3), np.nan) if track.keypoints_m is None else track.keypoints_m
        pixels = cameras.undistort_px(track.keypoints_px, camera)
        # writable and in C order: anything else is another type to numba, and half a minute to compile
        values = (keypoints_m, pixels, track.confidence, camera.T_world_camera)
        self._rows = Rows(*(np.array(array, order="C") for array in values))

    def _look_through(self, camera: Camera) -> None:
        T, targets = camera.T_world_camera, self._memory.targets
        targets.K[:] = camera.K
        targets.T_camera_world[:3, :3] = T[:3, :3].T
        targets.T_camera_world[:3, 3] = -T[:3, :3].T @ T[:3, 3]
        self._camera, self._knows_up = camera, camera.origin != "assumed"

    def _run(self, order: Order) -> float:
        return frame.run(self._person.record, self._packed.record, self._rows, order)

    def _follow(self, time_s: float, step_s: float) -> bool:
        steps = (self._settings.iterations, 0.0) if self._settings.realtime else _CONVERGED
        misfit = self._run(
            Order(frame.FOLLOW, time_s, step_s, self._calibration.size_ratio, *steps, FEWEST_LIMB_POINTS, self._knows_up)
        )
        if misfit == frame.TOO_LITTLE:
            return False
        self._lost_s = self._lost_s + step_s if misfit > LOST_MISFIT else 0.0
        if self._lost_s > LOST_S or misfit >= frame.LOST:
            self._lost_s = 0.0
            self._try_again(misfit)
        return True

    def _try_again(self, misfit: float) -> None:
        """A fit that has lost the person starts anew, unless that is no better."""
        kept = self._keep()
        velocity_m_s = self._memory.motion.velocity_m_s.copy()
        if self._best_start(kept) > start.CLEARLY_BETTER * misfit:
            self._put(kept)
            self._memory.motion.velocity_m_s[:] = velocity_m_s
        else:
            self._memory.sides.held[:] = 0.0
            self._anew = True

    def _start(self, time_s: float) -> bool:
        self.reset()
        order = Order(frame.AIM, time_s, size_ratio=self._calibration.size_ratio, fewest=FEWEST_LIMB_POINTS)
        if self._run(order) == frame.TOO_LITTLE:
            return False
        self._best_start()
        return True

    def _best_start(self, *known: list[FloatArray]) -> float:
        """Settles in the best pose that a start finds, or in one near a `known` pose unless that is clearly worse; its misfit."""
        root_m = start.root_position_m(self._memory.targets, self._memory.seen.confidence)
        headings = start.headings(self._pair_m(self._points.hips), self._pair_m(self._points.shoulders))
        near = [self._settled(pose) for pose in known]
        misfit, best = min((self._settled([root_m, heading, self._bent_rad]) for heading in headings), key=_misfit)
        if near and _misfit(min(near, key=_misfit)) < misfit / start.CLEARLY_BETTER:
            misfit, best = min(near, key=_misfit)
        self._put(best)
        return misfit

    def _settled(self, pose: list[FloatArray]) -> tuple[float, list[FloatArray]]:
        """The misfit of the minimum next to a pose, and where that is."""
        self._put(pose)
        self._run(Order(frame.START_3D, iterations=20, tolerance=1e-3))
        return self._run(Order(frame.START, iterations=40, tolerance=1e-6)), self._keep()

    def _pair_m(self, pair: IntArray) -> FloatArray:
        return self._memory.targets.position_m[pair] if min(pair) >= 0 else np.full((2, 3), np.nan)

    def _keep(self) -> list[FloatArray]:
        work = self._memory.work
        return [work.root_m[0].copy(), work.root_wxyz[0].copy(), work.angles_rad[0].copy()]

    def _put(self, pose: list[FloatArray]) -> None:
        work = self._memory.work
        work.root_m[0], work.root_wxyz[0], work.angles_rad[0] = pose
        self._run(Order(frame.START))

    def _tell(self, pose: SkeletonPose) -> SkeletonPose:
        """The fitted pose; soon after a new start on its way there."""
        if self._anew and self._told is not None:
            self._handover = handover(self._told, pose)
        self._anew = False
        if self._handover is None or self._handover.over(pose.time_s):
            self._handover = None
            return pose
        return self._handover.told(pose, self._skeleton)

    def _adopt_calibration(self) -> None:
        """Takes a new skeleton over between two frames, so that every pose is on the skeleton that is told with it."""
        precision = self._calibration.precision
        grown = self._changed is not None and changes_much(self._skeleton, self._changed)
        if self._changed is not None and grown:
            self._skeleton = self._changed
        if grown or precision != self._precision:
            self._precision = precision
            self._person = self._make_person()
        self._changed = None

    def _make_person(self) -> Packed[Person]:
        body, bones = make_body(self._skeleton, self._markers), make_bones(self._skeleton, self._markers)
        return pack(Person(body, bones, self._points, make_weighing(self._settings, self._precision)))

    def _pose(self, person_id: int, time_s: float) -> SkeletonPose:
        said = self._memory.said
        return SkeletonPose(
            person_id,
            time_s,
            root_m=said.root_m.copy(),
            angles_rad=said.angles_rad.copy(),
            rotations_wxyz=self._memory.rotations_wxyz.copy(),
            positions_m=said.joints_m.copy(),
            confidence=self._points.showing @ self._memory.seen.confidence,
            contacts=self._memory.contacts.probability.copy(),
            residuals=dict(zip(TERMS, said.energies.tolist(), strict=True)),
        )


def warm_up(report: Callable[[str], None] | None = None) -> None:
    """Compiles the solver, or takes it from the cache on disk; `report` is told when that takes more than a moment."""
    with telling(report, "the fit"):
        names = tuple(MARKERS)[:2]
        nothing = Track(0, np.full((2, 2), np.nan), np.zeros(2), np.zeros(4))
        Fitter(names, FitSettings()).fit(nothing, 0.0, cameras.assumed(640, 480))


def _misfit(attempt: tuple[float, list[FloatArray]]) -> float:
    return attempt[0]
