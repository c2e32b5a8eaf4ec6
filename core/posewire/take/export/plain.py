"""Values as the text formats write them."""

from __future__ import annotations

import math
from collections.abc import Iterable

DECIMALS = 6
"""Micrometres and microradians: below what float32 holds of a metre."""
CONTACT_NAMES = ("left_heel", "left_toe", "right_heel", "right_toe")


def number(value: float) -> str:
    """A number, or nothing where it is NaN or infinite."""
    return f"{value:.{DECIMALS}f}" if math.isfinite(value) else ""


def numbers(values: Iterable[float]) -> list[str]:
    """Several numbers."""
    return [number(value) for value in values]


def one_word(name: str) -> str:
    """A name without the white space that would end it in BVH and TRC."""
    return "_".join(name.split()) or "_"
