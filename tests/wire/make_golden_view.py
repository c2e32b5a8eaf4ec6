"""Makes tests/wire/golden_view: view messages as make_golden makes the others. A folder apart: only viewers read them.

Run `python tests/wire/make_golden_view.py` after a change of "View message" in docs/WIRE.md. null in keypoints_px is NaN.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
from make_golden import FUTURE, NAN, SESSION, f4, f8, files, message, without, write

GOLDEN = Path(__file__).parent / "golden_view"
K = [600.0, 0.0, 320.0, 0.0, 605.0, 240.0, 0.0, 0.0, 1.0]
KEYPOINTS_PX = [100.5, 200.25, NAN, NAN, -3.0, 481.0]
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/"
    "wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="
)
"""One grey pixel."""
FRAME, HUGE_FRAME = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01", b"\xff\xc0\x00\x0b\x08\x7d\x00\x7d\x00"
"""How its frame header begins: marker, length, bits, height, width."""


def seen(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {"id": number, "keypoints_px": f4(*KEYPOINTS_PX), "confidence": f4(1.0, 0.0, 0.25)} | changes


def view(*people: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "session": SESSION,
        "sequence": 41,
        "width_px": 640,
        "height_px": 480,
        "K": f8(*K),
        "distortion": f8(0.1, -0.2, 0.0, 0.001, 0.05),
        "keypoints": ["nose", "left_wrist", "right_wrist"],
        "people": list(people),
        "stages_ms": {"method": 21.5, "fit": 0.5},
        "picture": None,
    } | changes


VALID: dict[str, bytes] = {
    "view_one_person": message("v//", view(seen())),
    "view_two_people": message("v//", view(seen(0), seen(7))),
    "view_nobody": message("v//", view()),
    "view_picture": message("v//", view(seen(), picture=JPEG)),
    "view_without_picture": message("v//", without(view(seen()), "picture")),
    "view_no_keypoints": message("v//", view(seen(keypoints_px=b"", confidence=b""), keypoints=[], stages_ms={})),
    "view_extra_keys": message("v//", view(seen(0, **FUTURE), **FUTURE)),
}


def _bad(**changes: Any) -> bytes:
    return message("v//", view(seen(), **changes))


def _bad_seen(**changes: Any) -> bytes:
    return message("v//", view(seen(0, **changes)))


MALFORMED: dict[str, tuple[bytes, str]] = {
    "bad_view_empty": (b"", "no topic"),
    "bad_view_topic_only": (b"v//", "nothing after the topic"),
    "bad_view_of_a_rig": (message("v/vrm/", view(seen())), "views are of the camera, not of a rig"),
    "bad_view_not_a_map": (b"v//\x90", "an array"),
    "bad_view_version_2": (_bad(version=2), "another version"),
    "bad_view_width_0": (_bad(width_px=0), "no width"),
    "bad_view_height_large": (_bad(height_px=65_536), "too high"),
    "bad_view_k_short": (_bad(K=f8(*K[:8])), "eight numbers"),
    "bad_view_k_focal_0": (_bad(K=f8(0.0, *K[1:])), "no focal length"),
    "bad_view_k_last_row": (_bad(K=f8(*K[:8], 2.0)), "last row is not 0 0 1"),
    "bad_view_distortion_nan": (_bad(distortion=f8(NAN, 0, 0, 0, 0)), "NaN"),
    "bad_view_keypoints_twice": (_bad(keypoints=["a", "b", "a"]), "the same name twice"),
    "bad_view_pixels_short": (_bad_seen(keypoints_px=f4(*KEYPOINTS_PX[:4])), "two points for three names"),
    "bad_view_pixels_far": (_bad_seen(keypoints_px=f4(2e6, *KEYPOINTS_PX[1:])), "two million pixels off"),
    "bad_view_pixels_infinite": (_bad_seen(keypoints_px=f4(math.inf, *KEYPOINTS_PX[1:])), "infinity"),
    "bad_view_confidence_nan": (_bad_seen(confidence=f4(1.0, NAN, 0.5)), "NaN"),
    "bad_view_people_same_id": (message("v//", view(seen(3), seen(3))), "the same id twice"),
    "bad_view_stages_array": (_bad(stages_ms=[1.0]), "an array instead of a map"),
    "bad_view_stages_text": (_bad(stages_ms={"fit": "fast"}), "a text instead of a number"),
    "bad_view_stages_many": (_bad(stages_ms={f"{i}": 1.0 for i in range(65)}), "65 stages"),
    "bad_view_stage_name_long": (_bad(stages_ms={"x" * 129: 1.0}), "129 bytes of name"),
    "bad_view_picture_png": (_bad(picture=b"\x89PNG"), "no JPEG"),
    "bad_view_picture_text": (_bad(picture="x"), "a text"),
    "bad_view_picture_without_frame": (_bad(picture=JPEG[: JPEG.index(FRAME)] + b"\xff\xd9"), "no frame header"),
    "bad_view_picture_huge": (_bad(picture=JPEG.replace(FRAME, HUGE_FRAME)), "one pixel that says it is 32000 x 32000"),
}


def expected(data: bytes) -> dict[str, Any]:
    """What a valid message means, spelt out in JSON's types."""
    fields = msgpack.unpackb(data[3:])
    keys = ("session", "sequence", "width_px", "height_px", "keypoints", "stages_ms")
    picture = fields.get("picture")
    more = {
        "K": _floats("d", fields["K"]),
        "distortion": _floats("d", fields["distortion"]),
        "people": [
            {"id": one["id"], "keypoints_px": _floats("f", one["keypoints_px"]), "confidence": _floats("f", one["confidence"])}
            for one in fields["people"]
        ],
        "picture": None if picture is None else base64.b64encode(picture).decode(),
    }
    return {"valid": True, "kind": "view", "value": {key: fields[key] for key in keys} | more}


def _floats(code: str, blob: bytes) -> list[float | None]:
    return [None if math.isnan(value) else value for (value,) in struct.iter_unpack(f"<{code}", blob)]


def all_files() -> Iterator[tuple[str, bytes]]:
    """File name and content of everything in the folder."""
    return files(VALID, MALFORMED, expected)


if __name__ == "__main__":
    write(GOLDEN, all_files())
