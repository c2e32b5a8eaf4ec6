"""Reads predictions (takes, their npz export) and references (npz) into motions in camera axes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.errors import TakeError
from posewire.evaluate.motions import LIMB_JOINTS, Motion, Prediction, Reference, limb_names_in
from posewire.npz import read_npz
from posewire.take import TakeArrays, read_take

Arrays = Mapping[str, NDArray[Any]]

PREDICTION_KEYS = ("time_s", "person_ids", "joint_names", "positions_m", "T_world_camera", "keypoint_names", "keypoints_m")
REFERENCE_KEYS = ("time_s", "joint_names", "joints_world_m")
_VIEW_ROTATION = "_R_cam_world"
_VIEW_TRANSLATION = "_t_cam_world_m"


def load_prediction(path: Path, person_id: int | None = None) -> Prediction:
    """A take (.pwt) or its npz export. Without `person_id`: the person who is in the most frames.

    Raises:
        TakeError: the file cannot be read, is something else, or has no such person.
    """
    arrays = _read_npz(path, PREDICTION_KEYS) if path.suffix.lower() == ".npz" else _as_mapping(read_take(path).arrays())
    return _prediction(arrays, path.stem, person_id)


def prediction_of(arrays: TakeArrays, name: str, person_id: int | None = None) -> Prediction:
    """The same from a take that is already open."""
    return _prediction(_as_mapping(arrays), name, person_id)


def load_reference(path: Path, view: str | None = None, source: str = "") -> Reference:
    """A reference npz: `time_s (T,)`, `joint_names (N,)`, `joints_world_m (T, N, 3)`, and per camera VIEW
    `VIEW_R_cam_world (3, 3)` and `VIEW_t_cam_world_m (3,)`: x_camera = R x_world + t.

    Args:
        path: The file.
        view: The camera whose picture was analysed. Without it: the one whose name is part of `source`, or the only one.
        source: Address of the analysed clip.

    Raises:
        TakeError: the file cannot be read or is something else, or the view is not known.
    """
    arrays = _read_npz(path, REFERENCE_KEYS)
    names = tuple(_native_name(str(name)) for name in arrays["joint_names"])
    missing = sorted(set(LIMB_JOINTS) - set(names))
    if missing:
        raise _unusable(path, f"no joint {', '.join(missing)}", f"the joints {', '.join(LIMB_JOINTS)}")
    views = [key.removesuffix(_VIEW_ROTATION) for key in arrays if key.endswith(_VIEW_ROTATION)]
    chosen = _chosen_view(path, views, view, source)
    try:
        R, t = arrays[chosen + _VIEW_ROTATION], arrays[chosen + _VIEW_TRANSLATION]
        positions_m = np.asarray(arrays["joints_world_m"], dtype=np.float64) @ R.T + t
        motion = Motion("reference", arrays["time_s"], names, positions_m)
    except (KeyError, ValueError, TypeError) as error:
        raise _unusable(path, f"{type(error).__name__}: {error}", "shapes that belong together") from error
    if len(motion.time_s) == 0 or not np.all(np.diff(motion.time_s) > 0):
        raise _unusable(path, "times that do not increase, or none", "at least one frame, time_s increasing")
    return Reference(path.stem, chosen, motion)


def _chosen_view(path: Path, views: Sequence[str], view: str | None, source: str) -> str:
    if view is not None:
        candidates = [name for name in views if name == view]
    else:
        candidates = [name for name in views if name in Path(source).stem] or list(views)
    if len(candidates) == 1:
        return candidates[0]
    raise TakeError(
        f"It is not clear which camera of {path} the clip was taken with.",
        got=view or source or "no view",
        allowed=views or f"a reference with VIEW{_VIEW_ROTATION} for each camera",
        hint=f"--view {views[0]}" if views else "docs/METRICS.md describes the file",
    )


def _prediction(arrays: Arrays, name: str, person_id: int | None) -> Prediction:
    try:
        people = tuple(int(value) for value in arrays["person_ids"])
        column = _chosen_person(arrays, people, name, person_id)
        motions = [motion for motion in (_raw(arrays, column), _fitted(arrays, column)) if limb_names_in(motion.joint_names)]
    except (ValueError, IndexError, TypeError) as error:
        raise _unusable(Path(name), f"{type(error).__name__}: {error}", "shapes that belong together") from error
    motions = [motion for motion in motions if np.isfinite(motion.positions_m).any()]
    if not motions:
        raise _unusable(Path(name), "no 3D of any limb joint", "keypoints_m or positions_m with " + ", ".join(LIMB_JOINTS))
    return Prediction(name, people[column], people, tuple(motions))


def _chosen_person(arrays: Arrays, people: Sequence[int], name: str, person_id: int | None) -> int:
    if person_id is None and people:
        seen = np.isfinite(arrays["keypoints_m"]).any(axis=(2, 3)) | np.isfinite(arrays["positions_m"]).any(axis=(2, 3))  # (T, K)
        return int(np.argmax(seen.sum(axis=0)))
    if person_id not in people:
        allowed = list(people) or "a take with somebody in it"
        hint = "without --person: whoever is in the most frames" if people else "record it with --max-people 4, or another view"
        raise TakeError(f"{name} has no such person.", got=person_id or "nobody at all", allowed=allowed, hint=hint)
    return people.index(person_id)


def _raw(arrays: Arrays, column: int) -> Motion:
    names = tuple(str(name) for name in arrays["keypoint_names"])
    return Motion("raw", arrays["time_s"], names, np.asarray(arrays["keypoints_m"], dtype=np.float64)[:, column])


def _fitted(arrays: Arrays, column: int) -> Motion:
    names = tuple(str(name) for name in arrays["joint_names"])
    world_m = np.asarray(arrays["positions_m"], dtype=np.float64)[:, column]
    return Motion("fitted", arrays["time_s"], names, _to_camera(world_m, np.asarray(arrays["T_world_camera"])))


def _to_camera(world_m: FloatArray, T_world_camera: FloatArray) -> FloatArray:
    """World positions (T, N, 3) to the axes of each frame's camera (T, 4, 4): x_camera = R^T (x_world - t)."""
    return (world_m - T_world_camera[:, None, :3, 3]) @ T_world_camera[:, :3, :3]


def _native_name(name: str) -> str:
    """`RHip`, `LBigToe` or `right_hip` to `right_hip`, `left_big_toe`."""
    words = re.findall(r"[A-Z][a-z0-9]*|[a-z0-9]+", name)
    side = {"R": ["right"], "L": ["left"]}.get(words[0]) if words else None
    return "_".join(word.lower() for word in (side + words[1:] if side else words))


def _as_mapping(arrays: TakeArrays) -> Arrays:
    return {field.name: np.asarray(getattr(arrays, field.name)) for field in fields(arrays)}


def _read_npz(path: Path, keys: Sequence[str]) -> Arrays:
    try:
        arrays = read_npz(path)
    except (OSError, ValueError) as error:
        raise _unusable(path, f"{type(error).__name__}: {error}", "an npz file with " + ", ".join(keys)) from error
    lacking = [key for key in keys if key not in arrays]
    if lacking:
        got = f"no {', '.join(lacking)} among {', '.join(arrays) or 'nothing'}"
        raise _unusable(path, got, "an npz file with " + ", ".join(keys))
    return arrays


def _unusable(path: Path, got: str, allowed: str) -> TakeError:
    return TakeError(f"{path} cannot be compared.", got=got, allowed=allowed, hint="docs/METRICS.md describes both kinds of file")
