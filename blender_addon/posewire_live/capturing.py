# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture from its start to the actions it ends in."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import engine
from .errors import LiveError
from .importing import import_take, imported
from .state import state
from .translation import say


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
    """Where captured takes go: a folder of the extension's own."""
    package = __package__ or ""
    if package.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(package, path="takes", create=True))
    return Path(bpy.app.tempdir)


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
    """Looks after a capture that runs; imports its take once it has ended."""
    capture = state.capture
    if capture is None:
        return
    code = capture.poll()
    if code is None:
        return
    state.capture = None
    if code != 0:
        state.message = capture.problem()
    elif capture.take is not None:
        _import(capture.take)


def _import(take: Path) -> None:
    try:
        read, made = import_take(bpy.context, take, at_frame=bpy.context.scene.frame_start, stand_ins=True)
    except LiveError as error:
        state.message = say(error)
        return
    bpy.ops.ed.undo_push(message="Capture video")
    state.message = imported(take, read, made)
