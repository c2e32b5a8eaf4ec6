"""Commands that show what there is: methods, sources, rigs, doctor, settings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from posewire import doctor, plugins
from posewire.cli.options import Commands, add_json_flag, add_settings_file, console, output, print_json, settings_of
from posewire.cli.tables import show
from posewire.errors import PosewireError
from posewire.methods import Measurement, MethodCard
from posewire.plugins import Registry
from posewire.settings import chosen_path


def add_commands(commands: Commands) -> None:
    """Adds methods, sources, rigs, doctor and settings."""
    for name, run, summary in (
        ("methods", _methods, "pose methods and lifters that are installed"),
        ("sources", _sources, "kinds of sources: files, cameras, streams"),
        ("rigs", _rigs, "target rigs for --rig"),
        ("doctor", _doctor, "versions, devices, models, cameras, ports: what a bug report needs"),
        ("settings", _settings, "the settings in force and where they come from"),
    ):
        parser = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        add_json_flag(parser)
        if name == "settings":
            add_settings_file(parser)
        if name == "methods":
            parser.add_argument("name", nargs="?", metavar="NAME", help="everything about this one")
        parser.set_defaults(run=run)


def _methods(flags: argparse.Namespace) -> None:
    registry = plugins.load()
    cards = [registry.method(flags.name)] if flags.name else list(registry.methods.values())
    if flags.json:
        print_json([_as_json(card) for card in cards])
        _show_broken(registry, console)
    elif flags.name:
        _show_method(cards[0])
    else:
        _show_methods(cards, registry)


def _as_json(card: MethodCard) -> dict[str, Any]:
    plain = ("name", "kind", "joints", "multi_person", "weights_licence", "weights", "summary")
    measured = {key: [asdict(one) for one in getattr(card, key)] for key in ("accuracy", "speed")}
    return {key: getattr(card, key) for key in plain} | measured


def _show_methods(cards: Sequence[MethodCard], registry: Registry) -> None:
    """The table, and under it, by their numbers in brackets, what was measured and by which command."""
    notes: dict[str, str] = {}
    header = ["method", "kind", "keypoints", "people", "accuracy", "speed", "licence of the weights", "summary"]
    _show(header, [_method_row(card, notes) for card in cards], registry)
    for note, mark in notes.items():
        output.print(f"\n{mark} {note}", soft_wrap=True)  # a command that the terminal wraps can be copied
    output.print("\n`posewire methods NAME` shows everything that was measured of one method.")


def _method_row(card: MethodCard, notes: dict[str, str]) -> list[str]:
    people = "many" if card.multi_person else "one"
    numbers = [_marked(measured, notes) for measured in (card.accuracy, card.speed)]
    return [card.name, card.kind, str(len(card.joints)), people, *numbers, card.weights_licence, card.summary]


def _marked(measured: Sequence[Measurement], notes: dict[str, str]) -> str:
    """The first value and the mark of its note; a note that is new gets the next mark."""
    if not measured:
        return "-"
    first = measured[0]
    mark = notes.setdefault(f"{first.what}\n    {first.command}", f"({len(notes) + 1})")
    return f"{first.value} {mark}"


def _show_method(card: MethodCard) -> None:
    output.print(f"{card.name}: {card.summary}\n{card.kind}, licence of the weights: {card.weights_licence}")
    output.print("keypoints: " + ", ".join(card.joints))
    if card.weights:
        output.print("files of your own training: --weights " + " ".join(card.weights))
    for title in ("accuracy", "speed"):
        measured: tuple[Measurement, ...] = getattr(card, title)
        output.print(f"\n{title}" + ("" if measured else ": was not measured"))
        for one in measured:
            output.print(f"  {one.what}: {one.value}\n    {one.command}", soft_wrap=True)


def _sources(flags: argparse.Namespace) -> None:
    registry = plugins.load()
    rows = [[card.name, card.example, card.summary] for card in registry.sources.values()]
    if flags.json:
        print_json([dict(zip(("name", "example", "summary"), row, strict=True)) for row in rows])
    else:
        _show(["source", "for example", "summary"], rows, registry)


def _rigs(flags: argparse.Namespace) -> None:
    registry = plugins.load()
    rows = [[card.name, card.summary, str(card.path)] for card in registry.rigs.values()]
    if flags.json:
        print_json([dict(zip(("name", "summary", "path"), row, strict=True)) for row in rows])
    else:
        _show(["rig", "summary"], [row[:2] for row in rows], registry)


def _show(header: list[str], rows: list[list[str]], registry: Registry) -> None:
    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    show(table)
    _show_broken(registry, output)


def _show_broken(registry: Registry, where: Console) -> None:
    for plugin in registry.broken:
        where.print(Text.assemble((f"\nbroken plugin {plugin.name}", "red"), f" ({plugin.distribution}): {plugin.reason}"))


def _doctor(flags: argparse.Namespace) -> None:
    findings = doctor.examine()
    if flags.json:
        print_json(doctor.as_json(findings))
    else:
        table = Table("topic", "name", "finding", box=None, pad_edge=False)
        table.columns[1].overflow = table.columns[2].overflow = "fold"  # a path or a checksum is told whole
        for finding in findings:
            bad = Text.assemble((finding.value, "red"), f"\n  next: {finding.hint}")
            table.add_row(finding.topic, finding.name, finding.value if finding.good else bad)
        output.print(table)
    bad = [finding.name for finding in findings if not finding.good]
    if bad:
        raise PosewireError("Something is not as it should be.", got=", ".join(bad), hint="see the lines marked in red")


def _settings(flags: argparse.Namespace) -> None:
    values = settings_of(flags).plain()
    if flags.json:
        print_json(values)
        return
    path = chosen_path(flags.settings)
    output.print(f"file: {path}" + ("" if path.is_file() else " (not there: the defaults hold)"))
    table = Table("setting", "value", box=None, pad_edge=False)
    table.columns[1].overflow = "fold"
    for key, value in values.items():
        table.add_row(key, "-" if value is None else json.dumps(value, ensure_ascii=False))  # as TOML writes it, too
    output.print(table)
    output.print("\nTo change one for good, give it a line in that file, such as\n  height_m = 1.82")
