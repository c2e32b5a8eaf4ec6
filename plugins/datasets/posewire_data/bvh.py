"""Biovision hierarchies (.bvh): the joint tree with its channels, and forward kinematics.

Format: M. Meredith and S. Maddock 2001, "Motion Capture File Formats Explained", section 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from posewire_data.errors import DatasetError

FloatArray = NDArray[np.floating[Any]]
_HINT = "fetch the file again, or write one: posewire export TAKE.pwt MOTION.bvh"
_CHANNELS = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}


@dataclass(slots=True)
class _Node:
    """A joint while the hierarchy is read."""

    name: str
    parent: int
    offset: list[float] = field(default_factory=list[float])
    channels: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True, eq=False)
class Bvh:
    """A motion on a tree of N joints and end sites. Lengths are in the file's own unit."""

    names: tuple[str, ...]
    """The end site of joint `hand` is `hand_end`; it has no channels."""
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for the root; a parent comes before its children."""
    offsets: FloatArray
    """(N, 3) rest position of each joint relative to its parent."""
    channels: tuple[tuple[str, ...], ...]
    """Per joint, e.g. Xposition Yposition Zposition Zrotation Yrotation Xrotation, in the file's order."""
    values: FloatArray
    """(F, sum of channels) one row a frame; rotations in degrees."""
    frame_time_s: float

    def transforms(self) -> tuple[FloatArray, FloatArray]:
        """Positions (F, N, 3) and rotation matrices (F, N, 3, 3) of every joint in the world."""
        frames, joints = len(self.values), len(self.names)
        positions, rotations = np.zeros((frames, joints, 3)), np.zeros((frames, joints, 3, 3))
        start = 0
        for j, (parent, channels) in enumerate(zip(self.parents, self.channels, strict=True)):
            local = self.values[:, start : start + len(channels)]
            start += len(channels)
            turn, offset = _turn(channels, local), _offset(channels, local, self.offsets[j])
            if parent < 0:
                rotations[:, j], positions[:, j] = turn, offset
            else:
                rotations[:, j] = rotations[:, parent] @ turn
                positions[:, j] = positions[:, parent] + (rotations[:, parent] @ offset[..., None])[..., 0]
        return positions, rotations


def _turn(channels: Sequence[str], local: FloatArray) -> FloatArray:
    """(F, 3, 3) of a joint's rotation channels: the first one named is the outermost."""
    columns = [i for i, channel in enumerate(channels) if channel.endswith("rotation")]
    if not columns:
        return np.broadcast_to(np.eye(3), (len(local), 3, 3))
    axes = "".join(channels[i][0] for i in columns)
    return Rotation.from_euler(axes.upper(), local[:, columns], degrees=True).as_matrix().reshape(-1, 3, 3)


def _offset(channels: Sequence[str], local: FloatArray, rest: FloatArray) -> FloatArray:
    """(F, 3) offset from the parent: position channels replace the rest offset, axis by axis."""
    offset = np.tile(rest, (len(local), 1)).astype(np.float64)
    for i, channel in enumerate(channels):
        if channel.endswith("position"):
            offset[:, "XYZ".index(channel[0])] = local[:, i]
    return offset


def parse_bvh(text: str, name: str) -> Bvh:
    """Reads a file's text; `name` stands in error messages.

    Raises:
        DatasetError: no hierarchy, no motion, or rows of another width than the hierarchy's channels.
    """
    head, marker, motion = text.partition("MOTION")
    if not marker or "HIERARCHY" not in head:
        got = text[:40].strip() or "nothing"
        raise DatasetError(f"{name} is not a BVH file.", got=got, allowed="HIERARCHY ... MOTION", hint=_HINT)
    try:
        nodes = _nodes(iter(head.split()))
        frames, frame_time_s, values = _motion(motion)
    except (ValueError, StopIteration, IndexError, RuntimeError) as error:
        raise DatasetError(f"{name} does not read as BVH.", got=f"{type(error).__name__}: {error}", hint=_HINT) from error
    width = sum(len(node.channels) for node in nodes)
    if len(values) != frames * width or not np.isfinite(values).all() or not 0.0 < frame_time_s < 1.0:
        got = f"{len(values)} numbers, frame time {frame_time_s:g} s"
        raise DatasetError(f"The motion in {name} is damaged.", got=got, allowed=f"{frames} x {width} finite numbers", hint=_HINT)
    return Bvh(
        tuple(node.name for node in nodes),
        tuple(node.parent for node in nodes),
        np.array([node.offset for node in nodes], dtype=np.float64),
        tuple(tuple(node.channels) for node in nodes),
        values.reshape(frames, width),
        frame_time_s,
    )


def _nodes(tokens: Iterator[str]) -> list[_Node]:
    """Every joint and end site of the hierarchy, in the file's order."""
    nodes: list[_Node] = []
    stack: list[int] = []
    for token in tokens:
        if token in ("ROOT", "JOINT", "End"):
            name, parent = next(tokens), stack[-1] if stack else -1
            nodes.append(_Node(f"{nodes[parent].name}_end" if token == "End" else name, parent))
        elif token == "{":
            stack.append(len(nodes) - 1)
        elif token == "}":
            stack.pop()
        elif token == "OFFSET":
            nodes[-1].offset = [float(next(tokens)) for _ in range(3)]
        elif token == "CHANNELS":
            nodes[-1].channels = [_channel(next(tokens)) for _ in range(int(next(tokens)))]
    if stack or not nodes:
        raise ValueError("the hierarchy's brackets do not match")
    return nodes


def _channel(word: str) -> str:
    if word not in _CHANNELS:
        raise ValueError(f"the channel {word!r}")
    return word


def _motion(text: str) -> tuple[int, float, FloatArray]:
    """Number of frames, seconds a frame, and all numbers (F * channels,)."""
    before, _, rows = text.partition("Time:")
    count = int(before.partition("Frames:")[2].split()[0])
    first, _, rest = rows.strip().partition("\n")
    return count, float(first), np.array(rest.split(), dtype=np.float64)
