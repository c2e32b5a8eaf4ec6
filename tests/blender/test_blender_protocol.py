"""The add-on's decoder replays the golden messages, and any bytes give a message or its one error."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from posewire_live import msgpack_reader
from posewire_live.protocol import OtherVersionError, Pose, ProtocolError, Subject, decode

FILES = sorted((Path(__file__).parents[1] / "wire" / "golden").glob("*.bin"))
DATA = [path.read_bytes() for path in FILES if path.stat().st_size < 4000]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(), st.binary(max_size=100))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
RUNS = settings(max_examples=400, deadline=None)


def as_json(message: Subject | Pose) -> dict[str, Any]:
    if isinstance(message, Pose):
        keys = ("rig", "session", "sequence", "media_time_s", "capture_unix_ns", "send_unix_ns", "timecode")
        return {key: getattr(message, key) for key in keys} | {"people": [person_as_json(p) for p in message.people]}
    keys = ("session", "rig", "engine", "method", "names", "parents", "camera_origin", "dofs")
    return {key: getattr(message, key) for key in keys} | {
        "people": [{"id": p.person_id, "name": p.name, "skeleton": p.skeleton} for p in message.people],
        "skeletons": [{"digest": digest, "offsets_m": s.offsets_m.tolist()} for digest, s in message.skeletons.items()],
        "T_world_camera": message.T_world_camera.tolist(),
    }


def person_as_json(person: Any) -> dict[str, Any]:
    contacts = [None if math.isnan(value) else value for value in person.contacts.tolist()]
    values = {key: getattr(person, key).tolist() for key in ("root_m", "rotations_wxyz", "confidence")}
    return {"id": person.person_id, "skeleton": person.skeleton, "contacts": contacts} | values


def assert_same(got: Any, want: Any, where: str = "value") -> None:
    if isinstance(want, dict):
        for key, value in want.items():
            assert_same(got[key], value, f"{where}.{key}")
    elif isinstance(want, list):
        assert len(got) == len(want), where
        for i, value in enumerate(want):
            assert_same(got[i], value, f"{where}[{i}]")
    elif isinstance(want, float):
        assert got == pytest.approx(want, abs=1e-6), where
    else:
        assert got == want, where


def test_there_are_golden_messages() -> None:
    assert len(FILES) >= 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_message_decodes_as_its_json_says(path: Path) -> None:
    want = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if not want["valid"]:
        with pytest.raises(ProtocolError):
            decode(path.read_bytes())
        return
    message = decode(path.read_bytes())
    assert isinstance(message, Pose if want["kind"] == "pose" else Subject)
    assert_same(as_json(message), want["value"])


def test_another_version_is_told_apart_and_says_what_to_do() -> None:
    data = next(path for path in FILES if path.stem == "bad_version_2").read_bytes()
    with pytest.raises(OtherVersionError, match=r"version 2.*version 1.*Update"):
        decode(data)


def check_total(data: bytes) -> None:
    try:
        message = decode(data)
    except ProtocolError:
        return
    if isinstance(message, Pose):
        for person in message.people:
            assert np.isfinite(person.root_m).all()
            assert np.allclose(np.linalg.norm(person.rotations_wxyz, axis=1), 1.0)


@RUNS
@given(st.sampled_from([b"", b"s//", b"p//", b"p/vrm/"]), st.binary(max_size=300))
def test_random_bytes(prefix: bytes, data: bytes) -> None:
    check_total(prefix + data)


@RUNS
@given(st.sampled_from(["s//", "p//"]), VALUES)
def test_any_msgpack_value_after_a_topic(prefix: str, value: Any) -> None:
    check_total(prefix.encode() + msgpack.packb(value))


@RUNS
@given(st.sampled_from(DATA), st.data())
def test_golden_messages_with_flipped_bytes(golden: bytes, data: st.DataObject) -> None:
    mutated = bytearray(golden)
    for _ in range(data.draw(st.integers(1, 4))):
        if mutated:
            mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    check_total(bytes(mutated))


@RUNS
@given(st.sampled_from(DATA), st.data())
def test_one_field_replaced_by_anything(golden: bytes, data: st.DataObject) -> None:
    try:
        fields = msgpack.unpackb(golden.split(b"/", 2)[2])
    except (ValueError, IndexError, msgpack.UnpackException):
        return
    if not isinstance(fields, dict):
        return
    inner = [fields, *(e for value in fields.values() if isinstance(value, list) for e in value if isinstance(e, dict) and e)]
    place = data.draw(st.sampled_from(inner))
    if not all(isinstance(key, str) for key in place):
        return
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES)
    check_total(golden[:3] + msgpack.packb(fields))


@RUNS
@given(VALUES)
def test_our_msgpack_reads_what_msgpack_writes(value: Any) -> None:
    def plain(x: Any) -> Any:  # NaN is not equal to itself
        return repr(x)

    assert plain(msgpack_reader.unpack(msgpack.packb(value))) == plain(value)


@pytest.mark.parametrize("value", [10**5 * "x", list(range(70_000)), b"y" * 70_000, {str(i): i for i in range(70_000)}, -(2**63)])
def test_our_msgpack_reads_large_values(value: Any) -> None:
    assert msgpack_reader.unpack(msgpack.packb(value)) == value


def test_our_msgpack_reads_extensions_and_single_floats() -> None:
    assert msgpack_reader.unpack(msgpack.packb(msgpack.ExtType(5, b"abc"))) == msgpack_reader.Extension(5, b"abc")
    assert msgpack_reader.unpack(msgpack.packb(0.5, use_single_float=True)) == 0.5
