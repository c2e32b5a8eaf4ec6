"""The hooks are few, typed, prefixed, called at start-up, and documented as they are."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from posewire import cards, hookspecs, methods

DOCUMENT = Path(__file__).parents[2] / "docs" / "PLUGINS.md"
HOOKS: dict[str, Callable[[], object]] = {
    name: function for name, function in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("posewire_")
}


def test_the_hooks_are_those_whose_cards_are_checked() -> None:
    assert set(HOOKS) == set(cards.HOOK_CARDS)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_takes_nothing_and_returns_typed_cards(name: str) -> None:
    assert not inspect.signature(HOOKS[name]).parameters
    assert typing.get_type_hints(HOOKS[name])["return"] == Iterable[cards.HOOK_CARDS[name]]


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_a_pluggy_specification_and_says_what_it_is_for(name: str) -> None:
    assert hasattr(HOOKS[name], f"{hookspecs.PROJECT}_spec")
    assert (HOOKS[name].__doc__ or "").strip().endswith(".")


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_the_documented_signature_is_the_real_one(name: str) -> None:
    documented = re.findall(rf"`({name}\([^`]*)`", DOCUMENT.read_text(encoding="utf-8"))
    real = f"{name}{inspect.signature(HOOKS[name], eval_str=False)}".replace("'", "")
    assert documented, f"{name} is not in {DOCUMENT.name}"
    assert set(documented) == {real}


def test_every_card_field_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for card in (methods.MethodCard, methods.SourceCard, methods.RigCard):
        (section,) = re.findall(rf"### {card.__name__}\n(.*?)(?=\n#)", text, flags=re.DOTALL)
        assert re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE) == list(card.__dataclass_fields__)
