#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for posewire_fuzz: `python make_corpus.py OUT` writes the golden messages, pairs of them, and the rig files."""

from __future__ import annotations

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
            parts = b"".join(len(data).to_bytes(2, "big") + data for data in (first, second))
            (out / f"{subject}-{pose}").write_bytes(b"\0" + parts)
    for path in sorted((REPOSITORY / "core/posewire/rigs").glob("*.json")):
        (out / path.stem).write_bytes(path.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
