"""Identities on real footage: the walker of the bundled clip in several clothes, seen by the real method."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from perturbing import Perturbation, filmed
from robustness import perturbed_runs

from posewire.evaluate.identity import SCENES, Actor, Footage, Scene, Screen, follow_scenes, identity_json, identity_table
from posewire.evaluate.identity.compositing import Composite, Truth
from posewire.evaluate.identity.cutouts import FRAMES_PER_S, Shirt, dressed
from posewire.settings import Settings


def scene(name: str) -> Scene:
    return next(one for one in SCENES if one.name == name)


def truth_of(name: str, footage: Footage) -> list[Truth]:
    source = Composite(scene(name), footage)
    assert len(list(source)) == len(source.truth) == source.frame_count
    return source.truth


def longest_s(states: list[bool]) -> float:
    """Longest run of True, seconds."""
    runs = "".join("x" if state else " " for state in states).split()
    return max(map(len, runs), default=0) / FRAMES_PER_S


def test_the_walker_is_cut_out_of_the_whole_clip(footage: Footage) -> None:
    assert len(footage.cutouts) == 34
    heights = [cutout.image.shape[0] for cutout in footage.cutouts]
    assert min(heights) > 250
    assert max(heights) < 450
    shares = [float(cutout.mask.mean()) for cutout in footage.cutouts]
    assert min(shares) > 0.15, "less than a body"
    assert max(shares) < 0.7, "the whole box"


def test_the_room_is_empty_and_complete(footage: Footage) -> None:
    assert footage.room.min(axis=2).std() > 20, "a room has contrast"
    assert (footage.room.max(axis=2) == 0).mean() < 0.01, "nothing is left out"


@pytest.mark.parametrize("hue_deg", [0, 130, 215])
def test_a_shirt_has_the_hue_that_was_asked_for(footage: Footage, hue_deg: float) -> None:
    cutout = footage.cutouts[0]
    image = dressed(cutout, Shirt(hue_deg, 0.6))
    hues = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[cutout.shirt > 0.9, 0].astype(float)
    turned = (2 * hues - hue_deg + 180) % 360 - 180
    assert abs(np.median(turned)) < 4
    np.testing.assert_array_equal(image[cutout.shirt == 0], cutout.image[cutout.shirt == 0])


def test_somebody_is_fully_hidden_for_two_seconds(footage: Footage) -> None:
    truth = truth_of("hidden for 2 s", footage)
    assert longest_s([float(one.visible[0]) < 0.01 for one in truth]) >= 2.0
    assert all(np.isfinite(one.boxes_px[0]).all() for one in truth), "hidden, but inside the picture"


def test_somebody_is_out_of_the_picture_for_about_three_seconds_and_returns(footage: Footage) -> None:
    truth = truth_of("leaves, returns after 3 s", footage)
    assert longest_s([bool(np.isnan(one.boxes_px[1]).any()) for one in truth]) == pytest.approx(3.0, abs=0.3)
    assert truth[-1].visible[1] > 0.9


def test_people_hide_one_another_when_they_cross(footage: Footage) -> None:
    truth = truth_of("two people cross", footage)
    assert min(float(one.visible[0]) for one in truth) < 0.7
    assert min(float(one.visible[1]) for one in truth) > 0.95, "who walks in front is never hidden"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "switches", "idf1"),
    [
        ("two people cross", 0, 0.85),
        ("three alike cross", 2, 0.6),  # a pixel of the background more or less decides which of the three the method loses
        ("hidden for 2 s", 0, 0.75),  # the room's model skeleton is taken for somebody now and then, with an id of its own
        ("leaves, returns after 3 s", 0, 0.85),
    ],
)
def test_identities_last(footage: Footage, name: str, switches: int, idf1: float) -> None:
    (result,) = follow_scenes(Settings(), [scene(name)], footage)
    assert result.score.switches <= switches
    assert result.identities <= result.people + (name == "hidden for 2 s")
    assert result.score.idf1 > idf1
    assert identity_json([result], "blazepose")["all"]["switches"] == result.score.switches
    assert identity_table([result], "blazepose").row_count == 2


SIGN = Scene(
    "two alike meet behind a sign",
    5.0,
    (
        Actor(Shirt(25, 0.5, 0.7), ((0, 300), (1.5, 455), (2.5, 455), (4, 600), (5, 640)), tall=0.4, floor_px=400),
        Actor(
            Shirt(5, 0.4, 0.55), ((0, 640), (1.5, 485), (2.5, 485), (4, 340), (5, 280)), 12, mirrored=True, tall=0.4, floor_px=405
        ),
    ),
    (Screen(430, 510),),
)
"""Small in the picture, in brown jackets, hidden together for a second, each going on as before: who comes out where?"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("change", [Perturbation("unchanged"), Perturbation("moved", shift_px=(1, 0))], ids=lambda one: one.name)
def test_two_alike_who_meet_behind_a_sign_come_out_as_themselves(footage: Footage, change: Perturbation) -> None:
    source = Composite(SIGN, footage)
    (run,) = perturbed_runs(SIGN.name, filmed(source), source.truth, [change], Settings())
    assert run.score.switches == 0
    assert run.found_last == run.asked_last == 2
    assert run.score.idf1 > 0.6
