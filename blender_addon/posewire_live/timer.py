# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's timer and handlers: they only decide when; the steps themselves are elsewhere and can be called by hand."""

from __future__ import annotations

import atexit
import time
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .capturing import poll_capture
from .state import state

_PERIOD_S = 1.0 / 120.0
_IDLE_PERIOD_S = 0.25
_REDRAW_S = 0.25


class _Drawn:
    """When the panels were last asked to draw themselves."""

    at_s = 0.0


def pump() -> int:
    """One step of everything; gives the number of poses that arrived."""
    received = state.session.pump() if state.session else 0
    poll_capture()
    return received


def tick() -> float:
    """Called by Blender's timer; gives the time until the next call.

    Whatever goes wrong is shown in the panel: an error that left here would end the timer, and with it a recording.
    """
    try:
        pump()
        _redraw_panels()
    except Exception as error:  # noqa: BLE001  Blender's API raises nearly anything about data that is just being changed
        state.message = f"Internal error, please report it: {type(error).__name__}: {error}"
    return _PERIOD_S if state.session or state.capture else _IDLE_PERIOD_S


def _redraw_panels() -> None:
    now_s = time.monotonic()
    if now_s < _Drawn.at_s + _REDRAW_S or not (state.session or state.capture):
        return
    _Drawn.at_s = now_s
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


@persistent
def _forget(*_: Any) -> None:
    """After undo, redo or the loading of a file every object may be another one, and what was done is perhaps undone."""
    state.message = ""
    if state.session is not None:
        state.session.forget_bindings()


@persistent
def _before_load(*_: Any) -> None:
    """The poses from before belong to the file that goes."""
    if state.session is not None:
        state.session.kept.clear()
        state.session.forget_bindings()


@persistent
def _frame_changed(*_: Any) -> None:
    """The timeline plays and has just set the pose of an action: the live one counts.

    Who goes through the frames by a program (to bake, to export) wants what the timeline says.
    """
    if state.session is not None and _plays():
        state.session.reapply()


def _plays() -> bool:
    manager = bpy.context.window_manager
    screens = [window.screen for window in manager.windows] if manager else []
    return any(screen.is_animation_playing or screen.is_scrubbing for screen in screens)


@persistent
def _render_begins(*_: Any) -> None:
    """A picture shows what is animated, not who happens to stand before the camera."""
    if state.session is not None:
        state.session.hidden = True


@persistent
def _render_ends(*_: Any) -> None:
    if state.session is not None:
        state.session.hidden = False


@persistent
def _before_save(*_: Any) -> None:
    """A file holds the artist's own poses."""
    if state.session is not None:
        state.session.lay_down()


@persistent
def _after_save(*_: Any) -> None:
    if state.session is not None:
        state.session.take_up()


_HANDLERS = (
    ("undo_post", _forget),
    ("redo_post", _forget),
    ("load_pre", _before_load),
    ("load_post", _forget),
    ("frame_change_post", _frame_changed),
    ("render_init", _render_begins),
    ("render_complete", _render_ends),
    ("render_cancel", _render_ends),
    ("save_pre", _before_save),
    ("save_post", _after_save),
    ("save_post_fail", _after_save),
)


def start() -> None:
    """Registers the timer and the handlers."""
    bpy.app.timers.register(tick, first_interval=_IDLE_PERIOD_S, persistent=True)
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    if getattr(bpy.app, "module", False):  # `import bpy` from 4.5 on: nobody disables add-ons at its exit, and it would hang
        atexit.register(stop)


def stop() -> None:
    """Takes them away again; Blender would hang at its exit with one of them left."""
    atexit.unregister(stop)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
