"""posewire bench many_people: pictures with so many people, and rows that say what they cost beside one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from posewire.bench import many_people
from posewire.bench.many_people import COUNTS, Seen

CUT = np.random.default_rng(0).integers(0, 255, (90, 60, 3), np.uint8)


def test_each_person_more_fills_one_place_more_and_changes_no_other() -> None:
    pictures = [many_people.composed([CUT], count)[0].image for count in COUNTS]
    filled = [(picture != many_people.composed([CUT], 0)[0].image).any(axis=-1).sum() for picture in pictures]
    for count, cells in zip(COUNTS, filled, strict=True):
        assert abs(cells / (count * filled[0]) - 1) < 0.01
    for fewer, more in pairwise(pictures):
        changed = (fewer != more).any(axis=-1)
        assert (fewer[changed] == fewer[-1, -1]).all()


def test_copies_are_at_different_moments() -> None:
    cuts = [np.full_like(CUT, level) for level in (10, 20, 30)]
    image = many_people.composed(cuts, 2)[0].image
    assert image[60, 60, 0] == 10 and image[60, 256 + 60, 0] == 20


def test_the_clip_s_person_is_cut_out_whole() -> None:
    frames = many_people.bundled_frames(1)
    cut = many_people.cut_outs(frames)[0]
    assert cut.shape[0] > 1.2 * cut.shape[1] and cut.size < 0.9 * frames[0].image.size


def test_a_row_says_what_so_many_cost_beside_one_and_how_many_were_seen() -> None:
    ours = {count: Seen(20.0 + 0.2 * count, count) for count in COUNTS}
    theirs = {count: Seen(10.0 * count, min(count, 4)) for count in COUNTS}
    rows = [many_people.row(count, ours, theirs) for count in COUNTS]
    assert [row.workload for row in rows] == ["1 person", "2 people", "5 people", "10 people"]
    assert rows[-1].name == "many_people" and rows[-1].unit == "ms per frame"
    assert rows[-1].ours == 22.0 and rows[-1].peer_value == 100.0
    assert rows[-1].note == "1.09 x the cost of one person, blazepose 10.00 x; 10 seen, blazepose 4"
