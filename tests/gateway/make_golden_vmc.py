"""Writes golden/vmc.json and golden/vmc_*.bin from struct and arithmetic alone: python tests/gateway/make_golden_vmc.py"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
HALF = math.sqrt(0.5)
OFFSETS_M = {
    "Hips": (0.0, 1.0, 0.0),
    "Spine": (0.0, 0.109, 0.0),
    "Chest": (0.0, 0.14, 0.0),
    "UpperChest": (0.0, 0.125, 0.0),
    "Neck": (0.0, 0.125, 0.0),
    "Head": (0.0, 0.09, 0.015),
    "Shoulder": (0.025, 0.1, 0.0),
    "UpperArm": (0.15, 0.015, 0.0),
    "LowerArm": (0.316, 0.0, 0.0),
    "Hand": (0.248, 0.0, 0.0),
    "UpperLeg": (0.09, 0.0, 0.0),
    "LowerLeg": (0.0, -0.416, 0.0),
    "Foot": (0.0, -0.419, 0.0),
}
"""Rest offsets of a 1.70 m person, metres, x to the left; the pelvis at 0.2 1.0 -3.0 in the pose."""
CENTRE = ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head")
LIMBS = (("Shoulder", "UpperArm", "LowerArm", "Hand"), ("UpperLeg", "LowerLeg", "Foot"))
ORDER = (
    *CENTRE,
    *(f"Left{part}" for part in LIMBS[0]),
    *(f"Left{part}" for part in LIMBS[1]),
    *(f"Right{part}" for part in LIMBS[0]),
    *(f"Right{part}" for part in LIMBS[1]),
)
TURNED = {"Hips": (0.0, -HALF, 0.0, HALF), "LeftLowerLeg": (HALF, 0.0, 0.0, HALF)}
"""x y z w in Unity's axes: the person faces our +x, Unity's -x, and the left knee is bent by 90 degrees."""


def text(value: str) -> bytes:
    data = value.encode() + b"\0"
    return data + b"\0" * (-len(data) % 4)


def osc(address: str, types: str, *values: float | str) -> bytes:
    data = text(address) + text("," + types)
    for kind, value in zip(types, values, strict=True):
        data += text(str(value)) if kind == "s" else struct.pack(">" + kind, value)
    return data


def bone(name: str) -> bytes:
    x, y, z = OFFSETS_M[name.removeprefix("Left").removeprefix("Right")]
    x = x if name.startswith("Right") else -x  # Unity's x is to the right
    if name == "Hips":
        x, y, z = -0.2, 1.0, -3.0
    return osc("/VMC/Ext/Bone/Pos", "sfffffff", name, x, y, z, *TURNED.get(name, (0.0, 0.0, 0.0, 1.0)))


def frame() -> list[bytes]:
    messages = [
        osc("/VMC/Ext/OK", "iiii", 1, 3, 0, 1),
        osc("/VMC/Ext/T", "f", 1.5),
        osc("/VMC/Ext/Root/Pos", "sfffffff", "root", 0, 0, 0, 0, 0, 0, 1),
        *map(bone, ORDER),
        osc("/VMC/Ext/Blend/Apply", ""),
    ]
    packets = [b"#bundle\0" + struct.pack(">Q", 1)]
    for data in messages:
        if len(packets[-1]) + 4 + len(data) > 1472:
            packets.append(b"#bundle\0" + struct.pack(">Q", 1))
        packets[-1] += struct.pack(">i", len(data)) + data
    return packets


def main() -> None:
    """Writes the files."""
    for number, data in enumerate(frame()):
        (GOLDEN / f"vmc_{number}.bin").write_bytes(data)
    case = {"media_time_s": 1.5, "root_m": [0.2, 1.0, -3.0]}
    case["rotations_wxyz"] = {"pelvis": [HALF, 0, HALF, 0], "left_knee": [HALF, HALF, 0, 0]}
    (GOLDEN / "vmc.json").write_text(json.dumps(case, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
