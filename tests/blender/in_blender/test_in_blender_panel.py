"""Every panel draws in every state what exists, and everything that can be pressed says what it does."""

from __future__ import annotations

from typing import Any

import bpy
import pytest
from conftest import ROOT, Stage, connect, module, pump_until


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

    def operator(self, name: str, **_: Any) -> Any:
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

    def label(self, text: str = "", **_: Any) -> None:
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
    for name in ("posewire.connect", "posewire.stand_in", "posewire.capture_video", "posewire.import_take", "address"):
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
    bpy.data.objects.remove(bpy.context.scene.posewire.active_character().object)
    assert "gone" in drawn()


def test_while_capturing_it_shows_the_progress() -> None:
    state = module("state").state
    state.capture = module("engine").Capture(None, "clip.mp4", ROOT / "none.pwt", 100, ROOT / "none.log", frames=25)
    try:
        assert "25 of 100 frames" in drawn()
        assert "posewire.cancel_capture" in drawn()
    finally:
        state.capture = None


def test_an_unknown_mapping_file_is_told_in_the_panel() -> None:
    bpy.ops.posewire.stand_in()
    character = bpy.context.scene.posewire.active_character()
    character.preset, character.file = "FILE", "//nowhere.json"
    assert "no mapping file" in drawn().replace("\n", " ")


@pytest.mark.parametrize("kind", ["operators", "operators_take", "operators_mapping"])
def test_every_operator_and_its_settings_have_a_name_and_a_tooltip(kind: str) -> None:
    for cls in module(kind).CLASSES:
        if issubclass(cls, bpy.types.Operator):
            group, bare = cls.bl_idname.split(".")
            rna = getattr(getattr(bpy.ops, group), bare).get_rna_type()
            assert rna.name
            assert len(rna.description) > 15, cls.bl_idname
            own = [p for p in rna.properties if p.identifier in cls.__annotations__ and not p.is_hidden]
            assert all(p.name and p.description for p in own), cls.bl_idname


def test_every_property_has_a_name_and_a_tooltip() -> None:
    for cls in (*module("properties").CLASSES, module("panel").PosewirePreferences):
        for name in cls.__annotations__:
            entry = cls.bl_rna.properties[name]
            assert entry.name
            if entry.type not in ("COLLECTION",) and not name.startswith("active"):
                assert entry.description, (cls.__name__, name)
