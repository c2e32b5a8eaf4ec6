"""gateway: what a gateway adds between the stream and a VMC receiver, against python-osc building the same frames.

The time runs from the moment at which the client hands over a decoded pose until the last datagram is handed to the
system. A publisher in a process of its own sends at 60 Hz, so caches are as cold as in use; ours and the peer take
every other pose. Both do the same retargeting and send the same messages.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from posewire.bench.row import BenchRow, Peers
from posewire.bench.stream_roles import Block, process, publish
from posewire.client import connect
from posewire_gateway.moment import Moment
from posewire_gateway.people import parse_choice
from posewire_gateway.placing import Placing
from posewire_gateway.rigs import OnRig
from posewire_gateway.targets import Datagrams, Target
from posewire_gateway.vmc import VmcPerformer, bone_rows, vmc_rig

_PATIENCE_S = 20.0
_RATE_HZ = 60
_WARM_UP = 20
Send = Callable[[Moment], None]


def run(peers: Peers, *, seconds: float = 8.0) -> list[BenchRow]:
    """A row for one person and for five. python-osc comes with the gateway: `peers` has nothing to say."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        return [_row(people, Target("127.0.0.1", receiver.getsockname()[1]), seconds) for people in (1, 5)]


def _row(people: int, target: Target, seconds: float) -> BenchRow:
    ours_ms, theirs_ms = _measure(people, target, round(seconds * _RATE_HZ))
    workload = f"{people} {'person' if people == 1 else 'people'} to VMC at {_RATE_HZ} Hz"
    note = f"p99 {np.percentile(ours_ms, 99):.2f} ms, python-osc {np.percentile(theirs_ms, 99):.2f} ms"
    return BenchRow.against(
        "gateway", workload, "python-osc", "ms p50", float(np.median(ours_ms)), float(np.median(theirs_ms)), note
    )


def _measure(people: int, target: Target, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of every frame, ours and the peer's."""
    performer, peer = VmcPerformer(target, parse_choice("all")), PythonOsc(target)
    senders: tuple[Send, Send] = (performer.send, peer.send)
    elapsed_ms: tuple[list[float], list[float]] = ([], [])
    placing = Placing("auto")
    with process(publish) as publisher:
        address: str = publisher.recv()
        publisher.send([])
        with connect(address, timeout_s=_PATIENCE_S) as client:
            publisher.send(Block("zmq", 0, count + 2 * _WARM_UP, _RATE_HZ))
            for number, received in zip(range(count + _WARM_UP), client, strict=False):
                start_s = time.perf_counter()
                senders[number % 2](placing(_crowd(Moment.of(received), people)))
                if number >= _WARM_UP:
                    elapsed_ms[number % 2].append(1e3 * (time.perf_counter() - start_s))
    performer.close()
    peer.close()
    return elapsed_ms


def _crowd(moment: Moment, people: int) -> Moment:
    """The one person of the stream, several times."""
    (one,) = moment.message.people
    return replace(moment, message=replace(moment.message, people=tuple(replace(one, person_id=i) for i in range(people))))


class PythonOsc:
    """The same frame, every message built by python-osc."""

    def __init__(self, target: Target) -> None:
        self._on_rig = OnRig(vmc_rig())
        self._datagrams = Datagrams(target)

    def send(self, moment: Moment) -> None:
        """Sends everybody; all to one port, which python-osc is not slower for."""
        for person in self._on_rig(moment).people:
            rows = bone_rows(person.skeleton.offsets_m, person.pose.root_m, person.pose.rotations_wxyz)
            frame = OscBundleBuilder(IMMEDIATELY)
            _add(frame, "/VMC/Ext/OK", 1, 3, 0, 1)
            _add(frame, "/VMC/Ext/T", moment.message.media_time_s)
            _add(frame, "/VMC/Ext/Root/Pos", "root", *[0.0] * 6, 1.0)
            for b in self._on_rig.driven:
                _add(frame, "/VMC/Ext/Bone/Pos", self._on_rig.rig.names[b], *rows[b].tolist())
            _add(frame, "/VMC/Ext/Blend/Apply")
            self._datagrams.send([frame.build().dgram])

    def close(self) -> None:
        """Closes the port."""
        self._datagrams.close()


def _add(bundle: OscBundleBuilder, address: str, *arguments: str | int | float) -> None:
    message = OscMessageBuilder(address)
    for value in arguments:
        message.add_arg(value)
    bundle.add_content(message.build())  # pyright: ignore[reportArgumentType]  # its type says bundles only
