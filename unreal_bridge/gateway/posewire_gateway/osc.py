"""OSC messages of a fixed form, filled at every frame, and bundles of them that fit a network packet.

python-osc builds each message once, with zeros; per frame only the floats at its end are replaced. Building 22 messages
anew takes python-osc several times as long as all else that a gateway does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike
from pythonosc.osc_message_builder import OscMessageBuilder

LARGEST_BUNDLE = 1472
"""Bytes of a UDP datagram that fit an Ethernet packet (1500) less the headers of IPv4 and UDP: larger ones are cut up on
the way, and are lost as a whole with any piece."""

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
        self._start = data[: len(data) - 4 * floats]

    def fill(self, floats: bytes) -> bytes:
        """The whole message; `floats` are big-endian float32."""
        return self._start + floats


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


def bundles(messages: Iterable[bytes], largest: int = LARGEST_BUNDLE) -> list[bytes]:
    """The messages, in order, in as few bundles of at most `largest` bytes as that allows; a larger message goes alone."""
    packed: list[bytes] = []
    parts, size = [_BUNDLE], len(_BUNDLE)
    for data in messages:
        if size + 4 + len(data) > largest and len(parts) > 1:
            packed.append(b"".join(parts))
            parts, size = [_BUNDLE], len(_BUNDLE)
        parts += [struct.pack(">i", len(data)), data]
        size += 4 + len(data)
    if len(parts) > 1:
        packed.append(b"".join(parts))
    return packed
