"""The hard bounds of the wire format (docs/WIRE.md, "Limits"). A message beyond any of them is malformed."""

from __future__ import annotations

MAX_MESSAGE_BYTES = 1 << 20
MAX_BONES = 1024
MAX_PEOPLE = 256
MAX_DOFS = 4096
MAX_TEXT_BYTES = 128
MAX_ID = 2**31 - 1
MAX_COUNT = 2**63 - 1
MAX_ROOT_M = 10_000.0
"""Farther away a float32 is coarser than a millimetre, and a client that multiplies by 100 stays far from overflow."""
MAX_OFFSET_M = 100.0
MAX_ANGLE_RAD = 7.0
UNIT_TOLERANCE = 0.01
"""A quaternion whose length differs from 1 by more is refused; within it, it is normalised."""
MAX_PIXEL = 1e6
MAX_PICTURE_PX = 65535
MAX_STAGES = 64
