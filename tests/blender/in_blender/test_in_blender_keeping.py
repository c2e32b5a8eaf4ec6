"""What belongs to the artist stays: actions, poses made by hand, the pictures and files that Blender writes while live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import add, build, rig_file, stand_in
from conftest import Stage, connect, evaluated_heads, module, pump_for, pump_until, refused


def live(stage: Stage) -> Any:
    stage.publish()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    return session


def imported(take: Path) -> Any:
    """A stand-in with an action, which follows anybody."""
    assert bpy.ops.posewire.import_take(filepath=str(take)) == {"FINISHED"}
    character = bpy.context.scene.posewire.characters[0]
    character.person = -1
    return character.object


def edit_a_strip(obj: Any) -> None:
    """Tweak mode: Blender lets nobody exchange the action."""
    data = obj.animation_data
    track = data.nla_tracks.new()
    strip = track.strips.new("walk", 1, data.action)
    data.action = None
    track.select = strip.select = True
    data.use_tweak_mode = True
    assert data.use_tweak_mode


def saved_and_opened(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))


@pytest.mark.parametrize("as_strip", [False, True])
def test_the_action_from_before_is_still_there_in_the_saved_file(demo_take: Path, tmp_path: Path, as_strip: bool) -> None:
    obj = stand_in()
    obj.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=1)
    obj.animation_data.action.name = "By Hand"
    bpy.context.scene.posewire.as_strip = as_strip
    assert bpy.ops.posewire.import_take(filepath=str(demo_take)) == {"FINISHED"}
    saved_and_opened(tmp_path / "scene.blend")
    assert "By Hand" in bpy.data.actions


@pytest.mark.parametrize("as_strip", [False, True])
def test_a_take_comes_onto_a_character_whose_strip_is_being_edited(demo_take: Path, as_strip: bool) -> None:
    obj = imported(demo_take)
    edit_a_strip(obj)
    bpy.context.scene.posewire.as_strip = as_strip
    assert bpy.ops.posewire.import_take(filepath=str(demo_take)) == {"FINISHED"}
    assert (obj.animation_data.action is None) == as_strip
    assert len(obj.animation_data.nla_tracks) == 1 + as_strip


def test_a_recording_is_not_lost_while_a_strip_is_being_edited(stage: Stage, demo_take: Path) -> None:
    obj = imported(demo_take)
    live(stage)
    bpy.ops.posewire.record()
    pump_for(0.3)
    edit_a_strip(obj)
    assert bpy.ops.posewire.stop() == {"FINISHED"}
    assert obj.animation_data.action.name in module("state").state.message


def test_a_linked_armature_takes_no_action_and_nothing_is_changed(demo_take: Path, tmp_path: Path) -> None:
    stand_in().name = "Linked"
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {bpy.data.objects["Linked"]})
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.objects = ["Linked"]
    bpy.context.collection.objects.link(wanted.objects[0])
    stand_in()
    add(wanted.objects[0])
    with refused("Library Override"):
        bpy.ops.posewire.import_take(filepath=str(demo_take))
    assert not bpy.data.actions


def test_a_take_makes_a_new_stand_in_where_the_old_one_was_deleted(demo_take: Path) -> None:
    old = imported(demo_take)
    bpy.ops.object.select_all(action="DESELECT")
    old.select_set(True)
    bpy.ops.object.delete()
    assert bpy.ops.posewire.import_take(filepath=str(demo_take)) == {"FINISHED"}
    assert len([obj for obj in bpy.context.scene.objects if obj.type == "ARMATURE"]) == 1


def test_baking_while_live_bakes_the_action(stage: Stage, demo_take: Path) -> None:
    obj = imported(demo_take)
    frames, scene = (1, 10, 20), bpy.context.scene
    before: list[np.ndarray] = []
    for frame in frames:
        scene.frame_set(frame)
        before.append(evaluated_heads(obj)["left_wrist"])
    live(stage)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.nla.bake(frame_start=1, frame_end=20, only_selected=False, visual_keying=True, bake_types={"POSE"})
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.posewire.disconnect()
    for frame, place in zip(frames, before, strict=True):
        scene.frame_set(frame)
        assert np.allclose(evaluated_heads(obj)["left_wrist"], place, atol=1e-5), frame


def test_disconnecting_at_another_frame_shows_the_action_there_and_at_the_same_one_the_pose_from_before(
    stage: Stage, demo_take: Path
) -> None:
    obj = imported(demo_take)
    scene = bpy.context.scene
    scene.frame_set(20)
    there, by_hand = evaluated_heads(obj)["head"], (0.8, 0.6, 0.0, 0.0)
    scene.frame_set(1)
    obj.pose.bones["head"].rotation_quaternion = by_hand
    live(stage)
    bpy.ops.posewire.disconnect()
    assert np.allclose(obj.pose.bones["head"].rotation_quaternion, by_hand)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    scene.frame_set(20)
    pump_for(0.1)
    bpy.ops.posewire.disconnect()
    assert np.allclose(evaluated_heads(obj)["head"], there, atol=1e-5)


def test_a_picture_rendered_while_live_shows_the_action(stage: Stage, demo_take: Path, tmp_path: Path) -> None:
    obj, scene = imported(demo_take), bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler = evaluated_heads(obj)["pelvis"] - [0.0, 5.0, 0.0], (np.pi / 2, 0.0, 0.0)
    scene.camera, scene.world = camera, bpy.data.worlds.new("World")
    scene.render.engine, scene.cycles.samples, scene.render.film_transparent = "CYCLES", 1, True
    scene.render.resolution_x = scene.render.resolution_y = 48

    def rendered(name: str) -> np.ndarray:
        scene.render.filepath = str(tmp_path / f"{name}.png")
        scene.frame_set(20)
        bpy.ops.render.render(write_still=True)
        return np.array(bpy.data.images.load(scene.render.filepath).pixels[:])[3::4]

    before, animated = rendered("before"), evaluated_heads(obj)["left_wrist"]
    session = live(stage)
    assert before.max() > 0.5
    assert np.array_equal(rendered("live"), before)
    newest = session.newest
    pump_until(lambda: session.newest is not newest, "a pose")
    assert np.linalg.norm(evaluated_heads(obj)["left_wrist"] - animated) > 0.1  # and live goes on


def test_a_file_saved_while_live_holds_the_poses_from_before_and_live_goes_on(stage: Stage, tmp_path: Path) -> None:
    obj = stand_in()
    obj.pose.bones["pelvis"].location = (5.0, 6.0, 7.0)
    session = live(stage)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert np.allclose(evaluated_heads(obj)["head"], stage.expected(session.newest.pose.sequence)["head"], atol=1e-5)
    newest = session.newest
    pump_until(lambda: session.newest is not newest, "a pose")
    assert np.allclose(evaluated_heads(obj)["head"], stage.expected(session.newest.pose.sequence)["head"], atol=1e-5)
    bpy.ops.posewire.disconnect()
    assert tuple(obj.pose.bones["pelvis"].location) == (5.0, 6.0, 7.0)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    obj = bpy.context.scene.posewire.characters[0].object
    assert tuple(obj.pose.bones["pelvis"].location) == (5.0, 6.0, 7.0)


def test_a_character_that_undo_takes_back_is_the_artists_again(stage: Stage) -> None:
    bpy.ops.ed.undo_push(message="start")
    name = build(rig_file("mixamo"), prefix="mixamorig:").name
    bpy.ops.ed.undo_push(message="built")
    session = live(stage)
    add(bpy.data.objects[name])
    bpy.ops.ed.undo_push(message="added")
    newest = session.newest
    pump_until(lambda: session.newest is not newest, "a pose")
    bpy.ops.ed.undo()
    hips = bpy.data.objects[name].pose.bones["mixamorig:Hips"]
    hips.location = (7.0, 7.0, 7.0)
    bpy.ops.posewire.disconnect()
    assert tuple(hips.location) == (7.0, 7.0, 7.0)
