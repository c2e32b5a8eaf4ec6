# SPDX-License-Identifier: GPL-3.0-or-later
"""The one deliberate error: a sentence for the panel and what to do next."""

from __future__ import annotations


class LiveError(Exception):
    """Something that the user can act on; operators report it, the panel shows it, nobody sees a traceback.

    Args:
        problem: What is wrong, in one sentence; a name in braces stands for one of the values, so that it can be translated.
        hint: What to do next; empty = nothing comes to mind.
    """

    def __init__(self, problem: str, hint: str = "", /, **values: object) -> None:
        self.problem, self.hint, self.values = problem, hint, values
        super().__init__(" ".join(part.format(**values) for part in (problem, hint) if part))


def deleted(name: str) -> LiveError:
    """What to say of a character whose armature is no longer in any scene."""
    return LiveError("{name} was deleted.", "Make a new stand-in for it, choose another armature, or remove it.", name=name)
