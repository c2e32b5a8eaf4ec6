"""The add-on's side of the engine, without either."""

from __future__ import annotations

from pathlib import Path

import pytest
from posewire_live.engine import Again, free_take


def test_a_new_take_never_has_the_name_of_an_earlier_one(tmp_path: Path) -> None:
    names: list[str] = []
    for _ in range(3):
        take = free_take(tmp_path, "walk.v1")
        assert not take.exists()
        take.touch()
        names.append(take.name)
    assert names == ["walk.v1.pwt", "walk.v1_2.pwt", "walk.v1_3.pwt"]
    assert free_take(tmp_path, "walk.v1_refined").name == "walk.v1_refined.pwt"


@pytest.mark.parametrize(("smooth_s", "said"), [(None, []), (0.0, ["--smooth", "none"]), (0.1, ["--smooth", "0.1"])])
def test_refining_leaves_the_smoothing_to_the_engine_unless_one_is_chosen(smooth_s: float | None, said: list[str]) -> None:
    assert Again(smooth_s).flags() == [*said, "--ground", "keep"]
