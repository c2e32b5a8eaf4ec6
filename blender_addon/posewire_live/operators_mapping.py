# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N801, RUF012  Blender asks for these names and class attributes
"""The mapping editor: which bone stands for which part, mirrored, saved and loaded as a rig file."""

import json
from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy.types import Operator
from bpy_extras.io_utils import ExportHelper, ImportHelper

from .errors import LiveError
from .mapping import JOINTS, Rig, with_names
from .operators import active_character
from .properties import PosewireCharacter
from .reporting import Reporting
from .translation import tell


def fill(character: PosewireCharacter) -> None:
    """One slot for each part of the preset, with the bone that was found for it."""
    weights = {slot.name: slot.weight for slot in character.slots}
    picks = dict(character.picks())
    found = character.fit()
    character.slots.clear()
    for bone in found.rig.bones:
        if bone.joint is not None:
            slot = character.slots.add()
            slot.name, slot.bone = bone.name, found.matched.get(bone.name, "")
            slot.picked, slot.weight = bone.name in picks, weights.get(bone.name, 1.0)


class POSEWIRE_OT_edit_mapping(Reporting, Operator):
    bl_idname = "posewire.edit_mapping"
    bl_label = "Edit Bone Mapping"
    bl_description = "List the parts of the preset with the bones that were found, to change them by hand"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        fill(active_character(context))
        return ""


class POSEWIRE_OT_clear_mapping(Reporting, Operator):
    bl_idname = "posewire.clear_mapping"
    bl_label = "Forget Bone Mapping"
    bl_description = "Go back to the bones that are found by their names"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        active_character(context).slots.clear()
        return ""


class POSEWIRE_OT_pick_bone(Reporting, Operator):
    bl_idname = "posewire.pick_bone"
    bl_label = "Pick Active Bone"
    bl_description = "Take the armature's active bone for the selected part"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        character = active_character(context)
        bone = character.object.data.bones.active
        if not 0 <= character.active_slot < len(character.slots) or bone is None:
            raise LiveError("Nothing to pick.", "Select a part in the list, and a bone of the armature in pose mode.")
        slot = character.slots[character.active_slot]
        slot.bone, slot.picked = bone.name, True
        return ""


class POSEWIRE_OT_mirror_mapping(Reporting, Operator):
    bl_idname = "posewire.mirror_mapping"
    bl_label = "Mirror Bone Mapping"
    bl_description = "Give the right side the bones whose names mirror those of the left side"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        character = active_character(context)
        if not character.slots:
            raise LiveError("There is no mapping to mirror.", "Press Edit Bone Mapping first.")
        changed = _mirror(character, character.rig())
        if not changed:
            return "Nothing to mirror: the right side has its bones already, or their names have no sides."
        return tell("{count} bones mirrored", count=changed)


def _mirror(character: PosewireCharacter, rig: Rig) -> int:
    """Left parts and right parts of the preset belong together by their joint and their order."""
    by_joint: dict[str, list[str]] = {joint: [bone.name for bone in rig.bones if bone.joint == joint] for joint in JOINTS}
    slots = {slot.name: slot for slot in character.slots}
    bones = character.object.data.bones
    changed = 0
    for joint in (joint for joint in JOINTS if joint.startswith("left_")):
        for left, right in zip(by_joint[joint], by_joint["right_" + joint[5:]], strict=False):
            mirrored = bpy.utils.flip_name(slots[left].bone) if left in slots else ""
            if right in slots and mirrored in bones and mirrored not in (slots[left].bone, slots[right].bone):
                slots[right].bone, slots[right].picked = mirrored, True
                changed += 1
    return changed


class POSEWIRE_OT_save_mapping(Reporting, Operator, ExportHelper):
    bl_idname = "posewire.save_mapping"
    bl_label = "Save Bone Mapping"
    bl_description = "Write the mapping as a rig file, for other scenes and for `posewire run --rig`"

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context: bpy.types.Context) -> str:
        path = Path(bpy.path.abspath(self.filepath))
        found = active_character(context).fit()
        name = "".join(c if c.isalnum() or c in "_.-" else "_" for c in path.stem.lower())
        try:
            path.write_text(json.dumps(with_names(found.rig, name, found.matched), indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise LiveError("The file {file} cannot be written: {reason}.", file=path.name, reason=error.strerror) from error
        return tell("Saved {file}", file=path.name)


class POSEWIRE_OT_load_mapping(Reporting, Operator, ImportHelper):
    bl_idname = "posewire.load_mapping"
    bl_label = "Load Bone Mapping"
    bl_description = "Use a mapping that was saved as a rig file"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context: bpy.types.Context) -> str:
        character = active_character(context)
        before = character.preset, character.file
        character.preset, character.file = "FILE", self.filepath
        try:
            found = character.fit()
        except LiveError:
            character.preset, character.file = before
            raise
        character.slots.clear()
        return tell("{preset}: {percent} % of its bones found", preset=found.rig.name, percent=round(100 * found.confidence))


CLASSES = (
    POSEWIRE_OT_edit_mapping,
    POSEWIRE_OT_clear_mapping,
    POSEWIRE_OT_pick_bone,
    POSEWIRE_OT_mirror_mapping,
    POSEWIRE_OT_save_mapping,
    POSEWIRE_OT_load_mapping,
)
