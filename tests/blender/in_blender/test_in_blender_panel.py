"""Every panel draws in every state what exists, and everything that can be pressed says what it does."""

from __future__ import annotations

from typing import Any

import bpy
from conftest import ROOT, Stage, connect, module, pump_until

ICONS = {item.identifier for item in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items}
"""Of this version of Blender: a panel with another one draws nothing more."""


class Layout:
    """Stands for Blender's layout, which exists only in a window: checks what is asked of it and keeps the texts."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.enabled = True

    def prop(self, data: Any, name: str, **_: Any) -> None:
        assert name in data.bl_rna.properties, name
        self.texts.append(name)

    def prop_search(self, data: Any, name: str, search: Any, collection: str, **_: Any) -> None:
        self.prop(data, name)
        assert collection in search.bl_rna.properties

    def operator(self, name: str, *, icon: str = "NONE", **_: Any) -> Any:
        assert icon in ICONS, icon
        group, bare = name.split(".")
        kind = getattr(getattr(bpy.ops, group), bare).get_rna_type()
        self.texts.append(name)
        return type("Properties", (), dict.fromkeys(kind.properties.keys()))()

    def template_list(self, kind: str, _: str, data: Any, items: str, active_data: Any, active: str, **__: Any) -> None:
        assert hasattr(bpy.types, kind)
        assert items in data.bl_rna.properties
        assert active in active_data.bl_rna.properties
        for item in getattr(data, items):
            getattr(bpy.types, kind).draw_item(None, bpy.context, self, data, item, 0, active_data, active)

    def label(self, text: str = "", icon: str = "NONE", **_: Any) -> None:
        assert icon in ICONS, icon
        self.texts.append(text)

    def progress(self, factor: float = 0.0, text: str = "", **_: Any) -> None:
        assert 0.0 <= factor <= 1.0
        self.texts.append(text)

    def row(self, **_: Any) -> Layout:
        return self

    column = box = split = row


def drawn() -> str:
    """All texts of every panel that shows itself now."""
    texts: list[str] = []
    for cls in module("panel").CLASSES:
        if issubclass(cls, bpy.types.Panel) and (not hasattr(cls, "poll") or cls.poll(bpy.context)):
            cls.draw(type("Panel", (), {"layout": Layout(texts)})(), bpy.context)
    return "\n".join(texts)


def test_before_anything_the_panel_offers_to_connect_and_to_capture() -> None:
    text = drawn()
    for name in ("posewire.connect", "posewire.stand_in", "posewire.capture_video", "posewire.import_take", "address", "camera"):
        assert name in text


def test_while_live_and_recording_it_shows_the_numbers_and_the_people(stage: Stage) -> None:
    stage.publish("--people", "2")
    bpy.ops.posewire.stand_in()
    bpy.ops.posewire.edit_mapping()
    session = connect(stage.address)
    assert "Nobody is seen" in drawn()
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    text = drawn()
    for part in ("Live", "fps", "ms", "person 0", "person 1", "native: 100 %", "posewire.stop", "weight", "left_elbow"):
        assert part in text, part


def test_a_deleted_armature_is_told_and_can_be_replaced_or_removed() -> None:
    """With one deletion Blender keeps the object for the entry; a script's removes it wholly."""
    for delete in (bpy.context.collection.objects.unlink, bpy.data.objects.remove):
        bpy.ops.posewire.stand_in()
        assert "posewire.replace_character" not in drawn()
        character = bpy.context.scene.posewire.active_character()
        name = character.object.name
        delete(character.object)
        text = drawn()
        for part in (name, "deleted", "posewire.replace_character", "posewire.remove_character"):
            assert part in text, part
        assert "root_motion" not in text
        assert bpy.ops.posewire.remove_character() == {"FINISHED"}


def test_beside_the_connection_stands_why_nobody_moves(stage: Stage) -> None:
    stage.publish()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    main = "POSEWIRE_PT_main"
    assert "Nobody follows yet" in unwrapped(main)
    bpy.ops.posewire.stand_in(person=7)
    assert "Nobody follows yet" not in unwrapped(main)
    newest = session.newest
    pump_until(lambda: session.newest is not newest, "a pose")
    assert "This person is not seen." in unwrapped(main)
    bpy.context.scene.posewire.active_character().enabled = False
    assert "This person is not seen." not in unwrapped(main)


def unwrapped(panel: str) -> str:
    """All texts of one panel in one line."""
    texts: list[str] = []
    getattr(bpy.types, panel).draw(type("Panel", (), {"layout": Layout(texts)})(), bpy.context)
    return " ".join(texts)


def test_while_capturing_it_shows_the_progress() -> None:
    state = module("state").state
    state.capture = module("engine").Capture(None, "clip.mp4", ROOT / "none.pwt", 100, ROOT / "none.log", frames=25)
    try:
        assert "25 of 100 frames" in drawn()
        assert "posewire.cancel_capture" in drawn()
        state.capture = module("engine").Capture(None, "0", None, 0, ROOT / "none.log")
        state.capture.started_s -= 12.0
        assert "Running for 12 s" in drawn()
    finally:
        state.capture = None


def test_an_unknown_mapping_file_is_told_in_the_panel() -> None:
    bpy.ops.posewire.stand_in()
    character = bpy.context.scene.posewire.active_character()
    character.preset, character.file = "FILE", "//nowhere.json"
    assert "no mapping file" in drawn().replace("\n", " ")


def registered() -> list[Any]:
    """Every class that the extension tells Blender of."""
    return list(module("registration")._CLASSES)


def rna_of(cls: Any) -> Any:
    """What Blender shows of a class."""
    if issubclass(cls, bpy.types.Operator):
        group, bare = cls.bl_idname.split(".")
        return getattr(getattr(bpy.ops, group), bare).get_rna_type()
    return cls.bl_rna


def texts_of(cls: Any) -> list[str]:
    """Names and tooltips of a class and its properties, as Blender has them."""
    rna = rna_of(cls)
    texts = [rna.name, rna.description] if issubclass(cls, bpy.types.Operator) else []
    texts += [cls.bl_label] if issubclass(cls, bpy.types.Panel) else []
    for name in getattr(cls, "__annotations__", {}):
        entry = rna.properties[name]
        if not entry.is_hidden:
            texts += [entry.name, entry.description]
    return texts


def test_everything_registered_has_a_name_and_a_tooltip() -> None:
    assert len(registered()) > 20
    for cls in registered():
        assert all(texts_of(cls)), (cls.__name__, texts_of(cls))
        if issubclass(cls, bpy.types.Operator):
            assert len(rna_of(cls).description) > 15, cls.bl_idname


def test_everything_registered_is_translated() -> None:
    """Blender's modules cannot switch languages; that a Blender with a window does, gui_smoke.py sees."""
    translation = module("translation")
    german = translation.read(translation.FOLDER / "de.json")
    missing = {text for cls in registered() for text in texts_of(cls)} - set(german) - {"Posewire"}
    assert not missing


def test_an_error_is_told_with_its_values() -> None:
    error = module("errors").LiveError("There is no video {path}.", "Choose a video file.", path="a{b}.mp4")
    assert module("translation").say(error) == str(error) == "There is no video a{b}.mp4. Choose a video file."


def test_the_limb_controls_are_offered_only_where_there_are_any() -> None:
    bpy.ops.posewire.stand_in()
    assert "controls" not in drawn().split("\n")


def test_bones_that_constraints_move_are_told() -> None:
    """A leg with inverse kinematics of its own stays where its target is, whatever the person does."""
    bpy.ops.posewire.stand_in()
    obj = bpy.context.object
    assert "Constraints" not in drawn()
    bone = obj.pose.bones["left_knee"]
    bone.constraints.new("LIMIT_ROTATION")
    constraint = bone.constraints.new("IK")
    bpy.context.scene.posewire.active_character().scale = 2.0  # what is shown is kept for a second
    assert "Constraints move left_knee: mute them" in drawn().replace("\n", " ")
    constraint.mute = True
    bpy.context.scene.posewire.active_character().scale = 1.0
    assert "Constraints" not in drawn()
