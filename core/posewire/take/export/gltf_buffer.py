"""The binary half of a glTF file: arrays laid one after another, each with the view and the accessor that tell what it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNED_BYTES = 4
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_COMPONENTS = {np.dtype("<f4"): 5126, np.dtype("<u2"): 5123, np.dtype("u1"): 5121}
VERTICES, TRIANGLES = 34962, 34963
"""What a buffer view is for, in OpenGL's numbers; animations have none."""


class GltfBuffer:
    """Collects arrays; `views` and `accessors` go into the JSON as they are."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: NDArray[Any], *, target: int | None = None, bounds: bool = False) -> int:
        """Takes (count,) or (count, components) in; the accessor's number. bounds: say the smallest and largest (glTF wants
        them of positions and of times)."""
        rows = values.reshape(len(values), -1)
        data = np.ascontiguousarray(rows).tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self._size_bytes, "byteLength": len(data)}
        accessor: dict[str, Any] = {
            "bufferView": len(self.views),
            "componentType": _COMPONENTS[values.dtype],
            "count": len(rows),
            "type": _KINDS[rows.shape[1]],
        }
        if target is not None:
            view["target"] = target
        if bounds:
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self.views.append(view)
        self.accessors.append(accessor)
        self._append(data)
        return len(self.accessors) - 1

    def data(self) -> bytes:
        """Everything, as the views' offsets have it."""
        return b"".join(self._parts)

    def _append(self, data: bytes) -> None:
        padding = bytes(-len(data) % _ALIGNED_BYTES)
        self._parts += [data, padding]
        self._size_bytes += len(data) + len(padding)
