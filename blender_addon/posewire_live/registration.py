# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells Blender of everything, and takes all of it back: also after half of a registration, and at Blender's exit."""

from __future__ import annotations

import bpy

from . import operators, operators_mapping, operators_take, panel, preferences, properties, timer, translation
from .state import state

_CLASSES = (
    *properties.CLASSES,
    *operators.CLASSES,
    *operators_take.CLASSES,
    *operators_mapping.CLASSES,
    *panel.CLASSES,
    *preferences.CLASSES,
)


def register() -> None:
    """Classes, properties, menu, timer."""
    for cls in _CLASSES:
        translation.give_context(cls)
        bpy.utils.register_class(cls)
    bpy.types.Scene.posewire = bpy.props.PointerProperty(type=properties.PosewireScene)
    bpy.types.TOPBAR_MT_file_import.append(operators_take.menu_import)
    translation.register()
    timer.start()


def unregister() -> None:
    """Ends what runs; poses come back, a recording is written, the engine that Blender started is stopped."""
    timer.stop()
    if state.capture is not None:
        state.capture.cancel()
        state.capture = None
    if state.session is not None:
        scene = getattr(bpy.context, "scene", None) or next(iter(bpy.data.scenes), None)
        operators.disconnect(scene)
    translation.unregister()
    bpy.types.TOPBAR_MT_file_import.remove(operators_take.menu_import)
    del bpy.types.Scene.posewire
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
