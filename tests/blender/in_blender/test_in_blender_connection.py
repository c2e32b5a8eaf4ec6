"""Wrong addresses, keys, versions and bytes: a readable message, and a session that lives on."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from armatures import stand_in
from conftest import ROOT, Stage, connect, evaluated_heads, module, pump_for, pump_until, refused, run_engine

GOLDEN = ROOT / "tests" / "wire" / "golden"


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
    with refused("is not usable"):
        bpy.ops.posewire.connect()
    assert module("state").state.session is None
    assert module("state").state.message.endswith("It looks like tcp://127.0.0.1:5577.")


def test_another_computer_needs_blenders_online_access() -> None:
    if bpy.app.online_access:
        pytest.skip("this Blender has online access")
    bpy.context.scene.posewire.address = "tcp://192.0.2.1:5577"
    with refused("Allow Online Access"):
        bpy.ops.posewire.connect()


def test_a_key_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    bpy.context.scene.posewire.key_file = str(tmp_path / "key.json")
    with refused("key"):
        bpy.ops.posewire.connect()


def test_a_key_that_the_publisher_does_not_know_is_refused_readably(stage: Stage, tmp_path: Path) -> None:
    """A publisher without keys does not speak CURVE at all."""
    stage.publish()
    code = f"from pathlib import Path; from posewire import keys; print(keys.add('x', Path({str(tmp_path)!r})))"
    bpy.context.scene.posewire.key_file = run_engine("-c", code).strip()
    session = connect(stage.address)
    pump_until(lambda: session.status()[0] == "Refused", "the refusal")
    assert "posewire keys add" in session.status()[1]


def test_the_wrong_key_is_refused_readably_and_the_right_one_let_in(stage: Stage, tmp_path: Path) -> None:
    """A publisher that lets in only clients it knows: one of another publisher, then one of its own."""
    names = ("ours", "theirs")
    code = "from pathlib import Path; from posewire import keys; [print(keys.add('x', Path(p))) for p in " + repr(
        [str(tmp_path / name) for name in names]
    )
    own, other = run_engine("-c", code + "]").split()
    stage.publish("--keys", str(tmp_path / "ours"))
    bpy.context.scene.posewire.key_file = other
    session = connect(stage.address)
    pump_until(lambda: session.status()[0] == "Refused", "the refusal")
    assert "posewire keys add" in session.status()[1]
    bpy.ops.posewire.disconnect()
    obj = stand_in()
    bpy.context.scene.posewire.key_file = own
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    expected = stage.expected(session.newest.pose.sequence)
    assert np.allclose(evaluated_heads(obj)["head"], expected["head"], atol=1e-5)


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
