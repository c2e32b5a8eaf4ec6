"""A BVH reader that knows nothing of Posewire, with its own forward kinematics."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class Node:
    """A joint."""

    name: str
    parent: int
    offset: list[float] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


def axis_rotation(axis: str, degrees: float) -> np.ndarray:
    """The matrix of a turn about one axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    rows = {
        "X": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "Z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(rows[axis], dtype=float)


class Bvh:
    """A file: nodes, end sites among them, `values` (F, channels) and the frame time."""

    def __init__(self, path: Path) -> None:
        tokens = iter(path.read_text(encoding="utf-8").split())
        self.nodes: list[Node] = []
        stack: list[int] = []
        for token in tokens:
            if token in ("ROOT", "JOINT", "End"):
                self.nodes.append(Node(next(tokens), stack[-1] if stack else -1))
            elif token == "{":
                stack.append(len(self.nodes) - 1)
            elif token == "}":
                stack.pop()
            elif token == "OFFSET":
                self.nodes[-1].offset = [float(next(tokens)) for _ in range(3)]
            elif token == "CHANNELS":
                self.nodes[-1].channels = [next(tokens) for _ in range(int(next(tokens)))]
            elif token == "Frames:":
                self.frames = int(next(tokens))
            elif token == "Time:":
                self.frame_time_s = float(next(tokens))
                break
        assert stack == []
        self.values = np.array([float(token) for token in tokens]).reshape(self.frames, -1)
        assert self.values.shape[1] == sum(len(node.channels) for node in self.nodes)

    def positions_cm(self, frame: int) -> dict[str, np.ndarray]:
        """Joint name to its position."""
        values = iter(self.values[frame])
        R: list[np.ndarray] = []
        positions: list[np.ndarray] = []
        for node in self.nodes:
            local, turn = np.array(node.offset), np.eye(3)
            for channel in node.channels:
                value = next(values)
                if channel.endswith("position"):
                    local["XYZ".index(channel[0])] += value
                else:
                    turn = turn @ axis_rotation(channel[0], value)
            above = node.parent >= 0
            positions.append(positions[node.parent] + R[node.parent] @ local if above else local)
            R.append(R[node.parent] @ turn if above else turn)
        return {node.name: position for node, position in zip(self.nodes, positions, strict=True) if node.name != "Site"}
