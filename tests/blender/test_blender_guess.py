"""Characters with names of their own: each convention as its makers write it, hung on a body."""

from __future__ import annotations

from pathlib import Path

import pytest
from posewire_live import guess
from posewire_live.mapping import read_rig

NATIVE = read_rig(Path(__file__).parents[2] / "core" / "posewire" / "rigs" / "native.json")
TRUNK = ("pelvis", "spine", "chest", "neck", "head")
PARTS = ("clavicle", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")
CARRIER = {"spine": "pelvis", "chest": "spine", "neck": "chest", "head": "neck"} | {
    side + part: (side + above if above in PARTS else above)
    for side in ("left_", "right_")
    for part, above in zip(PARTS, ("chest", *PARTS[:3], "pelvis", *PARTS[4:7]), strict=True)
}

NAMED = {
    "by hand": ("Hips Spine Chest Neck Head", "{}.L", "Shoulder UpperArm LowerArm Hand UpperLeg LowerLeg Foot Toes"),
    "by hand, with gaps": (
        "Hips Spine Chest Neck Head",
        "{}.L",
        "Shoulder Upper_Arm Lower_Arm Hand Upper_Leg Lower_Leg Foot Toe",
    ),
    "Blender": ("hips spine chest neck head", "{}.L", "shoulder upper_arm forearm hand thigh shin foot toe"),
    "leg and shin": ("body belly breast neck skull", "left_{}", "collar arm elbow wrist leg shin ankle toes"),
    "a name before": (
        "Bob_Root Bob_Belly Bob_Chest Bob_Neck Bob_Head",
        "Bob:L_{}",
        "Clav UpArm LowArm Hand UpLeg LowLeg Foot Ball",
    ),
    "Character Creator": (
        "CC_Base_Hip CC_Base_Waist CC_Base_Spine02 CC_Base_NeckTwist01 CC_Base_Head",
        "CC_Base_L_{}",
        "Clavicle Upperarm Forearm Hand Thigh Calf Foot ToeBase",
    ),
    "Daz 8": ("hip abdomenLower chestUpper neckLower head", "l{}", "Collar ShldrBend ForearmBend Hand ThighBend Shin Foot Toe"),
    "Daz 9": ("hip spine1 spine4 neck1 head", "l_{}", "shoulder upperarm forearm hand thigh shin foot toes"),
    "3ds Max": (
        "Bip001_Pelvis Bip001_Spine Bip001_Spine1 Bip001_Neck Bip001_Head",
        "Bip001 L {}",
        "Clavicle UpperArm Forearm Hand Thigh Calf Foot Toe0",
    ),
    "Source": (
        "ValveBiped.Bip01_Pelvis ValveBiped.Bip01_Spine ValveBiped.Bip01_Spine4 ValveBiped.Bip01_Neck1 ValveBiped.Bip01_Head1",
        "ValveBiped.Bip01_L_{}",
        "Clavicle UpperArm Forearm Hand Thigh Calf Foot Toe0",
    ),
    "SMPL": ("Pelvis Spine1 Spine3 Neck Head", "L_{}", "Collar Shoulder Elbow Wrist Hip Knee Ankle Foot"),
    "SMPL-X": ("pelvis spine1 spine3 neck head", "left_{}", "collar shoulder elbow wrist hip knee ankle foot"),
    "Auto-Rig Pro": (
        "root.x spine_01.x spine_02.x neck.x head.x",
        "{}.l",
        "shoulder arm_stretch forearm_stretch hand thigh_stretch leg_stretch foot toes_01",
    ),
    "Xsens": ("Pelvis L5 T8 Neck Head", "Left{}", "Collar Shoulder Elbow Wrist Hip Knee Ankle Toe"),
    "MikuMikuDance": ("下半身 上半身 上半身2 首 頭", "左{}", "肩 腕 ひじ 手首 足 ひざ 足首 つま先"),
}
OTHER_SIDE = {"L": "R", "l": "r", "Left": "Right", "left": "right", "左": "右"}


def called(convention: str) -> dict[str, str]:
    """By joint: the bone's name."""
    trunk, pattern, parts = NAMED[convention]
    names = dict(zip(TRUNK, trunk.split(), strict=True))
    here = next(side for side in ("Left", "left", "左", "L", "l") if side in pattern.replace("Valve", ""))
    start = pattern.rindex(here)
    for side, word in (("left_", here), ("right_", OTHER_SIDE[here])):
        own = pattern[:start] + word + pattern[start + len(here) :]
        names |= {side + joint: own.format(part) for joint, part in zip(PARTS, parts.split(), strict=True)}
    return names


def hung(names: dict[str, str], *more: tuple[str, str]) -> tuple[list[str], list[int]]:
    """Bones and parents; `more` are pairs of a further bone and the joint that carries it."""
    bones = ["Armature root", *names.values(), *(name for name, _ in more)]
    parents = [-1, *(bones.index(names[CARRIER[joint]]) if joint in CARRIER else 0 for joint in names)]
    return bones, [*parents, *(bones.index(names[joint]) for _, joint in more)]


def found(bones: list[str], parents: list[int], passed_over: tuple[str, ...] = ()) -> dict[str, str]:
    rig = guess.rig_of(NATIVE, bones, parents, passed_over)
    return rig.match(bones) if rig is not None else {}


@pytest.mark.parametrize("convention", NAMED)
def test_every_part_of_a_body_is_found_whatever_it_is_called(convention: str) -> None:
    names = called(convention)
    assert found(*hung(names)) == names


def test_helpers_and_twist_bones_are_passed_over() -> None:
    names = called("Daz 8")
    more = [("lShldrTwist", "left_shoulder"), ("lForearmTwist", "left_elbow"), ("hand_ik.L", "pelvis"), ("foot_ik.L", "pelvis")]
    assert found(*hung(names, *more)) == names


def test_bones_that_something_else_moves_give_way_to_those_that_are_free() -> None:
    names = called("Blender")
    bones, parents = hung(names)
    bones += ["DEF-" + bone for bone in bones]
    parents += [row if row < 0 else row + len(parents) for row in parents]
    driven = tuple(bone for bone in bones if not bone.startswith("DEF-"))
    assert found(bones, parents, driven) == {joint: "DEF-" + bone for joint, bone in names.items()}
    assert found(bones, parents, tuple(bones)) != {}


def test_what_is_missing_is_left_out() -> None:
    names = called("by hand")
    for joint in ("left_toe", "right_toe", "head"):
        names.pop(joint)
    assert found(*hung(names)) == names


@pytest.mark.parametrize("joint", ["left_knee", "right_wrist", "left_hip"])
def test_without_all_limbs_nothing_is_guessed(joint: str) -> None:
    names = called("by hand")
    names[joint] = "something"
    assert found(*hung(names)) == {}


def test_limbs_that_hang_on_nothing_common_are_no_body() -> None:
    bones, parents = hung(called("by hand"))
    parents[bones.index("UpperLeg.L")] = -1
    assert guess.rig_of(NATIVE, bones, parents) is None
