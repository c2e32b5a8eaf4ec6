"""The golden takes in golden/, which every decoder replays."""

from __future__ import annotations

import json

import pytest
from make_golden_takes import CASES, GOLDEN, described, instants

from posewire.take import read_take
from posewire.take.descriptions import header_record


@pytest.mark.parametrize("name", CASES)
def test_a_golden_take_reads_as_its_json_says(name):
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    take = read_take(GOLDEN / f"{name}.pwt")
    assert json.loads(json.dumps(header_record(take.header))) == expected["header"]
    assert [frame.index for frame in take] == expected["kept"]
    assert [json.loads(json.dumps(described(frame))) for frame in take] == expected["frames"]
    assert take.complete == expected["complete"]
    assert bool(take.damage) == expected["damaged"]


def test_the_golden_takes_keep_what_the_damage_left():
    kept = {name: json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["kept"] for name in CASES}
    everything = [values[0].index for values in instants()]
    assert kept["intact"] == kept["from_the_future"] == everything
    assert kept["only_a_header"] == []
    assert kept["cut"] == everything[: len(kept["cut"])]
    assert 0 < len(kept["cut"]) < len(everything)
    lost = sorted(set(everything) - set(kept["flipped"]))
    assert lost == list(range(lost[0], lost[-1] + 1))
    assert 0 < lost[0] < lost[-1] < everything[-1]
