"""BlazePose's 33 keypoints, in the order of the network's output. Shared names mean the native skeleton's joint."""

from __future__ import annotations

_FACE = ("eye_inner", "eye", "eye_outer")
_SIDES = ("left", "right")

KEYPOINT_NAMES: tuple[str, ...] = (
    "nose",
    *(f"{side}_{part}" for side in _SIDES for part in _FACE),
    *(f"{side}_ear" for side in _SIDES),
    *(f"mouth_{side}" for side in _SIDES),
    *(
        f"{side}_{part}"
        for part in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel", "foot_index")
        for side in _SIDES
    ),
)
