# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: where the engine is."""

import bpy
from bpy.props import StringProperty
from bpy.types import AddonPreferences

from .state import state
from .translation import CONTEXT


class PosewirePreferences(AddonPreferences):
    bl_idname = __package__ or "posewire_live"

    engine: StringProperty(
        name="Engine", description="The program `posewire`; empty = as found on the search path", subtype="FILE_PATH"
    )
    python: StringProperty(
        name="Engine's Python",
        description="A Python into which Posewire is installed; used when no program is chosen",
        subtype="FILE_PATH",
    )
    takes: StringProperty(
        name="Takes Folder",
        description="Where the takes of captured videos are kept; empty = a folder among Blender's own files of this user",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.prop(self, "engine")
        self.layout.prop(self, "python")
        self.layout.prop(self, "takes")
        self.layout.operator("posewire.check_engine", text="Check", text_ctxt=CONTEXT)
        if state.message:
            self.layout.label(text=state.message, translate=False)


CLASSES = (PosewirePreferences,)
