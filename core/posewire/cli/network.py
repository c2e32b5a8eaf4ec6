"""Commands about the stream: listen, replay, keys."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.table import Table

from posewire import keys
from posewire.cli.options import (
    Commands,
    add_json_flag,
    add_publish_flags,
    add_settings_file,
    console,
    output,
    print_json,
    remark,
    settings_of,
)
from posewire.cli.takes import open_take
from posewire.client import Client, Received, connect
from posewire.errors import SettingsError, TakeError, WireError
from posewire.outputs import Pacer, open_stream
from posewire.settings import DEFAULT_ADDRESS
from posewire.shell import typed
from posewire.wire import View

_SILENCE_S = 3.0
"""After so long `listen` says why nothing comes."""
_LONGEST_TIMEOUT_S = 1e6
_PRINT_PERIOD_S = 1.0


def add_commands(commands: Commands) -> None:
    """Adds listen, replay and keys."""
    _add_listen(commands)
    _add_replay(commands)
    _add_keys(commands)


def _add_listen(commands: Commands) -> None:
    parser = commands.add_parser("listen", help="print what a stream says", description="Print the people of a live stream.")
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help=f"where Posewire publishes (default: {DEFAULT_ADDRESS})")
    parser.add_argument("--connect", metavar="ADDRESS", help="the same, as gateway and view call it")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="key file made by `posewire keys add NAME`")
    parser.add_argument("--rig", metavar="NAME", help="listen to this rig instead of the native skeleton")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N poses")
    parser.add_argument("--timeout", type=float, metavar="S", help="give up when nothing comes for S seconds")
    add_settings_file(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, and only that, on standard output")
    parser.set_defaults(run=_listen)


def _listen(flags: argparse.Namespace) -> None:
    _check_patience(flags)
    address = flags.address or flags.connect or settings_of(argparse.Namespace(settings=flags.settings)).address
    with connect(address, key_file=flags.key_file, rig=flags.rig, timeout_s=flags.timeout) as client:
        console.print(f"Listening at {client.address} (Ctrl-C stops)")
        if flags.json:
            for received in _poses(client, flags):
                print(json.dumps(_as_json(received), allow_nan=False), flush=True)
        elif output.is_terminal:
            with Live(console=output, refresh_per_second=8) as live:
                for received in _poses(client, flags):
                    live.update(_table(client, received))
        else:
            _print_now_and_then(client, _poses(client, flags))


def _check_patience(flags: argparse.Namespace) -> None:
    if flags.count is not None and flags.count < 1:
        raise SettingsError("--count is not usable.", got=flags.count, allowed="1 or more", hint="--count 100")
    if flags.timeout is not None and not 0.0 < flags.timeout <= _LONGEST_TIMEOUT_S:
        raise SettingsError("--timeout is not usable.", got=flags.timeout, allowed="seconds, more than 0", hint="--timeout 10")


def _print_now_and_then(client: Client, poses: Iterator[Received]) -> None:
    """For files and pipes, where a table cannot be drawn anew: one a second, and the last."""
    received, printed_s = None, -math.inf
    for received in poses:
        if time.monotonic() > printed_s + _PRINT_PERIOD_S:
            printed_s = time.monotonic()
            output.print(_table(client, received))
            received = None
    if received is not None:
        output.print(_table(client, received))


def _poses(client: Client, flags: argparse.Namespace) -> Iterator[Received]:
    """As many as --count. Without --timeout it waits for ever, and says once in a silence why nothing comes."""
    heard, told = 0, False
    while flags.count is None or heard < flags.count:
        try:
            received = client.receive(_SILENCE_S if flags.timeout is None else flags.timeout)
        except WireError as problem:
            if flags.timeout is not None:
                raise
            if not told:
                remark("Still listening:", problem)
            told = True
        else:
            heard, told = heard + 1, False
            yield received


def _as_json(received: Received) -> dict[str, Any]:
    names = received.subject.names
    people = [
        {
            "person_id": person.person_id,
            "root_m": person.root_m.tolist(),
            "rotations_wxyz": dict(zip(names, person.rotations_wxyz.round(6).tolist(), strict=True)),
            "confidence": dict(zip(names, person.confidence.round(4).tolist(), strict=True)),
            "contacts": [None if math.isnan(value) else value for value in person.contacts.tolist()],
        }
        for person in received.message.people
    ]
    latency = {"latency_s": received.latency_s, "transport_s": received.transport_s}
    return {"sequence": received.sequence, "media_time_s": received.media_time_s, **latency, "people": people}


def _table(client: Client, received: Received) -> Table:
    statistics = client.statistics
    latency = "unknown" if statistics.latency_p50_s is None else f"{1e3 * statistics.latency_p50_s:.1f} ms"
    title = f"{statistics.fps:.1f} fps, latency {latency}, dropped {statistics.dropped}, malformed {statistics.malformed}"
    table = Table("person", "root x y z (m)", "mean confidence", title=title, box=None)
    for person in received.message.people:
        root = " ".join(f"{value:7.3f}" for value in person.root_m)
        table.add_row(str(person.person_id), root, f"{person.confidence.mean():.2f}")
    return table


def _add_replay(commands: Commands) -> None:
    parser = commands.add_parser("replay", help="stream a recorded take", description="Stream a recorded take at its own speed.")
    parser.add_argument("take", type=Path, metavar="TAKE")
    add_publish_flags(parser)
    parser.add_argument("--loop", action="store_true", help="start again at the end")
    add_settings_file(parser)
    parser.set_defaults(run=_replay)


def _replay(flags: argparse.Namespace) -> None:
    if flags.publish is None:
        raise SettingsError("Nothing is published without --publish.", hint=typed("posewire", "replay", flags.take, "--publish"))
    take = open_take(flags.take)
    if not len(take):
        raise TakeError("There is nothing to stream in this take.", got="no frames", hint=f"posewire info {flags.take}")
    with open_stream(settings_of(flags), take.header.method) as stream:
        console.print(f"Publishing {flags.take} at {stream.address} (Ctrl-C stops)")
        while True:
            pacer = Pacer()
            for frame in take.frames:
                if not flags.fast:
                    pacer.wait(frame.time_s)
                if frame.camera is not None:
                    view = View(frame.camera, take.header.keypoint_names, frame.tracks, {})
                    stream.send(frame.time_s, time.time_ns(), frame.camera, frame.poses, frame.skeletons, view)
            if not flags.loop:
                return


def _add_keys(commands: Commands) -> None:
    parser = commands.add_parser(
        "keys", help="who may read an encrypted stream", description="Keys for streams beyond this machine."
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="let a client in and write its key file")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--out", type=Path, metavar="FILE", help="where to write the key file")
    add.set_defaults(run=_keys_add)
    remove = actions.add_parser("remove", help="shut a client out")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_keys_remove)
    listing = actions.add_parser("list", help="the clients that are let in")
    add_json_flag(listing)
    listing.set_defaults(run=_keys_list)


def _keys_add(flags: argparse.Namespace) -> None:
    path = keys.add(flags.name, out=flags.out)
    print(path)
    console.print(f"Copy this file to {flags.name}'s machine. Publish with: posewire run SOURCE --publish tcp://0.0.0.0:5577")
    console.print(f"There: {typed('posewire', 'listen', 'tcp://HOST:5577', '--key-file', path.name)} (HOST: this machine)")


def _keys_remove(flags: argparse.Namespace) -> None:
    keys.remove(flags.name)
    console.print(f"{flags.name} is shut out.")


def _keys_list(flags: argparse.Namespace) -> None:
    known = keys.clients()
    if flags.json:
        print_json([{"name": name, "public": public} for name, public in known.items()])
    else:
        for name, public in known.items():
            sys.stdout.write(f"{name}  {public}\n")
        if not known:
            console.print("Nobody yet: posewire keys add NAME")
