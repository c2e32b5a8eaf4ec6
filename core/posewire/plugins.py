"""Finds the installed plugins, one by one: a broken one is listed with its reason, a duplicate is refused.

A plugin is a module (or any object) that a distribution names in the entry-point group `posewire.plugins`.
This happens once, at start-up; afterwards the cards are plain values and the chosen method is called directly.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint
from numbers import Integral
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pluggy

from posewire import hookspecs
from posewire.cards import HOOK_CARDS, Card, checked
from posewire.errors import ModelError, PluginError, PosewireError, SettingsError, as_plugin_error, failure_of_a_plugin
from posewire.methods import Method, MethodCard, MethodOptions, RigCard, SourceCard

GROUP = "posewire.plugins"
"""The entry-point group, for bundled and third-party plugins alike."""

_C = TypeVar("_C", MethodCard, SourceCard, RigCard)


_MEMBERS = MappingProxyType({"estimator": ("estimate", "reset", "close"), "lifter": ("receptive_field", "lift", "close")})
"""What a method must have: posewire.methods.Estimator and Lifter."""
_AUTHORS = "tell the plugin's author; posewire.testing finds mistakes"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a card comes from."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"plugin '{self.plugin}' of {self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that is installed and cannot be used."""

    name: str
    distribution: str
    reason: str
    """One line."""


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """Everything that the working plugins offer, by name, and the broken ones."""

    methods: Mapping[str, MethodCard]
    sources: Mapping[str, SourceCard]
    """In the order in which they are asked whether an address is theirs."""
    rigs: Mapping[str, RigCard]
    broken: tuple[BrokenPlugin, ...]
    origins: Mapping[type[Card], Mapping[str, Origin]]
    """Card type, then card name, to the plugin that brought it."""

    def origin(self, card: Card) -> Origin:
        """The plugin that brought `card`. (A method and a source may share a name, so the name alone would not do.)"""
        names = next(names for kind, names in self.origins.items() if isinstance(card, kind))
        return names[card.name]

    def method(self, name: str) -> MethodCard:
        """The method called `name`; PluginError lists what exists."""
        return self._find("method", name, self.methods, "posewire methods")

    def estimator(self, name: str) -> MethodCard:
        """The estimator called `name`; PluginError lists those that exist."""
        return self._of_kind("estimator", "method", name, f"--method blazepose --lifter {name}")

    def lifter(self, name: str) -> MethodCard:
        """The lifter called `name`; PluginError lists those that exist."""
        return self._of_kind("lifter", "lifter", name, f"--method {name}, without --lifter")

    def source(self, name: str) -> SourceCard:
        """The kind of source called `name`; PluginError lists what exists."""
        return self._find("source", name, self.sources, "posewire sources")

    def rig(self, name: str) -> RigCard:
        """The rig called `name`; PluginError lists what exists."""
        return self._find("rig", name, self.rigs, "posewire rigs")

    @property
    def broken_hint(self) -> str | None:
        """For what cannot be found: a broken plugin may be the one that brings it; None = none is broken."""
        broken = ", ".join(plugin.name for plugin in self.broken)
        return f"these plugins are installed and broken: {broken}; `posewire methods` says why" if broken else None

    def _of_kind(self, kind: str, noun: str, name: str, otherwise: str) -> MethodCard:
        """`otherwise`: what to type for a method of the other kind."""
        cards = {known: card for known, card in self.methods.items() if card.kind == kind}
        if name in self.methods and name not in cards:
            got = f"kind: {self.methods[name].kind}"
            raise PluginError(f"The method '{name}' is no {kind}.", got=got, allowed=_listed(cards), hint=otherwise)
        return self._find(noun, name, cards, "posewire methods")

    def _find(self, noun: str, name: str, cards: Mapping[str, _C], listing: str) -> _C:
        if name not in cards:
            hint = self._hint(name, cards) or f"{listing} shows what each is"
            raise PluginError(f"There is no {noun} '{name}'.", got=name, allowed=_listed(cards), hint=hint)
        return cards[name]

    def _hint(self, name: str, names: Iterable[str]) -> str | None:
        """The broken plugin that would have brought it, else the nearest name, else that there are broken plugins."""
        if reasons := [plugin.reason for plugin in self.broken if plugin.name == name]:
            return f"the plugin '{name}' is installed and broken: {reasons[0]}"
        if close := get_close_matches(name, list(names), n=1):
            return f"did you mean '{close[0]}'?"
        return self.broken_hint


def _listed(names: Iterable[str]) -> list[str] | str:
    return sorted(names) or "none is installed"


@functools.cache
def load() -> Registry:
    """The plugins of this environment, found once per process (`load.cache_clear()` forgets them).

    Raises:
        PluginError: two plugins, or two cards of one type, have the same name.
    """
    return load_from(importlib.metadata.entry_points(group=GROUP))


def load_from(entry_points: Iterable[EntryPoint]) -> Registry:
    """The plugins behind `entry_points`; raises as `load` does."""
    ordered = sorted(entry_points, key=_order)
    _refuse_duplicate_plugins(ordered)
    offers: dict[Origin, tuple[Card, ...]] = {}
    broken: list[BrokenPlugin] = []
    for entry_point in ordered:
        origin = _origin(entry_point)
        try:
            with redirect_stdout(sys.stderr):  # standard output may be a program's JSON
                offers[origin] = _cards_of(entry_point)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin is anybody's code; its failure is listed, not ours
            broken.append(BrokenPlugin(origin.plugin, origin.distribution, _one_line(error)))
    return _registry(offers, tuple(broken))


def _order(entry_point: EntryPoint) -> tuple[bool, str, str]:
    """By name, the bundled plugins last: an address goes to the first source that takes it, and `file` takes every path."""
    origin = _origin(entry_point)
    return origin.distribution == hookspecs.PROJECT, origin.plugin, origin.distribution


def open_method(card: MethodCard, options: MethodOptions) -> Method:
    """Creates the method of a card: the moment in which its network is imported.

    Raises:
        PluginError: the plugin's code failed, or made something that is not what its card says. A PosewireError passes.
        SettingsError, ModelError: as `check_weights`.
    """
    check_weights(card, options.weights)
    hint = "install what is missing, or take another: `posewire methods` lists them"
    with as_plugin_error(f"The {card.kind} '{card.name}' cannot be opened.", hint):
        method = card.create(options)
        missing = [member for member in _MEMBERS[card.kind] if not hasattr(method, member)]
        rows: object = getattr(method, "receptive_field", None)
    problem = f"What '{card.name}' creates is not {'an' if card.kind == 'estimator' else 'a'} {card.kind}."
    if missing:
        raise PluginError(problem, got=f"no {', '.join(missing)}", allowed=_MEMBERS[card.kind], hint=_AUTHORS)
    if card.kind == "lifter" and not (isinstance(rows, Integral) and int(rows) >= 1):
        allowed = "a whole number of frames, at least 1"
        raise PluginError(problem, got=f"receptive_field: {rows!r}", allowed=allowed, hint=_AUTHORS)
    return method


def check_weights(card: MethodCard, weights: Sequence[Path]) -> None:
    """Whether a method takes files of one's own, and so many, and all are there; what is in them is the method's to check.

    Raises:
        SettingsError: it takes none, or another number.
        ModelError: one of them is missing.
    """
    given = " ".join(map(str, weights))
    if weights and not card.weights:
        allowed = [other.name for other in load().methods.values() if other.weights]
        problem, hint = f"The {card.kind} '{card.name}' takes no weights.", "leave out --weights, or --method one of those"
        raise SettingsError(problem, got=given, allowed=_listed(allowed), hint=hint)
    if weights and len(weights) != len(card.weights):
        files = "1 file" if len(card.weights) == 1 else f"{len(card.weights)} files"
        usage = f"--weights {' '.join(card.weights)}"
        raise SettingsError(f"The weights of '{card.name}' are {files}.", got=given, allowed=card.weights, hint=usage)
    for path in weights:
        if not path.is_file():
            raise ModelError(f"The weights file {path} is missing.", got=given)


def _origin(entry_point: EntryPoint) -> Origin:
    distribution = entry_point.dist
    if distribution is None:
        return Origin(entry_point.name, "unknown distribution", "")
    return Origin(entry_point.name, distribution.name, distribution.version)


def _refuse_duplicate_plugins(entry_points: Iterable[EntryPoint]) -> None:
    owners: dict[str, Origin] = {}
    for origin in map(_origin, entry_points):
        if origin.plugin in owners:
            _refuse("Two plugins have the same name.", origin.plugin, owners[origin.plugin], origin)
        owners[origin.plugin] = origin


def _cards_of(entry_point: EntryPoint) -> tuple[Card, ...]:
    """Imports one plugin and asks its hooks. A manager of its own, so that no plugin's failure touches another's."""
    plugin = entry_point.load()
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, entry_point.name)
    manager.check_pending()
    _refuse_unmarked_hooks(manager, plugin)
    return tuple(card for hook in HOOK_CARDS for returned in getattr(manager.hook, hook)() for card in checked(hook, returned))


def _refuse_unmarked_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    """pluggy passes silently over a function without the marker; its author would look for the mistake for long."""
    marked = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    prefix = f"{hookspecs.PROJECT}_"
    named = {name for name in dir(plugin) if name.startswith(prefix) and inspect.isroutine(getattr(plugin, name))}
    if unmarked := sorted(named - marked):
        raise PluginError(f"{unmarked[0]}() is not marked with @posewire.hookspecs.hookimpl")
    if not marked:
        raise PluginError("it implements no hook", allowed=list(HOOK_CARDS))


def _one_line(error: BaseException) -> str:
    text = str(error) if isinstance(error, PosewireError) else failure_of_a_plugin(error)
    return " ".join(text.split())


def _registry(offers: Mapping[Origin, tuple[Card, ...]], broken: tuple[BrokenPlugin, ...]) -> Registry:
    methods, method_origins = _merged(offers, MethodCard)
    sources, source_origins = _merged(offers, SourceCard)
    rigs, rig_origins = _merged(offers, RigCard)
    origins = {MethodCard: method_origins, SourceCard: source_origins, RigCard: rig_origins}
    return Registry(methods, sources, rigs, broken, MappingProxyType(origins))


def _merged(offers: Mapping[Origin, tuple[Card, ...]], kind: type[_C]) -> tuple[Mapping[str, _C], Mapping[str, Origin]]:
    """All cards of one type by name, and their origins by name."""
    cards: dict[str, _C] = {}
    origins: dict[str, Origin] = {}
    for origin, offered in offers.items():
        for card in (card for card in offered if isinstance(card, kind)):
            if card.name in cards:
                _refuse(f"Two plugins bring a {kind.__name__} of the same name.", card.name, origins[card.name], origin)
            cards[card.name], origins[card.name] = card, origin
    return MappingProxyType(cards), MappingProxyType(origins)


def _refuse(problem: str, name: str, first: Origin, second: Origin) -> None:
    others = dict.fromkeys(origin.distribution for origin in (second, first) if origin.distribution != hookspecs.PROJECT)
    hint = f"pip uninstall {', or '.join(others or [hookspecs.PROJECT])}; or its author gives it another name"
    raise PluginError(problem, got=f"'{name}' from {first} and from {second}", hint=hint)
