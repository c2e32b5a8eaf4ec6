"""The C++ core against the real Python publisher, and the two decoders against each other."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streams import pose, publishing

from posewire import keys
from posewire.errors import WireError
from posewire.wire import decode

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test may have to build

GOLDEN = Path(__file__).parents[1] / "wire" / "golden"


def printed(build: Path, *arguments: str, check: bool = True) -> tuple[list[dict[str, Any]], str]:
    """What posewire_print says: its poses and its last status."""
    command = [build / "posewire_print", *arguments, "--json", "--seconds", "30"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert not check or result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_joint_angles_arrive_as_the_python_engine_sent_them(build: Path) -> None:
    sent = pose(3)
    with publishing([sent]) as publisher:
        poses, status = printed(build, publisher.address, "--poses", "5")
    assert "Receiving" in status
    for got in poses:
        (person,) = got["people"]
        assert person["id"] == 3
        np.testing.assert_allclose(person["root_m"], sent.root_m, atol=2e-6)
        np.testing.assert_allclose(person["angles_rad"], sent.angles_rad, atol=5e-6)


def test_ten_people_at_60_hz_arrive_with_their_latency(build: Path) -> None:
    people = [pose(i) for i in range(10)]
    with publishing(people) as publisher:
        poses, status = printed(build, publisher.address, "--poses", "60")
    assert all([person["id"] for person in got["people"]] == list(range(10)) for got in poses)
    assert all(0.0 <= got["latency_s"] < 30.0 for got in poses)
    assert "malformed" not in status


def test_waiting_is_said_once(build: Path) -> None:
    command = [build / "posewire_print", "tcp://127.0.0.1:1", "--seconds", "1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout.count("Nobody publishes there") == 1


def test_a_publisher_that_starts_again_is_found_again(build: Path) -> None:
    with publishing([pose(0)]) as publisher:
        address = publisher.address
        command = [build / "posewire_print", address, "--json", "--seconds", "30", "--poses", "100000"]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        assert json.loads(program.stdout.readline())["people"][0]["id"] == 0
    try:
        with publishing([pose(8)], address=address):
            while json.loads(program.stdout.readline())["people"][0]["id"] != 8:
                pass
    finally:
        program.kill()
        program.communicate()


def test_the_right_key_is_let_in_and_others_are_not(build: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    right, wrong = keys.add("studio", folder), keys.add("stranger", tmp_path / "elsewhere")
    with publishing([pose(0)], keys=folder) as publisher:
        poses, _ = printed(build, publisher.address, "--key", str(right), "--poses", "3")
        assert len(poses) == 3
        for arguments in (["--key", str(wrong)], []):
            command = [build / "posewire_print", publisher.address, *arguments, "--json", "--seconds", "2"]
            result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert result.returncode == 1 and result.stdout == ""


def test_a_client_that_was_removed_is_told_so(build: Path, tmp_path: Path) -> None:
    key = keys.add("studio", tmp_path)
    keys.add("other", tmp_path)
    (tmp_path / "allowed" / "studio.json").unlink()  # keys.remove would also take the client's file
    with publishing([pose(0)], keys=tmp_path) as publisher:
        command = [build / "posewire_print", publisher.address, "--key", str(key), "--json", "--seconds", "3"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1 and "does not let this client in" in result.stderr


def test_what_cannot_be_used_is_said_at_once(build: Path, tmp_path: Path) -> None:
    cases = {"address": ["udp://x"], "key file": ["--key", str(tmp_path / "none.json")], "rig": ["--rig", "A B"]}
    for words, arguments in cases.items():
        result = subprocess.run([build / "posewire_print", *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 2 and words in result.stderr


def mutated(seed: int, count: int) -> list[bytes]:
    """Golden messages with a few bytes changed, cut out or doubled."""
    draw = random.Random(seed)
    golden = [path.read_bytes() for path in sorted(GOLDEN.glob("[ps]*.bin")) if path.stat().st_size < 3000]
    messages: list[bytes] = []
    for _ in range(count):
        data = bytearray(draw.choice(golden))
        for _ in range(draw.randint(1, 2)):
            at = draw.randrange(len(data) + 1)
            match draw.randrange(4):
                case 0:
                    data[at : at + 1] = bytes([draw.randrange(256)])
                case 1:
                    del data[at : at + draw.randint(1, 8)]
                case 2:
                    data[at:at] = data[at : at + draw.randint(1, 8)]
                case _:
                    data[at : at + 1] = draw.choice(
                        [b"\xc0", b"\xc1", b"\xc3", b"\xca", b"\xcb", b"\xd4", b"\xd6", b"\xdf", b"\x91"]
                    )
        messages.append(bytes(data))
    return messages


def is_message(data: bytes) -> bool:
    try:
        decode(data)
    except WireError:
        return False
    return True


def test_both_decoders_refuse_the_same_messages(build: Path) -> None:
    messages = mutated(11, 20_000) + [path.read_bytes() for path in sorted(GOLDEN.glob("*.bin"))]
    packed = b"".join(len(data).to_bytes(4, "big") + data for data in messages)
    result = subprocess.run([build / "posewire_decode"], input=packed, capture_output=True, timeout=60, check=True)
    got = [line == b"message" for line in result.stdout.splitlines()]
    want = [is_message(data) for data in messages]
    assert sum(want) > 500 and len(got) == len(want)
    different = [messages[i] for i in range(len(want)) if got[i] != want[i]]
    assert different == []


@pytest.mark.parametrize("stream", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x05p//", b""])
def test_a_stream_of_messages_that_is_cut_ends_cleanly(build: Path, stream: bytes) -> None:
    assert subprocess.run([build / "posewire_decode"], input=stream, capture_output=True, timeout=60, check=True).stdout in (
        b"",
        b"error\n",
    )
