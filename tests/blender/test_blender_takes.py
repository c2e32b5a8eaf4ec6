"""The add-on's own reader replays the golden takes; any bytes give a take or its one error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from posewire_live.errors import LiveError
from posewire_live.ground import lowest_m
from posewire_live.takes import parse_take, read_take
from take_samples import floor_found_at, on_a_floor, pose, write

from posewire import rotation
from posewire.skeleton import REFERENCE

GOLDEN = sorted((Path(__file__).parents[1] / "take" / "golden").glob("*.pwt"))
INTACT = next(path for path in GOLDEN if path.stem == "intact").read_bytes()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_take_reads_as_its_json_says(path: Path) -> None:
    want = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    take = read_take(path)
    assert take.complete == want["complete"]
    assert bool(take.damage) == want["damaged"]
    assert take.frames == len(want["kept"])
    people = sorted({pose["person_id"] for frame in want["frames"] for pose in frame["poses"]})
    assert [motion.person_id for motion in take.motions] == people
    for motion in take.motions:
        check_motion(motion, want)


def check_motion(motion: Any, want: dict[str, Any]) -> None:
    rows = [(f["time_s"], p) for f in want["frames"] for p in f["poses"] if p["person_id"] == motion.person_id]
    assert np.allclose(motion.time_s, [time_s for time_s, _ in rows])
    for name in ("root_m", "rotations_wxyz"):
        assert np.allclose(getattr(motion, name), [pose[name] for _, pose in rows], atol=1e-6)
    contacts = np.array([[np.nan if value is None else value for value in pose["contacts"]] for _, pose in rows])
    assert np.allclose(motion.contacts, contacts, equal_nan=True)
    digest = [f["skeletons"] for f in want["frames"] if str(motion.person_id) in f["skeletons"]][-1][str(motion.person_id)]
    assert np.allclose(motion.skeleton.offsets_m, want["skeletons"][digest]["offsets_m"])


def test_nobody_jumps_where_the_run_found_the_floor(tmp_path: Path) -> None:
    T = np.eye(4)
    T[:3, :3], T[1, 3] = rotation.to_matrix(rotation.exp([-0.32, 0.0, 0.0])), 2.93
    take = read_take(write(tmp_path / "floor.pwt", floor_found_at(17, "estimated", T)))
    assert take.floor_known and take.on_the_ground() is take
    positions = REFERENCE.positions_m(take.motions[0].root_m, take.motions[0].rotations_wxyz)
    assert np.allclose(positions, [on_a_floor(pose(1, i / 30), T).positions_m for i in range(40)], atol=1e-5)


def test_where_no_floor_was_found_the_lowest_stand_on_the_ground(tmp_path: Path) -> None:
    take = read_take(write(tmp_path / "no_floor.pwt", floor_found_at(99, "estimated", np.eye(4))))
    assert not take.floor_known
    before, after = take.motions[0], take.on_the_ground().motions[0]
    lowest = lowest_m(after.skeleton, after.root_m, after.rotations_wxyz)
    positions = REFERENCE.positions_m(after.root_m, after.rotations_wxyz)
    assert np.allclose(lowest, positions[..., 1].min(axis=1), atol=1e-6)
    assert np.isclose(np.percentile(lowest, 5), 0.0, atol=1e-6)
    assert np.ptp(after.root_m - before.root_m, axis=0).max() < 1e-6


def test_a_file_that_is_no_take_is_a_readable_error(tmp_path: Path) -> None:
    (tmp_path / "film.pwt").write_bytes(b"RIFF" * 1000)
    for name in ("film.pwt", "missing.pwt"):
        with pytest.raises(LiveError, match=name):
            read_take(tmp_path / name)


def check_total(data: bytes) -> None:
    try:
        take = parse_take(data, "x.pwt")
    except LiveError:
        return
    for motion in take.motions:
        assert np.isfinite(motion.rotations_wxyz).all()
        assert (np.diff(motion.time_s) >= 0).all()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_give_a_take_or_an_error(data: st.DataObject) -> None:
    start, end = sorted((data.draw(st.integers(0, len(INTACT))), data.draw(st.integers(0, len(INTACT)))))
    check_total(INTACT[:start] + data.draw(st.binary(max_size=30)) + INTACT[end:])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_record_with_any_field_replaced_gives_a_take_or_an_error(data: st.DataObject) -> None:
    """The checksums hold, the content lies: only the checks of the fields stand between it and Blender."""
    from posewire.take.chunks import pack, scan, unpack

    chunks = [(chunk.kind, unpack(chunk)) for chunk in scan(INTACT)[0]]
    kind, record = data.draw(st.sampled_from([row for row in chunks if row[1]]))
    place = record
    if kind == b"FRAM" and data.draw(st.booleans()):
        place = data.draw(st.sampled_from(record["people"]))
        if "pose" in place and data.draw(st.booleans()):
            place = place["pose"]
    junk = st.one_of(
        st.none(), st.integers(-5, 2**40), st.binary(max_size=64), st.text(max_size=5), st.lists(st.none(), max_size=2)
    )
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(junk)
    check_total(b"".join(pack(kind, record) for kind, record in chunks))
