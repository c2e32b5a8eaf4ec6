"""Makes tests/wire/golden: NAME.bin, the bytes of one message, and NAME.json, what every decoder must make of them.

Run `python tests/wire/make_golden.py` after a change of docs/WIRE.md. It uses msgpack and struct, not posewire: the files
state the specification, not what the code happens to do. JSON: {"valid": true, "kind": ..., "value": {...}} or
{"valid": false, "why": ...}; null among the contacts stands for NaN; numbers agree within 1e-6.
"""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgpack

GOLDEN = Path(__file__).parent / "golden"
DIGEST, TALL = "00112233445566aa", "ffeeddccbbaa9988"
SESSION = "5e55a0000000c0de"
NAMES = ["pelvis", "spine", "left_hip", "left_knee"]
PARENTS = [-1, 0, 0, 2]
OFFSETS_M = [0.0, 0.9, 0.0, 0.0, 0.11, 0.0, 0.09, 0.0, 0.0, 0.0, -0.42, 0.01]
ROTATIONS = [1.0, 0.0, 0.0, 0.0, 0.8, 0.6, 0.0, 0.0, -0.5, 0.5, -0.5, 0.5, 0.0, 0.0, 0.28, -0.96]
CAMERA = [1.0, 0.0, 0.0, 0.25, 0.0, -1.0, 0.0, 1.5, 0.0, 0.0, -1.0, -3.0, 0.0, 0.0, 0.0, 1.0]
NAN = math.nan


def f4(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def f8(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def person(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "skeleton": DIGEST,
        "root_m": f4(0.1, 0.9, -2.5),
        "rotations_wxyz": f4(*ROTATIONS),
        "confidence": f4(1.0, 0.5, 0.0, 0.25),
        "contacts": f4(0.0, 0.125, 1.0, 0.75),
    } | changes


def pose(*people: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "session": SESSION,
        "sequence": 41,
        "media_time_s": 1.375,
        "capture_unix_ns": 1_800_000_000_000_000_001,
        "send_unix_ns": 1_800_000_000_012_345_678,
        "timecode": None,
        "people": list(people),
    } | changes


def subject(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "session": SESSION,
        "rig": "",
        "engine": "posewire 0.1.0",
        "method": "blazepose",
        "units": "m rad s",
        "names": NAMES,
        "parents": PARENTS,
        "dofs": [
            {"joint": 3, "name": "flexion", "axis": [1.0, 0.0, 0.0], "twist": False, "lower_rad": -0.125, "upper_rad": 2.5},
            {"joint": 1, "name": "rotation", "axis": [0.0, 1.0, 0.0], "twist": True, "lower_rad": -0.5, "upper_rad": 0.5},
        ],
        "skeletons": [{"digest": DIGEST, "offsets_m": f8(*OFFSETS_M)}],
        "people": [{"id": 0, "name": "person 0", "skeleton": DIGEST}],
        "T_world_camera": f8(*CAMERA),
        "camera_origin": "assumed",
    } | changes


def without(fields: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != key}


def message(topic: str, fields: dict[str, Any]) -> bytes:
    return topic.encode() + msgpack.packb(fields)


def two_people() -> dict[str, Any]:
    skeletons = [
        {"digest": DIGEST, "offsets_m": f8(*OFFSETS_M)},
        {"digest": TALL, "offsets_m": f8(*(1.25 * value for value in OFFSETS_M))},
    ]
    people = [{"id": 0, "name": "Zoë", "skeleton": TALL}, {"id": 7, "name": "person 7", "skeleton": DIGEST}]
    return subject(skeletons=skeletons, people=people)


def crowd() -> Iterator[dict[str, Any]]:
    """Ten people of 25 bones, for speed tests too."""
    draw = random.Random(7)
    for number in range(10):
        rotations: list[float] = []
        for _ in range(25):
            q = [draw.gauss(0, 1) for _ in range(4)]
            rotations += [value / math.hypot(*q) for value in q]
        root = f4(*(draw.uniform(-3, 3) for _ in range(3)))
        seen = f4(*(draw.random() for _ in range(25)))
        yield person(number, root_m=root, rotations_wxyz=f4(*rotations), confidence=seen, contacts=f4(*[NAN] * 4))


FUTURE: dict[str, Any] = {"new_in_1_1": {"deep": [1, [2.5, None, {"x": b"\x00"}]]}, "also_new": True}

VALID: dict[str, bytes] = {
    "pose_one_person": message("p//", pose(person())),
    "pose_two_people": message("p//", pose(person(0, skeleton=TALL), person(7))),
    "pose_nobody": message("p//", pose()),
    "pose_ten_people": message("p//", pose(*crowd())),
    "pose_rig": message("p/vrm/", pose(person())),
    "pose_timecode": message("p//", pose(person(), timecode=[86_399, 30_000, 1001])),
    "pose_without_timecode": message("p//", without(pose(person()), "timecode")),
    "pose_whole_number_time": message("p//", pose(person(), media_time_s=2)),
    "pose_clocks_unknown": message("p//", pose(person(), capture_unix_ns=0, send_unix_ns=0)),
    "pose_contacts_unknown": message("p//", pose(person(contacts=f4(NAN, NAN, 0.5, NAN)))),
    "pose_nearly_unit": message("p//", pose(person(rotations_wxyz=f4(*(1.004 * value for value in ROTATIONS))))),
    "pose_extra_keys": message("p//", pose(person(0, **FUTURE), **FUTURE)),
    "pose_shuffled_keys": message("p//", dict(reversed(pose(person()).items()))),
    "subject_native": message("s//", subject()),
    "subject_two_people": message("s//", two_people()),
    "subject_nobody": message("s//", subject(people=[], skeletons=[])),
    "subject_rig": message("s/vrm/", subject(rig="vrm", dofs=[])),
    "subject_without_dofs": message("s//", without(subject(), "dofs")),
    "subject_extra_keys": message("s//", subject(**FUTURE)),
    "subject_calibrated": message("s//", subject(camera_origin="calibrated", engine="", method="")),
}


def _bad_person(**changes: Any) -> bytes:
    return message("p//", pose(person(0, **changes)))


def _bad_pose(**changes: Any) -> bytes:
    return message("p//", pose(person(), **changes))


def _bad_subject(**changes: Any) -> bytes:
    return message("s//", subject(**changes))


def _bad_dof(**changes: Any) -> bytes:
    return _bad_subject(dofs=[subject()["dofs"][0] | changes])


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


# Lengths that promise more than there is: array 32, map 32, bin 32, str 32 of 4 GiB.
_HOSTILE = {"array": b"\xdd", "map": b"\xdf", "bin": b"\xc6", "str": b"\xdb"}

MALFORMED: dict[str, tuple[bytes, str]] = {
    "bad_empty": (b"", "no topic"),
    "bad_topic_only": (b"p//", "nothing after the topic"),
    "bad_topic_unclosed": (message("p/", pose(person())), "the topic has no second slash"),
    "bad_topic_kind": (message("q//", pose(person())), "unknown kind"),
    "bad_topic_rig_name": (message("p/VRM/", pose(person())), "capitals in a rig's name"),
    "bad_topic_rig_long": (message(f"p/{'x' * 65}/", pose(person())), "a rig's name of 65 bytes"),
    "bad_not_a_map": (b"p//" + msgpack.packb([1, 2]), "an array instead of a map"),
    "bad_reserved_byte": (b"p//\xc1", "msgpack's unused byte"),
    "bad_truncated_pose": (_cut(VALID["pose_one_person"]), "cut in the middle"),
    "bad_truncated_subject": (_cut(VALID["subject_native"]), "cut in the middle"),
    "bad_trailing_byte": (VALID["pose_one_person"] + b"\x00", "a byte after the map"),
    "bad_utf8": (VALID["pose_one_person"].replace(b"5e55", b"5e\xff5"), "a text that is not UTF-8"),
    "bad_deep_nesting": (b"p//\x81\xa1x" + b"\x91" * 5000 + b"\xc0", "5000 levels"),
    "bad_integer_keys": (b"p//" + msgpack.packb({1: 2}), "a key that is no text"),
    "bad_version_2": (_bad_pose(version=2), "another version"),
    "bad_version_missing": (message("p//", without(pose(person()), "version")), "no version"),
    "bad_version_text": (_bad_pose(version="1"), "the version as text"),
    "bad_session_missing": (message("p//", without(pose(person()), "session")), "no session"),
    "bad_session_empty": (_bad_pose(session=""), "an empty session"),
    "bad_session_long": (_bad_pose(session="x" * 129), "129 bytes of session"),
    "bad_session_number": (_bad_pose(session=5), "the session as number"),
    "bad_sequence_negative": (_bad_pose(sequence=-1), "a negative sequence"),
    "bad_sequence_large": (_bad_pose(sequence=2**63), "a sequence beyond 63 bits"),
    "bad_sequence_true": (_bad_pose(sequence=True), "true is no number"),
    "bad_sequence_float": (_bad_pose(sequence=1.0), "a float is no integer"),
    "bad_time_nan": (_bad_pose(media_time_s=NAN), "NaN"),
    "bad_time_infinite": (_bad_pose(media_time_s=math.inf), "infinity"),
    "bad_timecode_short": (_bad_pose(timecode=[1, 25]), "two numbers"),
    "bad_timecode_rate": (_bad_pose(timecode=[1, 0, 1]), "a rate of zero"),
    "bad_people_map": (_bad_pose(people={}), "people are an array"),
    "bad_people_numbers": (_bad_pose(people=[1]), "a person is a map"),
    "bad_people_same_id": (message("p//", pose(person(3), person(3))), "the same id twice"),
    "bad_people_many": (message("p//", pose(*(person(i) for i in range(257)))), "257 people"),
    "bad_id_negative": (_bad_person(id=-1), "a negative id"),
    "bad_id_large": (_bad_person(id=2**31), "an id beyond 31 bits"),
    "bad_root_short": (_bad_person(root_m=f4(0, 0)), "two numbers"),
    "bad_root_text": (_bad_person(root_m="x" * 12), "a text instead of a blob"),
    "bad_root_list": (_bad_person(root_m=[0.0, 0.0, 0.0]), "an array instead of a blob"),
    "bad_root_nan": (_bad_person(root_m=f4(0, NAN, 0)), "NaN"),
    "bad_root_infinite": (_bad_person(root_m=f4(0, math.inf, 0)), "infinity"),
    "bad_root_far": (_bad_person(root_m=f4(0, 10_001.0, 0)), "more than 10 km"),
    "bad_rotations_empty": (_bad_person(rotations_wxyz=b"", confidence=b""), "no bones"),
    "bad_rotations_ragged": (_bad_person(rotations_wxyz=f4(*ROTATIONS)[:-1]), "not a multiple of 16 bytes"),
    "bad_rotations_nan": (_bad_person(rotations_wxyz=f4(NAN, *ROTATIONS[1:])), "NaN"),
    "bad_rotations_signalling_nan": (
        _bad_person(rotations_wxyz=struct.pack("<I", 0x7FA00001) + f4(*ROTATIONS[1:])),
        "a signalling NaN",
    ),
    "bad_rotations_zero": (_bad_person(rotations_wxyz=f4(*[0.0] * 4, *ROTATIONS[4:])), "a quaternion of length 0"),
    "bad_rotations_long": (_bad_person(rotations_wxyz=f4(*(1.02 * value for value in ROTATIONS))), "length 1.02"),
    "bad_rotations_huge": (_bad_person(rotations_wxyz=f4(3e38, 3e38, 3e38, 3e38, *ROTATIONS[4:])), "length 6e38"),
    "bad_rotations_many": (
        _bad_person(rotations_wxyz=f4(1, 0, 0, 0) * 1025, confidence=f4(1) * 1025),
        "1025 bones",
    ),
    "bad_confidence_short": (_bad_person(confidence=f4(1, 1, 1)), "three for four bones"),
    "bad_confidence_nan": (_bad_person(confidence=f4(1, NAN, 1, 1)), "NaN"),
    "bad_confidence_large": (_bad_person(confidence=f4(1, 1.5, 1, 1)), "1.5"),
    "bad_contacts_short": (_bad_person(contacts=f4(1, 1, 1)), "three"),
    "bad_contacts_negative": (_bad_person(contacts=f4(1, -0.5, NAN, 1)), "-0.5"),
    "bad_contacts_infinite": (_bad_person(contacts=f4(1, math.inf, NAN, 1)), "infinity"),
    "bad_person_key_missing": (message("p//", pose(without(person(), "root_m"))), "no root"),
    "bad_rig_differs": (message("s/vrm/", subject(rig="mixamo")), "topic and field disagree"),
    "bad_units": (_bad_subject(units="cm deg s"), "unknown units"),
    "bad_names_empty": (_bad_subject(names=[], parents=[], skeletons=[], people=[], dofs=[]), "no bones"),
    "bad_names_twice": (_bad_subject(names=["a", "b", "c", "a"]), "the same name twice"),
    "bad_names_number": (_bad_subject(names=["a", "b", "c", 4]), "a name that is no text"),
    "bad_name_long": (_bad_subject(names=["a", "b", "c", "é" * 65]), "130 bytes of name"),
    "bad_parents_short": (_bad_subject(parents=[-1, 0, 0]), "three for four names"),
    "bad_parents_cycle": (_bad_subject(parents=[-1, 2, 1, 0]), "a parent after its child"),
    "bad_parents_self": (_bad_subject(parents=[-1, 0, 2, 1]), "its own parent"),
    "bad_parents_two_roots": (_bad_subject(parents=[-1, -1, 0, 2]), "two roots"),
    "bad_parents_no_root": (_bad_subject(parents=[0, 0, 0, 2]), "no root"),
    "bad_offsets_short": (_bad_subject(skeletons=[{"digest": DIGEST, "offsets_m": f8(*OFFSETS_M[3:])}]), "three for four bones"),
    "bad_offsets_float32": (_bad_subject(skeletons=[{"digest": DIGEST, "offsets_m": f4(*OFFSETS_M)}]), "offsets are doubles"),
    "bad_offsets_nan": (_bad_subject(skeletons=[{"digest": DIGEST, "offsets_m": f8(NAN, *OFFSETS_M[1:])}]), "NaN"),
    "bad_offsets_far": (_bad_subject(skeletons=[{"digest": DIGEST, "offsets_m": f8(101, *OFFSETS_M[1:])}]), "more than 100 m"),
    "bad_digest_twice": (_bad_subject(skeletons=2 * subject()["skeletons"]), "the same digest twice"),
    "bad_people_unknown_skeleton": (_bad_subject(people=[{"id": 0, "name": "x", "skeleton": TALL}]), "no such digest"),
    "bad_subject_same_id": (_bad_subject(people=2 * subject()["people"]), "the same id twice"),
    "bad_dof_joint": (_bad_dof(joint=4), "no such joint"),
    "bad_dof_axis": (_bad_dof(axis=[1.0, 0.0]), "two numbers"),
    "bad_dof_axis_nan": (_bad_dof(axis=[1.0, 0.0, NAN]), "NaN"),
    "bad_dof_twist": (_bad_dof(twist=1), "1 is not true"),
    "bad_dof_limit": (_bad_dof(upper_rad=1e300), "more than 7 rad"),
    "bad_camera_short": (_bad_subject(T_world_camera=f8(*CAMERA[:12])), "12 doubles"),
    "bad_camera_scaled": (_bad_subject(T_world_camera=f8(2.0, *CAMERA[1:])), "not a rotation"),
    "bad_camera_mirrored": (_bad_subject(T_world_camera=f8(-1.0, *CAMERA[1:])), "a mirror"),
    "bad_camera_last_row": (_bad_subject(T_world_camera=f8(*CAMERA[:15], 2.0)), "last row is not 0 0 0 1"),
    "bad_camera_origin": (_bad_subject(camera_origin="guessed"), "unknown origin"),
    **{f"bad_hostile_{name}": (b"p//\x81\xa6people" + head + b"\xff" * 4, "4 GiB promised") for name, head in _HOSTILE.items()},
}


def expected(data: bytes) -> dict[str, Any]:
    """What a valid message means, spelt out in JSON's types."""
    kind, rig, packed = data.split(b"/", 2)
    fields = msgpack.unpackb(packed)
    value = _subject_value(fields) if kind == b"s" else _pose_value(fields, rig.decode())
    return {"valid": True, "kind": "subject" if kind == b"s" else "pose", "value": value}


def _pose_value(fields: dict[str, Any], rig: str) -> dict[str, Any]:
    keys = ("session", "sequence", "media_time_s", "capture_unix_ns", "send_unix_ns")
    people = [_person_value(entry) for entry in fields["people"]]
    return {"rig": rig} | {key: fields[key] for key in keys} | {"timecode": fields.get("timecode"), "people": people}


def _person_value(entry: dict[str, Any]) -> dict[str, Any]:
    quaternions = _rows(_unpacked("f", entry["rotations_wxyz"]), 4)
    return {
        "id": entry["id"],
        "skeleton": entry["skeleton"],
        "root_m": _unpacked("f", entry["root_m"]),
        "rotations_wxyz": [[value / math.hypot(*q) for value in q] for q in quaternions],
        "confidence": _unpacked("f", entry["confidence"]),
        "contacts": [None if math.isnan(value) else value for value in _unpacked("f", entry["contacts"])],
    }


def _subject_value(fields: dict[str, Any]) -> dict[str, Any]:
    keys = ("session", "rig", "engine", "method", "names", "parents", "people", "camera_origin")
    skeletons = [{"digest": s["digest"], "offsets_m": _rows(_unpacked("d", s["offsets_m"]), 3)} for s in fields["skeletons"]]
    camera = _rows(_unpacked("d", fields["T_world_camera"]), 4)
    more = {"dofs": fields.get("dofs", []), "skeletons": skeletons, "T_world_camera": camera}
    return {key: fields[key] for key in keys} | more


def _unpacked(code: str, blob: bytes) -> list[float]:
    return [value for (value,) in struct.iter_unpack(f"<{code}", blob)]


def _rows(values: Sequence[float], width: int) -> list[list[float]]:
    return [list(values[i : i + width]) for i in range(0, len(values), width)]


def _as_json(value: Any) -> bytes:
    return json.dumps(value, indent=1, allow_nan=False).encode() + b"\n"


def files(
    valid: Mapping[str, bytes], malformed: Mapping[str, tuple[bytes, str]], read: Callable[[bytes], dict[str, Any]]
) -> Iterator[tuple[str, bytes]]:
    """File name and content of everything in a folder: each message, and beside it what it says or what is wrong."""
    for name, data in valid.items():
        yield f"{name}.bin", data
        yield f"{name}.json", _as_json(read(data))
    for name, (data, why) in malformed.items():
        yield f"{name}.bin", data
        yield f"{name}.json", _as_json({"valid": False, "why": why})


def all_files() -> Iterator[tuple[str, bytes]]:
    """Of this folder."""
    return files(VALID, MALFORMED, expected)


def write(folder: Path, content: Iterator[tuple[str, bytes]]) -> None:
    """Makes the folder anew."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in content:
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    write(GOLDEN, all_files())
