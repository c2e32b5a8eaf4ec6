"""Characters stand on the ground, whether the engine knew the floor or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import stand_in
from conftest import TO_BLENDER, Stage, connect, evaluated_heads, module, pump_until, refused

FEET = ("left_heel", "left_toe", "right_heel", "right_toe")


def lowest_by_frame(obj: bpy.types.Object) -> list[float]:
    scene, heights = bpy.context.scene, []
    for frame in range(1, int(obj.animation_data.action.frame_range[1]) + 1, 3):
        scene.frame_set(frame)
        heads = evaluated_heads(obj)
        heights.append(min(heads[foot][2] for foot in FEET))
    return heights


def test_a_take_that_knows_no_floor_stands_on_the_ground(demo_take: Path) -> None:
    assert bpy.ops.posewire.import_take(filepath=str(demo_take)) == {"FINISHED"}
    heights = lowest_by_frame(bpy.context.scene.posewire.characters[0].object)
    assert -0.1 < min(heights) < 0.02
    assert bpy.ops.posewire.import_take(filepath=str(demo_take), on_ground=False) == {"FINISHED"}
    as_recorded = lowest_by_frame(bpy.context.scene.posewire.characters[0].object)
    assert max(as_recorded) < -0.3  # the world stands at the camera
    assert np.ptp(np.subtract(heights, as_recorded)) < 1e-4  # one shift for all


@pytest.mark.parametrize("root_motion", ["FULL", "HORIZONTAL"])
def test_one_press_puts_a_live_character_on_the_ground(stage: Stage, root_motion: str) -> None:
    stage.publish("--fps", "5")
    obj = stand_in()
    character = bpy.context.scene.posewire.active_character()
    character.root_motion, character.ground_offset = root_motion, 0.25
    with refused("Connect, and press this"):
        bpy.ops.posewire.to_ground()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert bpy.ops.posewire.to_ground() == {"FINISHED"}
    session._follow(character, [session.newest], [0.0])
    assert abs(min(place[2] for place in evaluated_heads(obj).values())) < 1e-4


def test_a_recording_stays_in_the_world_in_which_it_began(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine finds the floor meanwhile: the stream's world moves there, and the camera with it."""
    stage.publish()
    obj, ground, rotation = stand_in(), module("ground"), module("rotation")
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    T = np.eye(4)
    T[:3, :3], T[1, 3] = rotation.to_matrix(rotation.about(np.array([1.0, 0.0, 0.0]), -0.3)), 2.5
    bpy.ops.posewire.record()
    follow(session)
    take = session.stream.take
    monkeypatch.setattr(session.stream, "take", lambda data: moved(take(data), T, ground))
    shown = stage.expected(follow(session))
    assert np.allclose(evaluated_heads(obj)["head"], shown["head"], atol=1e-5)
    bpy.ops.posewire.stop()
    shown = stage.expected(follow(session))
    onto_floor = TO_BLENDER @ (T[:3, :3] @ TO_BLENDER.T @ shown["head"] + T[:3, 3])
    assert np.allclose(evaluated_heads(obj)["head"], onto_floor, atol=1e-5)


def follow(session: Any) -> int:
    before = session.newest
    pump_until(lambda: session.newest is not before, "a pose")
    return session.newest.pose.sequence


def moved(received: Any, T: np.ndarray, ground: Any) -> Any:
    if received is None:
        return None
    people = []
    for person in received.pose.people:
        root_m, rotations_wxyz = ground.move(T, person.root_m[None], person.rotations_wxyz[None])
        people.append(replace(person, root_m=root_m[0], rotations_wxyz=rotations_wxyz[0]))
    subject = replace(received.subject, T_world_camera=T @ received.subject.T_world_camera, camera_origin="estimated")
    return replace(received, subject=subject, pose=replace(received.pose, people=tuple(people)))
