"""Half-edge collapse by quadric error: fewer triangles, every vertex that stays keeps its place, weights and targets.

Garland and Heckbert 1997, "Surface simplification using quadric error metrics", with the target point restricted to the two
ends of the edge, so that shape targets and skinning weights of the full mesh stay valid for the vertices that are left.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.int64]

_BORDER_WEIGHT = 30.0
_LENGTH_WEIGHT = 1e-3
"""Of squared edge length times area, so that flat parts become evenly coarse instead of slivers."""


def simplify(vertices_m: FloatArray, triangles: IntArray, importance: FloatArray, keep: int) -> IntArray:
    """Triangles (F', 3) over the same vertices, of which about `keep` are still used.

    Args:
        vertices_m: (V, 3).
        triangles: (F, 3).
        importance: (V,) multiplies the error of moving the surface at a vertex.
        keep: vertices to keep.
    """
    return _Mesh(vertices_m, triangles, importance).collapsed(keep)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.cross(a, b), dtype=np.float64)


class _Mesh:
    def __init__(self, vertices_m: FloatArray, triangles: IntArray, importance: FloatArray) -> None:
        self._x, self._importance = vertices_m, importance
        self._faces: dict[int, tuple[int, int, int]] = {}
        self._faces_of: dict[int, set[int]] = {}
        self._quadric = np.zeros((len(vertices_m), 4, 4))
        for f, corners in enumerate(triangles):
            a, b, c = (int(v) for v in corners)
            if len({a, b, c}) == 3:
                self._faces[f] = (a, b, c)
                for v in (a, b, c):
                    self._faces_of.setdefault(v, set()).add(f)
        self._border = self._borders()
        for f, (a, b, c) in self._faces.items():
            self._quadric[[a, b, c]] += self._plane(f)
        for a, b, f in self._border:
            self._quadric[[a, b]] += self._fence(a, b, f)

    def _normal(self, corners: tuple[int, int, int]) -> FloatArray:
        a, b, c = (self._x[v] for v in corners)
        return _cross(b - a, c - a)

    def _plane(self, face: int) -> FloatArray:
        normal = self._normal(self._faces[face])
        return self._squared(normal, self._x[self._faces[face][0]], 0.5)

    def _fence(self, a: int, b: int, face: int) -> FloatArray:
        """A plane through a border edge, upright on its face: borders stay where they are."""
        edge = self._x[b] - self._x[a]
        return self._squared(_cross(edge, self._normal(self._faces[face])), self._x[a], _BORDER_WEIGHT)

    @staticmethod
    def _squared(normal: FloatArray, point: FloatArray, weight: float) -> FloatArray:
        size = float(np.linalg.norm(normal))
        if size < 1e-15:
            return np.zeros((4, 4))
        n = normal / size
        plane = np.array([*n, -float(n @ point)])
        return np.outer(plane, plane) * weight * size

    def _borders(self) -> list[tuple[int, int, int]]:
        seen: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for f, (a, b, c) in self._faces.items():
            for p, q in ((a, b), (b, c), (c, a)):
                seen.setdefault((min(p, q), max(p, q)), []).append((p, q, f))
        return [edges[0] for edges in seen.values() if len(edges) == 1]

    def collapsed(self, keep: int) -> IntArray:
        heap = [(cost, a, b, 0) for a in self._faces_of for b in self._neighbours(a) if (cost := self._cost(a, b)) >= 0]
        heapq.heapify(heap)
        version = dict.fromkeys(self._faces_of, 0)
        while len(version) > keep and heap:
            _, a, b, stamp = heapq.heappop(heap)
            if a not in version or b not in version or stamp != version[a] + version[b] or not self._allowed(a, b):
                continue
            self._collapse(a, b)
            del version[a]
            version[b] += 1
            for n in self._neighbours(b):
                for p, q in ((b, n), (n, b)):
                    heapq.heappush(heap, (self._cost(p, q), p, q, version[p] + version[q]))
        return np.array([self._faces[f] for f in sorted(self._faces)], dtype=np.int64)

    def _neighbours(self, a: int) -> set[int]:
        return {v for f in self._faces_of[a] for v in self._faces[f]} - {a}

    def _cost(self, a: int, b: int) -> float:
        """Of moving a onto b."""
        point = np.array([*self._x[b], 1.0])
        length2 = float(((self._x[a] - self._x[b]) ** 2).sum())
        error = float(point @ (self._quadric[a] + self._quadric[b]) @ point)
        return (error + _LENGTH_WEIGHT * length2 * length2) * max(self._importance[a], self._importance[b])

    def _allowed(self, a: int, b: int) -> bool:
        """No face may turn over and the surface must stay a surface (exactly the faces at the edge vanish)."""
        shared = self._faces_of[a] & self._faces_of[b]
        if len(self._neighbours(a) & self._neighbours(b)) != len(shared):
            return False
        for f in self._faces_of[a] - shared:
            before = self._normal(self._faces[f])
            after = self._normal(self._moved(f, a, b))
            if float(before @ after) < 0.3 * float(np.linalg.norm(before) * np.linalg.norm(after)):
                return False
        return True

    def _moved(self, face: int, a: int, b: int) -> tuple[int, int, int]:
        p, q, r = (b if v == a else v for v in self._faces[face])
        return (p, q, r)

    def _collapse(self, a: int, b: int) -> None:
        for f in self._faces_of.pop(a):
            if b in self._faces[f]:
                for v in self._faces[f]:
                    if v != a:
                        self._faces_of[v].discard(f)
                del self._faces[f]
            else:
                self._faces[f] = self._moved(f, a, b)
                self._faces_of[b].add(f)
        self._quadric[b] += self._quadric[a]
