"""CMU's own motion files: a subject's skeleton (.asf) and its trials (.amc), onto the universal skeleton.

Format: mocap.cs.cmu.edu; each bone's local axes C are given, and a bone turns by C M C^-1 where M holds the trial's angles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from posewire.data import FloatArray
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS
from posewire_data.motion import Clip

_UNIT_M = 0.0254 / 0.45
"""Length unit of the files: an inch divided by the scale 0.45 that every .asf states."""
_RATE_HZ = 120.0
_ENDS: dict[str, tuple[str, ...]] = {
    "pelvis": ("lhipjoint", "rhipjoint"),
    "chest": ("lowerback", "upperback"),
    "neck": ("thorax",),
    "head_top": ("head",),
    **{
        f"{side}_{joint}": (f"{side[0]}{bone}",)
        for side in ("left", "right")
        for joint, bone in (
            ("hip", "hipjoint"),
            ("knee", "femur"),
            ("ankle", "tibia"),
            ("shoulder", "clavicle"),
            ("elbow", "humerus"),
            ("wrist", "radius"),
        )
    },
}
"""Universal joint to the bones at whose ends' mean it lies. The nose is a point of the head, see _NOSE_M."""
_NOSE_M = np.array([0.0, 0.0, 0.10])
"""From the end of the upper neck, in the head's axes."""


@dataclass(frozen=True, slots=True, eq=False)
class Bone:
    """One bone of a skeleton file."""

    name: str
    parent: str
    offset: FloatArray
    """(3,) from its beginning to its end at rest, file units."""
    axes: Rotation
    """C."""
    dofs: tuple[str, ...]


def read_clips(folder: Path) -> Iterator[Clip]:
    """Every trial under a folder of .asf and .amc files (NN.asf beside NN_MM.amc), at their own size, 120 Hz.

    Raises:
        DatasetError: there is none, a skeleton is missing, or a file does not read.
    """
    trials = sorted(folder.rglob("*.amc"))
    if not trials:
        raise DatasetError(f"There is no .amc file in {folder}.", hint="a subject's folder holds NN.asf and NN_MM.amc")
    for trial in trials:
        subject = trial.stem.partition("_")[0]
        skeleton = trial.with_name(f"{subject}.asf")
        if not skeleton.is_file():
            raise DatasetError(f"The skeleton of {trial.name} is missing.", allowed=skeleton, hint="fetch the subject's .asf too")
        positions_m = universal(read_asf(skeleton), trial)
        yield Clip(trial.stem, "cmu", subject, "", _RATE_HZ, positions_m.astype(np.float32))


def read_asf(path: Path) -> tuple[Bone, ...]:
    """The bones, parents first.

    Raises:
        DatasetError: it is no skeleton file.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        bones = text.partition(":bonedata")[2].partition(":hierarchy")[0].split("begin")[1:]
        hierarchy = text.partition(":hierarchy")[2].partition("begin")[2].partition("end")[0]
        parents = {child: words[0] for line in hierarchy.splitlines() if (words := line.split()) for child in words[1:]}
        found = {bone.name: bone for bone in (_bone(block, parents) for block in bones)}
        ordered = [found[name] for name in parents]  # the hierarchy names parents first
    except (ValueError, KeyError, IndexError, StopIteration) as error:
        raise DatasetError(
            f"{path} is no .asf skeleton.", got=f"{type(error).__name__}: {error}", hint="fetch it again"
        ) from error
    if not ordered:
        raise DatasetError(f"{path} is no .asf skeleton.", got="no bones", hint="fetch it again")
    return tuple(ordered)


def _bone(block: str, parents: dict[str, str]) -> Bone:
    rows = {words[0]: words[1:] for line in block.splitlines() if (words := line.split())}
    offset = np.array([float(value) for value in rows["direction"][:3]]) * float(rows["length"][0])
    axes = Rotation.from_euler("xyz", [float(value) for value in rows["axis"][:3]], degrees=True)
    name = rows["name"][0]
    return Bone(name, parents[name], offset, axes, tuple(rows.get("dof", ())))


def universal(bones: tuple[Bone, ...], trial: Path) -> FloatArray:
    """Positions (F, 17, 3) in metres, world, +Y up.

    Raises:
        DatasetError: the trial does not read, or is of another skeleton.
    """
    missing = sorted({name for names in _ENDS.values() for name in names} - {bone.name for bone in bones})
    if missing:
        raise DatasetError(f"The skeleton of {trial.name} is not CMU's.", got=f"no bone {', '.join(missing)}")
    channels = _read_amc(trial)
    root = channels.get("root")
    if root is None or root.shape[1] != 6:
        raise DatasetError(f"{trial} has no root.", allowed="a line 'root' of 6 numbers in each frame")
    turns = {"root": Rotation.from_euler("xyz", root[:, 3:], degrees=True)}
    ends = {"root": root[:, :3]}
    for bone in bones:
        local = _local(bone, channels, len(root), trial)
        turns[bone.name] = turns[bone.parent] * bone.axes * local * bone.axes.inv()
        ends[bone.name] = ends[bone.parent] + turns[bone.name].apply(bone.offset)
    points = {name: np.mean([ends[end] for end in names], axis=0) * _UNIT_M for name, names in _ENDS.items()}
    points["nose"] = ends["upperneck"] * _UNIT_M + turns["head"].apply(_NOSE_M)
    return np.stack([points[name] for name in JOINTS], axis=1)


def _local(bone: Bone, channels: dict[str, FloatArray], frames: int, trial: Path) -> Rotation:
    """M of every frame: angles that the bone does not have are 0."""
    angles = np.zeros((frames, 3))
    if bone.dofs:
        given = channels.get(bone.name)
        if given is None or given.shape != (frames, len(bone.dofs)):
            got = "nothing" if given is None else f"{given.shape[1]} numbers, {len(given)} frames"
            raise DatasetError(
                f"{trial} does not fit its skeleton.", got=f"{bone.name}: {got}", allowed=f"{len(bone.dofs)} a frame"
            )
        for column, dof in enumerate(bone.dofs):
            angles[:, "xyz".index(dof[1])] = given[:, column]
    return Rotation.from_euler("xyz", angles, degrees=True)


def _read_amc(path: Path) -> dict[str, FloatArray]:
    """Bone to its numbers (F, dofs)."""
    rows: dict[str, list[list[float]]] = {}
    try:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if len(words) > 1 and not words[0].startswith(("#", ":")):
                rows.setdefault(words[0], []).append([float(word) for word in words[1:]])
        return {name: np.array(values, dtype=np.float64) for name, values in rows.items()}
    except ValueError as error:
        raise DatasetError(f"{path} does not read as .amc.", got=error, hint="fetch it again") from error
