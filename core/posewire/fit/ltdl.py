"""H = L^T D L of a matrix with the sparsity of a tree, without fill-in (Featherstone 2008, section 6.5, table 6.3).

Row k is stored along its chain to the root: entry e belongs to the unknown at depth e. All ancestors of k lie on one chain,
so that eliminating k subtracts a stretch of its row from each ancestor's row: contiguous, no index in the inner loop.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import IntArray
from posewire.fit.compiled import kernel


@kernel
def factorise(depths: IntArray, chain: IntArray, L: FloatArray) -> bool:
    """In place: D on each row's own entry, L before it. False when the matrix is not positive definite."""
    for k in range(len(depths) - 1, -1, -1):
        depth = depths[k]
        if not L[k, depth] > 0.0:
            return False
        inverse = 1.0 / L[k, depth]
        for e in range(depth - 1, -1, -1):
            a, above = L[k, e] * inverse, chain[k, e]
            for i in range(e + 1):
                L[above, i] -= a * L[k, i]
            L[k, e] = a
    return True


@kernel
def solve_in_place(depths: IntArray, chain: IntArray, L: FloatArray, b: FloatArray) -> None:
    """b (P,) becomes the solution of L^T D L x = b."""
    for k in range(len(b) - 1, -1, -1):
        for e in range(depths[k]):
            b[chain[k, e]] -= L[k, e] * b[k]
    for k in range(len(b)):
        total = b[k] / L[k, depths[k]]
        for e in range(depths[k]):
            total -= L[k, e] * b[chain[k, e]]
        b[k] = total
