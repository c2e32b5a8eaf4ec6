"""Whatever goes wrong is a readable message: no traceback, no lost motion, no hang."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import ENGINE, ROOT, Stage, connect, evaluated_heads, module, pump_for, pump_until

GOLDEN = ROOT / "tests" / "wire" / "golden"


def stand_in(person: int = -1) -> Any:
    assert bpy.ops.posewire.stand_in(person=person) == {"FINISHED"}
    return bpy.context.scene.posewire.active_character().object


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


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def test_the_bundled_wheel_receives() -> None:
    session = connect(free_address())
    assert type(session.subscriber).__name__ == "ZmqSubscriber"
    import zmq

    assert "extensions" in zmq.__file__


def test_the_wrong_port_waits_and_says_how_to_start() -> None:
    session = connect(free_address())
    pump_for(0.3)
    assert session.status() == ("Waiting for Posewire", "Start it there: posewire run 0 --publish")


@pytest.mark.parametrize("address", ["", "localhost", "tcp://*:1", "tcp://127.0.0.1:99999"])
def test_an_address_that_is_none_is_an_error(address: str) -> None:
    bpy.context.scene.posewire.address = address
    with pytest.raises(RuntimeError, match="not usable"):
        bpy.ops.posewire.connect()
    assert module("state").state.session is None


def test_another_computer_needs_blenders_online_access() -> None:
    if bpy.app.online_access:
        pytest.skip("this Blender has online access")
    bpy.context.scene.posewire.address = "tcp://192.0.2.1:5577"
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.posewire.connect()


def test_a_key_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    bpy.context.scene.posewire.key_file = str(tmp_path / "key.json")
    with pytest.raises(RuntimeError, match="key"):
        bpy.ops.posewire.connect()


def test_a_key_that_the_publisher_does_not_know_is_refused_readably(stage: Stage, tmp_path: Path) -> None:
    """A publisher without keys does not speak CURVE at all."""
    stage.publish()
    code = f"from pathlib import Path; from posewire import keys; print(keys.add('x', Path({str(tmp_path)!r})))"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    key_file = subprocess.run([ENGINE, "-c", code], capture_output=True, text=True, check=True, env=environment).stdout.strip()
    bpy.context.scene.posewire.key_file = key_file
    session = connect(stage.address)
    pump_until(lambda: session.status()[0] == "Refused", "the refusal")
    assert "posewire keys add" in session.status()[1]


class Publisher:
    """Says whatever it is told."""

    def __init__(self) -> None:
        import zmq

        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.PUB)
        self.address = f"tcp://127.0.0.1:{self.socket.bind_to_random_port('tcp://127.0.0.1')}"

    def say(self, data: bytes) -> None:
        self.socket.send(data)

    def close(self) -> None:
        self.context.destroy(linger=0)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.bin").read_bytes()


def test_a_stream_of_another_version_says_what_to_update() -> None:
    publisher = Publisher()
    session = connect(publisher.address)
    deadline_s = time.monotonic() + 10
    while session.numbers().malformed == 0:
        assert time.monotonic() < deadline_s
        publisher.say(golden("bad_version_2"))
        pump_for(0.02)
    title, hint = session.status()
    assert title == "Not understood"
    assert "Update" in hint
    publisher.close()


def test_every_golden_message_good_or_bad_leaves_the_session_alive() -> None:
    publisher = Publisher()
    stand_in()
    session = connect(publisher.address)
    files = sorted(GOLDEN.glob("*.bin"))
    deadline_s = time.monotonic() + 10
    while session.numbers().received == 0:
        assert time.monotonic() < deadline_s
        publisher.say(golden("subject_two_people"))
        publisher.say(golden("pose_two_people"))
        pump_for(0.02)
    for path in files:
        publisher.say(path.read_bytes())
        publisher.say(b"p//" + os.urandom(64))
    pump_for(0.3)
    assert session.numbers().malformed >= len(files)
    publisher.say(golden("subject_native"))
    publisher.say(golden("pose_one_person"))
    before = session.newest
    pump_until(lambda: session.newest is not before, "the good pose")
    publisher.close()


def test_an_armature_that_is_deleted_is_told_and_the_others_go_on(stage: Stage) -> None:
    gone, session = live(stage)
    stays = stand_in()
    bpy.data.objects.remove(gone)
    sequence = next_pose(session)
    assert np.allclose(evaluated_heads(stays)["head"], stage.expected(sequence)["head"], atol=1e-5)
    characters = bpy.context.scene.posewire.characters
    assert any("gone" in session.problem_of(character) for character in characters)


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
    assert "preset" in session.problem_of(character)


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
