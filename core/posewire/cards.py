"""Checks what a plugin's hooks returned: the card's type, its name and its fields, before anything is listed or opened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from posewire.errors import PluginError
from posewire.methods import Measurement, MethodCard, RigCard, SourceCard

Card: TypeAlias = MethodCard | SourceCard | RigCard

HOOK_CARDS: Mapping[str, type[Card]] = MappingProxyType(
    {"posewire_methods": MethodCard, "posewire_sources": SourceCard, "posewire_rigs": RigCard}
)
"""Each hook and the cards that it returns."""

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""A name is typed on a command line and stands in file names and wire topics."""


def checked(hook: str, returned: object) -> tuple[Card, ...]:
    """The cards that a plugin's `hook` returned, each one checked.

    Raises:
        PluginError: not a collection of that hook's cards, a bad field, or one name twice.
    """
    if not isinstance(returned, Iterable):
        raise PluginError(f"{hook}() must return cards, in a list for example", got=type(returned).__name__)
    cards = tuple(_checked_card(hook, card) for card in returned)
    names = [card.name for card in cards]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PluginError(f"{hook}() returned the same name twice", got=", ".join(twice))
    return cards


def _checked_card(hook: str, card: object) -> Card:
    if not isinstance(card, HOOK_CARDS[hook]):
        raise PluginError(f"{hook}() returned something else than {HOOK_CARDS[hook].__name__}", got=repr(card))
    for field, (value, allowed, good) in _rules(card).items():
        if not good:
            raise PluginError(f"the card {card.name!r} has an unusable {field}", got=repr(value), allowed=allowed)
    return card


_Rule: TypeAlias = tuple[object, str, bool]
"""A field's value, what is allowed, whether it is so."""


def _rules(card: Card) -> dict[str, _Rule]:
    common = {"name": _name(card.name), "summary": _text(card.summary)}
    match card:
        case MethodCard():
            return common | _method_rules(card)
        case SourceCard():
            return common | {"example": _text(card.example), "matches": _callable(card.matches), "open": _callable(card.open)}
        case RigCard():
            return common | {"path": (card.path, "the path of an existing file", _is_file(card.path))}


def _method_rules(card: MethodCard) -> dict[str, _Rule]:
    return {
        "kind": (card.kind, "'estimator' or 'lifter'", card.kind in ("estimator", "lifter")),
        "joints": (card.joints, "a tuple of at least one keypoint name, none twice", _are_names(card.joints)),
        "multi_person": _truth(card.multi_person),
        "weights_licence": _text(card.weights_licence),
        "create": _callable(card.create),
        "accuracy": _measurements(card.accuracy),
        "speed": _measurements(card.speed),
        "weights": _weights(card),
    }


def _name(value: object) -> _Rule:
    return value, "lower-case letters, digits, '.', '_', '-'", isinstance(value, str) and bool(NAME_PATTERN.fullmatch(value))


def _truth(value: object) -> _Rule:
    return value, "True or False", isinstance(value, bool)


def _text(value: object) -> _Rule:
    return value, "a line of text", isinstance(value, str) and bool(value.strip())


def _measurements(value: object) -> _Rule:
    good = isinstance(value, tuple) and all(map(_is_measured, value))
    return value, "a tuple of Measurement: what, value and command, each a text", good


def _weights(card: MethodCard) -> _Rule:
    """The host gives --weights to the estimator."""
    good = card.weights == () or (card.kind == "estimator" and _are_names(card.weights))
    return card.weights, "a tuple of file names, none twice; () for a lifter", good


def _is_measured(value: object) -> bool:
    return isinstance(value, Measurement) and all(_text(part)[2] for part in (value.what, value.value, value.command))


def _callable(value: object) -> _Rule:
    return value, "a function", callable(value)


def _are_names(value: object) -> bool:
    if not isinstance(value, tuple) or not value:
        return False
    return all(isinstance(name, str) and name.strip() for name in value) and len(set(value)) == len(value)


def _is_file(value: object) -> bool:
    return isinstance(value, Path) and value.is_file()
