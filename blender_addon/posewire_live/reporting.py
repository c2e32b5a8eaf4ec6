# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliberate errors of operators: a line in Blender's status bar and in the panel, never a traceback."""

from collections.abc import Callable
from typing import Any

import bpy

from .errors import LiveError
from .state import state
from .translation import say, tell


class Reporting:
    """A mix-in for operators: `act` does the work and says what it did; a LiveError is reported."""

    act: Callable[[bpy.types.Context], str]

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        """Called by Blender."""
        state.message = ""
        try:
            said = self.act(context)
        except LiveError as error:
            state.message = say(error)
            self.report({"ERROR"}, state.message)
            return {"CANCELLED"}
        if said:
            self.report({"INFO"}, tell(said))
        return {"FINISHED"}
