# SPDX-License-Identifier: GPL-3.0-or-later
"""Where characters are: those of every scene, and the view layer in which Blender evaluates one."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from .errors import LiveError, deleted
from .properties import PosewireCharacter


def characters() -> Iterator[PosewireCharacter]:
    """Those of every scene, each armature once."""
    seen: set[int] = set()
    for scene in bpy.data.scenes:
        for character in scene.posewire.characters:
            uid = character.object.session_uid if character.object else None
            if uid is not None and uid not in seen:
                seen.add(uid)
                yield character


def view_layer_of(obj: bpy.types.Object) -> bpy.types.ViewLayer:
    """One that shows the object, so that Blender evaluates it; the present one first."""
    scenes = obj.users_scene
    if not scenes:
        raise deleted(obj.name)
    present = bpy.context.view_layer
    layers = [layer for scene in scenes for layer in scene.view_layers]
    for layer in sorted(layers, key=lambda layer: layer != present):
        if obj.name not in layer.objects:
            layer.update()  # another scene's layers learn of new objects only now
        if layer.objects.get(obj.name) == obj:
            return layer
    raise LiveError("{name} is in no view layer.", "Put it into a collection that is not excluded.", name=obj.name)
