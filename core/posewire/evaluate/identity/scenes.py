"""Who walks where: six situations in which identities get lost, and a stranger in the place of somebody who left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posewire.evaluate.identity.cutouts import Shirt

WIDTH_PX, HEIGHT_PX = 960, 540
_FLOOR_PX = 510.0
_AWAY = -400.0
"""Outside the picture on the left; WIDTH_PX - _AWAY is outside on the right."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The walker, dressed, on a path."""

    shirt: Shirt | None
    path: tuple[tuple[float, float], ...]
    """(time_s, x_px) of the foot; straight between, standing before the first and after the last."""
    first_picture: int = 0
    """Where in the film of cutouts this one starts, so that no two do the same."""
    mirrored: bool = False
    tall: float = 0.8
    """Scale of the cutout; 0.8 is about 300 px."""
    floor_px: float = _FLOOR_PX

    def x_px(self, time_s: float) -> float:
        """Where the foot is."""
        times, places = zip(*self.path, strict=True)
        return float(np.interp(time_s, times, places))


@dataclass(frozen=True, slots=True)
class Screen:
    """A thing in front of everybody: x0, x1 of a folding screen from the ceiling to the floor."""

    x0_px: int
    x1_px: int


@dataclass(frozen=True, slots=True)
class Scene:
    """Actors from back to front, and what hides them."""

    name: str
    duration_s: float
    actors: tuple[Actor, ...]
    screens: tuple[Screen, ...] = ()


RED, BLUE, GREEN = Shirt(355, 0.65), Shirt(215, 0.6), Shirt(130, 0.5)
_ALIKE = Shirt(215, 0.6), Shirt(221, 0.55, 0.93), Shirt(209, 0.66, 1.05)

SCENES = (
    Scene(
        "two people cross",
        4.0,
        (Actor(RED, ((0, 180), (4, 780))), Actor(BLUE, ((0, 780), (4, 180)), 12, mirrored=True, floor_px=520)),
    ),
    Scene(
        "two people meet and turn back",
        4.0,
        (
            Actor(GREEN, ((0, 150), (2, 450), (4, 150))),
            Actor(BLUE, ((0, 810), (2, 510), (4, 810)), 17, mirrored=True, floor_px=520),
        ),
    ),
    Scene(
        "three alike cross",
        5.0,
        (
            Actor(_ALIKE[0], ((0, 480), (5, 500)), 8, tall=0.72, floor_px=480),
            Actor(_ALIKE[1], ((0, 160), (5, 800))),
            Actor(_ALIKE[2], ((0, 800), (5, 160)), 20, mirrored=True, floor_px=520),
        ),
    ),
    Scene(
        "hidden for 2 s",
        5.5,
        (Actor(RED, ((0, 120), (1.0, 350), (4.2, 610), (5.5, 860))), Actor(BLUE, ((0, 840), (2.5, 820), (5.5, 250)), 10)),
        (Screen(290, 670),),
    ),
    Scene(
        "leaves, returns after 3 s",
        5.5,
        (
            Actor(GREEN, ((0, 300), (5.5, 380)), 14),
            Actor(
                RED, ((0, 700), (1.5, WIDTH_PX + 160), (1.6, WIDTH_PX - _AWAY), (3.7, WIDTH_PX - _AWAY), (3.8, 1120), (5.3, 650))
            ),
        ),
    ),
    Scene(
        "another comes instead",
        5.5,
        (
            Actor(GREEN, ((0, 300), (5.5, 380)), 14),
            Actor(RED, ((0, 700), (1.5, WIDTH_PX + 160), (1.6, WIDTH_PX - _AWAY))),
            Actor(BLUE, ((3.7, WIDTH_PX - _AWAY), (3.8, 1120), (5.3, 650)), 22),
        ),
    ),
    Scene(
        "side by side",
        4.0,
        (Actor(_ALIKE[0], ((0, 200), (4, 620)), 3), Actor(_ALIKE[1], ((0, 320), (4, 740)), 21, floor_px=520)),
    ),
)
