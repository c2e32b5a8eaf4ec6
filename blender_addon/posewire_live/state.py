# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives as long as the add-on is enabled: the session, the capture that runs, the last message for the panel."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import Capture
from .live import Session


@dataclass
class State:
    """Belongs to Blender's main thread."""

    session: Session | None = None
    capture: Capture | None = None
    message: str = ""
    """The last thing to tell the artist; shown in the panel."""


state = State()
"""The one instance: Blender calls operators, panels and timers without any argument of ours."""
