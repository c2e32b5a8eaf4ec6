"""Any bytes give a message or a WireError; whatever decodes keeps the promises of its type."""

from __future__ import annotations

from typing import Any

import make_golden
import msgpack
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from posewire.errors import WireError
from posewire.wire import PoseMessage, SubjectMessage, decode, encode, topic
from posewire.wire.limits import MAX_MESSAGE_BYTES

GOLDEN = sorted(set(make_golden.VALID.values()) | {data for data, _ in make_golden.MALFORMED.values() if len(data) < 4000})
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(), st.binary(max_size=100))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
RUNS = settings(max_examples=600, deadline=None)


def check_total(data: bytes) -> None:
    """Decodes, or fails by WireError; and what decoded is sound and survives the way through our own encoder."""
    try:
        message = decode(data)
    except WireError:
        return
    assert_sound(message)
    assert_sound(decode(encode(message)))


def assert_sound(message: PoseMessage | SubjectMessage) -> None:
    if isinstance(message, SubjectMessage):
        assert all(person.skeleton in message.skeletons for person in message.people)
        assert all(np.isfinite(skeleton.offsets_m).all() for skeleton in message.skeletons.values())
        assert np.isfinite(message.T_world_camera).all()
        return
    assert np.isfinite(message.media_time_s)
    for person in message.people:
        assert np.isfinite(person.root_m).all()
        assert np.allclose(np.linalg.norm(person.rotations_wxyz, axis=1), 1.0, atol=1e-12)
        assert len(person.confidence) == len(person.rotations_wxyz)
        assert ((person.confidence >= 0) & (person.confidence <= 1)).all()


@RUNS
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    check_total(data)


@RUNS
@given(st.sampled_from(["s//", "p//", "p/vrm/"]), VALUES)
def test_any_msgpack_value_after_a_topic(prefix: str, value: Any) -> None:
    check_total(prefix.encode() + msgpack.packb(value))


@RUNS
@given(st.sampled_from(GOLDEN), st.data())
def test_golden_messages_with_flipped_bytes(golden: bytes, data: st.DataObject) -> None:
    mutated = bytearray(golden)
    for _ in range(data.draw(st.integers(1, 4))):
        if mutated:
            mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    check_total(bytes(mutated))


@RUNS
@given(st.sampled_from(GOLDEN), st.data())
def test_golden_messages_with_a_stretch_cut_out_or_doubled(golden: bytes, data: st.DataObject) -> None:
    start, end = sorted((data.draw(st.integers(0, len(golden))), data.draw(st.integers(0, len(golden)))))
    check_total(golden[:start] + golden[end:])
    check_total(golden[:end] + golden[start:])


@RUNS
@given(st.booleans(), st.data())
def test_messages_with_any_one_field_replaced_by_anything(is_pose: bool, data: st.DataObject) -> None:
    fields = make_golden.pose(make_golden.person()) if is_pose else make_golden.subject()
    inner = [
        fields,
        *(entry for value in fields.values() if isinstance(value, list) for entry in value if isinstance(entry, dict)),
    ]
    place = data.draw(st.sampled_from(inner))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES)
    check_total(make_golden.message("p//" if is_pose else "s//", fields))


@RUNS
@given(st.lists(st.floats(width=32), min_size=16, max_size=16), st.lists(st.floats(width=32), min_size=3, max_size=3))
def test_blobs_of_any_floats(rotations: list[float], root: list[float]) -> None:
    person = make_golden.person(rotations_wxyz=make_golden.f4(*rotations), root_m=make_golden.f4(*root))
    check_total(make_golden.message("p//", make_golden.pose(person)))


def test_every_prefix_of_a_message_is_refused() -> None:
    for golden in (make_golden.VALID["pose_two_people"], make_golden.VALID["subject_two_people"]):
        for end in range(len(golden)):
            try:
                decode(golden[:end])
            except WireError:
                continue
            raise AssertionError(f"{end} of {len(golden)} bytes decoded")


def test_a_message_of_more_than_a_mebibyte_is_refused_unread() -> None:
    check_total(topic("p") + b"\x91" * (MAX_MESSAGE_BYTES + 1))
    padded = make_golden.pose(padding=b"\x00" * MAX_MESSAGE_BYTES)
    try:
        decode(make_golden.message("p//", padded))
    except WireError as error:
        assert "too long" in str(error)
    else:
        raise AssertionError("a message beyond the limit decoded")
