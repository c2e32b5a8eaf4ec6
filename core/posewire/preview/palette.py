"""Colours of the preview, RGB 0..255: a dark ground, one hue per person, the left side light and the right side deep."""

from __future__ import annotations

import colorsys

Colour = tuple[int, int, int]

BACKGROUND: Colour = (15, 17, 21)
PANEL_TOP: Colour = (27, 30, 37)
PANEL_BOTTOM: Colour = (17, 19, 24)
GRID: Colour = (52, 57, 68)
SHADOW: Colour = (9, 10, 13)
OUTLINE: Colour = (12, 13, 16)
TEXT: Colour = (226, 229, 235)
TEXT_DIM: Colour = (140, 146, 158)
_WHITE: Colour = (255, 255, 255)
_GUESSED = 0.65
"""How dark a bone is drawn that nobody saw."""
_PEOPLE: tuple[Colour, ...] = (
    (255, 138, 48),
    (48, 168, 255),
    (92, 208, 96),
    (236, 92, 176),
    (246, 204, 60),
    (152, 122, 255),
    (44, 206, 190),
    (240, 92, 84),
)
_SHADES = ((0.0, 1.0, 1.0), (0.01, 1.0, 0.62), (0.03, 0.5, 1.1))
"""For the first, second and third eight people: turn of the hue, factors of saturation and value. Of those that were tried
these keep the nearest two of 24 colours farthest apart (CIELAB distance 21)."""


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of b in a."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # pyright: ignore[reportReturnType] - three


def person_colour(person_id: int) -> Colour:
    """The colour of a person; repeats after 24 people. Identities count from 1."""
    eight, place = divmod(person_id - 1, len(_PEOPLE))
    return _shaded(_PEOPLE[place], *_SHADES[eight % len(_SHADES)])


def side_colour(person_id: int, joint: str) -> Colour:
    """The person's hue, light for names with `left`, deep for `right`."""
    base = person_colour(person_id)
    if "left" in joint:
        return mix(base, _WHITE, 0.55)
    return mix(base, OUTLINE, 0.15) if "right" in joint else mix(base, _WHITE, 0.2)


def joint_colour(person_id: int, joint: str, confidence: float) -> Colour:
    """The side's colour, dark where nothing was seen of the joint and the fit only says where it may rest."""
    colour = side_colour(person_id, joint)
    return mix(colour, OUTLINE, _GUESSED) if confidence == 0.0 else colour


def _shaded(colour: Colour, turn: float, saturation: float, value: float) -> Colour:
    """The colour with its hue turned and its saturation and value multiplied."""
    h, s, v = colorsys.rgb_to_hsv(*(c / 255 for c in colour))
    r, g, b = colorsys.hsv_to_rgb((h + turn) % 1.0, s * saturation, min(1.0, v * value))
    return round(255 * r), round(255 * g), round(255 * b)
