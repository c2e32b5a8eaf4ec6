# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene keeps: where the stream is, which armature follows whom and how. Saved with the file, undone with it."""

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import presets
from .armature import unit_m
from .binding import Choices, Fit, detect, fit
from .controls import BOTH, FK, IK
from .errors import LiveError, deleted
from .mapping import Rig
from .receiver import DEFAULT_ADDRESS
from .shaping import ALL, FEET, FULL, HORIZONTAL, IN_PLACE, NOTHING, Shape

ANYONE = -1
"""Follows whoever is seen with the lowest number."""


_RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()
"""Blender asks for the word from 4.5 on; before, every path might begin with "//"."""


def _is_armature(self: "PosewireCharacter", obj: bpy.types.Object) -> bool:
    return obj.type == "ARMATURE"


class PosewireSlot(bpy.types.PropertyGroup):
    """One bone of the preset, named by `name`, and the armature's bone that stands for it."""

    bone: StringProperty(name="Bone", description="The armature's bone; empty = this part does not move")
    picked: BoolProperty(name="Picked", description="Chosen by hand instead of found by its name")
    weight: FloatProperty(
        name="Weight", description="How much of the motion this bone takes", default=1.0, min=0.0, max=1.0, subtype="FACTOR"
    )


class PosewireCharacter(bpy.types.PropertyGroup):
    """An armature that follows somebody."""

    object: PointerProperty(name="Armature", description="The armature that moves", type=bpy.types.Object, poll=_is_armature)
    enabled: BoolProperty(name="Live", description="Follow the stream", default=True)
    person: IntProperty(
        name="Person", description="Number of the person to follow; -1 = whoever is there", default=ANYONE, min=ANYONE
    )
    preset: EnumProperty(
        name="Preset", description="Which naming of bones the armature has", items=lambda self, context: _preset_items()
    )
    file: StringProperty(name="Mapping File", description="A mapping saved as JSON", subtype="FILE_PATH", options=_RELATIVE)
    slots: CollectionProperty(name="Parts", description="Parts of the preset and their bones", type=PosewireSlot)
    active_slot: IntProperty(name="Active Bone", description="The part that is selected in the list")
    auto_scale: BoolProperty(
        name="Automatic Scale", description="Scale the way of the body by the length of the legs", default=True
    )
    scale: FloatProperty(
        name="Scale", description="Size of the character over that of the person", default=1.0, min=0.001, soft_max=10
    )
    root_motion: EnumProperty(
        name="Root Motion",
        description="How the body moves through the scene",
        items=[
            (FULL, "Full", "As the person moved"),
            (HORIZONTAL, "Horizontal", "Over the ground only; the hips stay at their rest height"),
            (IN_PLACE, "In Place", "Up and down only"),
        ],
    )
    ground_offset: FloatProperty(name="Ground Offset", description="Added to the height", subtype="DISTANCE", unit="LENGTH")
    reach: EnumProperty(
        name="Reach",
        description="Bend arms and legs so that hands and feet come to where the person's are",
        items=[
            (NOTHING, "Nothing", "Limbs point as the person's do, hands and feet come to lie where they may"),
            (FEET, "Feet", "The feet come to where the person's are"),
            (ALL, "Hands and Feet", "Hands and feet come to where the person's are"),
        ],
    )
    controls: EnumProperty(
        name="Limb Controls",
        description="Which controls of a generated Rigify rig lead arms and legs",
        items=[
            (FK, "FK", "The controls of forward kinematics; the rig is switched to them"),
            (IK, "IK", "Hands, feet and poles of inverse kinematics; the rig is switched to them"),
            (BOTH, "Both", "All of them; the rig's own switch stays yours"),
        ],
    )
    foot_lock: BoolProperty(name="Foot Lock", description="A foot that touches the ground stays where it came down")
    mirror: BoolProperty(name="Mirror", description="Exchange left and right, as in a mirror")
    smoothing: FloatProperty(
        name="Smoothing",
        description="Time over which the motion is averaged; adds as much delay",
        min=0.0,
        soft_max=0.5,
        unit="TIME_ABSOLUTE",
    )

    def is_gone(self) -> bool:
        """The armature was deleted; Blender keeps it, in no scene, as long as this entry names it."""
        return self.object is None or not self.object.users_scene

    def shown_name(self) -> str:
        """What to call it, also where nothing but the entry is left."""
        return self.object.name if self.object is not None else self.name

    def rig(self) -> Rig:
        """The preset that counts now."""
        return self.fit().rig

    def fit(self) -> Fit:
        """How the chosen or detected preset fits the armature."""
        if self.object is None:
            raise deleted(self.name)
        if self.preset == "AUTO":
            found = detect(self.object, presets.bundled())
            if self.picks():
                return fit(self.object, found.rig, self.picks())
            if not found.matched:
                hint = "Choose the nearest preset, then pick the bones under Bone Mapping."
                raise LiveError("No preset knows the bones of {name}.", hint, name=self.object.name)
            return found
        if self.preset == "FILE":
            return fit(self.object, presets.from_file(Path(bpy.path.abspath(self.file))), self.picks())
        return fit(self.object, presets.by_name(self.preset), self.picks())

    def become(self, obj: bpy.types.Object) -> None:
        """Another armature takes this place; what was chosen for the bones of the one before is forgotten."""
        self.object, self.name, self.preset = obj, obj.name, "AUTO"
        self.slots.clear()

    def picks(self) -> tuple[tuple[str, str], ...]:
        """Pairs of rig bone and armature bone that were chosen by hand."""
        return tuple((slot.name, slot.bone) for slot in self.slots if slot.picked)

    def choices(self) -> Choices:
        """Everything that was chosen, as a value."""
        weights = tuple((slot.bone, slot.weight) for slot in self.slots if slot.weight < 1.0 and slot.bone)
        return Choices(self.rig(), self.picks(), weights, None if self.auto_scale else self.scale, self.shape(), self.controls)

    def shape(self) -> Shape:
        """What is asked of the motion before it reaches the bones."""
        offset_m = self.ground_offset * unit_m(self.id_data)
        return Shape(self.mirror, self.root_motion, offset_m, self.reach, self.foot_lock, self.smoothing)

    def settings(self) -> tuple[Any, ...]:
        """Cheap to make at every pose: equal = the choices are equal too."""
        slots = tuple((slot.bone, slot.picked, slot.weight) for slot in self.slots) if self.slots else ()
        look = (self.mirror, self.root_motion, self.ground_offset, self.reach, self.foot_lock, self.smoothing)
        look += (unit_m(self.id_data),)
        return (self.preset, self.file, self.auto_scale, self.scale, self.controls, slots, *look)


_items: list[tuple[str, str, str]] = []


def _preset_items() -> list[tuple[str, str, str]]:
    """Blender keeps no reference to the texts of a dynamic list, so they must live somewhere."""
    if not _items:
        _items.extend(presets.enum_items())
    return _items


class PosewireScene(bpy.types.PropertyGroup):
    """A scene's share of Posewire."""

    address: StringProperty(name="Address", description="Where Posewire publishes", default=DEFAULT_ADDRESS)
    key_file: StringProperty(
        name="Key File",
        description="From `posewire keys add NAME`; only for a publisher on another computer",
        subtype="FILE_PATH",
        options=_RELATIVE,
    )
    characters: CollectionProperty(name="Characters", description="Armatures that follow somebody", type=PosewireCharacter)
    active: IntProperty(name="Active Character", description="The character that is selected in the list")
    as_strip: BoolProperty(
        name="NLA Strip", description="Put a recording on its own track instead of making it the active action"
    )
    markers: BoolProperty(name="Contact Markers", description="Mark in the action where a foot touches or leaves the ground")
    set_range: BoolProperty(
        name="Set Frame Range", description="Lengthen the scene's end to show the whole recording", default=True
    )
    camera: StringProperty(name="Camera", description="Number of the camera, or the address of a phone's stream", default="0")
    max_people: IntProperty(name="People", description="How many people to follow at most", default=1, min=1, max=16)
    height: FloatProperty(
        name="Height", description="Stature of the person in metres; it gives the scene its scale", default=1.7, min=0.5, max=2.5
    )
    fov: FloatProperty(
        name="Vertical View", description="The camera's vertical field of view in degrees", default=54.0, min=5, max=175
    )
    method: StringProperty(name="Method", description="A pose method of `posewire methods`; empty = the usual one")
    lifter: StringProperty(
        name="Lifter", description="Turn the method's 2D into 3D with this lifter; empty = the method's own 3D"
    )

    def character_of(self, obj: bpy.types.Object) -> PosewireCharacter | None:
        """The entry of an armature."""
        return next((character for character in self.characters if character.object == obj), None)

    def active_character(self) -> PosewireCharacter | None:
        """The one that is selected in the list."""
        return self.characters[self.active] if 0 <= self.active < len(self.characters) else None

    def add(self, obj: bpy.types.Object, person: int) -> PosewireCharacter:
        """Lets an armature follow somebody, anew or for the first time."""
        character = self.character_of(obj) or self.characters.add()
        character.object, character.person, character.enabled = obj, person, True
        character.name = obj.name
        self.active = list(self.characters).index(character)
        return character


CLASSES = (PosewireSlot, PosewireCharacter, PosewireScene)
