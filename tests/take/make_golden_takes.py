"""Makes the golden takes: `python tests/take/make_golden_takes.py`. Every decoder (Python, Blender) reads NAME.pwt as NAME.json.

In the JSON: NaN is null; `kept` are the frames that a reader must return, of `written`; `damaged` tells whether it must say
that something is wrong. The bytes need not come out the same with every zlib, so nothing compares them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from take_samples import CAMERA, HEADER, Instant, frame, instant, moved, track, write

from posewire.skeleton import Dof, Skeleton
from posewire.take import TakeFrame, read_take
from posewire.take.chunks import FRAMES, Chunk, pack, scan, unpack
from posewire.take.chunks import HEADER as HEAD
from posewire.take.descriptions import header_record

GOLDEN = Path(__file__).parent / "golden"
FRAMES_WRITTEN = 12
TINY = Skeleton(
    ("pelvis", "spine", "left_hip", "right_hip"),
    (-1, 0, 0, 0),
    np.array([[0, 0.9, 0], [0, 0.11, 0], [0.09, 0, 0], [-0.09, 0, 0]]),
    (
        Dof("spine", "flexion", (1.0, 0.0, 0.0), False, -25, 55),
        Dof("spine", "rotation", (0.0, 1.0, 0.0), True, -30, 30),
        Dof("left_hip", "flexion", (1.0, 0.0, 0.0), False, -135, 40),
    ),
)


def instants() -> list[Instant]:
    """Eight frames a second: two people, one of whom grows, a moving camera, a frame with nobody, 2D only, a missed person."""
    skeletons = {1: TINY, 2: TINY}
    frames = [instant(number, [1] if number < 4 else [1, 2], skeletons, fps=8) for number in range(FRAMES_WRITTEN)]
    frames[5] = instant(5, [], {}, fps=8)
    frames[6] = (frame(6, fps=8), [track(1, 6, with_3d=False), track(2, 6, missed=2)], [], {})
    for number in range(7, FRAMES_WRITTEN):
        grown = {1: TINY, 2: TINY.scaled(1.05)}
        _, tracks, poses, _ = instant(number, [1, 2], grown, fps=8)
        frames[number] = (frame(number, fps=8, camera=moved(CAMERA, 0.25)), tracks, poses, grown)
    return frames


def intact(data: bytes) -> bytes:
    """As written."""
    return data


def cut(data: bytes) -> bytes:
    """In the middle of the second batch of frames."""
    chunk = _batches(data)[1]
    return data[: chunk.at_byte + 20 + len(chunk.payload) // 2]


def flipped(data: bytes) -> bytes:
    """One bit in the second batch of frames."""
    at_byte = _batches(data)[1].at_byte + 99
    return data[:at_byte] + bytes([data[at_byte] ^ 0x10]) + data[at_byte + 1 :]


def from_the_future(data: bytes) -> bytes:
    """With a kind of chunk and a header key that version 1 does not know."""
    chunks = [(chunk.kind, unpack(chunk)) for chunk in scan(data)[0]]
    known = header_record(HEADER)
    chunks = [(kind, known | {"weather": "sunny"} if kind == HEAD else record) for kind, record in chunks]
    return b"".join(pack(kind, record) + pack(b"XTRA", {"anything": [1, None]}) for kind, record in chunks)


def only_a_header(data: bytes) -> bytes:
    """Killed before the first flush."""
    second = scan(data)[0][1]
    return data[: second.at_byte]


CASES: dict[str, tuple[Callable[[bytes], bytes], bool, bool]] = {
    "intact": (intact, True, False),
    "cut": (cut, False, True),
    "flipped": (flipped, True, True),
    "from_the_future": (from_the_future, True, False),
    "only_a_header": (only_a_header, False, True),
}
"""Name: how the bytes are made, whether the take is complete, whether a reader must speak of damage."""


def _batches(data: bytes) -> list[Chunk]:
    return [chunk for chunk in scan(data)[0] if chunk.kind == FRAMES]


def plain(value: Any) -> Any:
    """Lists and numbers, NaN as None."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def described(one: TakeFrame) -> dict[str, Any]:
    """A frame with everything that the file says of it."""
    tracks = ("person_id", "keypoints_px", "keypoints_m", "confidence", "box_px", "missed_frames")
    poses = ("person_id", "root_m", "angles_rad", "rotations_wxyz", "positions_m", "confidence", "contacts", "residuals")
    return {
        "time_s": one.time_s,
        "index": one.index,
        "capture_unix_ns": one.capture_unix_ns,
        "T_world_camera": None if one.camera is None else plain(one.camera.T_world_camera),
        "tracks": [{name: plain(getattr(track, name)) for name in tracks} for track in one.tracks],
        "poses": [{name: plain(getattr(pose, name)) for name in poses} for pose in one.poses],
        "skeletons": {str(person): skeleton.digest for person, skeleton in one.skeletons.items()},
    }


def main() -> None:
    """Writes every case."""
    whole = GOLDEN / "intact.pwt"
    whole.unlink(missing_ok=True)
    write(whole, instants())
    data = whole.read_bytes()
    for name, (make, complete, damaged) in CASES.items():
        path = GOLDEN / f"{name}.pwt"
        path.write_bytes(make(data))
        take = read_take(path)
        expected = {
            "header": header_record(take.header),
            "skeletons": {digest: {"names": s.names, "offsets_m": plain(s.offsets_m)} for digest, s in take.skeletons.items()},
            "written": FRAMES_WRITTEN,
            "kept": [one.index for one in take],
            "complete": complete,
            "damaged": damaged,
            "frames": [described(one) for one in take],
        }
        (GOLDEN / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
