"""What every output of a gateway is."""

from __future__ import annotations

from typing import Protocol

from posewire_gateway.moment import Moment


class Output(Protocol):
    """Tells one kind of receiver what happens. Its methods are called by one thread, and never wait."""

    def send(self, moment: Moment) -> None:
        """Everybody at one instant."""
        ...

    def lost(self) -> None:
        """The stream has stopped: says so where the protocol can."""
        ...

    def status(self) -> str:
        """A few words for people: where it sends to and how that goes."""
        ...

    def close(self) -> None:
        """Gives everything back; may be called twice."""
        ...
