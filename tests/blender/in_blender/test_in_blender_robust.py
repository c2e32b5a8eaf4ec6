"""Whatever goes wrong is a readable message: no traceback, no lost motion, no hang."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import stand_in
from conftest import Stage, connect, evaluated_heads, module, pump_for, pump_until, refused


def live(stage: Stage) -> tuple[Any, Any]:
    stage.publish()
    obj = stand_in()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    return obj, session


def next_pose(session: Any) -> int:
    before = session.newest
    pump_until(lambda: session.newest is not before, "a pose")
    return session.newest.pose.sequence


def test_an_armature_that_is_deleted_is_told_and_the_others_go_on(stage: Stage) -> None:
    gone, session = live(stage)
    stays = stand_in()
    bpy.data.objects.remove(gone)
    sequence = next_pose(session)
    assert np.allclose(evaluated_heads(stays)["head"], stage.expected(sequence)["head"], atol=1e-5)
    characters = bpy.context.scene.posewire.characters
    assert any("deleted" in session.problem_of(character) for character in characters)


def test_an_armature_that_the_artist_deletes_is_told_though_our_list_still_knows_it(stage: Stage) -> None:
    gone, session = live(stage)
    bpy.ops.object.select_all(action="DESELECT")
    gone.select_set(True)
    bpy.ops.object.delete()
    character = bpy.context.scene.posewire.active_character()
    assert character.object is not None
    pump_until(lambda: "deleted" in session.problem_of(character), "the word about it")


def test_a_new_stand_in_takes_the_place_of_a_deleted_armature(stage: Stage) -> None:
    gone, session = live(stage)
    character = bpy.context.scene.posewire.active_character()
    character.smoothing = 0.0
    character.mirror = True
    with refused("still there"):
        bpy.ops.posewire.replace_character()
    bpy.data.batch_remove([gone.children[0]])
    bpy.context.collection.objects.unlink(gone)
    with refused("deleted"):
        bpy.ops.posewire.edit_mapping()
    assert bpy.ops.posewire.replace_character() == {"FINISHED"}
    assert len(bpy.context.scene.posewire.characters) == 1
    assert character.object != gone and character.object.users_scene and character.mirror
    next_pose(session)
    assert session.problem_of(character) == ""
    assert character.object.pose.bones["head"].rotation_quaternion[0] < 1.0


def test_an_armature_that_shows_its_rest_position_is_told(stage: Stage) -> None:
    obj, session = live(stage)
    character = bpy.context.scene.posewire.active_character()
    obj.data.pose_position = "REST"
    next_pose(session)
    assert "Pose Position" in session.problem_of(character)
    obj.data.pose_position = "POSE"
    next_pose(session)
    assert session.problem_of(character) == ""


def test_an_armature_that_is_renamed_goes_on(stage: Stage) -> None:
    obj, session = live(stage)
    obj.name, obj.data.name = "Somebody", "Else"
    sequence = next_pose(session)
    assert np.allclose(evaluated_heads(obj)["head"], stage.expected(sequence)["head"], atol=1e-5)


def test_a_bone_that_is_renamed_or_missing_is_told_and_the_rest_moves(stage: Stage) -> None:
    obj, session = live(stage)
    character = bpy.context.scene.posewire.active_character()
    obj.data.bones["left_elbow"].name = "elbow"
    next_pose(session)
    assert "left_elbow" in session.problem_of(character)
    pump_for(1.2)  # then it is bound anew, without that bone
    sequence = next_pose(session)
    assert session.problem_of(character) == ""
    assert np.allclose(evaluated_heads(obj)["right_wrist"], stage.expected(sequence)["right_wrist"], atol=1e-5)
    assert character.fit().confidence < 1.0


def test_an_armature_in_edit_mode_is_left_alone_and_bound_anew_afterwards(stage: Stage) -> None:
    obj, session = live(stage)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    next_pose(session)
    obj.data.edit_bones["left_wrist"].roll += 1.0
    next_pose(session)
    bpy.ops.object.mode_set(mode="OBJECT")
    sequence = next_pose(session)
    assert np.allclose(evaluated_heads(obj)["left_hand"], stage.expected(sequence)["left_hand"], atol=1e-5)


def test_an_armature_of_something_else_is_told(stage: Stage) -> None:
    _, session = live(stage)
    bpy.ops.object.armature_add()
    assert bpy.ops.posewire.add_characters() == {"FINISHED"}
    character = bpy.context.scene.posewire.active_character()
    next_pose(session)
    assert "No preset knows the bones" in session.problem_of(character)
    with refused("nearest preset"):
        bpy.ops.posewire.edit_mapping()


def test_a_publisher_that_dies_is_told_and_found_again(stage: Stage) -> None:
    obj, session = live(stage)
    address = stage.address
    stage.stop()
    pump_until(lambda: session.status()[0] == "Waiting for Posewire", "the loss")
    stage.publish("--address", address)
    sequence = next_pose(session)
    assert np.allclose(evaluated_heads(obj)["head"], stage.expected(sequence)["head"], atol=1e-5)


def test_undo_and_redo_while_live(stage: Stage) -> None:
    bpy.ops.ed.undo_push(message="start")
    obj, session = live(stage)
    name = obj.name
    bpy.ops.ed.undo_push(message="stand-in")
    obj.location.x = 1.0
    bpy.ops.ed.undo_push(message="moved")
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.undo):
        assert step() == {"FINISHED"}
        sequence = next_pose(session)
        obj = bpy.data.objects[name]
        want = stage.expected(sequence)["head"] + [obj.location.x, 0, 0]
        assert np.allclose(evaluated_heads(obj)["head"], want, atol=1e-5)


def test_another_file_and_back_while_live(stage: Stage, tmp_path: Path) -> None:
    obj, session = live(stage)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    next_pose(session)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    sequence = next_pose(session)
    obj = bpy.context.scene.posewire.active_character().object
    assert np.allclose(evaluated_heads(obj)["head"], stage.expected(sequence)["head"], atol=1e-5)


def test_disabling_the_add_on_while_live_and_recording_keeps_the_motion(stage: Stage) -> None:
    obj, session = live(stage)
    bpy.ops.posewire.record()
    pump_for(0.5)
    assert bpy.ops.preferences.addon_disable(module="bl_ext.user_default.posewire_live") == {"FINISHED"}
    assert obj.animation_data.action is not None
    assert not hasattr(bpy.types, "POSEWIRE_PT_main")
    assert not hasattr(bpy.types.Scene, "posewire")
    assert bpy.ops.preferences.addon_enable(module="bl_ext.user_default.posewire_live") == {"FINISHED"}
    session = connect_again(stage)
    next_pose(session)


def connect_again(stage: Stage) -> Any:
    stand_in()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    return session


def test_scripts_reload_while_live(stage: Stage) -> None:
    live(stage)
    bpy.ops.script.reload()
    state = module("state").state
    session = state.session or connect_again(stage)
    next_pose(session)
    assert bpy.app.timers.is_registered(module("timer").tick)
    assert bpy.app.handlers.undo_post.count(module("timer")._forget) == 1


def test_pumping_without_anything_is_harmless() -> None:
    assert module("timer").pump() == 0
    assert module("timer").tick() > 0.05


def test_an_error_in_a_step_is_shown_and_the_timer_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, session = live(stage)

    def broken(*_: Any) -> None:
        raise ReferenceError("StructRNA of type Object has been removed")

    monkeypatch.setattr(session, "_follow", broken)
    deadline_s = time.monotonic() + 5
    while "Internal error" not in module("state").state.message:
        assert time.monotonic() < deadline_s
        assert module("timer").tick() < 0.05
        time.sleep(0.01)


def test_a_blender_that_is_closed_while_connected_exits(stage: Stage) -> None:
    """Its own process, ended as a script ends."""
    stage.publish()
    code = "\n".join(
        [
            "import bpy, importlib, time",
            "bpy.ops.preferences.addon_enable(module='bl_ext.user_default.posewire_live')",
            "bpy.ops.posewire.stand_in()",
            f"bpy.context.scene.posewire.address = {stage.address!r}",
            "bpy.ops.posewire.connect()",
            "bpy.ops.posewire.record()",
            "timer = importlib.import_module('bl_ext.user_default.posewire_live.timer')",
            "until = time.monotonic() + 20",
            "while timer.pump() == 0 and time.monotonic() < until: time.sleep(0.01)",
            "print('moved', bpy.context.scene.posewire.characters[0].object.pose.bones['head'].rotation_quaternion[0] < 1.0)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "moved True" in done.stdout, done.stderr
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
