#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for posewire_fuzz: `python make_corpus.py OUT` writes the golden messages, pairs of them, and the rig files."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def main(out: Path) -> None:
    """Writes one file for each seed."""
    out.mkdir(parents=True, exist_ok=True)
    golden = {path.stem: path.read_bytes() for path in sorted((REPOSITORY / "tests/wire/golden").glob("*.bin"))}
    for name, data in golden.items():
        (out / name).write_bytes(data)
    subjects = {name: data for name, data in golden.items() if name.startswith("subject_")}
    poses = {name: data for name, data in golden.items() if name.startswith("pose_") and len(data) < 1000}
    for subject, first in subjects.items():
        for pose, second in poses.items():
            (out / f"{subject}-{pose}").write_bytes(b"\0" + _packed(first, second))
        moving = [_at(golden["pose_one_person"], 1.0 + 0.02 * number) for number in range(4)]
        (out / f"{subject}-steady").write_bytes(b"\1" + _packed(first, *moving))
    for path in sorted((REPOSITORY / "core/posewire/rigs").glob("*.json")):
        (out / path.stem).write_bytes(path.read_bytes())


def _packed(*messages: bytes) -> bytes:
    """Each message after its length in two bytes."""
    return b"".join(len(data).to_bytes(2, "big") + data for data in messages)


def _at(pose: bytes, media_time_s: float) -> bytes:
    """The pose message at another time."""
    key = b"media_time_s\xcb"  # msgpack's float 64
    at = pose.index(key) + len(key)
    return pose[:at] + struct.pack(">d", media_time_s) + pose[at + 8 :]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
