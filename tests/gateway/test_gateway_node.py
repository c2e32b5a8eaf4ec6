"""VMC read by node-osc, an OSC library that is no kin of python-osc."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from gateway_samples import Receiver, free_port, moment, pose

from posewire_gateway.people import parse_choice
from posewire_gateway.targets import Target
from posewire_gateway.vmc import VmcPerformer

NODE = Path(__file__).parent / "node"


@pytest.mark.slow
def test_node_osc_reads_every_message_of_a_frame(installed: Callable[[Path], Path], receiver: Receiver) -> None:
    folder, port, person = installed(NODE), free_port(), moment(pose(seed=3), time_s=1.25)
    node = shutil.which("node")
    assert node is not None  # npm is there
    with closing(VmcPerformer(Target("127.0.0.1", receiver.port), parse_choice("first"))) as performer:
        performer.send(person)
    want = receiver.messages()
    with subprocess.Popen([node, "osc.mjs", str(port)], cwd=folder, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline().strip() == "listening"
        with closing(VmcPerformer(Target("127.0.0.1", port), parse_choice("first"))) as performer:
            performer.send(person)
        got = json.loads(program.stdout.readline())
    assert [address for address, *_ in got] == [address for address, _ in want] and len(want) == 24
    for (_, *values), (_, expected) in zip(got, want, strict=True):
        assert [v for v in values if isinstance(v, str)] == [v for v in expected if isinstance(v, str)]
        numbers = [v for v in expected if not isinstance(v, str)]
        assert [v for v in values if not isinstance(v, str)] == pytest.approx(numbers, abs=1e-7)
