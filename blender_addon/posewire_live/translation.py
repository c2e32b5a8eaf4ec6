# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the artist's language: languages/*.json map each English text to its translation, Blender chooses.

What Blender draws by itself (names, tooltips, labels) it looks up alone; `tell` and `say` are for texts with values in them,
which are looked up before the values are put in. All of ours has a context of its own: without one Blender's own dictionary
comes first, where Characters are letters.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_rpt

from .errors import LiveError

FOLDER = Path(__file__).parent / "languages"
_LOCALES = {"de": ("de", "de_DE")}
"""A language and what the versions of Blender call it; a language that is not here has one name."""
CONTEXT = "Posewire"
_TOOLTIPS = "*"
"""Blender looks tooltips up in its default context only."""


def read(path: Path) -> dict[str, str]:
    """English text to translation."""
    return json.loads(path.read_text(encoding="utf-8"))


def register() -> None:
    """Tells Blender every language."""
    table: dict[str, dict[tuple[str, str], str]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        texts = {(context, text): own for text, own in read(path).items() for context in (CONTEXT, _TOOLTIPS)}
        table |= dict.fromkeys(_LOCALES.get(path.stem, (path.stem,)), texts)
    bpy.app.translations.register(__package__ or "", table)


def unregister() -> None:
    """Takes them back."""
    bpy.app.translations.unregister(__package__ or "")


def give_context(cls: type) -> None:
    """Marks a class that is not registered yet, and its properties, as texts of ours."""
    if issubclass(cls, bpy.types.Operator | bpy.types.Panel):
        cls.bl_translation_context = CONTEXT
    for entry in getattr(cls, "__annotations__", {}).values():
        entry.keywords["translation_context"] = CONTEXT


def tell(text: str, /, **values: object) -> str:  # positional: a value may be called text, too
    """A text with values in it, in the artist's language."""
    own = pgettext_rpt(text, CONTEXT)
    return own.format(**values) if values else own


def say(error: LiveError) -> str:
    """What an error says, in the artist's language."""
    return " ".join(tell(part, **error.values) for part in (error.problem, error.hint) if part)
