"""Commands of the gateway: gateway (to other engines) and view (in a browser). Their packages are imported when they run."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from posewire import plugins
from posewire.cli.options import Commands, console, remark
from posewire.client import Client, connect
from posewire.errors import PosewireError, SettingsError
from posewire.retarget import resolve_rig
from posewire.settings import DEFAULT_ADDRESS

_KINDS = ("vmc", "osc", "json", "ws", "trackers")
_KINDS_OF = {
    "rig": ("osc", "json"),
    "axes": ("osc",),
    "space": ("osc",),
    "without": ("vmc",),
    "trackers": ("trackers",),
    "port": ("ws",),
    "origin": ("ws",),
}
"""Which kinds have a flag."""
_WS_PORT = 8765
_DESCRIPTION = """\
Send a live stream on to other programs.
  vmc       VSeeFace, Warudo, EVMC4U, Godot      UDP 39539, one port a person
  osc       anything with OSC                    UDP 9000
  json      Epic's JSON Live Link sample         UDP 54321
  trackers  VRChat's OSC trackers                UDP 9000
  ws        browsers, on this machine            ws://127.0.0.1:8765
Sent in clear text to whom --to names."""


def add_commands(commands: Commands) -> None:
    """Adds gateway and view."""
    _add_gateway(commands)
    _add_view(commands)


def _add_gateway(commands: Commands) -> None:
    parser = commands.add_parser(
        "gateway",
        help="send a stream on as VMC, OSC, JSON, WebSocket",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kinds", nargs="+", choices=_KINDS, metavar="KIND", help="one or more of: " + ", ".join(_KINDS))
    parser.add_argument("--to", action="append", default=[], metavar="[KIND=]HOST:PORT", help="a receiver; may repeat")
    _add_stream_flags(parser)
    _add_people_flags(parser)
    _add_format_flags(parser)
    parser.set_defaults(run=_gateway)


def _add_stream_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connect", metavar="ADDRESS", default=DEFAULT_ADDRESS, help="where Posewire publishes (%(default)s)")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="key file made by `posewire keys add NAME`")


def _add_people_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is sent")
    group.add_argument("--people", metavar="WHO", help="first, all, or ids or names: 0,2 (vmc, trackers: first; others: all)")
    group.add_argument("--max-rate", type=float, metavar="HZ", help="at most so many frames a second")
    group.add_argument(
        "--place",
        choices=("auto", "stream", "floor"),
        default="auto",
        help="stream: where the stream says; floor: begin at the origin, feet on the floor; auto: floor unless calibrated",
    )
    group.add_argument("--mirror", action="store_true", help="as a mirror shows them: raise your right hand, its left one rises")


def _add_format_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("of some kinds only")
    group.add_argument("--rig", metavar="NAME", help="osc, json: bones of this rig (a name or a JSON file)")
    group.add_argument("--axes", choices=("native", "unity", "unreal"), help="osc (default: native)")
    group.add_argument("--space", choices=("world", "parent"), help="osc (default: world)")
    group.add_argument("--without", action="append", default=[], metavar="BONE", help="vmc: the character lacks UpperChest, ...")
    group.add_argument("--trackers", metavar="PARTS", help="trackers: hip,chest,left_foot,...,head (default: all)")
    group.add_argument("--port", type=int, metavar="PORT", help="ws: where to listen on this machine (8765)")
    group.add_argument("--origin", action="append", default=[], metavar="URL", help="ws: let pages of this origin in, too")


def _gateway(flags: argparse.Namespace) -> None:
    rate_hz = _rate_hz(flags)
    _check_kinds(flags)
    if flags.port is not None:
        _check_port(flags.port)
    with _libraries("gateway"), _client(flags) as client:
        from posewire_gateway import Gateway, Options, Placing, open_outputs
        from posewire_gateway.axes import AXES
        from posewire_gateway.opening import shared_receivers
        from posewire_gateway.people import parse_choice

        options = Options(
            people=None if flags.people is None else parse_choice(flags.people),
            rig=None if flags.rig is None else resolve_rig(flags.rig, plugins.load().rigs.values()),
            axes=AXES[flags.axes or "native"],
            space=flags.space or "world",
            without=tuple(flags.without),
            trackers=flags.trackers,
            port=_WS_PORT if flags.port is None else flags.port,
            origins=tuple(flags.origin),
        )
        outputs = open_outputs(flags.kinds, flags.to, options)
        with Gateway(client, outputs, placing=Placing(flags.place), max_rate_hz=rate_hz, mirror=flags.mirror) as gateway:
            console.print(f"From {flags.connect}, until Ctrl-C, to")
            console.print("\n".join(f"  {output.status()}" for output in outputs), markup=False)
            for shared in shared_receivers(flags.kinds, flags.to):
                remark("note:", shared)
            with console.status("") as shown:
                while True:
                    gateway.pump()
                    shown.update(gateway.status())


def _check_kinds(flags: argparse.Namespace) -> None:
    """A flag that none of the kinds has would change nothing: `vmc --port 39540` would go on sending to 39539."""
    for name, kinds in _KINDS_OF.items():
        given = getattr(flags, name)
        if given is None or given == [] or set(kinds) & set(flags.kinds):
            continue
        receiver = f"--to {flags.kinds[0]}=127.0.0.1:{given}" if name == "port" else None
        raise SettingsError(
            f"--{name} changes nothing of {' and '.join(flags.kinds)}.",
            got=f"--{name} {' '.join(given) if isinstance(given, list) else given}",
            allowed=f"with {' or '.join(kinds)}",
            hint=receiver or f"posewire gateway {kinds[0]} --{name} ..., or leave it out",
        )


def _client(flags: argparse.Namespace, *, view: bool = False) -> Client:
    return connect(flags.connect, key_file=flags.key_file, view=view)


def _rate_hz(flags: argparse.Namespace) -> float | None:
    if flags.max_rate is not None and not 0.1 <= flags.max_rate <= 1000.0:
        raise SettingsError("--max-rate is not usable.", got=flags.max_rate, allowed="0.1 to 1000 (Hz)", hint="--max-rate 30")
    return flags.max_rate


def _check_port(port: int) -> None:
    if not 0 <= port <= 65535:
        raise SettingsError("--port is not usable.", got=port, allowed="1 to 65535, or 0: any that is free", hint="--port 8766")


@contextmanager
def _libraries(extra: str) -> Generator[None]:
    """Says what to install when a library of an optional part is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        hint = f'pip install "posewire[{extra}]"'
        raise PosewireError(f"A library of this command is not installed: {error.name}", hint=hint) from error


def _add_view(commands: Commands) -> None:
    parser = commands.add_parser(
        "view",
        help="see a live stream in the browser",
        description="Open a page on this machine that shows the people of a live stream in 3D. Over SSH: forward the port.",
    )
    _add_stream_flags(parser)
    port_help = "where to serve the page, on this machine (8080, or the next that is free)"
    parser.add_argument("--port", type=int, metavar="PORT", help=port_help)
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.set_defaults(run=_view)


def _view(flags: argparse.Namespace) -> None:
    if flags.port is not None:
        _check_port(flags.port)
    with _libraries("viewer"):
        from posewire_gateway.view import DEFAULT_PORT, Viewer

    with _client(flags, view=True) as client, Viewer(client, flags.port) as viewer:
        if flags.port is None and viewer.port != DEFAULT_PORT:
            remark("note:", f"port {DEFAULT_PORT} is taken")
        console.print(f"{viewer.url} shows {flags.connect}, until Ctrl-C")
        if not flags.no_browser:
            webbrowser.open(viewer.url)
        viewer.run()
