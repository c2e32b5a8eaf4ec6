"""Recordings and takes become actions at the scene's rate, on every version's kind of action."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import stand_in
from conftest import ROOT, Stage, connect, engine, evaluated_heads, module, pump_for, pump_until, refused, sequences

GOLDEN = ROOT / "tests" / "take" / "golden"


def curves_of(action: Any) -> list[Any]:
    if bpy.app.version >= (4, 4, 0):
        return [curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves]
    return list(action.fcurves)


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


class Written:
    """Stands for the connection: gives messages that were written before, two poses at a step, as a busy Blender gets them."""

    status = "connected"

    def __init__(self, messages: list[bytes]) -> None:
        self.messages, self.at = messages, 0

    def receive(self) -> list[bytes]:
        self.at += 2
        return self.messages[self.at - 2 : self.at]

    def close(self) -> None: ...


def test_ten_minutes_at_sixty_a_second_do_not_drift_and_stay_small(stage: Stage) -> None:
    messages = stage.written(36_001, 60.0)
    obj, scene = stand_in(), bpy.context.scene
    scene.render.fps = 24
    session = connect("tcp://127.0.0.1:9")
    session.subscriber.close()
    session.subscriber = Written(messages)
    bpy.ops.posewire.record()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while session.subscriber.at < len(messages):
        session.pump()
    assert bpy.ops.posewire.stop() == {"FINISHED"}
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 200  # MiB
    bpy.ops.posewire.disconnect()
    action = obj.animation_data.action
    assert tuple(action.frame_range) == (1, 1 + 600 * 24)
    for frame in (1, 7_201, 14_397, 14_401):  # frame f is instant (f - 1) * 2.5
        scene.frame_set(frame)
        heads, expected = evaluated_heads(obj), stage.expected(int((frame - 1) * 2.5))
        assert max(np.linalg.norm(heads[name] - p) for name, p in expected.items()) < 1e-3, frame


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
    bpy.ops.posewire.disconnect()
    keyed = np.array([point.co[0] for point in curves_of(obj.animation_data.action)[0].keyframe_points])
    assert keyed[-1] - keyed[0] > 24
    gap = int(np.argmax(np.diff(keyed)))
    assert keyed[gap + 1] - keyed[gap] > 12  # of the second in which nobody was seen no frame is made up
    places = []
    for frame in (keyed[gap], keyed[gap] + 10):
        bpy.context.scene.frame_set(int(frame))
        places.append(evaluated_heads(obj)["head"])
    assert np.allclose(places[0], places[1], atol=1e-6)


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


def test_a_recording_is_seen_as_soon_as_the_stream_is_left(stage: Stage) -> None:
    stage.publish()
    obj = stand_in()
    by_hand = stand_in(person=7)
    by_hand.pose.bones["head"].rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(0.5)
    bpy.ops.posewire.stop()
    bpy.ops.posewire.disconnect()
    shown = evaluated_heads(obj)
    bpy.context.scene.frame_set(bpy.context.scene.frame_current)
    for name, place in evaluated_heads(obj).items():
        assert np.allclose(shown[name], place, atol=1e-5), name
    assert np.allclose(by_hand.pose.bones["head"].rotation_quaternion, (0.8, 0.6, 0.0, 0.0))


def test_a_recording_has_the_rate_of_the_scene_in_which_it_began(stage: Stage) -> None:
    stage.publish()
    obj, first = stand_in(), bpy.context.scene
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.ops.posewire.record()
    pump_for(1.0)
    other = bpy.data.scenes.new("Other")
    first.render.fps, other.render.fps = 24, 120
    recording, bpy.context.window.scene = session.recording, other
    bpy.ops.posewire.stop()
    assert recording.time_s > 0.5
    assert int(obj.animation_data.action.frame_range[1]) == 1 + int(24 * recording.time_s + 1e-6)


def test_recording_nothing_is_an_error_and_not_an_empty_action(stage: Stage) -> None:
    stage.publish()
    connect(stage.address)
    bpy.ops.posewire.record()
    with refused("Nothing was recorded"):
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


def drop(*files: Path) -> set[str]:
    """What Blender does when files are dropped into a 3D view: its own operator asks the file handlers."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        assert bpy.types.POSEWIRE_FH_take.poll_drop(bpy.context)
        names = [{"name": file.name} for file in files]
        return bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory=str(files[0].parent), files=names)


def test_takes_that_are_dropped_into_the_view_become_actions(tmp_path: Path) -> None:
    for name in ("one.pwt", "two.pwt"):
        (tmp_path / name).write_bytes((GOLDEN / "intact.pwt").read_bytes())
    assert drop(tmp_path / "one.pwt") == {"FINISHED"}
    assert len(bpy.data.actions) == 2
    assert drop(tmp_path / "one.pwt", tmp_path / "two.pwt") == {"FINISHED"}
    assert sorted(action.name.split()[-1].partition(".")[0] for action in bpy.data.actions) == ["one"] * 4 + ["two"] * 2
    assert "two.pwt" in module("state").state.message
    assert not bpy.types.POSEWIRE_FH_take.poll_drop(bpy.context)  # nowhere else


def test_a_file_that_is_no_take_is_a_readable_error(tmp_path: Path) -> None:
    (tmp_path / "film.pwt").write_bytes(b"RIFF")
    with refused("not a Posewire take"):
        bpy.ops.posewire.import_take(filepath=str(tmp_path / "film.pwt"))


def test_a_take_agrees_with_its_bvh_export(demo_take: Path, tmp_path: Path) -> None:
    bpy.context.scene.render.fps = 60
    assert bpy.ops.posewire.import_take(filepath=str(demo_take), on_ground=False) == {"FINISHED"}
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
