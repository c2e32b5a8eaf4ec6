"""Strings the stages together: capture -> method -> track -> lift -> fit, on threads, with back-pressure and timings.

Threads: a file's frames are decoded on one thread and estimated on a second, each ahead of its reader by at most a few
frames; a live source has a reader thread of its own that keeps only the newest frame, so nothing is queued before the
method. Tracking, lifting and the fit run on the thread that iterates. A file's reader waits; it never drops a frame.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Generic, Self, TypeAlias, TypeVar, cast

import numpy as np

from posewire import camera as cameras
from posewire import capture, plugins
from posewire.data import Detections, Frame, SkeletonPose, Track
from posewire.errors import PluginError, PosewireError
from posewire.fit import FitSettings, Fitter
from posewire.lift import LiftStage
from posewire.methods import Device, Estimator, Lifter, MethodCard, MethodOptions, Source, SourceOptions
from posewire.settings import Settings
from posewire.skeleton import Skeleton
from posewire.tracking import Tracker, TrackSettings

T = TypeVar("T")
_Tracked: TypeAlias = tuple[Frame, list[Track]]
_FILE_AHEAD, _LIVE_AHEAD = 3, 1
"""Frames that a stage may be ahead of its reader."""
_LEARNT_FRAMES = 15
"""Frames of a file that are looked at before the first pose is said: few, because their pictures are kept (90 MB at 1080p)."""


@dataclass(frozen=True, slots=True, eq=False)
class Instant:
    """Everything known of one frame."""

    frame: Frame
    tracks: tuple[Track, ...]
    """The people seen in this frame."""
    poses: tuple[SkeletonPose, ...]
    """The fitted people; a person too badly seen has a track but no pose."""
    skeletons: Mapping[int, Skeleton]
    """The skeleton of everybody known, by person id; seen now or not."""


@dataclass(slots=True)
class StageTimes:
    """Seconds that each stage took, one entry a frame."""

    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def timed(self, stage: str, function: Callable[[], T]) -> T:
        """Calls the function and books its time under `stage`."""
        start = perf_counter()
        try:
            return function()
        finally:
            self.seconds.setdefault(stage, []).append(perf_counter() - start)

    def median_ms(self) -> dict[str, float]:
        """Median of each stage in milliseconds."""
        return {stage: 1e3 * float(np.median(times)) for stage, times in self.seconds.items()}

    def p95_ms(self) -> dict[str, float]:
        """95th percentile of each stage in milliseconds."""
        return {stage: 1e3 * float(np.percentile(times, 95)) for stage, times in self.seconds.items()}


class Ahead(Generic[T]):
    """Iterates on a thread of its own, at most `size` items before the reader; an error reaches the reader in its place."""

    def __init__(self, items: Iterable[T], name: str, size: int) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[str, object]] = queue.Queue(size)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"posewire-{name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put("item", item):
                    return
            self._put("end", None)
        except BaseException as error:  # noqa: BLE001  every error of another thread belongs to the reader
            self._put("error", error)

    def _put(self, kind: str, value: object) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put((kind, value), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[T]:
        while not self._stop.is_set():
            try:
                kind, value = self._queue.get(timeout=0.1)  # a short wait keeps Ctrl-C alive on Windows
            except queue.Empty:
                continue
            if kind == "end":
                return
            if kind == "error":
                raise cast(BaseException, value)
            yield cast(T, value)

    def close(self) -> None:
        """Stops the thread; the reader's iteration ends."""
        self._stop.set()
        self._thread.join(timeout=5.0)


class Pipeline:
    """From an open source and an open method to `Instant`s. A context manager; iterate it once.

    Owns the source, the estimator and the lifter: `close()` closes all three.
    """

    def __init__(
        self, source: Source, card: MethodCard, estimator: Estimator, settings: Settings, lift: LiftStage | None = None
    ) -> None:
        self.source, self.card, self.settings = source, card, settings
        self.times = StageTimes()
        self._estimator, self._lift = estimator, lift
        self._tracker = Tracker(card.joints, TrackSettings(max_people=settings.max_people))
        self._fitters: dict[int, Fitter] = {}
        self._threads: list[Ahead[Frame] | Ahead[tuple[Frame, Detections]]] = []
        self._closed = False

    def __iter__(self) -> Iterator[Instant]:
        tracked = (self._follow(frame, found) for frame, found in self._ahead(self._estimates(), "method"))
        for frame, tracks in tracked if self.source.live else self._learnt(tracked):
            poses = self.times.timed("fit", lambda frame=frame, tracks=tracks: self._fit(tracks, frame))
            skeletons = {person_id: fitter.skeleton for person_id, fitter in self._fitters.items()}
            yield Instant(frame, tuple(tracks), poses, skeletons)

    def _ahead(self, items: Iterable[T], name: str) -> Ahead[T]:
        worker = Ahead(items, name, _LIVE_AHEAD if self.source.live else _FILE_AHEAD)
        self._threads.append(cast("Ahead[Frame]", worker))
        return worker

    def _frames(self) -> Iterator[Frame]:
        source = iter(self.source)
        while (frame := self.times.timed("capture", lambda: next(source, None))) is not None:
            yield frame

    def _estimates(self) -> Iterator[tuple[Frame, Detections]]:
        frames = self.source if self.source.live else self._ahead(self._frames(), "capture")
        for frame in frames:
            yield frame, self.times.timed("method", lambda frame=frame: self._estimate(frame))

    def _estimate(self, frame: Frame) -> Detections:
        try:
            return self._estimator.estimate(frame)
        except PosewireError:
            raise
        except Exception as error:  # a method is third-party code: whatever it raises, name it
            raise PluginError(
                f"The method {self.card.name!r} failed on frame {frame.index}.",
                got=f"{type(error).__name__}: {error}",
                hint="choose another with --method (see `posewire methods`), or report it to the plugin's author",
            ) from error

    def _follow(self, frame: Frame, detections: Detections) -> _Tracked:
        tracks = self.times.timed("track", lambda: self._tracker.update(detections, frame))
        if self._lift is not None:
            lift = self._lift
            tracks = self.times.timed("lift", lambda: [lift.lift(track, frame.time_s, frame.camera) for track in tracks])
        return frame, tracks

    def _learnt(self, tracked: Iterator[_Tracked]) -> Iterator[_Tracked]:
        """A file's first frames calibrate the bone lengths of those in them, which then stay the same from the first pose on."""
        first, broken = list[_Tracked](), None
        try:
            for item in islice(tracked, _LEARNT_FRAMES):
                first.append(item)
        except PosewireError as error:  # what came before it is still worth having
            broken = error
        self._learn(first)
        yield from first
        if broken is not None:
            raise broken
        yield from tracked

    def _learn(self, first: list[_Tracked]) -> None:
        seen: dict[int, list[Track]] = {}
        for _, tracks in first:
            for track in tracks:
                seen.setdefault(track.person_id, []).append(track)
        for person_id, tracks in seen.items():
            self._fitter(person_id).learn(tracks, first[0][0].camera)

    def _fit(self, tracks: list[Track], frame: Frame) -> tuple[SkeletonPose, ...]:
        poses = [self._fitter(track.person_id).fit(track, frame.time_s, frame.camera) for track in tracks]
        return tuple(pose for pose in poses if pose is not None)

    def _fitter(self, person_id: int) -> Fitter:
        if person_id not in self._fitters:
            self._fitters[person_id] = Fitter(self.card.joints, FitSettings(height_m=self.settings.height_m))
        return self._fitters[person_id]

    def close(self) -> None:
        """Stops the threads and closes what the pipeline owns; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self.source.close()
        for thread in reversed(self._threads):
            thread.close()
        self._estimator.close()
        if self._lift is not None:
            self._lift.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_estimator(settings: Settings, *, live: bool = False) -> tuple[MethodCard, Estimator]:
    """The chosen estimator, opened.

    Raises:
        PluginError: no such method, or it is a lifter.
        DeviceError: the asked device is not there.
    """
    card = _card(settings.method, "estimator", f"--method blazepose --lifter {settings.method}")
    return card, cast(Estimator, plugins.open_method(card, _options(settings, live)))


def open_lifter(settings: Settings, keypoint_names: tuple[str, ...]) -> LiftStage | None:
    """The chosen lifter, opened, or None when the method's own 3D is wanted.

    Raises:
        PluginError: no such lifter, or it is an estimator.
    """
    if settings.lifter is None:
        return None
    card = _card(settings.lifter, "lifter", f"--method {settings.lifter}, without --lifter")
    return LiftStage(cast(Lifter, plugins.open_method(card, _options(settings, live=False))), card, keypoint_names)


def _card(name: str, kind: str, hint: str) -> MethodCard:
    card = plugins.load().method(name)
    if card.kind != kind:
        raise PluginError(f"The method '{name}' is no {kind}.", got=f"it is an {card.kind}", hint=hint)
    return card


def _options(settings: Settings, live: bool) -> MethodOptions:
    return MethodOptions(cast(Device, settings.device), settings.max_people, settings.threads, live)


def open_pipeline(address: str | int | Path, settings: Settings | None = None) -> Pipeline:
    """Opens the source, the method and the lifter that the settings name.

    Raises:
        PosewireError: one of them cannot be opened.
    """
    settings = settings or Settings.load()
    calibration = cameras.load(settings.camera) if settings.camera else None
    registry = plugins.load()
    options = SourceOptions(settings.fov_deg, calibration)
    source = capture.open_source(str(address), options, tuple(registry.sources.values()))
    try:
        card, estimator = open_estimator(settings, live=source.live)
        lift = open_lifter(settings, card.joints)
    except BaseException:
        source.close()
        raise
    return Pipeline(source, card, estimator, settings, lift)


def track(address: str | int | Path, **flags: object) -> Iterator[SkeletonPose]:
    """Every fitted person of every frame, in time order.

        for pose in posewire.track("clip.mp4", height_m=1.8):
            print(pose.time_s, pose.person_id, pose.root_m)

    Args:
        address: What `posewire run` takes: a video file, an image folder, a camera number, a stream address.
        flags: Fields of Settings.

    Raises:
        PosewireError: the source, method or settings cannot be used.
    """
    with open_pipeline(address, Settings.load(None, **flags)) as pipeline:
        for instant in pipeline:
            yield from instant.poses
