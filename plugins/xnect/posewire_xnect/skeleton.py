"""Which joints XNect speaks of, which of them are linked, and which bones are written where. Numpy only.

Thesis 002 (Mehta 2020), sections 6.2.1 and 6.3.1. J joints are the universal 17; a bone is named by its lower end.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import JOINTS, PARENTS, ROOT

Scheme: TypeAlias = Literal["sparse", "dense", "orpm"]
"""How bones are written into the encoding maps: at the joints where they meet, everywhere, or as ORPM does."""

J = len(JOINTS)
NECK, PELVIS = JOINTS.index("neck"), JOINTS.index("pelvis")

BONES: tuple[tuple[int, int], ...] = tuple((joint, parent) for joint, parent in enumerate(PARENTS) if parent >= 0)
"""(joint, parent) of every bone."""

SHORTCUTS: tuple[tuple[int, int], ...] = tuple((JOINTS.index(f"{side}_hip"), NECK) for side in ("left", "right"))
"""Links that are no bones: hips find their neck although pelvis or chest is hidden (as in Cao et al. 2017)."""

LINKS = (*BONES, *SHORTCUTS)
"""One part affinity field each; it points from the first joint to the second (section 6.2.1: "to its parent")."""


def _limb(*names: str) -> tuple[int, ...]:
    return tuple(JOINTS.index(name) for name in names)


LIMBS: tuple[tuple[int, ...], ...] = (
    *(_limb(f"{side}_wrist", f"{side}_elbow", f"{side}_shoulder") for side in ("left", "right")),
    *(_limb(f"{side}_ankle", f"{side}_knee", f"{side}_hip") for side in ("left", "right")),
    _limb("head_top", "nose"),
)
"""ORPM's limbs, each from its extremity inwards. The document's head has one joint; ours adds the nose."""


def supervised(scheme: Scheme) -> NDArray[np.bool_]:
    """(J, J): at joint j (row), is bone b (column) written?

    sparse: the bones that meet at j (section 6.3.1). dense: all. orpm: at neck and pelvis all, at a limb's joint that limb's
    (eq. 6.1). The root is no bone: its column is never written.
    """
    table = {"sparse": _where_bones_meet, "dense": lambda: np.ones((J, J), bool), "orpm": _torso_and_limbs}[scheme]()
    table[:, ROOT] = False
    return table


def _where_bones_meet() -> NDArray[np.bool_]:
    table = np.eye(J, dtype=bool)
    for joint, parent in BONES:
        table[parent, joint] = True
    return table


def _torso_and_limbs() -> NDArray[np.bool_]:
    table = np.zeros((J, J), bool)
    table[[NECK, PELVIS]] = True
    for limb in LIMBS:
        table[np.ix_(limb, limb)] = True
    return table
