"""Strings the stages together: capture -> method -> track -> lift -> fit, on threads, with back-pressure and timings.

Threads: a file's frames are decoded on one thread and estimated on a second, each ahead of its reader by at most a few
frames; a live source has a reader thread of its own that keeps only the newest frame, so nothing is queued before the
method. Tracking, lifting and the fit run on the thread that iterates. A file's reader waits; it never drops a frame.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

from posewire import camera as cameras
from posewire import capture, plugins
from posewire.asking import check_picture, close, estimate, restart
from posewire.data import Detections, Frame, SkeletonPose, Track
from posewire.errors import PluginError, PosewireError, SourceError
from posewire.lift import LiftStage
from posewire.methods import Device, Estimator, Lifter, MethodCard, MethodOptions, Source, SourceOptions
from posewire.people import People, Tracked
from posewire.settings import Settings
from posewire.skeleton import Skeleton
from posewire.stages import Ahead, StageTimes, one_opencv_thread
from posewire.tracking import Tracker, TrackSettings

T = TypeVar("T")
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
        self.people = People(card.joints, settings)
        """Belongs to the thread that iterates."""
        self._threads: list[Ahead[Frame] | Ahead[tuple[Frame, Detections]]] = []
        self._lifted_size_px: tuple[int, int] | None = None
        self._closed = False

    def __iter__(self) -> Iterator[Instant]:
        with one_opencv_thread():
            yield from self._instants()

    def _instants(self) -> Iterator[Instant]:
        tracked = (self._follow(frame, found) for frame, found in self._ahead(self._estimates(), "method"))
        for frame, tracks in tracked if self.source.live else self._learnt(tracked):
            self.people.forget_all_but(self._tracker.known)
            placed = self.people.place(frame)
            poses = self.times.timed("fit", lambda placed=placed, tracks=tracks: self.people.fit(tracks, placed))
            yield Instant(placed, tuple(tracks), poses, self.people.skeletons)

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
        size_px = None
        for frame in frames:
            check_picture(frame)
            if size_px is not None and size_px != frame.size_px:  # where somebody was in the old pixels, somebody else is now
                restart(self._estimator, self.card)
            size_px = frame.size_px
            yield frame, self.times.timed("method", lambda frame=frame: estimate(self._estimator, self.card, frame))

    def _follow(self, frame: Frame, detections: Detections) -> Tracked:
        tracks = self.times.timed("track", lambda: self._tracker.update(detections, frame))
        if self._lift is not None:
            lift = self._lift
            if frame.size_px != self._lifted_size_px:
                lift.reset()
            self._lifted_size_px = frame.size_px
            tracks = self.times.timed("lift", lambda: [lift.lift(track, frame.time_s, frame.camera) for track in tracks])
        return frame, tracks

    def _learnt(self, tracked: Iterator[Tracked]) -> Iterator[Tracked]:
        """A file's first frames calibrate the bone lengths of those in them, which then stay the same from the first pose on."""
        first, broken = list[Tracked](), None
        try:
            for item in islice(tracked, _LEARNT_FRAMES):
                first.append(item)
        except PosewireError as error:  # what came before it is still worth having
            broken = error
        self.people.learn(first)
        yield from first
        if broken is not None:
            raise broken
        yield from tracked

    def close(self) -> None:
        """Stops the threads and closes what the pipeline owns; may be called twice."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as rest:  # in the opposite order; each closes whatever the others raise
            if self._lift is not None:
                rest.callback(self._lift.close)
            rest.callback(close, self._estimator, self.card)
            for thread in self._threads:
                rest.callback(thread.close)
            rest.callback(self.source.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A plugin that failed may well fail to close, too: the first error is the one to tell.
        with nullcontext() if error is None else suppress(PluginError):
            self.close()


def open_estimator(settings: Settings, *, live: bool = False) -> tuple[MethodCard, Estimator]:
    """The chosen estimator, opened.

    Raises:
        PluginError: no such method, or it is a lifter.
        SettingsError, ModelError: the settings' weights are not this method's.
        DeviceError: the asked device is not there.
    """
    card = plugins.load().estimator(settings.method)
    options = replace(_options(settings), live=live, weights=tuple(map(Path, settings.weights)))
    return card, cast(Estimator, plugins.open_method(card, options))


@contextmanager
def estimating(settings: Settings) -> Generator[tuple[MethodCard, Estimator]]:
    """The chosen estimator for a while; what it raises when it is closed hides no error before.

    Raises:
        PosewireError: it cannot be opened or closed.
    """
    card, estimator = open_estimator(settings)
    try:
        yield card, estimator
    except BaseException:
        _dismiss(estimator, card)
        raise
    close(estimator, card)


def _dismiss(estimator: Estimator, card: MethodCard) -> None:
    """Closes a method because of an error, which is told instead of its own."""
    with suppress(PluginError):
        close(estimator, card)


def open_lifter(settings: Settings, keypoint_names: tuple[str, ...]) -> LiftStage | None:
    """The chosen lifter, opened, or None when the method's own 3D is wanted.

    Raises:
        PluginError: no such lifter, or it is an estimator.
    """
    if settings.lifter is None:
        return None
    card = plugins.load().lifter(settings.lifter)
    return LiftStage(cast(Lifter, plugins.open_method(card, _options(settings))), card, keypoint_names)


def _options(settings: Settings) -> MethodOptions:
    return MethodOptions(cast(Device, settings.device), settings.max_people, settings.threads)


def open_pipeline(address: str | int | Path, settings: Settings | None = None) -> Pipeline:
    """Opens the source, the method and the lifter that the settings name.

    Raises:
        PosewireError: one of them cannot be opened.
    """
    settings = settings or Settings.load()
    calibration = cameras.load(Path(settings.camera)) if settings.camera else None
    registry = plugins.load()
    options = SourceOptions(settings.fov_deg, calibration, settings.rate_hz)
    try:
        source = capture.open_source(str(address), options, tuple(registry.sources.values()))
    except SourceError as error:
        hint = error.hint or registry.broken_hint
        raise SourceError(error.problem, got=error.got, allowed=error.allowed, hint=hint) from error
    with ExitStack() as opened:
        opened.callback(source.close)
        card, estimator = open_estimator(settings, live=source.live)
        opened.callback(_dismiss, estimator, card)
        pipeline = Pipeline(source, card, estimator, settings, open_lifter(settings, card.joints))
        opened.pop_all()
    return pipeline


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
