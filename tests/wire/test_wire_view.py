"""View messages: golden files, totality, and that they are made only while somebody looks."""

from __future__ import annotations

import base64
import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import cv2
import make_golden_view
import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_wire_document import keys_of_table
from test_wire_golden import assert_same
from wire_samples import ANYWHERE, CAMERA, instant, pose, until

from posewire.client import connect
from posewire.client.stream import Stream as ClientStream
from posewire.data import Frame, Track
from posewire.errors import WireError
from posewire.outputs import Stream, StreamOutput
from posewire.pipeline import Instant as PipelineInstant
from posewire.pipeline import Pipeline, StageTimes
from posewire.publish import Publisher
from posewire.skeleton import REFERENCE
from posewire.wire import View, ViewMessage, decode, decode_view, encode_view

FILES = sorted(make_golden_view.GOLDEN.glob("*.bin"))
RUNS = settings(max_examples=300, deadline=None)


def as_json(message: ViewMessage) -> dict[str, Any]:
    people = [
        {"id": one.person_id, "keypoints_px": nan_as_none(one.keypoints_px), "confidence": one.confidence.tolist()}
        for one in message.people
    ]
    keys = ("session", "sequence", "width_px", "height_px")
    return {key: getattr(message, key) for key in keys} | {
        "keypoints": list(message.keypoint_names),
        "stages_ms": dict(message.stages_ms),
        "K": message.K.ravel().tolist(),
        "distortion": message.distortion.tolist(),
        "people": people,
        "picture": None if message.picture is None else base64.b64encode(message.picture).decode(),
    }


def nan_as_none(values: Any) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.ravel().tolist()]


def view(**changes: Any) -> View:
    keypoints_px = np.array([[10.0, 20.0], [np.nan, np.nan]])
    track = Track(0, keypoints_px, np.array([0.75, 0.0]), np.array([0.0, 0.0, 50.0, 50.0]))
    values: dict[str, Any] = {"camera": CAMERA, "keypoint_names": ("nose", "hand"), "tracks": [track], "stages_ms": {"fit": 0.5}}
    return View(**values | changes)


def test_the_files_are_those_that_the_script_makes() -> None:
    made = dict(make_golden_view.all_files())
    there = {path.name: path.read_bytes() for path in make_golden_view.GOLDEN.iterdir()}
    assert there == made, "run python tests/wire/make_golden_view.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_view_message_decodes_as_its_json_says(path: Any) -> None:
    want = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if want["valid"]:
        assert_same(as_json(decode_view(path.read_bytes())), want["value"])
        return
    with pytest.raises(WireError):
        decode_view(path.read_bytes())


def test_every_key_of_a_view_message_is_documented() -> None:
    assert keys_of_table("## View message") == set(make_golden_view.view())
    assert keys_of_table("Each map of a view's `people`") == set(make_golden_view.seen())


def test_a_decoder_of_characters_refuses_views() -> None:
    with pytest.raises(WireError, match="topic"):
        decode(make_golden_view.VALID["view_one_person"])


def test_what_is_encoded_is_decoded() -> None:
    message = decode_view(encode_view(view(), "a", 5))
    assert (message.session, message.sequence, message.keypoint_names) == ("a", 5, ("nose", "hand"))
    np.testing.assert_allclose(message.K, CAMERA.K)
    np.testing.assert_allclose(message.people[0].keypoints_px, [[10.0, 20.0], [np.nan, np.nan]])
    assert message.stages_ms == {"fit": 0.5} and message.picture is None


def test_a_picture_arrives_smaller_and_in_its_colours() -> None:
    image = np.zeros((720, 1280, 3), dtype=np.uint8)
    image[..., 0] = 255  # red
    message = decode_view(encode_view(view(image=image), "a", 0))
    assert message.picture is not None
    picture = cv2.imdecode(np.frombuffer(message.picture, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (360, 640, 3)
    np.testing.assert_allclose(picture[100, 100], [0, 0, 255], atol=5)  # OpenCV's order


@RUNS
@given(st.sampled_from(sorted(make_golden_view.VALID.values())), st.data())
def test_any_damage_gives_a_message_or_an_error(golden: bytes, data: st.DataObject) -> None:
    mutated = bytearray(golden)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(3, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    check_total(bytes(mutated))
    check_total(golden[: data.draw(st.integers(0, len(golden)))])


@RUNS
@given(st.sampled_from(sorted(make_golden_view.view())), st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary()))
def test_any_value_in_any_field(key: str, value: Any) -> None:
    try:
        packed = msgpack.packb(make_golden_view.view(make_golden_view.seen(), **{key: value}))
    except OverflowError:  # msgpack has no such integer
        return
    check_total(b"v//" + packed)


def check_total(data: bytes) -> None:
    try:
        message = decode_view(data)
    except WireError:
        return
    assert np.isfinite(message.K).all() and not np.isinf([p.keypoints_px for p in message.people]).any()


class Read(Mapping[str, float]):
    """Stage times that note when they are read, as only the encoder does."""

    def __init__(self) -> None:
        self.times = 0

    def __getitem__(self, stage: str) -> float:
        return 0.5

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return iter(["fit"])

    def __len__(self) -> int:
        return 1


def test_views_are_made_only_while_a_client_asks_for_them() -> None:
    stages = Read()

    with Publisher(ANYWHERE) as publisher, connect(publisher.address) as plain:

        def send() -> None:
            publisher.send(instant(pose(), view=view(stages_ms=stages)))

        def is_not_read() -> bool:
            before = stages.times
            send()
            return stages.times == before

        until(lambda: plain.newest() is not None, meanwhile=send)
        assert stages.times == 0
        with connect(publisher.address, view=True) as viewer:
            until(lambda: viewer.newest() is not None and viewer.view is not None, meanwhile=send)
            assert stages.times > 0 and viewer.statistics.malformed == 0
        until(is_not_read)
        plain.newest()
        assert plain.view is None and plain.statistics.malformed == 0


def test_a_damaged_view_is_counted_and_changes_nothing() -> None:
    stream = ClientStream(rig="", same_clock=True)
    good = make_golden_view.VALID["view_one_person"]
    assert stream.take([good]) is None and stream.take([good[:-3]]) is None
    assert stream.view is not None and stream.view.sequence == 41
    assert stream.statistics().malformed == 1


@pytest.mark.parametrize("pictures", [False, True])
def test_a_run_says_what_the_method_saw_and_the_picture_only_if_it_was_asked_for(pictures: bool) -> None:
    times = StageTimes({"method": deque([0.020, 0.025]), "fit": deque()})  # of the fit there is no time yet
    pipeline = cast(Pipeline, SimpleNamespace(card=SimpleNamespace(joints=("nose", "hand")), times=times))
    frame = Frame(np.zeros((CAMERA.height_px, CAMERA.width_px, 3), dtype=np.uint8), 0.0, 0, CAMERA, time.time_ns())
    now = PipelineInstant(frame, tuple(view().tracks), (pose(),), {0: REFERENCE})
    with Publisher(ANYWHERE) as publisher, connect(publisher.address, view=True) as viewer:
        output = StreamOutput(Stream(publisher, ()), None, pipeline, pictures=pictures)
        until(lambda: viewer.newest() is not None and viewer.view is not None, meanwhile=lambda: output.add(now))
        assert viewer.view is not None and viewer.view.stages_ms == {"method": 25.0}
        assert viewer.view.keypoint_names == ("nose", "hand") and len(viewer.view.people) == 1
        assert (viewer.view.picture is not None) == pictures
