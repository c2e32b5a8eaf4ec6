"""The golden files say what the specification says, and this decoder and encoder agree with them."""

from __future__ import annotations

import json
import math
from typing import Any

import make_golden
import pytest

from posewire.errors import WireError
from posewire.wire import PoseMessage, SubjectMessage, decode, encode

FILES = sorted(make_golden.GOLDEN.glob("*.bin"))
NOT_AS_WE_WRITE = {"pose_without_timecode", "pose_whole_number_time", "pose_nearly_unit", "pose_shuffled_keys"}
NOT_AS_WE_WRITE |= {"pose_ten_people", "pose_extra_keys", "subject_extra_keys", "subject_without_dofs"}


def as_json(message: PoseMessage | SubjectMessage) -> dict[str, Any]:
    if isinstance(message, PoseMessage):
        keys = ("rig", "session", "sequence", "media_time_s", "capture_unix_ns", "send_unix_ns", "timecode")
        return {key: getattr(message, key) for key in keys} | {"people": [person_as_json(p) for p in message.people]}
    keys = ("session", "rig", "engine", "method", "names", "parents", "camera_origin")
    skeletons = [{"digest": digest, "offsets_m": s.offsets_m.tolist()} for digest, s in message.skeletons.items()]
    return {key: getattr(message, key) for key in keys} | {
        "people": [{"id": p.person_id, "name": p.name, "skeleton": p.skeleton} for p in message.people],
        "dofs": [
            {"joint": message.names.index(d.joint), "name": d.name, "axis": d.axis, "twist": d.twist}
            | {"lower_rad": math.radians(d.lower_deg), "upper_rad": math.radians(d.upper_deg)}
            for d in message.dofs
        ],
        "skeletons": skeletons,
        "T_world_camera": message.T_world_camera.tolist(),
    }


def person_as_json(person: Any) -> dict[str, Any]:
    contacts = [None if math.isnan(value) else value for value in person.contacts.tolist()]
    keys = ("root_m", "rotations_wxyz", "confidence")
    values = {key: getattr(person, key).tolist() for key in keys}
    return {"id": person.person_id, "skeleton": person.skeleton, "contacts": contacts} | values


def assert_same(got: Any, want: Any, where: str = "value") -> None:
    """Structure and texts exactly, floats within 1e-6."""
    if isinstance(want, dict):
        assert got.keys() == want.keys(), where
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


def test_the_files_are_those_that_the_script_makes() -> None:
    made = dict(make_golden.all_files())
    there = {path.name: path.read_bytes() for path in make_golden.GOLDEN.iterdir()}
    assert there.keys() == made.keys(), "run python tests/wire/make_golden.py"
    assert [name for name, content in made.items() if there[name] != content] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_message_decodes_as_its_json_says(path: Any) -> None:
    want = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if not want["valid"]:
        with pytest.raises(WireError):
            decode(path.read_bytes())
        return
    message = decode(path.read_bytes())
    assert isinstance(message, PoseMessage if want["kind"] == "pose" else SubjectMessage)
    assert_same(as_json(message), want["value"])


@pytest.mark.parametrize("name", sorted(set(make_golden.VALID) - NOT_AS_WE_WRITE))
def test_what_was_decoded_encodes_to_the_same_bytes(name: str) -> None:
    data = make_golden.VALID[name]
    assert encode(decode(data)) == data


def test_another_version_is_an_error_that_names_both() -> None:
    with pytest.raises(WireError, match=r"(?s)another version.*got: +2.*allowed: 1.*update"):
        decode(make_golden.MALFORMED["bad_version_2"][0])


def test_a_malformed_field_is_named_in_the_error() -> None:
    with pytest.raises(WireError, match=r"pose\.people\[0\]\.confidence"):
        decode(make_golden.MALFORMED["bad_confidence_nan"][0])
    with pytest.raises(WireError, match=r"subject\.dofs\[0\]\.joint"):
        decode(make_golden.MALFORMED["bad_dof_joint"][0])
