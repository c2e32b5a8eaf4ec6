"""A captured motion arrives when nobody is disturbed, and its take stays where it can be found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from armatures import stand_in
from conftest import ENGINE, module


@pytest.fixture
def captured(demo_take: Path, tmp_path: Path) -> Callable[[], Any]:
    """Gives a capture that has just ended well."""

    def ended() -> Any:
        take = Path(shutil.copy(demo_take, tmp_path / "walk.pwt"))
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        module("state").state.capture = module("engine").Capture(process, "walk.mp4", take, 100, tmp_path / "log")
        return module("state").state

    return ended


def test_a_capture_that_ends_while_a_mesh_is_edited_waits_until_it_is_left(captured: Callable[[], Any]) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    state = captured()
    module("timer").pump()
    assert bpy.context.mode == "EDIT_MESH"
    assert not bpy.data.actions
    assert "back in Object Mode" in state.message
    bpy.ops.object.mode_set(mode="OBJECT")
    module("timer").pump()
    assert state.capture is None
    assert "One action from walk.pwt" in state.message


def test_a_capture_that_ends_while_a_tool_runs_waits_for_it(captured: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Blender crashes where the mode changes while vertices are dragged; gui_smoke.py drags with a real mouse."""
    state, capturing = captured(), module("capturing")
    move = SimpleNamespace(bl_idname="TRANSFORM_OT_translate", name="Move")
    addons = SimpleNamespace(bl_idname="POSEWIRE_OT_check_engine", name="One of an add-on, which may never end")
    window = SimpleNamespace(modal_operators=[addons, move], view_layer=bpy.context.view_layer)
    manager = SimpleNamespace(windows=[window])
    context = SimpleNamespace(window_manager=manager, view_layer=bpy.context.view_layer)
    with monkeypatch.context() as patch:
        patch.setattr(capturing, "bpy", SimpleNamespace(context=context, types=bpy.types))
        capturing.poll_capture()
    assert "when Move is finished" in state.message
    assert not bpy.data.actions
    module("timer").pump()
    assert "One action from walk.pwt" in state.message


def test_a_motion_that_arrives_leaves_selection_and_mode_as_they_are(captured: Callable[[], Any]) -> None:
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    posed = stand_in()
    bpy.context.scene.posewire.characters.clear()  # so that the motion needs a stand-in of its own
    cube.select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    state = captured()
    module("timer").pump()
    assert "One action from walk.pwt" in state.message
    assert (bpy.context.view_layer.objects.active, bpy.context.mode) == (posed, "POSE")
    bpy.ops.object.mode_set(mode="OBJECT")
    assert set(bpy.context.selected_objects) == {posed, cube}


def test_a_motion_arrives_in_the_scene_for_which_it_was_asked(captured: Callable[[], Any]) -> None:
    first = bpy.context.scene
    obj = stand_in()
    state = captured()
    state.capture.scene = first.name
    bpy.context.window.scene = second = bpy.data.scenes.new("Another")
    bpy.context.window.view_layer = layer = second.view_layers.new("Not the first")
    module("timer").pump()
    assert "One action from walk.pwt" in state.message
    assert obj.animation_data.action.name == "Stand-in walk"
    assert (bpy.context.scene, bpy.context.view_layer, len(second.objects)) == (second, layer, 0)


def test_a_capture_knows_its_scene() -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.posewire_live"].preferences
    preferences.python = ENGINE
    for start in (bpy.ops.posewire.capture_video, bpy.ops.posewire.solve_take):
        assert start(filepath=__file__) == {"FINISHED"}
        assert module("state").state.capture.scene == bpy.context.scene.name
        assert bpy.ops.posewire.cancel_capture() == {"FINISHED"}


def test_what_was_captured_until_it_was_stopped_is_named(captured: Callable[[], Any]) -> None:
    state = captured()
    assert bpy.ops.posewire.cancel_capture() == {"FINISHED"}
    assert "walk.pwt" in state.message


def test_the_takes_stay_when_the_extension_is_removed(tmp_path: Path) -> None:
    """Its own process with its own settings: Blender clears an extension's own folder when it is uninstalled."""
    code = "\n".join(
        [
            "import bpy, importlib, os",
            "bpy.ops.extensions.package_install_files(",
            "    filepath=os.environ['POSEWIRE_BLENDER_ZIP'], repo='user_default', enable_on_install=True)",
            "take = importlib.import_module('bl_ext.user_default.posewire_live.capturing').takes_folder() / 'walk.pwt'",
            "take.write_bytes(b'a take')",
            "repos = [repo.module for repo in bpy.context.preferences.extensions.repos]",
            "bpy.ops.extensions.package_uninstall(repo_index=repos.index('user_default'), pkg_id='posewire_live')",
            "print('enabled', 'bl_ext.user_default.posewire_live' in bpy.context.preferences.addons, 'kept', take.exists())",
        ]
    )
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert "enabled False kept True" in done.stdout, (done.stdout, done.stderr)


def test_takes_go_where_the_preferences_say(tmp_path: Path) -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.posewire_live"].preferences
    preferences.takes = str(tmp_path / "my takes")
    try:
        assert module("capturing").takes_folder() == tmp_path / "my takes"
        (tmp_path / "file").write_bytes(b"")
        preferences.takes = str(tmp_path / "file")
        with pytest.raises(module("errors").LiveError, match="cannot be made"):
            module("capturing").takes_folder()
    finally:
        preferences.takes = ""


def test_the_import_asks_for_a_file_every_time() -> None:
    """A path that Blender kept from the import before would be taken for a dropped file."""
    assert bpy.ops.posewire.import_take.get_rna_type().properties["filepath"].is_skip_save
