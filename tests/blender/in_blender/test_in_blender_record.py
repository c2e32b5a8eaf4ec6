"""Recordings and takes become actions at the scene's rate, on every version's kind of action."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import ENGINE, ROOT, Stage, connect, engine, evaluated_heads, module, pump_for, pump_until

GOLDEN = ROOT / "tests" / "take" / "golden"
CLIP = ROOT / "core" / "posewire" / "assets" / "balancing_cam01.mp4"


def stand_in(person: int = -1) -> Any:
    assert bpy.ops.posewire.stand_in(person=person) == {"FINISHED"}
    return bpy.context.scene.posewire.active_character().object


def curves_of(action: Any) -> list[Any]:
    if bpy.app.version >= (4, 4, 0):
        return [curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves]
    return list(action.fcurves)


def sequences(session: Any) -> list[int]:
    """Notes the sequence number of every pose that the recorder takes."""
    seen: list[int] = []
    take = session.stream.take

    def noting(data: bytes) -> Any:
        received = take(data)
        if received is not None:
            seen.append(received.pose.sequence)
        return received

    session.stream.take = noting
    return seen


@pytest.mark.parametrize("fps", [24, 60])
def test_a_recording_plays_back_as_it_was_seen(stage: Stage, fps: int) -> None:
    stage.publish()
    scene = bpy.context.scene
    scene.render.fps, scene.frame_end = fps, 20
    scene.frame_set(11)
    obj = stand_in()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    seen = sequences(session)
    assert bpy.ops.posewire.record() == {"FINISHED"}
    pump_for(2.0)
    assert bpy.ops.posewire.stop() == {"FINISHED"}
    assert bpy.ops.posewire.disconnect() == {"FINISHED"}
    action = obj.animation_data.action
    first, last = (int(value) for value in action.frame_range)
    assert first == 11
    assert last - first == int((seen[-1] - seen[0]) / 60 * fps)
    assert scene.frame_end == max(20, last)
    for frame in range(first, last + 1, 7):
        scene.frame_set(frame)
        at = seen[0] + (frame - first) / fps * 60
        expected = {name: 0.0 * p for name, p in stage.expected(0).items()}
        for number, share in ((int(at), 1 - at % 1), (int(at) + 1, at % 1)):
            for name, p in stage.expected(number).items():
                expected[name] += share * p
        heads = evaluated_heads(obj)
        assert max(np.linalg.norm(heads[name] - p) for name, p in expected.items()) < 2e-3


def test_every_character_gets_an_action_of_its_own_and_markers(stage: Stage) -> None:
    stage.publish("--people", "2")
    scene = bpy.context.scene.posewire
    scene.markers = True
    objects = [stand_in(0), stand_in(1)]
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(1.5)
    bpy.ops.posewire.stop()
    actions = [obj.animation_data.action for obj in objects]
    assert actions[0] != actions[1]
    assert all(action.name.startswith(obj.name) for action, obj in zip(actions, objects, strict=True))
    assert {marker.name.split()[-1] for marker in actions[0].pose_markers} <= {"up", "down"}
    assert len(actions[0].pose_markers) > 0


def test_a_recording_as_strip_leaves_no_active_action_and_plays(stage: Stage) -> None:
    stage.publish()
    bpy.context.scene.posewire.as_strip = True
    obj = stand_in()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(1.0)
    bpy.ops.posewire.stop()
    bpy.ops.posewire.disconnect()
    assert obj.animation_data.action is None
    strip = obj.animation_data.nla_tracks[0].strips[0]
    assert strip.frame_end - strip.frame_start > 15
    bpy.context.scene.frame_set(1)
    start = evaluated_heads(obj)["left_wrist"]
    bpy.context.scene.frame_set(int(strip.frame_end))
    assert np.linalg.norm(evaluated_heads(obj)["left_wrist"] - start) > 0.01


def test_a_person_who_vanishes_does_not_end_the_recording(stage: Stage) -> None:
    stage.publish("--people", "2", "--vanish")
    obj = stand_in(0)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(2.6)
    assert bpy.ops.posewire.stop() == {"FINISHED"}
    first, last = obj.animation_data.action.frame_range
    assert last - first > 24


def test_a_character_that_is_deleted_while_recording_leaves_its_action(stage: Stage) -> None:
    stage.publish("--people", "2")
    gone, stays = stand_in(0), stand_in(1)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(0.5)
    name = gone.name
    bpy.data.objects.remove(gone)
    pump_for(0.5)
    assert bpy.ops.posewire.stop() == {"FINISHED"}
    orphan = next(action for action in bpy.data.actions if action.name.startswith(name + " 2"))
    assert orphan.use_fake_user
    assert len(curves_of(orphan)) == 3 + 4 * 25
    assert stays.animation_data.action is not None


def test_a_publisher_that_returns_goes_on_in_the_same_recording(stage: Stage) -> None:
    stage.publish("--address", "tcp://127.0.0.1:*")
    address = stage.address
    obj = stand_in()
    session = connect(address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(0.5)
    stage.stop()
    pump_for(0.5)
    stage.publish("--address", address)
    before = session.newest
    pump_until(lambda: session.newest is not before, "the publisher's return")
    pump_for(0.5)
    bpy.ops.posewire.stop()
    first, last = obj.animation_data.action.frame_range
    assert last - first > 1.4 * 24


def test_recording_nothing_is_an_error_and_not_an_empty_action(stage: Stage) -> None:
    stage.publish()
    connect(stage.address)
    bpy.ops.posewire.record()
    with pytest.raises(RuntimeError, match="Nothing was recorded"):
        bpy.ops.posewire.stop()
    assert len(bpy.data.actions) == 0


def test_one_undo_takes_a_recording_back(stage: Stage) -> None:
    stage.publish()
    bpy.ops.ed.undo_push(message="start")
    stand_in()
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(0.5)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.posewire.stop()
    bpy.ops.ed.undo_push(message="recorded")
    assert len(bpy.data.actions) == 1
    bpy.ops.ed.undo()
    assert len(bpy.data.actions) == 0
    before = session.newest
    pump_until(lambda: session.newest is not before, "the stream after undo")
    assert session.problem_of(bpy.context.scene.posewire.active_character()) == ""


def test_a_take_is_imported_onto_stand_ins_at_the_scenes_rate() -> None:
    bpy.context.scene.render.fps = 24
    assert bpy.ops.posewire.import_take(filepath=str(GOLDEN / "intact.pwt"), frame=1) == {"FINISHED"}
    characters = bpy.context.scene.posewire.characters
    assert [character.person for character in characters] == [1, 2]
    take = module("takes").read_take(GOLDEN / "intact.pwt")
    motion = take.motions[0]
    last = int(characters[0].object.animation_data.action.frame_range[1])
    assert last == 1 + int((motion.time_s[-1] - take.start_s) * 24 + 1e-6)


def test_a_damaged_take_is_imported_with_a_word_about_it() -> None:
    assert bpy.ops.posewire.import_take(filepath=str(GOLDEN / "cut.pwt")) == {"FINISHED"}
    assert "not closed" in module("state").state.message


def test_a_file_that_is_no_take_is_a_readable_error(tmp_path: Path) -> None:
    (tmp_path / "film.pwt").write_bytes(b"RIFF")
    with pytest.raises(RuntimeError, match="not a Posewire take"):
        bpy.ops.posewire.import_take(filepath=str(tmp_path / "film.pwt"))


@pytest.fixture
def chosen_engine() -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.posewire_live"].preferences
    preferences.engine, preferences.python = "", ENGINE


@pytest.mark.usefixtures("chosen_engine")
def test_a_video_becomes_an_action() -> None:
    bpy.context.scene.render.fps = 60
    assert bpy.ops.posewire.capture_video(filepath=str(CLIP)) == {"FINISHED"}
    state = module("state").state
    assert state.capture.frames_expected == 100
    seen: set[float] = set()
    pump_until(lambda: state.capture is None or seen.add(state.capture.progress), "the engine", patience_s=110.0)
    assert "1 actions" in state.message, state.message
    assert max(seen) > 0.0
    first, last = bpy.context.scene.posewire.characters[0].object.animation_data.action.frame_range
    assert (first, last) == (1, 100)


def test_a_take_agrees_with_its_bvh_export(demo_take: Path, tmp_path: Path) -> None:
    bpy.context.scene.render.fps = 60
    assert bpy.ops.posewire.import_take(filepath=str(demo_take)) == {"FINISHED"}
    obj = bpy.context.scene.posewire.characters[0].object
    bvh = tmp_path / "take.bvh"
    engine("export", str(demo_take), str(bvh))
    bpy.ops.import_anim.bvh(filepath=str(bvh), global_scale=0.01, update_scene_fps=False, use_fps_scale=False)
    other = bpy.context.object
    for frame in range(1, 101, 9):
        bpy.context.scene.frame_set(frame)
        ours, theirs = evaluated_heads(obj), evaluated_heads(other)
        for name in ("pelvis", "left_wrist", "right_ankle", "head"):
            assert np.linalg.norm(ours[name] - theirs[name]) < 1e-3, (frame, name)


@pytest.mark.usefixtures("chosen_engine")
def test_the_webcams_way_streams_into_blender_at_once() -> None:
    """A video stands for the camera: the engine takes any source, this machine has no camera."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bpy.context.scene.posewire.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    obj = stand_in()
    assert bpy.ops.posewire.capture_webcam(camera=str(CLIP)) == {"FINISHED"}
    state = module("state").state
    pump_until(lambda: state.session.newest is not None and state.session.newest.pose.people, "the engine", patience_s=110.0)
    assert obj.pose.bones["left_elbow"].rotation_quaternion.angle > 0.01
    assert bpy.ops.posewire.cancel_capture() == {"FINISHED"}


@pytest.mark.usefixtures("chosen_engine")
def test_a_video_that_is_none_ends_in_the_engines_own_words(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video")
    assert bpy.ops.posewire.capture_video(filepath=str(tmp_path / "no.mp4")) == {"FINISHED"}
    state = module("state").state
    pump_until(lambda: state.capture is None, "the engine's end")
    assert "no.mp4" in state.message
    assert "Traceback" not in state.message


@pytest.mark.usefixtures("chosen_engine")
def test_a_capture_can_be_cancelled() -> None:
    bpy.ops.posewire.capture_video(filepath=str(CLIP))
    process = module("state").state.capture.process
    assert bpy.ops.posewire.cancel_capture() == {"FINISHED"}
    assert process.poll() is not None


def test_an_engine_that_is_not_there_says_how_to_get_it() -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.posewire_live"].preferences
    preferences.engine = "/nowhere/posewire"
    with pytest.raises(RuntimeError, match="no program"):
        bpy.ops.posewire.capture_video(filepath=str(CLIP))
    preferences.engine = ""
