"""A real publisher process for the tests in Blender: run by the engine's Python, since Blender has one of its own.

First writes the whole motion to --motion (.npz: names, positions_m (instant, person, joint, 3), world), then prints its
address and publishes until it is killed. Instant i of the motion has the sequence number i. With --write, the messages of
--instants instants go into a file instead, each after its length (4 bytes, little-endian): ten minutes in a few seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from motion import PERIOD, pose

from posewire.camera import assumed
from posewire.publish import Publisher
from posewire.skeleton import REFERENCE
from posewire.wire import Instant, encode
from posewire.wire.instant import poses_of, subjects_of


def main() -> None:
    """Publishes at --fps; with --vanish, person 0 is not seen in every second second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", default="tcp://127.0.0.1:*")
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--fps", type=float, default=60.0)
    parser.add_argument("--motion", type=Path, required=True)
    parser.add_argument("--vanish", action="store_true")
    parser.add_argument("--keys", type=Path, help="lets in only the clients of this folder, encrypted")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--instants", type=int, default=36_000)
    flags = parser.parse_args()
    people = [[pose(person, number) for person in range(flags.people)] for number in range(PERIOD)]
    positions = np.array([[one.positions_m for one in row] for row in people])
    np.savez(flags.motion, names=np.array(REFERENCE.names), positions_m=positions)
    if flags.write:
        _write(flags.write, people, flags.fps, flags.instants)
        return
    with Publisher(flags.address, method="test", keys=flags.keys) as publisher:
        print(publisher.address, flush=True)
        _publish(publisher, people, flags.fps, vanish=flags.vanish)


def _publish(publisher: Publisher, people: list[list[object]], fps: float, *, vanish: bool) -> None:
    camera, start_s = assumed(640, 480), time.monotonic()
    skeletons = dict.fromkeys(range(len(people[0])), REFERENCE)
    number = 0
    while True:
        seen = people[number % PERIOD]
        if vanish and int(number / fps) % 2 == 1:
            seen = seen[1:]
        publisher.send(Instant(number / fps, time.time_ns(), camera, seen, skeletons))  # pyright: ignore
        number += 1
        time.sleep(max(0.0, start_s + number / fps - time.monotonic()))


def _write(path: Path, people: list[list[object]], fps: float, instants: int) -> None:
    camera, skeletons = assumed(640, 480), dict.fromkeys(range(len(people[0])), REFERENCE)
    with path.open("wb") as file:
        for number in range(instants):
            instant = Instant(number / fps, 0, camera, people[number % PERIOD], skeletons)  # pyright: ignore
            messages = [*subjects_of(instant, "session", "test")] if number == 0 else []
            for message in map(encode, (*messages, *poses_of(instant, "session", number, 0))):
                file.write(len(message).to_bytes(4, "little") + message)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
