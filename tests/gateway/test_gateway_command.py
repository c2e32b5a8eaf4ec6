"""`posewire gateway`: flags become outputs, mistakes become words, and the benchmark compares like with like."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from gateway_samples import ANYWHERE, Receiver, instant, moment, pose, until

from posewire.bench.row import Peers
from posewire.cli import gateway as command
from posewire.errors import PosewireError
from posewire.publish import Publisher
from posewire_gateway import Gateway, bench_gateway
from posewire_gateway.people import parse_choice
from posewire_gateway.targets import Target
from posewire_gateway.vmc import VmcPerformer

RUN = """
import argparse, sys
from posewire.cli import gateway
parser = argparse.ArgumentParser()
gateway.add_commands(parser.add_subparsers())
flags = parser.parse_args(sys.argv[1:])
flags.run(flags)
"""


def run(*words: str) -> None:
    parser = argparse.ArgumentParser()
    command.add_commands(parser.add_subparsers())
    flags = parser.parse_args(words)
    flags.run(flags)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(ANYWHERE) as publisher:
        yield publisher


def test_the_command_sends_to_whom_it_is_told(publisher: Publisher, receiver: Receiver) -> None:
    words = ["gateway", "vmc", "osc", "--connect", publisher.address, "--to", f"vmc={receiver.address}"]
    process = subprocess.Popen([sys.executable, "-c", RUN, *words], stderr=subprocess.DEVNULL)
    try:
        until(lambda: not receiver.is_silent(), meanwhile=lambda: publisher.send(instant(pose())), patience_s=60.0)
        assert receiver.messages()[0][0] == "/VMC/Ext/OK"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vmc", "--to", "here"], "HOST:PORT"),
        (["vmc", "osc", "--to", "127.0.0.1:1"], "vmc=HOST:PORT"),
        (["vmc", "--people", ","], "--people"),
        (["vmc", "--without", "Tail"], "UpperChest"),
        (["osc", "--rig", "nobody"], "posewire rigs"),
        (["vmc", "--max-rate", "0"], "--max-rate"),
        (["vmc", "--max-rate", "nan"], "--max-rate"),
        (["vmc", "--connect", "127.0.0.1"], "tcp://HOST:PORT"),
        (["trackers", "--trackers", "tail"], "left_foot"),
        (["ws", "--port", "0", "--origin", "example"], "--origin"),
    ],
)
def test_a_mistake_is_said_in_words(words: list[str], said: str) -> None:
    with pytest.raises(PosewireError, match=said):
        run("gateway", *words)


def test_two_kinds_on_one_port_are_told_of_at_the_start(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Gateway) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Gateway, "pump", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("gateway", "osc", "trackers", "--connect", publisher.address)
    assert "osc and trackers go to the same 127.0.0.1:9000" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("kind", "library"), [("vmc", "pythonosc"), ("ws", "websockets")])
def test_a_missing_library_is_named_with_what_to_type(kind: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] in (library, "posewire_gateway"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(PosewireError, match=r'(?s)pip install "posewire\[gateway\]"'):
        run("gateway", kind)


def test_the_benchmark_has_a_row_for_one_person_and_for_five() -> None:
    rows = bench_gateway.run(Peers(), seconds=0.2)
    assert [row.workload for row in rows] == ["1 person to VMC at 60 Hz", "5 people to VMC at 60 Hz"]
    assert all(row.ours > 0 and row.peer_value for row in rows)


def test_the_benchmarks_peer_sends_the_same_messages(receiver: Receiver) -> None:
    target = Target("127.0.0.1", receiver.port)
    frames: list[list[tuple[str, list[object]]]] = []
    for output in (VmcPerformer(target, parse_choice("all")), bench_gateway.PythonOsc(target)):
        output.send(moment(pose(), time_s=1.5))
        frames.append(receiver.messages())
        output.close()
    ours, theirs = frames
    assert [address for address, _ in ours] == [address for address, _ in theirs]
    for (_, mine), (_, peers) in zip(ours, theirs, strict=True):
        assert [v for v in mine if isinstance(v, str)] == [v for v in peers if isinstance(v, str)]
        np.testing.assert_allclose(*([float(v) for v in v_s if not isinstance(v, str)] for v_s in (mine, peers)), rtol=1e-6)
