"""Reads a BVH file: a joint tree and its motion, by forward kinematics on all frames at once.

A joint's transform is its parent's times a shift by OFFSET (a position channel adds to it, as CMU's conversions and most programs
have it) times the turns of its rotation channels in the order of the file. Lengths stay in the file's unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posewire import rotation
from posewire.data import FloatArray, read_only
from posewire.errors import TakeError

_AXES = {"X": (1.0, 0.0, 0.0), "Y": (0.0, 1.0, 0.0), "Z": (0.0, 0.0, 1.0)}
_CHANNELS = {f"{axis}{kind}" for axis in _AXES for kind in ("position", "rotation")}
END = "_end"
"""An end site is named after its joint."""


@dataclass(frozen=True, slots=True, eq=False)
class BvhMotion:
    """Where every joint is and how it is turned, in every frame."""

    names: tuple[str, ...]
    """(N,) the end site of joint `hand` is `hand_end`."""
    interval_s: float
    positions: FloatArray
    """(T, N, 3) world, the file's unit."""
    rotations_wxyz: FloatArray
    """(T, N, 4) world; an end site's is its joint's."""
    rest: FloatArray
    """(N, 3) positions with every channel at zero."""

    def __post_init__(self) -> None:
        T, N = len(self.positions), len(self.names)
        object.__setattr__(self, "positions", read_only(self.positions, T, N, 3))
        object.__setattr__(self, "rotations_wxyz", read_only(self.rotations_wxyz, T, N, 4))
        object.__setattr__(self, "rest", read_only(self.rest, N, 3))


@dataclass(slots=True)
class _Node:
    name: str
    parent: int
    offset: FloatArray = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list[str])


def read_bvh(path: Path) -> BvhMotion:
    """Reads the file.

    Raises:
        TakeError: it cannot be read or is no BVH.
    """
    try:
        head, _, motion = path.read_text(encoding="utf-8").partition("MOTION")
        nodes = _hierarchy(iter(head.split()))
        interval_s, values = _values(motion, sum(len(node.channels) for node in nodes))
    except (OSError, ValueError, IndexError, StopIteration) as error:
        hint = "posewire export TAKE.pwt MOTION.bvh writes one"
        raise TakeError(f"{path} cannot be read.", got=error or type(error).__name__, allowed="BVH motion", hint=hint) from error
    return _moved(nodes, interval_s, values)


def _hierarchy(words: Iterator[str]) -> list[_Node]:
    nodes, above = list[_Node](), list[int]()
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            parent = above[-1] if above else -1
            name = next(words)
            nodes.append(_Node(nodes[parent].name + END if word == "End" else name, parent))
        elif word == "{":
            above.append(len(nodes) - 1)
        elif word == "}":
            above.pop()
        elif word == "OFFSET":
            nodes[-1].offset = np.array([float(next(words)) for _ in range(3)])
        elif word == "CHANNELS":
            nodes[-1].channels = [_channel(next(words)) for _ in range(int(next(words)))]
    if above or not nodes:
        raise ValueError("the joint tree is not closed")
    return nodes


def _channel(word: str) -> str:
    if word not in _CHANNELS:
        raise ValueError(f"the channel {word!r}")
    return word


def _values(text: str, channels: int) -> tuple[float, FloatArray]:
    """Time between frames and (T, channels)."""
    words = text.split()
    if words[0::2][:2] != ["Frames:", "Frame"] or words[3] != "Time:":
        raise ValueError("no frame count and frame time after MOTION")
    frames, interval_s = int(words[1]), float(words[4])
    values = np.array(words[5:], dtype=np.float64)
    if len(values) != frames * channels or not interval_s > 0.0:
        raise ValueError(f"{len(values)} numbers, {interval_s} s a frame; {frames} frames of {channels} were told")
    return interval_s, values.reshape(frames, channels)


def _moved(nodes: list[_Node], interval_s: float, values: FloatArray) -> BvhMotion:
    """Forward kinematics, a parent before its children."""
    T, columns = len(values), iter(values.T)
    positions, turns, rest = np.zeros((T, len(nodes), 3)), np.zeros((T, len(nodes), 4)), np.zeros((len(nodes), 3))
    for j, node in enumerate(nodes):
        shift, turn = np.tile(node.offset, (T, 1)), rotation.identity(T)
        for channel in node.channels:
            value, axis = next(columns), np.array(_AXES[channel[0]])
            if channel.endswith("position"):
                shift = shift + value[:, None] * axis
            else:
                turn = rotation.multiply(turn, rotation.exp(np.radians(value)[:, None] * axis))
        above = node.parent
        turns[:, j] = rotation.multiply(turns[:, above], turn) if above >= 0 else turn
        positions[:, j] = positions[:, above] + rotation.rotate(turns[:, above], shift) if above >= 0 else shift
        rest[j] = rest[above] + node.offset if above >= 0 else node.offset
    return BvhMotion(tuple(node.name for node in nodes), interval_s, positions, turns, rest)
