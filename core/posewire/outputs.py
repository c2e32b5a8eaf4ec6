"""Where instants go: a take, a stream, a preview. Each output gets every instant and closes by itself when the run ends."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from posewire import keys, plugins, wire
from posewire.data import Camera, SkeletonPose
from posewire.pipeline import Instant, Pipeline
from posewire.publish import Publisher
from posewire.retarget import Retargeter, Rig, resolve_rig, rig_skeleton
from posewire.settings import Settings
from posewire.skeleton import REFERENCE, Skeleton
from posewire.take import TakeHeader, TakeWriter


class Output(Protocol):
    """Takes instants in time order."""

    def add(self, instant: Instant) -> None:
        """Takes one instant."""
        ...

    def close(self) -> None:
        """Finishes; what was added stays readable."""
        ...


class Outputs:
    """Several outputs as one. When one fails the others still close properly and the first error is raised."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = tuple(outputs)
        self._stack = ExitStack()
        for output in self._outputs:
            self._stack.callback(output.close)

    def add(self, instant: Instant) -> None:
        """Hands the instant to every output."""
        for output in self._outputs:
            output.add(instant)

    def close(self) -> None:
        """Closes every output."""
        self._stack.close()


class Pacer:
    """Holds a file back to its own speed, so that a published file looks as it was filmed; never makes up for lost time."""

    def __init__(self) -> None:
        self._start_s: float | None = None

    def wait(self, time_s: float) -> None:
        """Sleeps until the media time `time_s` is due."""
        now_s = time.perf_counter()  # time.monotonic moves in steps of 16 ms on Windows
        if self._start_s is None or now_s - self._start_s > time_s + 0.25:
            self._start_s = now_s - time_s  # the first frame, or hopelessly late: go on from here
        time.sleep(max(0.0, self._start_s + time_s - now_s))


class TakeOutput:
    """Records to a take."""

    def __init__(self, path: Path, address: str, pipeline: Pipeline, *, overwrite: bool = False) -> None:
        settings = pipeline.settings
        header = TakeHeader(address, pipeline.card.name, pipeline.card.joints, settings.lifter, settings.plain())
        self._writer = TakeWriter(path, header, overwrite=overwrite)

    def add(self, instant: Instant) -> None:
        """Appends the instant."""
        self._writer.add(instant.frame, instant.tracks, instant.poses, instant.skeletons)

    def close(self) -> None:
        """Completes the take."""
        self._writer.close()


class Stream:
    """Publishes people on the native skeleton and on rigs. A context manager."""

    def __init__(self, publisher: Publisher, rigs: Sequence[Rig]) -> None:
        self._publisher, self._rigs = publisher, tuple(rigs)
        self._retargeter = lru_cache(_MOST_RETARGETERS)(_make_retargeter)
        self.address = publisher.address

    def send(
        self,
        time_s: float,
        capture_unix_ns: int,
        camera: Camera,
        poses: Sequence[SkeletonPose],
        skeletons: Mapping[int, Skeleton],
        view: wire.View | None = None,
    ) -> None:
        """Publishes everybody at one instant."""
        rigs = {rig.name: self._on_rig(rig, poses, skeletons) for rig in self._rigs}
        self._publisher.send(wire.Instant(time_s, capture_unix_ns, camera, poses, skeletons, rigs, view=view))

    def _on_rig(self, rig: Rig, poses: Sequence[SkeletonPose], skeletons: Mapping[int, Skeleton]) -> wire.RigInstant:
        rig_poses = [self._retargeter(rig, skeletons[pose.person_id])[0](pose) for pose in poses]
        rig_skeletons = {person: self._retargeter(rig, skeleton)[1] for person, skeleton in skeletons.items()}
        return wire.RigInstant(self._retargeter(rig, REFERENCE)[1], rig_poses, rig_skeletons)

    def close(self) -> None:
        """Stops publishing."""
        self._publisher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


_MOST_RETARGETERS = 1024
"""Of the skeletons of everybody known, on all rigs; the longest unused go first."""


def _make_retargeter(rig: Rig, skeleton: Skeleton) -> tuple[Retargeter, Skeleton]:
    return Retargeter(skeleton, rig), rig_skeleton(rig, skeleton)


def open_stream(settings: Settings, method: str) -> Stream:
    """A stream at the settings' address, on the settings' rigs; encrypted when the address is open to other machines.

    Raises:
        WireError: the address cannot be used.
        PluginError: a rig does not exist.
    """
    cards = plugins.load().rigs.values()
    rigs = [resolve_rig(name, cards) for name in settings.rigs]
    loopback = wire.parse_address(settings.address, bind=True).is_loopback
    folder = None if loopback or settings.insecure or not keys.clients() else keys.default_folder()
    return Stream(Publisher(settings.address, method=method, keys=folder, insecure=settings.insecure), rigs)


class StreamOutput:
    """Publishes instants, at the media's own speed where a pacer is given; the pictures themselves only if that is asked for."""

    def __init__(self, stream: Stream, pacer: Pacer | None, pipeline: Pipeline, *, pictures: bool = False) -> None:
        self._stream, self._pacer = stream, pacer
        self._pipeline, self._pictures = pipeline, pictures

    def add(self, instant: Instant) -> None:
        """Publishes the instant when it is due."""
        frame = instant.frame
        if self._pacer is not None:
            self._pacer.wait(frame.time_s)
        self._stream.send(
            frame.time_s, frame.capture_unix_ns, frame.camera, instant.poses, instant.skeletons, self._view(instant)
        )

    def _view(self, instant: Instant) -> wire.View:
        stages = list(self._pipeline.times.seconds.items())  # in one step: other threads add stages
        stages_ms = {stage: 1e3 * seconds[-1] for stage, seconds in stages if seconds}
        image = instant.frame.image if self._pictures else None
        return wire.View(instant.frame.camera, self._pipeline.card.joints, instant.tracks, stages_ms, image)

    def close(self) -> None:
        """Stops publishing."""
        self._stream.close()
