"""Writes tests/retarget/golden/*.json, the retarget cases that Python, Blender and C++ replay (docs/RIGS.md, last section).

Run it after a deliberate change of the rigs or of the maths: python tests/retarget/make_golden_retarget.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from characters import (
    A_POSE,
    T_POSE,
    Character,
    RestAngles,
    character,
    random_pose,
    renamed,
    rest_pose,
    under_extra_root,
    without,
)
from numpy.typing import ArrayLike

from posewire import rotation
from posewire.data import FloatArray, SkeletonPose
from posewire.retarget import Retargeter, bundled_rigs, client_parent_space, client_root_location, client_rotations
from posewire.rigs import Rig, parse_rig
from posewire.skeleton import REFERENCE, Skeleton

GOLDEN = Path(__file__).parent / "golden"
PERSON = REFERENCE.with_bone_lengths(REFERENCE.bone_lengths_m * np.linspace(0.95, 1.08, len(REFERENCE.names)))
"""A body whose proportions are those of no character below; left and right differ a little."""


class Case(NamedTuple):
    """One file: a character and how it is to be driven."""

    name: str
    summary: str
    rig: str
    character: Character
    name_set: str | None = None
    scale: float | None = None


def main() -> None:
    """Writes every case."""
    for case in cases():
        sections = write_case(case)
        lines = [f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in sections.items()]
        (GOLDEN / f"{case.name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")


def cases() -> list[Case]:
    """Rest poses, rolls, proportions, missing and unknown bones, names: each in at least one case."""
    rigs = {card.name: parse_rig(json.loads(card.path.read_text(encoding="utf-8")), card.name) for card in bundled_rigs()}
    tall = character(rigs["native"], seed=1, skeleton=REFERENCE.scaled(1.2))
    plain = character(rigs["mixamo"], T_POSE, seed=2)
    manny = under_extra_root(character(rigs["ue5_manny"], A_POSE, seed=4), "root")
    hanging = character(rigs["ue4_mannequin"], RestAngles(80.0, 25.0, 4.0, 12.0), seed=5)
    bvh = at_hips(character(rigs["cmu"], A_POSE, seed=8))
    return [
        Case("native_rolled", "native bones, random rolls, 1.2 times as tall", "native", tall),
        Case("mixamo_t_pose", "T-pose, random rolls", "mixamo", plain),
        Case("mixamo_a_pose_incomplete", "A-pose; bones missing and unknown", "mixamo", incomplete_mixamo(rigs["mixamo"])),
        Case("ue5_manny_a_pose", "A-pose, twist bones, a root bone above the pelvis", "ue5_manny", manny),
        Case("ue4_mannequin_hanging", "arms hanging, elbows bent, scale given", "ue4_mannequin", hanging, scale=1.1),
        Case("vrm_short_spine", "one spine bone, Unity's names", "vrm", short_spine_vrm(rigs["vrm"])),
        Case("rigify_fk", "FK controls beside the deform bones", "rigify", fk_and_deform(rigs["rigify"]), name_set="fk"),
        Case("cmu_origin_at_hips", "origin at the hips, one rest position unknown", "cmu", bvh),
    ]


def incomplete_mixamo(rig: Rig) -> Character:
    """A game character: no last spine bone, left fingers or right toes; the hips sit above the legs; another prefix."""
    gone = {"mixamorig:Spine2", "mixamorig:LeftHandMiddle1", "mixamorig:RightToeBase"}
    body = without(character(rig, A_POSE, seed=3), gone)
    body.positions_m[0] += [0.0, 0.06, 0.01]
    return under_extra_root(renamed(body, [name.replace("mixamorig:", "mixamorig4:") for name in body.names]), "Armature")


def short_spine_vrm(rig: Rig) -> Character:
    """A small avatar with one spine bone."""
    body = without(character(rig, T_POSE, seed=6, skeleton=REFERENCE.scaled(0.6)), {"chest", "upperChest", "neck"})
    return renamed(body, [name[0].upper() + name[1:] for name in body.names])


def fk_and_deform(rig: Rig) -> Character:
    """The deform bones and behind them, as a second tree, the FK controls of the same places with other rolls."""
    deform = character(rig, RestAngles(arms_down=35.0, elbows_bent=10.0), seed=7)
    pairs = [(b, bone.aliases["fk"]) for b, bone in enumerate(rig.bones) if "fk" in bone.aliases]
    controls = without(deform, {rig.names[b] for b in range(len(rig.bones)) if "fk" not in rig.bones[b].aliases})
    first = len(deform.names)
    rolls = rotation.normalise(np.random.default_rng(70).normal(size=(len(pairs), 4)))
    return Character(
        names=(*deform.names, *(name for _, name in pairs)),
        parents=(*deform.parents, *(first + parent if parent >= 0 else -1 for parent in controls.parents)),
        positions_m=np.concatenate([deform.positions_m, controls.positions_m]),
        orientations_wxyz=np.concatenate([deform.orientations_wxyz, rolls]),
    )


def at_hips(body: Character) -> Character:
    """As a BVH file gives it: the root at the origin; where the left middle finger begins is not known."""
    body.positions_m[:] -= body.positions_m[0].copy()
    body.positions_m[body.names.index("lMid1")] = np.nan
    return body


def write_case(case: Case) -> dict[str, Any]:
    """Everything of one file."""
    content = json.loads(next(card.path for card in bundled_rigs() if card.name == case.rig).read_text(encoding="utf-8"))
    rig = parse_rig(content, case.rig)
    poses = [rest_pose(PERSON), *(random_pose(np.random.default_rng(seed), PERSON) for seed in (20, 21))]
    return {
        "posewire_retarget_case": 1,
        "summary": case.summary,
        "rig": content,
        "name_set": case.name_set,
        "scale": case.scale,
        "skeleton": {"names": PERSON.names, "parents": PERSON.parents, "offsets_m": rounded(PERSON.offsets_m)},
        "character": {
            "names": case.character.names,
            "parents": case.character.parents,
            "positions_m": rounded(case.character.positions_m),
            "orientations_wxyz": rounded(case.character.orientations_wxyz),
        },
        "poses": [{"root_m": rounded(pose.root_m), "rotations_wxyz": rounded(pose.rotations_wxyz)} for pose in poses],
        "expected": expected(case, rig, poses),
    }


def expected(case: Case, rig: Rig, poses: list[SkeletonPose]) -> dict[str, Any]:
    """What a replay has to find; positions and directions come from the native pose, not from the retargeting."""
    body = case.character
    found = rig.match(body.names, case.name_set)
    retargeter = Retargeter(PERSON, rig.bind(body.names, body.parents, case.name_set), body.positions_m, case.scale)
    return {
        "matched": {bone.name: None if b is None else body.names[b] for bone, b in zip(rig.bones, found, strict=True)},
        "scale": round(retargeter.scale, 9),
        "alignments_wxyz": rounded_rotations(retargeter.alignments_wxyz),
        "poses": [expected_pose(retargeter, body, pose) for pose in poses],
    }


def expected_pose(retargeter: Retargeter, body: Character, pose: SkeletonPose) -> dict[str, Any]:
    """One pose in the three forms that clients use."""
    result, root = retargeter(pose), retargeter.rig.root
    R, B = result.rotations_wxyz, body.orientations_wxyz
    return {
        "root_m": rounded(result.root_m),
        "rotations_wxyz": rounded_rotations(R),
        "client_rotations_wxyz": rounded_rotations(client_rotations(R, B)),
        "parent_space_wxyz": rounded_rotations(client_parent_space(R, B, body.parents)),
        "root_location_m": rounded(client_root_location(result.root_m, body.positions_m[root], B[root])),
        "directions": directions(retargeter.rig, PERSON, pose),
    }


def directions(rig: Rig, skeleton: Skeleton, pose: SkeletonPose) -> list[dict[str, Any]]:
    """For each limb bone the unit vector, world, from its head to the head of the bone that it aims at."""
    native = dict(zip(skeleton.names, pose.positions_m, strict=True))
    rows: list[dict[str, Any]] = []
    for bone in rig.bones:
        if bone.align == "direction" and bone.aim is not None and bone.joint is not None and bone.aim_joint is not None:
            arrow = native[bone.aim_joint] - native[bone.joint]
            rows.append({"from": bone.name, "to": rig.names[bone.aim], "direction": rounded(arrow / np.linalg.norm(arrow))})
    return rows


def rounded(values: ArrayLike) -> Any:
    """Nine decimals; a row that is unknown becomes null."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        return [rounded(row) for row in array]
    return None if np.isnan(array).any() else (np.round(array, 9) + 0.0).tolist()


def rounded_rotations(rotations_wxyz: FloatArray) -> Any:
    """Of the two signs the one with w >= 0."""
    return rounded(np.where(rotations_wxyz[:, :1] < 0.0, -rotations_wxyz, rotations_wxyz))


if __name__ == "__main__":
    main()
