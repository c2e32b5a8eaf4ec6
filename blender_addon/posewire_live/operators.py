# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N801, RUF012  Blender asks for these names and class attributes
"""What an artist can press: connect, characters, record."""

import bpy
from bpy.props import BoolProperty, IntProperty
from bpy.types import Operator

from . import ground, mannequin
from .armature import unit_m
from .errors import LiveError, deleted
from .importing import finish_recording
from .live import Session, seen
from .properties import ANYONE, PosewireCharacter
from .recording import Recording
from .reporting import Reporting
from .shaping import Shaper
from .state import state
from .translation import tell


def active_character(context: bpy.types.Context) -> PosewireCharacter:
    """The one selected in the list."""
    character = context.scene.posewire.active_character()
    if character is None:
        raise LiveError("No character is selected.", "Add one: select an armature and press Add Character.")
    if character.is_gone():
        raise deleted(character.shown_name())
    return character


class POSEWIRE_OT_connect(Reporting, Operator):
    bl_idname = "posewire.connect"
    bl_label = "Connect to Posewire"
    bl_description = "Listen to the stream at this address; characters follow as soon as somebody is seen"

    def act(self, context: bpy.types.Context) -> str:
        if state.session is not None:
            raise LiveError("Already connected.", "Disconnect first.")
        scene = context.scene.posewire
        state.session = Session(scene.address, scene.key_file)
        return ""


class POSEWIRE_OT_disconnect(Reporting, Operator):
    bl_idname = "posewire.disconnect"
    bl_label = "Disconnect from Posewire"
    bl_description = "Stop listening and give every character its pose from before"
    bl_options = {"UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        disconnect(context.scene)
        return ""


def disconnect(scene: bpy.types.Scene) -> None:
    """Ends the session; a recording that runs is written first."""
    session = state.session
    if session is None:
        return
    try:
        if session.recording is not None:
            stop_recording(scene)
    finally:
        state.session = None
        session.close()


def stop_recording(scene: bpy.types.Scene) -> list[bpy.types.Action]:
    """Writes the recording that runs."""
    session = state.session
    if session is None or session.recording is None:
        raise LiveError("Nothing is being recorded.", "Press Record first.")
    recording, session.recording = session.recording, None
    return finish_recording(bpy.data.scenes.get(recording.scene, scene), session, recording)


class POSEWIRE_OT_add_characters(Reporting, Operator):
    bl_idname = "posewire.add_characters"
    bl_label = "Add Character"
    bl_description = "Let the selected armatures follow a person"
    bl_options = {"REGISTER", "UNDO"}

    person: IntProperty(name="Person", description="Number of the person; -1 = whoever is there", default=ANYONE, min=ANYONE)

    def act(self, context: bpy.types.Context) -> str:
        chosen = _armatures(context)
        if not chosen:
            raise LiveError("No armature is selected.", "Select the character's armature, or make a stand-in.")
        for obj in chosen:
            context.scene.posewire.add(obj, self.person)
        return ""


def _armatures(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Selected armatures, and those of selected meshes that an armature moves."""
    objects = list(context.selected_objects) or ([context.object] if context.object else [])
    found: list[bpy.types.Object] = []
    for obj in objects:
        armature = obj if obj.type == "ARMATURE" else obj.find_armature()
        if armature is not None and armature not in found:
            found.append(armature)
    return found


class POSEWIRE_OT_remove_character(Reporting, Operator):
    bl_idname = "posewire.remove_character"
    bl_label = "Remove Character"
    bl_description = "The selected character follows nobody any more and gets its pose from before"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        scene = context.scene.posewire
        character = scene.active_character()
        if character is None:
            raise LiveError("No character is selected.")
        if state.session is not None and character.object is not None:
            state.session.release(character.object)
        scene.characters.remove(scene.active)
        scene.active = max(0, min(scene.active, len(scene.characters) - 1))
        return ""


class POSEWIRE_OT_replace_character(Reporting, Operator):
    bl_idname = "posewire.replace_character"
    bl_label = "Replace by Stand-in"
    bl_description = "Give the selected character, whose armature was deleted, a new stand-in that follows the same person"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        character = context.scene.posewire.active_character()
        if character is None:
            raise LiveError("No character is selected.")
        if not character.is_gone():
            raise LiveError("{name} is still there.", "Press Create Stand-in for another one.", name=character.object.name)
        character.become(_new_stand_in(context, character.person))
        return ""


class POSEWIRE_OT_follow(Reporting, Operator):
    bl_idname = "posewire.follow"
    bl_label = "Follow Person"
    bl_description = "Let the selected character follow this person"
    bl_options = {"REGISTER", "UNDO"}

    person: IntProperty(name="Person", description="Number of the person; -1 = whoever is there", default=ANYONE, min=ANYONE)

    def act(self, context: bpy.types.Context) -> str:
        active_character(context).person = self.person
        return ""


class POSEWIRE_OT_to_ground(Reporting, Operator):
    bl_idname = "posewire.to_ground"
    bl_label = "Put on Ground"
    bl_description = "Choose the ground offset so that what is lowest of the selected character now touches the ground"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        character = active_character(context)
        found = seen(state.session.newest if state.session else None, character.person)
        if found is None:
            raise LiveError("Nobody is seen.", "Connect, and press this while the person stands on the floor.")
        skeleton, pose = found
        root_m, rotations_wxyz = Shaper(skeleton, character.shape())(0.0, pose.root_m, pose.rotations_wxyz)
        lowest_m = float(ground.lowest_m(skeleton, root_m[None], rotations_wxyz[None])[0])
        character.ground_offset -= lowest_m / unit_m(context.scene)
        return ""


class POSEWIRE_OT_stand_in(Reporting, Operator):
    bl_idname = "posewire.stand_in"
    bl_label = "Create Stand-in"
    bl_description = "Make a simple mannequin that follows a person at once"
    bl_options = {"REGISTER", "UNDO"}

    person: IntProperty(name="Person", description="Number of the person; -1 = whoever is there", default=ANYONE, min=ANYONE)

    def act(self, context: bpy.types.Context) -> str:
        context.scene.posewire.add(_new_stand_in(context, self.person), self.person)
        return ""


def _new_stand_in(context: bpy.types.Context, person: int) -> bpy.types.Object:
    """With the proportions of the person, where somebody is seen."""
    found = seen(state.session.newest if state.session else None, person)
    return mannequin.create(context, found[0] if found else mannequin.usual_skeleton(), "Stand-in")


class POSEWIRE_OT_record(Reporting, Operator):
    bl_idname = "posewire.record"
    bl_label = "Record Motion"
    bl_description = "Keep the motion of every live character from now on, beginning at the present frame"

    def act(self, context: bpy.types.Context) -> str:
        if state.session is None:
            raise LiveError("Nothing to record.", "Connect first.")
        if state.session.recording is not None:
            raise LiveError("Recording already.", "Stop it first.")
        state.session.recording = Recording(context.scene.frame_current, context.scene.name)
        return ""


class POSEWIRE_OT_stop(Reporting, Operator):
    bl_idname = "posewire.stop"
    bl_label = "Stop Recording Motion"
    bl_description = "Write the recording into a new action for each character"
    bl_options = {"UNDO"}  # without REGISTER: to run it again with other settings would find no recording any more

    discard: BoolProperty(name="Discard", description="Throw the recording away", default=False)

    def act(self, context: bpy.types.Context) -> str:
        if self.discard and state.session is not None:
            state.session.recording = None
            return "The recording was thrown away."
        made = stop_recording(context.scene)
        if not made:
            raise LiveError("Nothing was recorded.", "Was anybody seen, and is a character live?")
        state.message = tell("Recorded: {actions}", actions=", ".join(action.name for action in made))
        return state.message


CLASSES = (
    POSEWIRE_OT_connect,
    POSEWIRE_OT_disconnect,
    POSEWIRE_OT_add_characters,
    POSEWIRE_OT_remove_character,
    POSEWIRE_OT_replace_character,
    POSEWIRE_OT_follow,
    POSEWIRE_OT_to_ground,
    POSEWIRE_OT_stand_in,
    POSEWIRE_OT_record,
    POSEWIRE_OT_stop,
)
