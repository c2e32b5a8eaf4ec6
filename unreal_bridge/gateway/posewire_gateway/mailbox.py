"""Between the gateway's thread and the thread of one slow client: the newest pose, and a subject whenever it changes."""

from __future__ import annotations

import threading
from typing import TypeAlias

Payload: TypeAlias = "str | bytes"


class Mailbox:
    """Holds what a client has not taken yet; any thread may call its methods."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._subject: Payload | None = None
        self._taken_subject: Payload | None = None
        self._pose: Payload | None = None
        self._closed = False
        self.refusal = ""
        """Why it was closed; empty = the server ends."""

    def put(self, subject: Payload, pose: Payload) -> None:
        """The newest pose, in place of one that was not taken, and the subject that it is of."""
        with self._condition:
            self._subject, self._pose = subject, pose
            self._condition.notify()

    def take(self, timeout_s: float) -> list[Payload] | None:
        """What is new, the subject first; empty after `timeout_s` without anything; None = closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._pose is not None, timeout_s)
            if self._closed:
                return None
            pose, self._pose = self._pose, None
            if pose is None or self._subject is None:
                return []
            is_new = self._subject != self._taken_subject
            self._taken_subject = self._subject
            return [self._subject, pose] if is_new else [pose]

    def close(self, refusal: str = "") -> None:
        """Lets the client's thread go."""
        with self._condition:
            self.refusal = refusal
            self._closed = True
            self._condition.notify()
