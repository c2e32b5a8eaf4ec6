# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N801  Blender asks for these names and class attributes
"""The sidebar tab "Posewire". Drawing only reads; what it reads was prepared by the timer."""

import time

import bpy
from bpy.types import Panel, UILayout

from . import panel_characters
from .drawing import Sidebar, draw_text
from .live import Session
from .properties import PosewireScene
from .state import state
from .translation import CONTEXT, tell


class POSEWIRE_PT_main(Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_main"
    bl_label = "Posewire"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, context.scene.posewire
        session = state.session
        if session is None:
            column = layout.column(align=True)
            column.prop(scene, "address", text="")
            column.prop(scene, "key_file", text="", placeholder=tell("Key file, for another computer"))
            layout.operator("posewire.connect", text="Connect", text_ctxt=CONTEXT, icon="LINKED")
        else:
            draw_status(layout, session, scene)
            layout.operator("posewire.disconnect", text="Disconnect", text_ctxt=CONTEXT, icon="UNLINKED")
        if state.message:
            draw_text(layout.box(), state.message)


def draw_status(layout: UILayout, session: Session, scene: PosewireScene) -> None:
    """The connection in four lines, and who does not move though it is live."""
    title, hint = session.status()
    box = layout.box()
    box.label(text=title, text_ctxt=CONTEXT, icon="RADIOBUT_ON" if title == "Live" else "RADIOBUT_OFF")
    if hint:
        draw_text(box, hint)
    elif not scene.characters:
        draw_text(box, tell("Nobody follows yet: create a stand-in, or select an armature and add it under Characters."))
    for problem in dict.fromkeys(session.problem_of(character) for character in scene.characters if character.enabled):
        if problem:
            draw_text(box, problem)
    numbers, period_s = session.numbers(), session.step_period_s()
    grid = box.column(align=True)
    _line(grid, "Frame rate", f"{numbers.fps:.1f} fps")
    if numbers.latency_p50_s is None or numbers.latency_p95_s is None:
        _line(grid, "Latency", tell("unknown"))
    else:
        _line(grid, "Latency p50 / p95", f"{1e3 * numbers.latency_p50_s:.0f} / {1e3 * numbers.latency_p95_s:.0f} ms")
    if period_s is not None:
        _line(grid, "Blender's own step", f"{1e3 * period_s:.0f} ms")
    _line(grid, "Dropped / malformed", f"{numbers.dropped} / {numbers.malformed}")


def _line(layout: UILayout, name: str, value: str) -> None:
    row = layout.split(factor=0.55)
    row.label(text=name, text_ctxt=CONTEXT)
    row.label(text=value, translate=False)


class POSEWIRE_PT_people(Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_people"
    bl_label = "People"
    bl_parent_id = "POSEWIRE_PT_main"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return state.session is not None

    def draw(self, context: bpy.types.Context) -> None:
        newest = state.session.newest if state.session else None
        if newest is None or not newest.pose.people:
            self.layout.label(text="Nobody is seen", text_ctxt=CONTEXT)
            return
        for person in newest.pose.people:
            row = self.layout.row(align=True)
            name = f"{person.person_id}  {newest.subject.name_of(person.person_id)}"
            row.progress(factor=float(person.confidence.mean()), text=name)
            row.operator("posewire.add_characters", text="", icon="ADD").person = person.person_id
            row.operator("posewire.stand_in", text="", icon="OUTLINER_OB_ARMATURE").person = person.person_id
            row.operator("posewire.follow", text="", icon="EYEDROPPER").person = person.person_id


class POSEWIRE_PT_record(Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_record"
    bl_label = "Record"
    bl_parent_id = "POSEWIRE_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene, session = self.layout, context.scene.posewire, state.session
        if session is not None and session.recording is not None:
            samples = sum(len(tape.recorder) for tape in session.recording.tapes.values())
            text = tell("{time} s, {poses} poses", time=f"{session.recording.time_s:.1f}", poses=samples)
            layout.label(text=text, icon="REC", translate=False)
            layout.operator("posewire.stop", text="Stop", text_ctxt=CONTEXT, icon="SNAP_FACE")
        else:
            row = layout.row()
            row.enabled = session is not None
            row.operator("posewire.record", text="Record", text_ctxt=CONTEXT, icon="REC")
        column = layout.column()
        column.prop(scene, "as_strip")
        column.prop(scene, "markers")
        column.prop(scene, "set_range")


class POSEWIRE_PT_capture(Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_capture"
    bl_label = "Video and Webcam"
    bl_parent_id = "POSEWIRE_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene, capture = self.layout, context.scene.posewire, state.capture
        if capture is not None:
            progress, since_s = capture.progress, time.monotonic() - capture.started_s
            text = "{done} of {all} frames"
            if progress is None:  # a camera, a take that is fitted again, a video whose length Blender cannot tell
                text = "{done} frames" if capture.frames else "Running for {time} s"
            text = tell(text, done=capture.frames, all=capture.frames_expected, time=f"{since_s:.0f}")
            layout.progress(factor=progress or 0.0, text=text)
            layout.operator("posewire.cancel_capture", icon="CANCEL")
        else:
            layout.operator("posewire.capture_video", text="Capture Video...", text_ctxt=CONTEXT, icon="FILE_MOVIE")
            layout.operator("posewire.capture_webcam", icon="CAMERA_DATA")
            layout.operator("posewire.solve_take", text="Refine Take...", text_ctxt=CONTEXT, icon="SMOOTHCURVE")
        layout.operator("posewire.import_take", text="Import Take...", text_ctxt=CONTEXT, icon="IMPORT")
        column = layout.column(align=True)
        for name in ("camera", "max_people", "height", "fov", "method", "lifter"):
            column.prop(scene, name)


CLASSES = (
    POSEWIRE_PT_main,
    POSEWIRE_PT_people,
    POSEWIRE_PT_record,
    POSEWIRE_PT_capture,
    *panel_characters.CLASSES,
)
