"""The view message: what the method saw in one picture, with which camera, and how long each stage took (docs/WIRE.md).

Only for looking at: it has a topic of its own, is made only while somebody subscribes to that, and no client that moves
characters needs to know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import msgpack
import numpy as np

from posewire.data import Camera, FloatArray, ImageArray, Track, read_only
from posewire.errors import WireError
from posewire.wire import limits
from posewire.wire.decode import check_version, unpack
from posewire.wire.fields import Fields
from posewire.wire.messages import VERSION

VIEW_TOPIC = b"v//"
_PICTURE_WIDTH_PX = 640
_JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a publisher has to say to a viewer at one instant."""

    camera: Camera
    keypoint_names: tuple[str, ...]
    """(J,) as the method names them."""
    tracks: Sequence[Track]
    """Who was seen."""
    stages_ms: Mapping[str, float]
    """What each stage of the pipeline took for this picture."""
    image: ImageArray | None = None
    """(H, W, 3) RGB the picture itself; None = pictures stay with the publisher."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One person in the picture."""

    person_id: int
    keypoints_px: FloatArray
    """(J, 2) pixels; NaN = unseen."""
    confidence: FloatArray
    """(J,) 0..1."""

    def __post_init__(self) -> None:
        joints = np.shape(self.confidence)[0]
        object.__setattr__(self, "keypoints_px", read_only(self.keypoints_px, joints, 2))
        object.__setattr__(self, "confidence", read_only(self.confidence, joints))


@dataclass(frozen=True, slots=True, eq=False)
class ViewMessage:
    """What a viewer hears."""

    session: str
    sequence: int
    """Of the pose message that was made from the same picture."""
    width_px: int
    height_px: int
    K: FloatArray
    """(3, 3) intrinsics, pixels."""
    distortion: FloatArray
    """(5,) k1 k2 p1 p2 k3 as in OpenCV."""
    keypoint_names: tuple[str, ...]
    people: tuple[Sighting, ...]
    stages_ms: Mapping[str, float]
    picture: bytes | None
    """A JPEG file of the same aspect; None = the publisher sends none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "K", read_only(self.K, 3, 3))
        object.__setattr__(self, "distortion", read_only(self.distortion, 5))


def encode_view(view: View, session: str, sequence: int) -> bytes:
    """The one ZeroMQ frame that carries `view`."""
    fields: dict[str, Any] = {
        "version": VERSION,
        "session": session,
        "sequence": sequence,
        "width_px": view.camera.width_px,
        "height_px": view.camera.height_px,
        "K": view.camera.K.astype("<f8").tobytes(),
        "distortion": view.camera.distortion.astype("<f8").tobytes(),
        "keypoints": view.keypoint_names,
        "people": [_sighting_fields(track) for track in view.tracks],
        "stages_ms": dict(view.stages_ms),
        "picture": None if view.image is None else _jpeg(view.image),
    }
    packed = msgpack.packb(fields, use_bin_type=True)
    assert packed is not None
    return VIEW_TOPIC + packed


def decode_view(data: bytes) -> ViewMessage:
    """The view message of one ZeroMQ frame.

    Raises:
        WireError: the bytes are no view message of this version; nothing else is ever raised.
    """
    if len(data) > limits.MAX_MESSAGE_BYTES or not data.startswith(VIEW_TOPIC):
        allowed = f"{VIEW_TOPIC!r}, at most {limits.MAX_MESSAGE_BYTES} bytes"
        raise WireError("A message is no view message.", got=f"{data[:8]!r}, {len(data)} bytes", allowed=allowed)
    fields = unpack(data[len(VIEW_TOPIC) :], "view")
    check_version(fields)
    names = fields.texts("keypoints", longest=limits.MAX_BONES)
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn where it is converted
        people = tuple(_sighting(person, len(names)) for person in fields.maps("people", limits.MAX_PEOPLE))
        if len({person.person_id for person in people}) != len(people):
            fields.refuse("people", "people with different ids")
        return ViewMessage(
            session=fields.text("session"),
            sequence=fields.integer("sequence", 0, limits.MAX_COUNT),
            width_px=fields.integer("width_px", 1, limits.MAX_PICTURE_PX),
            height_px=fields.integer("height_px", 1, limits.MAX_PICTURE_PX),
            K=_intrinsics(fields),
            distortion=fields.blob("distortion", "<f8", 5, low=-limits.MAX_ROOT_M, high=limits.MAX_ROOT_M),
            keypoint_names=names,
            people=people,
            stages_ms=_stages(fields),
            picture=_picture(fields),
        )


def _sighting_fields(track: Track) -> dict[str, Any]:
    return {
        "id": track.person_id,
        "keypoints_px": track.keypoints_px.astype("<f4").tobytes(),
        "confidence": np.nan_to_num(track.confidence).clip(0.0, 1.0).astype("<f4").tobytes(),
    }


def _jpeg(image: ImageArray) -> bytes:
    height, width = image.shape[:2]
    if width > _PICTURE_WIDTH_PX:
        size = (_PICTURE_WIDTH_PX, max(1, round(height * _PICTURE_WIDTH_PX / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # pyright: ignore[reportAssignmentType]
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()


def _sighting(fields: Fields, joints: int) -> Sighting:
    keypoints_px = fields.blob("keypoints_px", "<f4", joints, 2) if joints else np.empty((0, 2))
    if (np.abs(keypoints_px) > limits.MAX_PIXEL).any():  # NaN = unseen, and compares false
        fields.refuse("keypoints_px", f"pixels within {limits.MAX_PIXEL:g}, or NaN")
    confidence = fields.blob("confidence", "<f4", joints, low=0.0, high=1.0) if joints else np.empty(0)
    return Sighting(fields.integer("id", 0, limits.MAX_ID), keypoints_px, confidence)


def _intrinsics(fields: Fields) -> FloatArray:
    K = fields.blob("K", "<f8", 3, 3, low=-limits.MAX_PIXEL, high=limits.MAX_PIXEL)
    if not (K[0, 0] > 0.0 and K[1, 1] > 0.0 and K[2].tolist() == [0.0, 0.0, 1.0]):
        fields.refuse("K", "focal lengths above 0, and 0 0 1 as the last row")
    return K


def _stages(fields: Fields) -> dict[str, float]:
    value = fields.get("stages_ms")
    if not isinstance(value, dict) or len(value) > limits.MAX_STAGES:
        fields.refuse("stages_ms", f"a map of at most {limits.MAX_STAGES} texts to milliseconds")
    if any(len(name.encode()) > limits.MAX_TEXT_BYTES for name in value):
        fields.refuse("stages_ms", f"names of at most {limits.MAX_TEXT_BYTES} bytes")
    stages = Fields(value, f"{fields.where}.stages_ms")
    return {name: stages.number(name) for name in stages.values}


def _picture(fields: Fields) -> bytes | None:
    value = fields.values.get("picture")
    if value is not None and not (isinstance(value, bytes) and 0 < _jpeg_width_px(value) <= _PICTURE_WIDTH_PX):
        fields.refuse("picture", f"nil, or a JPEG file at most {_PICTURE_WIDTH_PX} wide")
    return value


def _jpeg_width_px(data: bytes) -> int:
    """What a JPEG file's frame header says (ITU-T T.81, B.2.2), 0 where there is none.

    Whoever decodes the picture makes memory for it first: a few hundred bytes can claim gigabytes.
    """
    at = 2 if data.startswith(b"\xff\xd8") else len(data)
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAME_HEADERS:
            return int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0


_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15; the three are other markers."""
