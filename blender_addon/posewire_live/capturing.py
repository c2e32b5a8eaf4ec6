# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture from its start to the actions it ends in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from . import engine
from .errors import LiveError
from .importing import import_take, imported
from .state import state
from .translation import say, tell


def preferences() -> bpy.types.AddonPreferences | None:
    """The add-on's preferences; None where Blender does not know the add-on (a test that imports it directly)."""
    addon = bpy.context.preferences.addons.get(__package__ or "")
    return addon.preferences if addon else None


def find_engine() -> list[str]:
    """The command of the preferences, else what is found."""
    chosen = preferences()
    program, python = (chosen.engine, chosen.python) if chosen else ("", "")
    return engine.find(bpy.path.abspath(program), bpy.path.abspath(python))


def options(scene: bpy.types.Scene) -> engine.Options:
    """What the panel says."""
    own = scene.posewire
    fov_deg = own.fov if own.is_property_set("fov") else None
    return engine.Options(own.max_people, own.height, fov_deg, own.method.strip(), own.lifter.strip())


def again(scene: bpy.types.Scene, smooth_s: float | None, *, find_ground: bool) -> engine.Again:
    """How to fit a take again: with what the panel says about the person and the camera, where something was said."""
    own = scene.posewire
    height_m = own.height if own.is_property_set("height") else None
    fov_deg = own.fov if own.is_property_set("fov") else None
    return engine.Again(smooth_s, find_ground, height_m, fov_deg, own.lifter.strip())


def takes_folder() -> Path:
    """Where captured takes go: the folder of the preferences, else one that stays when the extension is removed."""
    chosen = preferences()
    folder = bpy.path.abspath(chosen.takes) if chosen else ""
    folder = folder or bpy.utils.user_resource("DATAFILES", path="posewire_takes")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "Choose another folder for takes in the add-on's preferences."
        raise LiveError("The folder {path} cannot be made: {reason}.", hint, path=folder, reason=error.strerror) from error
    return Path(folder)


def frames_of(video: Path) -> int:
    """How many frames a video has; 0 = Blender cannot tell."""
    try:
        clip = bpy.data.movieclips.load(str(video), check_existing=False)
    except RuntimeError:
        return 0
    frames = int(clip.frame_duration)
    bpy.data.movieclips.remove(clip)
    return frames


def poll_capture() -> None:
    """Looks after a capture that runs; imports its take once it has ended and the artist is not in the middle of something."""
    capture = state.capture
    if capture is None:
        return
    code = capture.poll()
    if code is None:
        return
    if code == 0 and capture.take is not None and (waits_for := busy_with()):
        state.message = waits_for
        return
    state.capture = None
    if code != 0:
        state.message = capture.problem()
    elif capture.take is not None:
        _import(capture.take, bpy.data.scenes.get(capture.scene, bpy.context.scene))


def busy_with() -> str:
    """What the artist is doing that nobody may disturb; empty = nothing.

    A stand-in is made in edit mode. To change the mode while the mouse drags vertices ends Blender.
    """
    windows = bpy.context.window_manager.windows
    for tool in (tool for window in windows for tool in window.modal_operators):
        if bpy.types.Operator.bl_rna_get_subclass_py(tool.bl_idname) is None:  # add-ons may have one that never ends
            return tell("The motion is ready. It comes when {tool} is finished.", tool=tool.name)
    active = [layer.objects.active for layer in (bpy.context.view_layer, *(window.view_layer for window in windows))]
    if any(obj is not None and obj.mode not in ("OBJECT", "POSE") for obj in active):
        return tell("The motion is ready. It comes when you are back in Object Mode or Pose Mode.")
    return ""


def _import(take: Path, scene: bpy.types.Scene) -> None:
    try:
        with _undisturbed(bpy.context.window, scene):
            read, made = import_take(bpy.context, take, at_frame=scene.frame_start, stand_ins=True)
    except LiveError as error:
        state.message = say(error)
        return
    bpy.ops.ed.undo_push(message="Capture video")
    state.message = imported(take, read, made)


@contextmanager
def _undisturbed(window: bpy.types.Window, scene: bpy.types.Scene) -> Iterator[None]:
    """In this scene; what is shown, active and selected, and its mode are as before: nobody asked just now."""
    shown, shown_layer = window.scene, window.view_layer
    if shown != scene:
        window.scene = scene
    layer = window.view_layer
    active, selected = layer.objects.active, [obj for obj in layer.objects if obj.select_get(view_layer=layer)]
    mode = active.mode if active is not None else "OBJECT"
    try:
        yield
    finally:
        for obj in layer.objects:
            obj.select_set(obj in selected, view_layer=layer)
        layer.objects.active = active
        if active is not None and active.mode != mode:
            bpy.ops.object.mode_set(mode=mode)
        if shown != scene:
            window.scene, window.view_layer = shown, shown_layer
