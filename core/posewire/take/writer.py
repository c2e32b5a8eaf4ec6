"""Writes a take while it happens. Whatever kills the process, all but the last half second is in the file.

Threads: one thread calls `add` and `close`; a thread of the writer's own flushes what has waited too long (a camera that
stands still must not keep its last frames in memory). One lock guards everything that both touch.
"""

from __future__ import annotations

import io
import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from posewire.data import Frame, SkeletonPose, Track
from posewire.errors import TakeError
from posewire.skeleton import Skeleton
from posewire.take.batch import batch_record, gather
from posewire.take.chunks import END, FRAMES, MAX_RECORD_BYTES, pack
from posewire.take.new_file import create
from posewire.take.said_once import SaidOnce
from posewire.take.values import TakeFrame, TakeHeader

FLUSH_AFTER_S = 0.5
"""Frames wait at most this long, in media time and on the wall clock."""
_WATCH_EVERY_S = 0.1
_REPEAT_AFTER_S = 10.0
"""Header, cameras and skeletons are said again this often: a damaged byte then costs only the chunk that it hit."""
_FLUSH_BYTES = MAX_RECORD_BYTES // 4


class TakeWriter:
    """Appends frames to a new take.

    Args:
        path: The file to make, e.g. `walk.pwt`; its folder must exist.
        header: What is said once.
        overwrite: Replace an existing file. It stays as it is until the new take's header is on the disk.

    Raises:
        TakeError: the file exists already, its folder does not, or it cannot be written.
    """

    def __init__(self, path: str | PathLike[str], header: TakeHeader, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._keypoints = len(header.keypoint_names)
        self._said_once = SaidOnce(header)
        self._file: io.FileIO | None = create(self.path, self._said_once.header_chunk(), overwrite=overwrite)
        self._pending: list[TakeFrame] = []
        self._pending_bytes, self._pending_since_s = 0, 0.0
        self._frames_written = 0
        self._repeated_at_s = time.monotonic()
        self._failure: TakeError | None = None
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._watch = threading.Thread(target=self._flush_what_waits, name="posewire-take", daemon=True)
        self._watch.start()

    def add(
        self, frame: Frame, tracks: Sequence[Track], poses: Sequence[SkeletonPose], skeletons: Mapping[int, Skeleton]
    ) -> None:
        """Appends one frame; nobody in it is fine. `skeletons` maps the person id of each pose to the skeleton it is for.

        Raises:
            TakeError: the values do not fit each other or the header, or the disk is full. What was written stays readable.
        """
        mine = {pose.person_id: skeletons[pose.person_id] for pose in poses if pose.person_id in skeletons}
        self.add_frame(
            TakeFrame(frame.time_s, frame.index, frame.capture_unix_ns, frame.camera, tuple(tracks), tuple(poses), mine)
        )

    def add_frame(self, frame: TakeFrame) -> None:
        """Appends one frame, for instance of another take. Raises as `add`."""
        size = self._checked_size(frame)
        with self._lock:
            self._raise_failure()
            if self._file is None:
                raise TakeError("The take is closed already.", got=self.path, allowed="frames before close()")
            if not self._pending:
                self._pending_since_s = time.monotonic()
            self._pending.append(frame)
            self._pending_bytes += size
            if self._is_due():
                self._flush()
            self._raise_failure()

    def close(self) -> None:
        """Writes what is pending and marks the take as complete; may be called twice.

        Raises:
            TakeError: writing failed, now or earlier in the background.
        """
        self._closing.set()
        self._watch.join()
        with self._lock:
            if self._file is None:
                return
            if self._failure is None:
                self._flush()
            if self._failure is None:
                self._write(self._said_once.again() + pack(END, {"frames": self._frames_written}), durable=True)
            self._file.close()
            self._file = None
            self._raise_failure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _checked_size(self, frame: TakeFrame) -> int:
        """Rough bytes of the frame in the file; TakeError when it does not fit the take."""
        if not math.isfinite(frame.time_s):
            raise TakeError("A frame's time is not a number.", got=frame.time_s, allowed="seconds")
        if frame.camera is None:
            raise TakeError(
                "A frame without a camera cannot be recorded.", got=f"frame {frame.index}", hint="give the frame a camera"
            )
        sizes = [_track_size(track, self._keypoints) for track in frame.tracks]
        sizes += [_pose_size(pose, frame.skeletons) for pose in frame.poses]
        for values in (frame.tracks, frame.poses):
            ids = [value.person_id for value in values]
            if len(set(ids)) < len(ids):
                raise TakeError("A frame holds a person twice.", got=f"person ids {ids}", allowed="each person once")
        if sum(sizes) > _FLUSH_BYTES:
            raise TakeError("A frame is too large for a take.", got=f"{sum(sizes)} bytes", allowed=f"up to {_FLUSH_BYTES} bytes")
        return sum(sizes)

    def _is_due(self) -> bool:
        first, last = self._pending[0].time_s, self._pending[-1].time_s
        waited_s = time.monotonic() - self._pending_since_s
        return abs(last - first) >= FLUSH_AFTER_S or waited_s >= FLUSH_AFTER_S or self._pending_bytes >= _FLUSH_BYTES

    def _flush_what_waits(self) -> None:
        while not self._closing.wait(_WATCH_EVERY_S):
            with self._lock:
                if self._pending and self._failure is None and self._is_due():
                    self._flush()

    def _flush(self) -> None:
        """Writes the pending frames, after whatever they need that was not said yet. The lock is held."""
        if not self._pending:
            return
        frames, self._pending, self._pending_bytes = self._pending, [], 0
        news, camera_ids = self._said_once.news(frames)
        now_s = time.monotonic()
        if now_s - self._repeated_at_s >= _REPEAT_AFTER_S:
            news, self._repeated_at_s = news + self._said_once.again(), now_s
        batch = gather(frames, camera_ids, self._frames_written)
        self._write(news + pack(FRAMES, batch_record(batch)))
        self._frames_written += len(frames)

    def _write(self, data: bytes, *, durable: bool = False) -> None:
        """Hands bytes to the operating system, which keeps them when this process dies."""
        assert self._file is not None
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
            if durable:
                os.fsync(self._file.fileno())
        except OSError as error:
            problem = f"The take {self.path} cannot be written any further; what was recorded before stays in it."
            self._failure = TakeError(problem, got=error, hint="make room on the disk and record to a new file")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _track_size(track: Track, keypoints: int) -> int:
    if len(track.confidence) != keypoints:
        raise TakeError(
            "A track does not fit the take.", got=f"{len(track.confidence)} keypoints", allowed=f"{keypoints}, as in the header"
        )
    return 40 + 24 * keypoints


def _pose_size(pose: SkeletonPose, skeletons: Mapping[int, Skeleton]) -> int:
    skeleton = skeletons.get(pose.person_id)
    if skeleton is None:
        raise TakeError(
            "A pose comes without its skeleton.", got=f"person {pose.person_id}", allowed=f"people {sorted(skeletons)}"
        )
    joints, angles = len(skeleton.names), len(skeleton.dofs)
    if (len(pose.confidence), len(pose.angles_rad)) != (joints, angles):
        got = f"{len(pose.confidence)} joints, {len(pose.angles_rad)} angles"
        raise TakeError("A pose does not fit its skeleton.", got=got, allowed=f"{joints} joints, {angles} angles")
    return 60 + 32 * joints + 4 * angles + 4 * len(pose.residuals)
