"""Receives a stream: `with connect() as client: for instant in client: ...`.

A Client belongs to one thread at a time. ZeroMQ's own thread keeps the connection, reconnects when the publisher comes
back and collects messages meanwhile; nothing happens in the Client outside of its methods.
"""

from __future__ import annotations

from posewire.client.connection import Client, Status, connect
from posewire.client.received import Received
from posewire.client.stream import Statistics

__all__ = ["Client", "Received", "Statistics", "Status", "connect"]
