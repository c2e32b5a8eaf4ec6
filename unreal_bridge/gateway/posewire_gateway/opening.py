"""From words typed by a user to outputs. Each output's module, and with it its library, is imported when it is asked for."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from posewire.errors import SettingsError
from posewire.rigs import Rig
from posewire_gateway.axes import NATIVE, Axes
from posewire_gateway.output import Output
from posewire_gateway.people import Choice, parse_choice
from posewire_gateway.targets import Target, parse_target

Kind = Literal["vmc", "osc", "json", "ws", "trackers"]
KINDS: tuple[Kind, ...] = ("vmc", "osc", "json", "ws", "trackers")
_DEFAULT_TARGETS = {"vmc": "127.0.0.1:39539", "osc": "127.0.0.1:9000", "json": "127.0.0.1:54321", "trackers": "127.0.0.1:9000"}
_ONE_CHARACTER = ("vmc", "trackers")
"""Receivers that show one character; the others take everybody unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the outputs of one gateway have in common, and what only some of them understand."""

    people: Choice | None = None
    """None = the first person for vmc and trackers, everybody for the others."""
    rig: Rig | None = None
    """osc, json: a rig instead of the native skeleton."""
    axes: Axes = NATIVE
    """osc."""
    space: Literal["world", "parent"] = "world"
    """osc."""
    without: tuple[str, ...] = ()
    """vmc: bones that the character lacks."""
    trackers: str | None = None
    """trackers: body parts; None = all."""
    port: int = 8765
    """ws."""
    origins: tuple[str, ...] = ()
    """ws."""

    def choice(self, kind: Kind) -> Choice:
        """Whom an output of this kind sends."""
        return self.people or parse_choice("first" if kind in _ONE_CHARACTER else "all")


def targets_of(kinds: Sequence[Kind], to: Sequence[str]) -> list[tuple[Kind, Target | None]]:
    """Each output to open, with its receiver: `to` holds KIND=HOST:PORT, or HOST:PORT where only one kind sends to somebody.

    Raises:
        SettingsError: a receiver is of no kind that was asked, or it is not clear of which.
    """
    senders: list[Kind] = [kind for kind in kinds if kind != "ws"]
    found: dict[str, list[Target]] = {kind: [] for kind in senders}
    for text in to:
        name, _, address = text.rpartition("=")
        kind = senders[0] if not name and len(senders) == 1 else name
        if kind not in found:
            example = f"--to {senders[0]}=127.0.0.1:39539" if senders else "ws listens: --port 8765"
            allowed = [f"{kind}=HOST:PORT" for kind in senders]
            raise SettingsError("--to fits none of the outputs.", got=text, allowed=allowed, hint=example)
        found[kind].append(parse_target(address))
    opened: list[tuple[Kind, Target | None]] = [("ws", None)] if "ws" in kinds else []
    for kind in senders:
        for target in found[kind] or [parse_target(_DEFAULT_TARGETS[kind])]:
            opened.append((kind, target))
    return opened


def shared_receivers(kinds: Sequence[Kind], to: Sequence[str]) -> list[str]:
    """A remark for each receiver that outputs of more than one kind send to: one program listens on a port.

    osc and trackers do so unless told: 9000 is where VRChat listens, and what Unreal users of plain osc have set up.
    """
    senders: dict[Target, list[Kind]] = {}
    for kind, target in targets_of(list(dict.fromkeys(kinds)), to):
        if target is not None and kind not in senders.setdefault(target, []):
            insort(senders[target], kind)  # osc before trackers and vmc, whose ports are conventions
    return [
        f"{' and '.join(several)} go to the same {target}, where one program listens: --to {several[0]}=HOST:PORT parts them"
        for target, several in senders.items()
        if len(several) > 1
    ]


def open_outputs(kinds: Sequence[Kind], to: Sequence[str], options: Options) -> list[Output]:
    """The outputs, ready to send.

    Raises:
        SettingsError: something typed cannot be used.
        ModuleNotFoundError: the library of an output is not installed.
    """
    outputs: list[Output] = []
    with ExitStack() as opened:
        for kind, target in targets_of(kinds, to):
            output = _open_ws(options) if target is None else _SENDERS[kind](target, options)
            opened.callback(output.close)
            outputs.append(output)
        opened.pop_all()
    return outputs


def _open_vmc(target: Target, options: Options) -> Output:
    from posewire_gateway.vmc import VmcPerformer

    return VmcPerformer(target, options.choice("vmc"), options.without)


def _open_osc(target: Target, options: Options) -> Output:
    from posewire_gateway.generic_osc import GenericOsc

    return GenericOsc(target, options.choice("osc"), options.axes, options.space, options.rig)


def _open_json(target: Target, options: Options) -> Output:
    from posewire_gateway.json_live_link import JsonLiveLink

    return JsonLiveLink(target, options.choice("json"), options.rig)


def _open_trackers(target: Target, options: Options) -> Output:
    from posewire_gateway.trackers import OscTrackers, parse_trackers

    parts = parse_trackers(options.trackers) if options.trackers is not None else None
    choice = options.choice("trackers")
    return OscTrackers(target, choice) if parts is None else OscTrackers(target, choice, parts)


def _open_ws(options: Options) -> Output:
    from posewire_gateway.websocket import WebSocketServer

    return WebSocketServer(options.port, options.choice("ws"), options.origins)


_SENDERS: Mapping[str, Callable[[Target, Options], Output]] = {
    "vmc": _open_vmc,
    "osc": _open_osc,
    "json": _open_json,
    "trackers": _open_trackers,
}
