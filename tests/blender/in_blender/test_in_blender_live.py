"""A real publisher moves real armatures; poses are asserted in world space."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from armatures import stand_in
from conftest import Stage, connect, evaluated_heads, module, pump_until


def follow_once(session: Any) -> int:
    """Steps until a pose has arrived that was not there; its sequence number."""
    before = session.newest
    pump_until(lambda: session.newest is not None and session.newest is not before, "a pose")
    return session.newest.pose.sequence


def assert_stands_as(obj: Any, expected: dict[str, np.ndarray], tolerance_m: float = 1e-5) -> None:
    heads = evaluated_heads(obj)
    for name, position in expected.items():
        assert np.linalg.norm(heads[name] - position) < tolerance_m, name


def test_a_newcomer_sees_a_stand_in_move(stage: Stage) -> None:
    stage.publish()
    obj = stand_in()
    session = connect(stage.address)
    for _ in range(5):
        assert_stands_as(obj, stage.expected(follow_once(session)))
    assert session.status() == ("Live", "")
    assert len(obj.children[0].data.vertices) > 500


def test_each_armature_follows_its_own_person_and_one_person_moves_several(stage: Stage) -> None:
    stage.publish("--people", "3")
    objects = {person: [stand_in(person)] for person in range(3)}
    objects[1].append(stand_in(1))
    session = connect(stage.address)
    sequence = follow_once(session)
    for person, armatures in objects.items():
        for obj in armatures:
            assert_stands_as(obj, stage.expected(sequence, person))


def test_armatures_of_every_scene_follow(stage: Stage) -> None:
    stage.publish()
    first = stand_in()
    other = bpy.data.scenes.new("Other")
    second = bpy.data.objects.new("Second", first.data)
    other.collection.objects.link(second)
    other.posewire.add(second, -1)
    session = connect(stage.address)
    follow_once(session)
    assert_stands_as(first, stage.expected(session.newest.pose.sequence))
    assert np.allclose(first.pose.bones["left_knee"].rotation_quaternion, second.pose.bones["left_knee"].rotation_quaternion)


def test_any_bone_roll_and_a_turned_moved_object(stage: Stage) -> None:
    stage.publish()
    obj = stand_in()
    rng = np.random.default_rng(3)
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in obj.data.edit_bones:
        bone.roll = rng.uniform(-3, 3)
        bone.tail = bone.head + bone.vector.length * type(bone.vector)(rng.normal(size=3)).normalized()
    bpy.ops.object.mode_set(mode="OBJECT")
    session = connect(stage.address)
    assert_stands_as(obj, stage.expected(follow_once(session)))
    obj.location, obj.rotation_euler = (5.0, 1.0, 0.5), (0.0, 0.0, 1.2)
    bpy.context.view_layer.update()
    place = np.array(obj.matrix_world)
    expected = {name: place[:3, :3] @ p + place[:3, 3] for name, p in stage.expected(follow_once(session)).items()}
    assert_stands_as(obj, expected)


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "AXIS_ANGLE"])
def test_bones_in_other_rotation_modes_follow_and_keep_their_mode(stage: Stage, mode: str) -> None:
    stage.publish()
    obj = stand_in()
    for bone in obj.pose.bones:
        bone.rotation_mode = mode
    session = connect(stage.address)
    assert_stands_as(obj, stage.expected(follow_once(session)), 1e-4)
    assert {bone.rotation_mode for bone in obj.pose.bones} == {mode}


def test_disconnecting_gives_back_the_pose_from_before(stage: Stage) -> None:
    stage.publish()
    obj = stand_in()
    obj.pose.bones["left_elbow"].rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    obj.pose.bones["pelvis"].location = (0.1, 0.2, 0.3)
    before = evaluated_heads(obj)
    session = connect(stage.address)
    follow_once(session)
    assert np.abs(evaluated_heads(obj)["left_wrist"] - before["left_wrist"]).max() > 0.01
    assert bpy.ops.posewire.disconnect() == {"FINISHED"}
    after = evaluated_heads(obj)
    assert max(np.abs(after[name] - before[name]).max() for name in before) < 1e-6


def test_removing_a_character_gives_back_its_pose(stage: Stage) -> None:
    stage.publish()
    obj = stand_in()
    before = evaluated_heads(obj)
    session = connect(stage.address)
    follow_once(session)
    assert bpy.ops.posewire.remove_character() == {"FINISHED"}
    after = evaluated_heads(obj)
    assert max(np.abs(after[name] - before[name]).max() for name in before) < 1e-6
    follow_once(session)
    assert np.allclose(evaluated_heads(obj)["head"], before["head"])


def test_the_timeline_with_an_action_does_not_stop_the_live_pose(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish()
    obj = stand_in()
    for frame, angle in ((1, 0.0), (50, 1.0)):
        for bone in obj.pose.bones:
            bone.rotation_quaternion = (np.cos(angle), np.sin(angle), 0, 0)
            bone.keyframe_insert("rotation_quaternion", frame=frame)
    session = connect(stage.address)
    for frame in (10, 20, 30):
        bpy.context.scene.frame_set(frame)
        sequence = follow_once(session)
        assert_stands_as(obj, stage.expected(sequence))
    monkeypatch.setattr(module("timer"), "_plays", lambda: True)  # here is no window that could
    for frame in (10, 20, 30):
        bpy.context.scene.frame_set(frame)
        assert_stands_as(obj, stage.expected(sequence))


def test_options_do_what_they_say(stage: Stage) -> None:
    stage.publish()
    obj = stand_in()
    character = bpy.context.scene.posewire.active_character()
    session = connect(stage.address)
    follow_once(session)
    character.root_motion, character.ground_offset = "IN_PLACE", 0.25
    expected = stage.expected(follow_once(session))
    pelvis = evaluated_heads(obj)["pelvis"]
    assert np.allclose(pelvis, [0.0, 0.0, expected["pelvis"][2] + 0.25], atol=1e-5)
    character.root_motion, character.ground_offset, character.mirror = "FULL", 0.0, True
    expected = stage.expected(follow_once(session))
    heads = evaluated_heads(obj)
    for left, right in (("left_wrist", "right_wrist"), ("right_toe", "left_toe"), ("head", "head")):
        assert np.allclose(heads[left], expected[right] * [-1, 1, 1], atol=1e-5)
    character.mirror, character.auto_scale, character.scale = False, False, 2.0
    expected = stage.expected(follow_once(session))
    assert np.allclose(evaluated_heads(obj)["pelvis"], 2 * expected["pelvis"], atol=1e-5)


def test_a_bone_with_weight_zero_keeps_its_rest(stage: Stage) -> None:
    stage.publish()
    obj = stand_in()
    character = bpy.context.scene.posewire.active_character()
    assert bpy.ops.posewire.edit_mapping() == {"FINISHED"}
    character.slots["left_elbow"].weight = 0.0
    follow_once(connect(stage.address))
    assert np.allclose(obj.pose.bones["left_elbow"].rotation_quaternion, (1, 0, 0, 0), atol=1e-6)
    assert not np.allclose(obj.pose.bones["right_elbow"].rotation_quaternion, (1, 0, 0, 0), atol=1e-2)


def test_ten_people_at_sixty_a_second_keep_up(stage: Stage) -> None:
    stage.publish("--people", "10")
    objects = [stand_in(person) for person in range(10)]
    session = connect(stage.address)
    follow_once(session)
    first = session.newest.pose.sequence
    pump_until(lambda: session.newest.pose.sequence > first + 180, "three seconds of motion")
    bpy.context.view_layer.update()
    sequence = follow_once(session)
    for person, obj in enumerate(objects):
        assert_stands_as(obj, stage.expected(sequence, person))
    assert session.numbers().dropped == 0
