"""OSC messages of a fixed form, filled at every frame, and bundles of them that fit a network packet.

python-osc builds each message once, with zeros; per frame only the floats at its end are replaced. Building 22 messages
anew takes python-osc several times as long as all else that a gateway does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from pythonosc.osc_message_builder import OscMessageBuilder

LARGEST_BUNDLE = 1472
"""Bytes of a UDP datagram that fit an Ethernet packet (1500) less the headers of IPv4 and UDP: larger ones are cut up on
the way, and are lost as a whole with any piece."""

_Message = TypeVar("_Message", bound="bytes | Template")
_BUNDLE = b"#bundle\x00" + struct.pack(">Q", 1)
"""OSC 1.0: what begins a bundle; the time 1 means immediately."""


class Template:
    """A message whose last arguments are float32 and change, while all before them stays.

    Args:
        address: OSC address.
        fixed: Arguments that stay: text, integers.
        floats: How many floats follow.
    """

    def __init__(self, address: str, *fixed: str | int, floats: int) -> None:
        message = OscMessageBuilder(address)
        for value in (*fixed, *[0.0] * floats):
            message.add_arg(value)
        data = message.build().dgram
        self.start = data[: len(data) - 4 * floats]

        self.floats = floats

    def fill(self, floats: bytes) -> bytes:
        """The whole message; `floats` are big-endian float32."""
        return self.start + floats

    def __len__(self) -> int:
        return len(self.start) + 4 * self.floats


def message(address: str, *arguments: str | int | float) -> bytes:
    """One OSC message: text, int32 or float32 each."""
    builder = OscMessageBuilder(address)
    for value in arguments:
        builder.add_arg(value)
    return builder.build().dgram


def fill_rows(templates: Iterable[Template], rows: ArrayLike) -> list[bytes]:
    """A message for each template from its row of an array (len(templates), floats)."""
    rows = np.asarray(rows, dtype=">f4")
    width, data = 4 * rows.shape[1], rows.tobytes()
    return [template.fill(data[width * r : width * (r + 1)]) for r, template in enumerate(templates)]


class Frame:
    """Messages whose form stays, laid out in bundles once; at each frame only the floats are put in between.

    Args:
        messages: Complete messages, and templates whose floats change.
    """

    def __init__(self, messages: Iterable[bytes | Template]) -> None:
        self._bundles: list[list[tuple[bytes, int, int]]] = []
        """For each bundle bytes that stay, and the start and end of the floats, in bytes, that follow them."""
        at = 0
        for group in _groups(messages, LARGEST_BUNDLE):
            stays = _BUNDLE
            self._bundles.append([])
            for one in group:
                stays += struct.pack(">i", len(one)) + (one.start if isinstance(one, Template) else one)
                if isinstance(one, Template):
                    self._bundles[-1].append((stays, at, at + 4 * one.floats))
                    at, stays = at + 4 * one.floats, b""
            self._bundles[-1].append((stays, at, at))

    def fill(self, floats: ArrayLike) -> list[bytes]:
        """The bundles with these floats, any shape: those of each template, in order."""
        data = np.asarray(floats, dtype=">f4").tobytes()
        return [b"".join([part for stays, a, b in bundle for part in (stays, data[a:b])]) for bundle in self._bundles]


def bundles(messages: Iterable[bytes], largest: int = LARGEST_BUNDLE) -> list[bytes]:
    """The messages, in order, in as few bundles of at most `largest` bytes as that allows; a larger message goes alone."""
    return [
        b"".join([_BUNDLE, *(part for data in group for part in (struct.pack(">i", len(data)), data))])
        for group in _groups(messages, largest)
    ]


def _groups(messages: Iterable[_Message], largest: int) -> Iterator[list[_Message]]:
    """What goes into each bundle."""
    group: list[_Message] = []
    size = len(_BUNDLE)
    for one in messages:
        if size + 4 + len(one) > largest and group:
            yield group
            group, size = [], len(_BUNDLE)
        group.append(one)
        size += 4 + len(one)
    if group:
        yield group
