# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N801, RUF012  Blender asks for these names and class attributes
"""The sidebar tab "Posewire". Drawing only reads; what it reads was prepared by the timer."""

import time

import bpy
from bpy.types import Panel, UILayout, UIList

from .errors import LiveError
from .live import Session
from .properties import ANYONE, PosewireCharacter, PosewireScene
from .state import state
from .translation import CONTEXT, say, tell


class _Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Posewire"


class POSEWIRE_UL_characters(UIList):
    bl_idname = "POSEWIRE_UL_characters"

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0) -> None:
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        if item.object is None:
            row.label(text="(gone)", text_ctxt=CONTEXT, icon="ERROR")
            return
        row.label(text=item.object.name, icon="ARMATURE_DATA", translate=False)
        problem = state.session.problem_of(item) if state.session else ""
        who, icon = tell("anyone") if item.person == ANYONE else str(item.person), "ERROR" if problem else "USER"
        row.label(text=who, translate=False, icon=icon)


class POSEWIRE_UL_slots(UIList):
    bl_idname = "POSEWIRE_UL_slots"

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0) -> None:
        row = layout.split(factor=0.4, align=True)
        row.label(text=item.name, translate=False, icon="BONE_DATA" if item.bone else "BLANK1")
        row.label(text=item.bone or "-", translate=False, icon="PINNED" if item.picked else "NONE")


class POSEWIRE_PT_main(_Sidebar, Panel):
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


def draw_text(layout: UILayout, text: str, width: int = 36) -> None:
    """A sentence on as many lines as it needs: Blender's labels do not wrap."""
    column, line = layout.column(align=True), ""
    for word in tell(text).split():
        if line and len(line) + len(word) >= width:
            column.label(text=line, translate=False)
            line = ""
        line = f"{line} {word}".strip()
    column.label(text=line, translate=False)


class POSEWIRE_PT_people(_Sidebar, Panel):
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


class POSEWIRE_PT_characters(_Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_characters"
    bl_label = "Characters"
    bl_parent_id = "POSEWIRE_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, context.scene.posewire
        layout.operator("posewire.stand_in", icon="OUTLINER_OB_ARMATURE")
        row = layout.row()
        row.template_list("POSEWIRE_UL_characters", "", scene, "characters", scene, "active", rows=3)
        column = row.column(align=True)
        column.operator("posewire.add_characters", text="", icon="ADD")
        column.operator("posewire.remove_character", text="", icon="REMOVE")
        character = scene.active_character()
        if character is not None:
            draw_character(layout, character)


def draw_character(layout: UILayout, character: PosewireCharacter) -> None:
    """The choices of one character."""
    column = layout.column()
    column.prop(character, "object", text="")
    problem = state.session.problem_of(character) if state.session else ""
    if problem:
        draw_text(column.box(), problem)
    row = column.row(align=True)
    row.prop(character, "person")
    row.operator("posewire.follow", text="", icon="USER").person = ANYONE
    column.prop(character, "preset")
    if character.preset == "FILE":
        column.prop(character, "file", text="")
    if draw_fit(column, character):
        column.row(align=True).prop(character, "controls", expand=True)
    column.prop(character, "root_motion")
    row = column.row(align=True)
    row.prop(character, "auto_scale", text="Scale by Legs", text_ctxt=CONTEXT, toggle=True)
    if not character.auto_scale:
        row.prop(character, "scale", text="")
    column.prop(character, "reach")
    column.prop(character, "foot_lock")
    column.prop(character, "ground_offset")
    column.prop(character, "smoothing")
    column.prop(character, "mirror")


def draw_fit(layout: UILayout, character: PosewireCharacter) -> bool:
    """Which preset counts and how well it fits; true where it has controls of inverse kinematics."""
    if character.object is None:
        return False
    try:
        name, confidence, has_ik = _shown_fit(character)
    except LiveError as error:
        draw_text(layout.box(), say(error))
        return False
    layout.progress(factor=confidence, text=f"{name}: {100 * confidence:.0f} %")
    return has_ik


_fits: dict[object, tuple[float, str, float, bool]] = {}
"""What was found last and when, by character: 8 ms on a Rigify rig are too much for every redraw."""


def _shown_fit(character: PosewireCharacter) -> tuple[str, float, bool]:
    key, now_s = (character.object.session_uid, character.settings()), time.monotonic()
    if key not in _fits or now_s > _fits[key][0] + _FIT_S:
        found = character.fit()
        _fits.clear()
        _fits[key] = (now_s, found.rig.name, found.confidence, found.has_ik)
    return _fits[key][1:]


_FIT_S = 1.0


class POSEWIRE_PT_mapping(_Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_mapping"
    bl_label = "Bone Mapping"
    bl_parent_id = "POSEWIRE_PT_characters"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        character = context.scene.posewire.active_character()
        return character is not None and character.object is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout, character = self.layout, context.scene.posewire.active_character()
        row = layout.row(align=True)
        row.operator("posewire.edit_mapping", text="Edit", text_ctxt=CONTEXT)
        row.operator("posewire.clear_mapping", text="Forget", text_ctxt=CONTEXT)
        row.operator("posewire.save_mapping", text="Save", text_ctxt=CONTEXT)
        row.operator("posewire.load_mapping", text="Load", text_ctxt=CONTEXT)
        if not character.slots:
            return
        layout.template_list("POSEWIRE_UL_slots", "", character, "slots", character, "active_slot", rows=6)
        if 0 <= character.active_slot < len(character.slots):
            slot = character.slots[character.active_slot]
            column = layout.column()
            column.prop_search(slot, "bone", character.object.data, "bones")
            column.prop(slot, "picked", text="Use This Bone", text_ctxt=CONTEXT)
            column.prop(slot, "weight")
        row = layout.row(align=True)
        row.operator("posewire.pick_bone", text="Pick Active Bone", text_ctxt=CONTEXT)
        row.operator("posewire.mirror_mapping", text="Mirror", text_ctxt=CONTEXT)


class POSEWIRE_PT_record(_Sidebar, Panel):
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


class POSEWIRE_PT_capture(_Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_capture"
    bl_label = "Video and Webcam"
    bl_parent_id = "POSEWIRE_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene, capture = self.layout, context.scene.posewire, state.capture
        if capture is not None:
            progress = capture.progress
            text = "{done} frames" if progress is None else "{done} of {all} frames"
            text = tell(text, done=capture.frames, all=capture.frames_expected)
            layout.progress(factor=progress or 0.0, text=text)
            layout.operator("posewire.cancel_capture", icon="CANCEL")
        else:
            layout.operator("posewire.capture_video", text="Capture Video...", text_ctxt=CONTEXT, icon="FILE_MOVIE")
            layout.operator("posewire.capture_webcam", icon="CAMERA_DATA")
            layout.operator("posewire.solve_take", text="Refine Take...", text_ctxt=CONTEXT, icon="SMOOTHCURVE")
        layout.operator("posewire.import_take", text="Import Take...", text_ctxt=CONTEXT, icon="IMPORT")
        column = layout.column(align=True)
        for name in ("max_people", "height", "fov", "method", "lifter"):
            column.prop(scene, name)


CLASSES = (
    POSEWIRE_UL_characters,
    POSEWIRE_UL_slots,
    POSEWIRE_PT_main,
    POSEWIRE_PT_people,
    POSEWIRE_PT_record,
    POSEWIRE_PT_capture,
    POSEWIRE_PT_characters,
    POSEWIRE_PT_mapping,
)
