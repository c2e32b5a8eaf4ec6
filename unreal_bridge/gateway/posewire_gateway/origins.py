"""Which web pages may talk to a server on this machine: any other page that the user has open could otherwise listen in."""

from __future__ import annotations

import re

_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")


def is_loopback(origin: str) -> bool:
    """True for the origin of a page that this machine serves."""
    return _LOOPBACK.fullmatch(origin) is not None
