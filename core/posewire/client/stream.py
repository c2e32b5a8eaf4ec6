"""A stream's state without its socket: bytes in, Received out, and the numbers of how it goes."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from posewire.client.received import Received
from posewire.errors import WireError
from posewire.wire import VIEW_TOPIC, PoseMessage, SubjectMessage, ViewMessage, decode, decode_view

_WINDOW = 512
_RATE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """How a client's stream does."""

    received: int
    """Poses that arrived, those included that `newest` passed over."""
    dropped: int
    """Gaps in the sequence: poses that were sent and never arrived."""
    malformed: int
    """Messages that do not decode or contradict their subject."""
    fps: float
    """Poses a second that arrived in the last two seconds."""
    latency_p50_s: float | None
    """From capture; None = unknown."""
    latency_p95_s: float | None
    last_error: str = ""
    """About the last malformed message, in one line."""


class Stream:
    """Decodes, checks poses against their subject and counts.

    A pose whose subject has not come yet is held back, the newest only, until it comes. A new session (the publisher
    started again) begins its sequence anew.

    Args:
        rig: The rig that the client subscribed to; empty = native.
        same_clock: The publisher is on this machine, so its wall clock is ours.
    """

    def __init__(self, *, rig: str, same_clock: bool) -> None:
        self.subject: SubjectMessage | None = None
        self.view: ViewMessage | None = None
        self._rig = rig
        self._same_clock = same_clock
        self._held: PoseMessage | None = None
        self._last: tuple[str, int] | None = None
        self._received = self._dropped = self._malformed = 0
        self._last_error = ""
        self._recent: deque[tuple[float, float]] = deque(maxlen=_WINDOW)  # when it arrived here, when it was sent there
        self._latencies_s: deque[float] = deque(maxlen=_WINDOW)

    def take(self, parts: list[bytes]) -> Received | None:
        """Takes in one ZeroMQ message; gives the pose that it completes, if any."""
        try:
            if parts[0].startswith(VIEW_TOPIC):
                self.view = decode_view(parts[0])
                return None
            message = _decode_single(parts, self._rig)
            return self._take_subject(message) if isinstance(message, SubjectMessage) else self._take_pose(message)
        except WireError as error:
            self._malformed += 1
            self._last_error = " ".join(str(error).split())
            return None

    def statistics(self) -> Statistics:
        """The numbers up to now."""
        p50, p95 = np.percentile(self._latencies_s, [50, 95]).tolist() if self._latencies_s else (None, None)
        return Statistics(self._received, self._dropped, self._malformed, self._rate_fps(), p50, p95, self._last_error)

    def _take_subject(self, subject: SubjectMessage) -> Received | None:
        self.subject = subject
        held, self._held = self._held, None
        return None if held is None else self._resolve(held)

    def _take_pose(self, pose: PoseMessage) -> Received | None:
        self._count(pose)
        self._held = None
        return self._resolve(pose)

    def _count(self, pose: PoseMessage) -> None:
        self._received += 1
        self._recent.append((time.monotonic(), pose.send_unix_ns * 1e-9))
        if self._last is not None and self._last[0] == pose.session:
            self._dropped += max(0, pose.sequence - self._last[1] - 1)
        self._last = (pose.session, pose.sequence)

    def _resolve(self, pose: PoseMessage) -> Received | None:
        """The pose with its subject; held back while that is unknown."""
        subject = self.subject
        known = subject is not None and subject.session == pose.session
        if subject is None or not known or any(person.skeleton not in subject.skeletons for person in pose.people):
            self._held = pose
            return None
        if any(len(person.rotations_wxyz) != len(subject.names) for person in pose.people):
            raise WireError("A pose has another number of bones than its subject.")
        received = Received(pose, subject, self._elapsed_s(pose.capture_unix_ns), self._elapsed_s(pose.send_unix_ns))
        if received.latency_s is not None:
            self._latencies_s.append(received.latency_s)
        return received

    def _elapsed_s(self, since_unix_ns: int) -> float | None:
        """None where the clocks differ or one was set: an elapsed time is not negative."""
        elapsed_s = (time.time_ns() - since_unix_ns) * 1e-9
        return elapsed_s if self._same_clock and since_unix_ns > 0 and elapsed_s >= 0.0 else None

    def _rate_fps(self) -> float:
        """By the sender's clock: a reader that looks now and then gets its poses in bursts."""
        now_s = time.monotonic()
        sent_s = [sent_s for arrival_s, sent_s in self._recent if arrival_s > now_s - _RATE_WINDOW_S]
        span_s = sent_s[-1] - sent_s[0] if sent_s else 0.0
        return (len(sent_s) - 1) / span_s if span_s > 0.0 else 0.0


def _decode_single(parts: list[bytes], rig: str) -> SubjectMessage | PoseMessage:
    if len(parts) != 1:
        raise WireError("A message has several frames.", got=len(parts), allowed=1)
    message = decode(parts[0])
    if message.rig != rig:
        raise WireError("A message is for another rig.", got=message.rig, allowed=rig)
    return message
