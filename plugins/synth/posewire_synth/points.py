"""Names of everything that a sample labels: Posewire's joints and a few markers, and the subsets that methods use."""

from __future__ import annotations

_CENTRE = ("pelvis", "spine", "chest", "neck", "head", "head_top", "nose")
_SIDED = (
    *("clavicle", "shoulder", "elbow", "wrist", "hand"),
    *("hip", "knee", "ankle", "heel", "toe"),
    *("eye", "ear"),
)
POINTS: tuple[str, ...] = (*_CENTRE, *(f"{side}_{name}" for side in ("left", "right") for name in _SIDED))
"""The J axis of every label array. `chest` is half-way from pelvis to neck, `neck` between the shoulders, `hand` the knuckles."""

MIRROR: tuple[int, ...] = tuple(
    POINTS.index(name.replace("left_", "right_") if name.startswith("left_") else name.replace("right_", "left_"))
    for name in POINTS
)
"""Index of each point's other side."""

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")

VNECT_21: tuple[str, ...] = (
    *("head_top", "neck"),
    *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("pelvis", "chest", "head", "right_hand", "left_hand", "right_toe", "left_toe"),
)
"""The joints of VNect (Mehta et al. 2017b) in its order; its "spine" is our `chest`."""

COMMON_14: tuple[str, ...] = ("head_top", "neck", *(f"{side}_{name}" for side in ("right", "left") for name in _LIMBS))
"""What MPI-INF-3DHP, MuPoTS-3D and LSP annotate alike."""

COCO_17: tuple[str, ...] = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *(f"{side}_{name}" for name in _LIMBS for side in ("left", "right")),
)


def indices(names: tuple[str, ...]) -> list[int]:
    """Where these points stand in POINTS."""
    return [POINTS.index(name) for name in names]


BONES: tuple[tuple[str, str], ...] = (
    *(("pelvis", "chest"), ("chest", "neck"), ("neck", "head"), ("head", "head_top"), ("head", "nose")),
    *((f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "toe"))),
    *((a, f"{s}_{b}") for s in ("left", "right") for a, b in (("neck", "shoulder"), ("pelvis", "hip"))),
)  # fmt: skip
"""Lines to draw between points."""
