"""CMU mocap (mocap.cs.cmu.edu, free for any use) in B. Hahne's Daz-friendly BVH conversion, onto the universal skeleton.

All subjects of that conversion share one figure, whose height is set by the universal rule (bodies.knee_to_neck_m = 930 mm).
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data import bodies
from posewire_data.bvh import Bvh, parse_bvh
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS
from posewire_data.motion import Clip

FloatArray = NDArray[np.floating[Any]]
_CM = 0.01
_NAME = re.compile(r"(\d{2,3})_(\d{2})\.bvh$")
_INDEX_LINE = re.compile(r"^(\d{2,3}_\d{2})\s+(\S.*?)\s*$", re.MULTILINE)

_POINTS: dict[str, tuple[str, ...]] = {
    "pelvis": ("lThigh", "rThigh"),
    "right_hip": ("rThigh",),
    "right_knee": ("rShin",),
    "right_ankle": ("rFoot",),
    "left_hip": ("lThigh",),
    "left_knee": ("lShin",),
    "left_ankle": ("lFoot",),
    "chest": ("abdomen", "chest"),
    "neck": ("neck",),
    "left_shoulder": ("lShldr",),
    "left_elbow": ("lForeArm",),
    "left_wrist": ("lHand",),
    "right_shoulder": ("rShldr",),
    "right_elbow": ("rForeArm",),
    "right_wrist": ("rHand",),
}
"""Universal joint to the BVH joints whose mean it is. Nose and head top are points of the head, see _HEAD_POINTS_CM."""

_HEAD_POINTS_CM: dict[str, tuple[float, float, float]] = {"nose": (0.0, -3.5, 3.0), "head_top": (0.0, 11.0, -7.5)}
"""From the middle of the eyeballs, in the head's axes: adult face proportions (eye level at 0.936 of stature, Drillis and Contini
1966); the vertex lies above the ears."""

_GLITCH_M_S = 15.0
"""No joint of these subjects moves faster (the fastest wrist punches at 12): where one does, the conversion jumps."""
_GLITCH_MARGIN_S = 0.1
"""Left out before and after a jump: a limb that flips is wrong for some frames on both sides."""
_SHORTEST_S = 0.4
_SETTLING_S = 0.1
"""The conversion begins with a T-pose at another place and blends out of it within ten frames of 120 Hz."""


def universal(bvh: Bvh) -> FloatArray:
    """Positions (F, 17, 3) in metres, world, +Y up."""
    missing = sorted({name for names in _POINTS.values() for name in names} - set(bvh.names))
    if missing:
        raise DatasetError("The BVH is not the Daz-friendly CMU conversion.", got=f"no joint {', '.join(missing)}")
    positions, rotations = bvh.transforms()
    index = bvh.names.index
    points = {name: positions[:, [index(source) for source in sources]].mean(axis=1) for name, sources in _POINTS.items()}
    eyes = positions[:, [index("leftEye"), index("rightEye")]].mean(axis=1)
    for name, offset_cm in _HEAD_POINTS_CM.items():
        points[name] = eyes + rotations[:, index("head")] @ np.array(offset_cm)
    return np.stack([points[name] for name in JOINTS], axis=1) * _CM


def read_clips(
    folder: Path,
    rate_hz: float,
    knee_to_neck_m: float | None = bodies.KNEE_TO_NECK_M,
    subjects: Collection[str] | None = None,
) -> Iterator[Clip]:
    """Every stretch without a jump of every BVH file under a folder, or inside .tar.xz archives that lie in it.

    Args:
        folder: Holds NN_MM.bvh files at any depth, or archives of them, with CMU-INDEX.md for the activities where it is there.
        rate_hz: Rate to keep; the files' 120 Hz is divided by a whole number.
        knee_to_neck_m: Height of the universal skeleton; None keeps the file's own size.
        subjects: Only these; None = all.

    Raises:
        DatasetError: there is no such file, or one does not read.
    """
    found = dict(texts(folder))
    named = {name: subject for name in found if (subject := subject_of(name)) is not None}
    files = {name: found[name] for name, subject in named.items() if subjects is None or subject in subjects}
    if not files:
        raise DatasetError(
            f"There is no CMU BVH file in {folder}" + ("." if subjects is None else f" of subject {' '.join(sorted(subjects))}."),
            allowed="files named SUBJECT_TRIAL.bvh, e.g. 05_12.bvh, or .tar.xz archives of them",
            hint="--motion must be the folder that holds them",
        )
    index = "\n".join(text for name, text in found.items() if name.endswith(".md"))
    activities: dict[str, str] = dict(_INDEX_LINE.findall(index))
    for name in sorted(files, key=lambda path: Path(path).name):
        yield from _clips(name, files[name], activities, rate_hz, knee_to_neck_m)


def subject_of(name: str) -> str | None:
    """ "05" of ".../05_12.bvh"; None of a file that is no trial."""
    found = _NAME.search(name)
    return None if found is None else found[1]


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and text of every .bvh and index file, also of those inside archives (.tar, .tar.gz, .tar.xz)."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".bvh" or path.name == "CMU-INDEX.md":
            yield path.as_posix(), path.read_text(encoding="utf-8", errors="replace")
        elif path.name.endswith((".tar.xz", ".tar.gz", ".tar")) and "bvh" in path.name:
            with tarfile.open(path) as archive:
                for member in archive:
                    file = archive.extractfile(member) if member.name.endswith((".bvh", "CMU-INDEX.md")) else None
                    if file is not None:
                        yield member.name, file.read().decode("utf-8", errors="replace")


def _clips(name: str, text: str, activities: dict[str, str], rate_hz: float, knee_to_neck_m: float | None) -> Iterator[Clip]:
    stem, subject = Path(name).stem, Path(name).stem.partition("_")[0]
    bvh = parse_bvh(text, name)
    own_rate_hz = 1.0 / bvh.frame_time_s
    step = max(1, round(own_rate_hz / rate_hz))
    positions_m = universal(bvh)
    if knee_to_neck_m is not None:
        positions_m = positions_m * (knee_to_neck_m / bodies.knee_to_neck_m(positions_m))
    activity = activities.get(stem, "").partition(",")[0]
    for part, stretch in enumerate(good_stretches(positions_m, own_rate_hz)):
        label = stem if part == 0 else f"{stem}_{part}"
        yield Clip(label, "cmu", subject, activity, own_rate_hz / step, positions_m[stretch][::step].astype(np.float32))


def good_stretches(positions_m: FloatArray, rate_hz: float) -> list[slice]:
    """The stretches without a jump of positions (F, N, 3), less the T-pose and what blends out of it."""
    speed_m_s = np.linalg.norm(np.diff(positions_m, axis=0), axis=-1).max(axis=1) * rate_hz
    jumps = np.flatnonzero(speed_m_s > _GLITCH_M_S)
    good = np.ones(len(positions_m), dtype=np.bool_)
    margin = round(_GLITCH_MARGIN_S * rate_hz)
    for jump in jumps:
        good[max(0, jump - margin) : jump + 2 + margin] = False
    good[: round(_SETTLING_S * rate_hz)] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [slice(a, b) for a, b in edges.reshape(-1, 2).tolist() if b - a >= _SHORTEST_S * rate_hz]
