# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream's state without its socket: bytes in, poses with their subject out, and the numbers of how it goes."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from .protocol import OtherVersionError, Pose, ProtocolError, Subject, decode

_WINDOW = 512
_RATE_WINDOW_S = 2.0


@dataclass(frozen=True)
class Received:
    """Everybody at one instant, together with what was said once."""

    pose: Pose
    subject: Subject
    arrived_s: float
    """time.monotonic."""


@dataclass(frozen=True)
class Numbers:
    """How the stream does."""

    received: int
    dropped: int
    """Gaps in the sequence: sent, but never arrived."""
    malformed: int
    fps: float
    latency_p50_s: float | None
    """From capture to this computer's reading of it; None = unknown."""
    latency_p95_s: float | None
    silent_s: float | None
    """Since the last pose; None = none yet."""
    problem: ProtocolError | None
    """The last thing that was wrong with a message; None = nothing since the last good one."""


class Stream:
    """Decodes messages, checks poses against their subject and counts.

    A pose whose subject has not come yet is held back, the newest only, until it comes.

    Args:
        same_clock: The publisher is on this machine, so its wall clock is ours.
    """

    def __init__(self, *, same_clock: bool) -> None:
        self.subject: Subject | None = None
        self._same_clock = same_clock
        self._held: Pose | None = None
        self._last: tuple[str, int] | None = None
        self._last_s: float | None = None
        self._received = self._dropped = self._malformed = 0
        self._recent: deque[tuple[float, float]] = deque(maxlen=_WINDOW)  # when it arrived here, when it was sent there
        self._latencies_s: deque[float] = deque(maxlen=_WINDOW)
        self._problem: ProtocolError | None = None

    def take(self, data: bytes) -> Received | None:
        """Takes in one message; gives the pose that it completes, if any."""
        try:
            message = decode(data)
            if message.rig:
                raise ProtocolError("A message is of another rig than was asked for.")
            received = self._take_subject(message) if isinstance(message, Subject) else self._take_pose(message)
        except OtherVersionError as error:
            self._malformed += 1
            self._problem = error
            return None
        except ProtocolError as error:
            self._malformed += 1
            self._problem = self._problem or error
            return None
        self._problem = None
        return received

    def numbers(self) -> Numbers:
        """The numbers up to now."""
        p50, p95 = np.percentile(self._latencies_s, [50, 95]).tolist() if self._latencies_s else (None, None)
        silent_s = None if self._last_s is None else time.monotonic() - self._last_s
        counts = (self._received, self._dropped, self._malformed)
        return Numbers(*counts, self._rate_fps(), p50, p95, silent_s, self._problem)

    def _take_subject(self, subject: Subject) -> Received | None:
        self.subject = subject
        held, self._held = self._held, None
        return None if held is None else self._resolve(held)

    def _take_pose(self, pose: Pose) -> Received | None:
        self._count(pose)
        self._held = None
        return self._resolve(pose)

    def _count(self, pose: Pose) -> None:
        self._received += 1
        self._last_s = time.monotonic()
        self._recent.append((self._last_s, pose.send_unix_ns * 1e-9))
        if self._last is not None and self._last[0] == pose.session:
            self._dropped += max(0, pose.sequence - self._last[1] - 1)
        self._last = (pose.session, pose.sequence)

    def _resolve(self, pose: Pose) -> Received | None:
        subject = self.subject
        known = subject is not None and subject.session == pose.session
        if subject is None or not known or any(person.skeleton not in subject.skeletons for person in pose.people):
            self._held = pose
            return None
        if any(len(person.rotations_wxyz) != len(subject.names) for person in pose.people):
            raise ProtocolError("A pose has another number of bones than its subject.")
        self._note_latency(pose.capture_unix_ns)
        return Received(pose, subject, time.monotonic())

    def _note_latency(self, capture_unix_ns: int) -> None:
        """Nothing where the clocks differ or one was set: an elapsed time is not negative."""
        elapsed_s = (time.time_ns() - capture_unix_ns) * 1e-9
        if self._same_clock and capture_unix_ns > 0 and elapsed_s >= 0.0:
            self._latencies_s.append(elapsed_s)

    def _rate_fps(self) -> float:
        """By the sender's clock: a reader that looks now and then gets its poses in bursts."""
        now_s = time.monotonic()
        sent_s = [sent_s for arrival_s, sent_s in self._recent if arrival_s > now_s - _RATE_WINDOW_S]
        span_s = sent_s[-1] - sent_s[0] if len(sent_s) > 1 else 0.0
        return (len(sent_s) - 1) / span_s if span_s > 0 else 0.0
