"""Every text that an artist can read has a translation, and every translation a text: found in the sources themselves."""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "blender_addon" / "posewire_live"
RIGS = SOURCE.parents[1] / "core" / "posewire" / "rigs"
"""The build copies them into the zip; their summaries are tooltips."""
LANGUAGES = sorted((SOURCE / "languages").glob("*.json"))
TELLING = {"LiveError", "ProtocolError", "OtherVersionError", "tell", "_line"}
"""Calls whose plain texts are shown."""
SHOWN_KEYWORDS = {"name", "description", "text", "placeholder"}
SHOWN_NAMES = {
    "bl_label",
    "bl_description",
    "_HINT",
    "_CHOOSE",
    "_KEY_HINT",
    "_REFUSED",
    "_REFUSED_KEY",
    "hint",
    "problem",
    "gone",
}
NAMES_OF_THEIR_OWN = {"Posewire", "FK", "IK", "VRM / Unity", "Mixamo", "Rigify", "Unreal 5 Manny"}
"""The same in every language."""


def shown() -> set[str]:
    """Every text of the sources that reaches the screen."""
    found: set[str] = set()
    for path in SOURCE.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            found |= set(texts_of(node, path.stem))
    found |= {json.loads(path.read_text(encoding="utf-8"))["summary"] for path in RIGS.glob("*.json")}
    return {text for text in found if any(c.isalpha() for c in text)} - NAMES_OF_THEIR_OWN


def texts_of(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in TELLING:
            yield from (text for argument in node.args for text in constants(argument))
        if name.endswith("Property") or name in ("label", "operator", "prop", "prop_search"):
            yield from (t for word in node.keywords if word.arg in SHOWN_KEYWORDS for t in constants(word.value))
            yield from (t for word in node.keywords if word.arg == "items" for t in rows(word.value))
        if name == "append" and module == "takes":
            yield from (text for argument in node.args for text in constants(argument))
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {target.id if isinstance(target, ast.Name) else getattr(target, "attr", "") for target in targets}
        if names & SHOWN_NAMES or (names & {"text"} and module == "panel"):
            yield from constants(node.value)
        if "_TITLES" in names and isinstance(node.value, ast.Dict):
            yield from (text for value in node.value.values for text in constants(value))
    elif isinstance(node, ast.FunctionDef) and node.name == "enum_items":
        yield from (text for inner in ast.walk(node) if isinstance(inner, ast.List) for text in rows(inner))
    elif isinstance(node, ast.FunctionDef) and node.name in ("act", "status"):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and inner.value is not None:
                yield from rows(ast.List([inner.value])) if node.name == "status" else constants(inner.value)


def constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*constants(node.body), *constants(node.orelse))


def rows(node: ast.expr) -> Iterator[str]:
    """Names and descriptions of an enumeration's items."""
    for item in node.elts if isinstance(node, ast.List) else ():
        if isinstance(item, ast.Tuple):
            yield from (text for part in item.elts[-2:] for text in constants(part))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_text_is_translated_and_no_translation_is_left_over(path: Path) -> None:
    texts, translated = shown(), set(json.loads(path.read_text(encoding="utf-8")))
    assert not texts - translated, sorted(texts - translated)
    assert not translated - texts, sorted(translated - texts)


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_a_translation_takes_the_same_values(path: Path) -> None:
    for text, own in json.loads(path.read_text(encoding="utf-8")).items():
        assert own.strip(), text
        assert fields(own) == fields(text), text


def test_there_is_a_language() -> None:
    assert [path.stem for path in LANGUAGES] == ["de"]
    assert len(shown()) > 150
