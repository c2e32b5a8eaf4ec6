"""What each output of the gateway takes: `python measure_outputs.py [PEOPLE]`.

A publisher in a process of its own sends so many people at 60 Hz. From the moment at which the client hands over a decoded
pose: to the last datagram handed to the system (vmc, osc, json, trackers), and, for ws, to the frame in the hands of a
client in this process. Outputs are as they are unless told otherwise: vmc and trackers send the first person only.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import numpy as np
from gateway_samples import ANYWHERE, PATIENCE_S, Receiver, instant, pose, until
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_ws

from posewire.bench.stream_roles import process
from posewire.client import Client, connect
from posewire.publish import Publisher
from posewire_gateway import Moment, Options, Placing, open_outputs
from posewire_gateway.opening import KINDS, Kind
from posewire_gateway.websocket import WebSocketServer

_RATE_HZ = 60
_FRAMES = 300
_WARM_UP = 30
Seconds = dict[int, float]
"""Sequence number of a pose to a time."""


def publish(orders: Connection, people: int) -> None:
    """Sends moving people until it shall go."""
    crowd = [instant(*(pose(i, seed=frame) for i in range(people)), time_s=frame / _RATE_HZ) for frame in range(_RATE_HZ)]
    with Publisher(ANYWHERE) as publisher:
        orders.send(publisher.address)
        due_s, frame = time.monotonic(), 0
        while not orders.poll():
            publisher.send(crowd[frame % _RATE_HZ])
            due_s, frame = due_s + 1 / _RATE_HZ, frame + 1
            time.sleep(max(0.0, due_s - time.monotonic()))


def main(people: int) -> None:
    """Prints a line for each kind."""
    with process(publish, people) as publisher, connect(publisher.recv(), timeout_s=PATIENCE_S) as client:
        for kind in KINDS:
            took_ms = (_to_ws(client) if kind == "ws" else _to_udp(client, kind))[_WARM_UP:]
            p50, p99 = np.percentile(took_ms, [50, 99])
            print(f"{kind:8} {people} in the stream: p50 {p50:.2f} ms, p99 {p99:.2f} ms ({len(took_ms)} frames)")


def _to_udp(client: Client, kind: Kind) -> list[float]:
    receiver = Receiver()  # a port that is taken; what comes is thrown away
    (output,) = open_outputs([kind], [f"{kind}={receiver.address}"], Options())
    took_ms = [1e3 * (time.perf_counter() - start_s) for _, start_s in _sent(client, output.send)]
    output.close()
    receiver.close()
    return took_ms


def _to_ws(client: Client) -> list[float]:
    (output,) = open_outputs(["ws"], [], Options(port=0))
    assert isinstance(output, WebSocketServer)
    heard_s: Seconds = {}
    with connect_ws(f"ws://127.0.0.1:{output.port}", compression=None, proxy=None) as page:
        listener = threading.Thread(target=_listen, args=(page, heard_s))
        listener.start()
        until(lambda: "(1 connected)" in output.status())
        started_s = dict(_sent(client, output.send))
        time.sleep(0.5)  # the last frames are still on their way
        output.close()
        listener.join()
    return [1e3 * (heard_s[number] - start_s) for number, start_s in started_s.items() if number in heard_s]


def _listen(page: ClientConnection, heard_s: Seconds) -> None:
    for text in page:
        now_s = time.perf_counter()
        message = json.loads(text)
        if message["kind"] == "pose":
            heard_s[message["sequence"]] = now_s


def _sent(client: Client, send: Callable[[Moment], None]) -> Iterator[tuple[int, float]]:
    """Number and start of each frame, as soon as the output has it."""
    placing = Placing("auto")
    for _, received in zip(range(_FRAMES + _WARM_UP), client, strict=False):
        start_s = time.perf_counter()
        send(placing(Moment.of(received)))
        yield received.message.sequence, start_s


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("people", nargs="?", type=int, default=5)
    main(parser.parse_args().people)
