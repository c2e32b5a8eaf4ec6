"""Any bytes give a take that says what is lost, or a TakeError; never another exception, never much memory."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_golden_takes import CASES, GOLDEN, described, instants
from take_samples import HEADER, dance, write

from posewire.errors import TakeError
from posewire.take import read_take
from posewire.take.chunks import CAMERA, END, FRAMES, MAX_RECORD_BYTES, SKELETON, SYNC, pack, scan, unpack
from posewire.take.chunks import HEADER as HEAD
from posewire.take.descriptions import header_record

INTACT = (GOLDEN / "intact.pwt").read_bytes()
FRAMES_OF_INTACT = [described(one) for one in read_take(GOLDEN / "intact.pwt")]
INDICES = [values[0].index for values in instants()]


def read(path: Path, data: bytes):
    """The take of these bytes, everything in it decoded; None when they are no take."""
    path.write_bytes(data)
    try:
        take = read_take(path)
    except TakeError:
        return None
    frames = list(take)
    assert len(frames) == len(take)
    take.summary().as_json()
    take.arrays()
    return take


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("damage") / "a.pwt"


def test_every_cut_keeps_the_frames_before_it(path):
    kept = []
    for length in range(0, len(INTACT) + 1, 7):
        take = read(path, INTACT[:length])
        indices = [] if take is None else [one.index for one in take]
        assert indices == INDICES[: len(indices)]
        assert take is None or take.damage or length == len(INTACT)
        kept.append(len(indices))
    assert kept == sorted(kept)
    assert kept[-1] == len(INDICES)


def test_a_chunk_with_any_bit_flipped_is_no_chunk():
    chunk = pack(END, {"frames": 3})
    for bit in range(8 * len(chunk)):
        damaged = bytearray(chunk)
        damaged[bit // 8] ^= 1 << bit % 8
        assert scan(bytes(damaged))[0] == []


def test_signalling_nan_reads_as_ordinary_nan(path):
    """It would warn in every later conversion (numpy 1.26)."""
    records = [(chunk.kind, unpack(chunk)) for chunk in scan(INTACT)[0]]
    run = next(record for kind, record in records if kind == FRAMES)["people"][0]
    run["track"]["box_px"] = bytes.fromhex("0100807f") * (len(run["track"]["box_px"]) // 4)
    take = read(path, b"".join(pack(kind, record) for kind, record in records))
    assert np.isnan(next(iter(take)).tracks[0].box_px).all()


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_bit_costs_one_batch_at_most_and_is_said(path, seed):
    rng = random.Random(seed)
    data = bytearray(INTACT)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    take = read(path, bytes(data))
    assert take.damage
    kept = [one.index for one in take]
    longest_batch = max(len(unpack(chunk)["time_s"]) // 8 for chunk in scan(INTACT)[0] if chunk.kind == FRAMES)
    assert len(INDICES) - len(kept) <= longest_batch
    whole = {one["index"]: one for one in FRAMES_OF_INTACT}
    for one in take:
        assert described(one)["tracks"] == whole[one.index]["tracks"]
        assert described(one)["poses"] == whole[one.index]["poses"]


def test_a_piece_cut_out_of_the_middle_costs_only_itself(path):
    chunks = [chunk for chunk in scan(INTACT)[0] if chunk.kind == FRAMES]
    start, end = chunks[0].at_byte + 50, chunks[1].at_byte - 3
    take = read(path, INTACT[:start] + INTACT[end:])
    first = len(unpack(chunks[0])["time_s"]) // 8
    assert [one.index for one in take] == INDICES[first:]
    assert f"{first} of {len(INDICES)} frames are lost" in take.damage


def test_a_lost_camera_and_skeleton_are_said_and_leave_the_numbers(path):
    chunks = [chunk for chunk in scan(INTACT)[0] if chunk.kind not in (CAMERA, SKELETON)]
    take = read(path, b"".join(pack(chunk.kind, unpack(chunk)) for chunk in chunks))
    assert sum("camera" in line for line in take.damage) == 2
    assert sum("skeleton" in line for line in take.damage) == 2
    assert all(one.camera is None and one.skeletons == {} for one in take)
    assert [described(one)["poses"] for one in take] == [one["poses"] for one in FRAMES_OF_INTACT]


def test_garbage_in_front_and_behind_is_said_and_skipped(path):
    take = read(path, b"garbage" + INTACT + bytes(1000))
    assert [one.index for one in take] == INDICES
    assert len(take.damage) == 2


def test_two_takes_in_one_file_give_the_first_and_say_so(path, tmp_path):
    other = write(tmp_path / "b.pwt", dance(), replace(HEADER, created_unix_ns=2)).read_bytes()
    take = read(path, INTACT + other)
    assert [one.index for one in take] == INDICES
    assert "another recording" in " ".join(take.damage)


def test_a_batch_that_stands_twice_is_read_once(path):
    chunks = scan(INTACT)[0]
    twice = [chunk for chunk in chunks for _ in range(2 if chunk.kind == FRAMES else 1)]
    take = read(path, b"".join(pack(chunk.kind, unpack(chunk)) for chunk in twice))
    assert [one.index for one in take] == INDICES
    assert "repeats" in take.damage[0]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty"),
        (b"\0\0\0\x20ftypisom" * 100, "not a Posewire take"),
        (b"HIERARCHY\nROOT Hips", "not a Posewire take"),
        (SYNC * 1000, "no intact header"),
    ],
)
def test_what_is_no_take_is_a_take_error(path, data, text):
    path.write_bytes(data)
    with pytest.raises(TakeError, match=text):
        read_take(path)


def test_a_missing_file_and_a_folder_are_take_errors(tmp_path):
    for wrong in (tmp_path / "no.pwt", tmp_path):
        with pytest.raises(TakeError, match="no such take"):
            read_take(wrong)


def test_an_unknown_version_is_refused_with_what_to_do(path):
    path.write_bytes(pack(HEAD, header_record(HEADER) | {"format": 2, "posewire": "9.9"}))
    with pytest.raises(TakeError, match=r"version 2, written by Posewire 9\.9(.|\n)*version 1(.|\n)*upgrade"):
        read_take(path)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_any_flips_cuts_and_insertions_give_a_take_or_a_take_error(path, data):
    content = bytearray((GOLDEN / f"{data.draw(st.sampled_from(sorted(CASES)))}.pwt").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 300))] = data.draw(st.binary(max_size=40))
    read(path, bytes(content))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_random_bytes_give_a_take_error_even_behind_the_first_four(path, data):
    assert read(path, data) is None
    assert read(path, SYNC + data) is None


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5) | st.binary(max_size=72),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.integers(0, 3), inner, max_size=4),
    max_leaves=12,
)


def _paths(record, prefix=()):
    """The way to every value in nested maps and lists."""
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, value in items:
        yield (*prefix, key)
        yield from _paths(value, (*prefix, key))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
def test_any_values_in_intact_chunks_give_a_take_or_a_take_error(path, data):
    """The checksums hold here: a hostile writer, not a bad disk."""
    records = [(chunk.kind, unpack(chunk)) for chunk in scan(INTACT)[0]]
    for _ in range(data.draw(st.integers(1, 3))):
        _, record = data.draw(st.sampled_from(records))
        ways = list(_paths(record))
        if not ways:
            continue
        way = data.draw(st.sampled_from(ways))
        parent = record
        for key in way[:-1]:
            parent = parent[key]
        old = parent[way[-1]]
        changed = st.binary(min_size=len(old), max_size=len(old)) if isinstance(old, bytes) and len(old) < 500 else PLAIN
        new = data.draw(changed | PLAIN)
        try:
            msgpack.packb(new)
        except OverflowError:
            continue
        parent[way[-1]] = new
    read(path, b"".join(pack(kind, record) for kind, record in records))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from([HEAD, CAMERA, SKELETON, FRAMES, END]), PLAIN | st.binary(max_size=100))
def test_any_payload_of_any_kind_is_survived(path, kind, value):
    raw = value if isinstance(value, bytes) else msgpack.packb(value)
    read(path, pack(HEAD, header_record(HEADER)) + chunk_of(kind, zlib.compress(raw)) + INTACT)
    read(path, pack(HEAD, header_record(HEADER)) + chunk_of(kind, raw) + INTACT)


def chunk_of(kind: bytes, payload: bytes) -> bytes:
    """An intact chunk of any payload, as docs/TAKE.md lays it out."""
    head = SYNC + kind + len(payload).to_bytes(4, "little") + zlib.crc32(payload).to_bytes(4, "little")
    return head + zlib.crc32(head).to_bytes(4, "little") + payload


def peak_bytes(path, data: bytes) -> int:
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with suppress(TakeError):
            read_take(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


EMPTY_LISTS = b"\xdd" + (MAX_RECORD_BYTES - 5).to_bytes(4, "big") + b"\x90" * (MAX_RECORD_BYTES - 5)
HOSTILE = {
    "zlib bomb": zlib.compress(bytes(1 << 28), 9),
    "zlib bomb of empty lists": zlib.compress(b"\xdd\x10\x00\x00\x00" + b"\x90" * (1 << 28), 9),
    "empty lists within the limit": zlib.compress(EMPTY_LISTS, 9),
    "a list that claims 4 billion items": zlib.compress(b"\xdd\xff\xff\xff\xff\x00"),
    "a blob that claims 4 GiB": zlib.compress(b"\x81\xa1a\xc6\xff\xff\xff\xff\x00"),
    "lists a million deep": zlib.compress(b"\x91" * 1_000_000),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", [HEAD, FRAMES])
def test_hostile_lengths_and_bombs_stay_within_half_a_gigabyte(path, name, kind):
    assert peak_bytes(path, INTACT + chunk_of(kind, HOSTILE[name])) < 512 << 20


def test_a_chunk_that_claims_4_gib_is_no_chunk(path):
    head = SYNC + FRAMES + b"\xff\xff\xff\xff" + bytes(4)
    assert peak_bytes(path, INTACT + head + zlib.crc32(head).to_bytes(4, "little")) < 64 << 20


def test_arrays_beyond_the_limit_are_refused_before_they_are_made(path, monkeypatch):
    path.write_bytes(INTACT)
    take = read_take(path)
    size = 4 * len(INDICES) * (8 * 4 + 3 + 5 * 3)
    monkeypatch.setattr("posewire.take.arrays.MAX_BYTES", size)
    assert take.arrays(1).positions_m.shape[:2] == (len(INDICES), 1)
    with pytest.raises(TakeError, match=r"too large for arrays(.|\n)*2 people(.|\n)*--person"):
        take.arrays()


def test_nested_false_heads_take_no_quadratic_work():
    """A million heads that each claim the rest of the file: the scan gives up instead of checking everything a million times."""
    claims = (1 << 22).to_bytes(4, "little")
    head = SYNC + FRAMES + claims + bytes(4)
    data = (head + zlib.crc32(head).to_bytes(4, "little")) * 300_000
    chunks, gaps = scan(data)
    assert chunks == []
    assert (gaps[0].start, gaps[0].end) == (0, len(data))
