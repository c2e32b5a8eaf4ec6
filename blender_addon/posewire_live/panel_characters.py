# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N801, RUF012  Blender asks for these names and class attributes
"""The part of the tab "Posewire" about characters: their list, their choices, their bones."""

import time

import bpy
from bpy.types import Panel, UILayout, UIList

from .armature import free_bones
from .binding import Fit
from .drawing import Sidebar, draw_text
from .errors import LiveError, deleted
from .properties import ANYONE, PosewireCharacter
from .state import state
from .translation import CONTEXT, say, tell


class POSEWIRE_UL_characters(UIList):
    bl_idname = "POSEWIRE_UL_characters"

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0) -> None:
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        if item.is_gone():
            row.active = False
            row.label(text=item.shown_name(), icon="GHOST_DISABLED", translate=False)
            row.label(text="deleted", text_ctxt=CONTEXT, icon="ERROR")
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


class POSEWIRE_PT_characters(Sidebar, Panel):
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
    if character.is_gone():
        draw_gone(column, character)
        return
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
    row = column.row(align=True)
    row.prop(character, "ground_offset")
    row.operator("posewire.to_ground", text="", icon="TRIA_DOWN_BAR")
    column.prop(character, "smoothing")
    column.prop(character, "mirror")


def draw_gone(layout: UILayout, character: PosewireCharacter) -> None:
    """What can be done about a character whose armature was deleted."""
    draw_text(layout.box(), say(deleted(character.shown_name())))
    row = layout.row(align=True)
    row.operator("posewire.replace_character", text="New Stand-in", text_ctxt=CONTEXT, icon="OUTLINER_OB_ARMATURE")
    row.operator("posewire.remove_character", text="Remove", text_ctxt=CONTEXT, icon="REMOVE")


def draw_fit(layout: UILayout, character: PosewireCharacter) -> bool:
    """Which preset counts and how well it fits; true where it has controls of inverse kinematics."""
    try:
        found, held = _shown_fit(character)
    except LiveError as error:
        draw_text(layout.box(), say(error))
        return False
    layout.progress(factor=found.confidence, text=f"{found.rig.name}: {100 * found.confidence:.0f} %")
    if held:
        names = ", ".join(held[:_NAMED]) + (" ..." if len(held) > _NAMED else "")
        draw_text(layout.box(), tell("Constraints move {bones}: mute them, or these parts do not follow.", bones=names))
    return found.has_ik


_fits: dict[object, tuple[float, Fit, list[str]]] = {}
"""What was found last and when, and what constraints hold, by character: 8 ms on a Rigify rig are too much for every redraw."""


def _shown_fit(character: PosewireCharacter) -> tuple[Fit, list[str]]:
    key, now_s = (character.object.session_uid, character.settings()), time.monotonic()
    if key not in _fits or now_s > _fits[key][0] + _FIT_S:
        found, free = character.fit(), set(free_bones(character.object))
        _fits.clear()
        _fits[key] = (now_s, found, [bone for bone in found.matched.values() if bone not in free])
    return _fits[key][1:]


_FIT_S = 1.0
_NAMED = 4
"""As many held bones are named."""


class POSEWIRE_PT_mapping(Sidebar, Panel):
    bl_idname = "POSEWIRE_PT_mapping"
    bl_label = "Bone Mapping"
    bl_parent_id = "POSEWIRE_PT_characters"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        character = context.scene.posewire.active_character()
        return character is not None and not character.is_gone()

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


CLASSES = (POSEWIRE_UL_characters, POSEWIRE_UL_slots, POSEWIRE_PT_characters, POSEWIRE_PT_mapping)
