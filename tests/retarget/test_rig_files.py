"""Rig files: the bundled ones make sense, a user's own is read, and a broken one is explained."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posewire.errors import PluginError
from posewire.retarget import bundled_rigs, load_rig, read_rig, resolve_rig, rig_skeleton
from posewire.rigs import detect_rig, parse_rig
from posewire.skeleton import REFERENCE

RIGS = [card.name for card in bundled_rigs()]
LIMBS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee")]

SMALL: dict[str, Any] = {
    "posewire_rig": 1,
    "name": "small",
    "summary": "a rig of three bones",
    "prefixes": ["my_", ""],
    "name_sets": ["own", "other"],
    "bones": [
        {"name": "Root", "parent": None, "joint": "pelvis", "aliases": {"other": "Center"}},
        {"name": "Arm", "parent": "Root", "joint": "left_shoulder", "aim": "Tip", "aim_joint": "left_elbow"},
        {"name": "Tip", "parent": "Arm", "place": {"from": "left_elbow", "to": "left_elbow", "at": 0}},
    ],
}


def changed(**changes: Any) -> dict[str, Any]:
    """SMALL with fields changed; those of the second bone by bone=..., those of the first by root=..."""
    content = copy.deepcopy(SMALL)
    content["bones"][1].update(changes.pop("bone", {}))
    content["bones"][0].update(changes.pop("root", {}))
    return content | changes


def test_the_promised_rigs_are_bundled() -> None:
    assert {"native", "vrm", "mixamo", "ue5_manny", "ue4_mannequin", "rigify", "cmu"} <= set(RIGS)
    assert all(card.summary and card.path.stem == card.name for card in bundled_rigs())


@pytest.mark.parametrize("name", RIGS)
def test_bundled_rig_drives_every_limb_once_and_whole(name: str) -> None:
    rig = load_rig(name)
    for joint in LIMBS:
        aimed = [bone for bone in rig.bones if bone.joint == joint and bone.aim is not None]
        assert len(aimed) == 1, joint
        assert aimed[0].share == 1.0


@pytest.mark.parametrize("name", RIGS)
def test_bundled_rig_has_left_and_right_alike(name: str) -> None:
    rig = load_rig(name)
    rows = [(bone.joint, bone.share, bone.twist_share, bone.aim_joint, bone.align) for bone in rig.bones]
    swapped = {"left": "right", "right": "left"}
    for joint, share, twist, aim, align in rows:
        if joint is not None and "_" in joint:
            side, _, part = joint.partition("_")
            other_aim = None if aim is None else f"{swapped[side]}_{aim.partition('_')[2]}"
            assert (f"{swapped[side]}_{part}", share, twist, other_aim, align) in rows


@pytest.mark.parametrize("name", RIGS)
def test_bundled_rig_stands_on_the_native_proportions(name: str) -> None:
    rig = load_rig(name)
    skeleton = rig_skeleton(rig, REFERENCE)
    positions = skeleton.positions_m(skeleton.offsets_m[0], np.tile([1.0, 0, 0, 0], (len(rig.bones), 1)))
    assert skeleton.names == rig.names
    assert 0.0 <= positions[:, 1].min() < 0.08
    assert 1.45 < positions[:, 1].max() < 1.55


@pytest.mark.parametrize("name", RIGS)
def test_humanoid_names_are_given_once(name: str) -> None:
    names = [bone.humanoid for bone in load_rig(name).bones if bone.humanoid is not None]
    assert len(names) == len(set(names))
    assert {"hips", "head", "leftHand", "rightFoot"} <= set(names)


@pytest.mark.parametrize(
    ("rig", "bones"),
    [
        ("mixamo", ["mixamorig:Hips", "mixamorig:LeftArm"]),
        ("mixamo", ["mixamorig12:Hips", "mixamorig12:LeftArm"]),
        ("mixamo", ["mixamorigHips", "mixamorigLeftArm"]),
        ("mixamo", ["Hips", "LeftArm"]),
        ("vrm", ["hips", "leftUpperArm"]),
        ("vrm", ["Hips", "LeftUpperArm"]),
        ("vrm", ["J_Bip_C_Hips", "J_Bip_L_UpperArm"]),
        ("ue5_manny", ["Pelvis", "UpperArm_L"]),
        ("rigify", ["DEF-spine", "DEF-upper_arm.L"]),
        ("rigify", ["spine", "upper_arm.L"]),
        ("rigify", ["torso", "upper_arm_fk.L"]),
        ("cmu", ["hip", "lShldr"]),
        ("cmu_mb", ["Hips", "LeftArm"]),
    ],
)
def test_bones_are_found_under_the_usual_names(rig: str, bones: list[str]) -> None:
    loaded = load_rig(rig)
    found = loaded.match(["something", *bones])
    joints = [bone.joint for bone in loaded.bones]
    assert (found[joints.index("pelvis")], found[joints.index("left_shoulder")]) == (1, 2)


def test_asked_name_set_wins_on_a_character_that_has_several() -> None:
    rig = load_rig("rigify")
    names = ["DEF-spine", "torso", "DEF-upper_arm.L", "upper_arm_fk.L", "DEF-forearm.L"]
    assert rig.match(names)[0] == 0
    assert rig.match(names, "fk")[0] == 1
    with pytest.raises(PluginError, match="no such name set"):
        rig.match(names, "ik")


@pytest.mark.parametrize("name", RIGS)
def test_character_s_bone_names_tell_its_rig(name: str) -> None:
    rigs = [load_rig(other) for other in RIGS]
    found, coverage = detect_rig(["Armature", *load_rig(name).names, "extra"], rigs)
    assert (found.name, coverage) == (name, 1.0)


def test_character_without_twist_bones_still_covers_its_rig_wholly() -> None:
    manny = load_rig("ue5_manny")
    assert manny.coverage([name for name in manny.names if "twist" not in name]) == 1.0


def test_coverage_falls_with_missing_bones_and_is_low_on_another_rig() -> None:
    vrm = load_rig("vrm")
    assert vrm.coverage([name for name in vrm.names if name != "leftHand"]) == pytest.approx(19 / 20)
    assert vrm.coverage(load_rig("cmu").names) < 0.3


def test_user_s_own_file_is_taken_where_a_name_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SMALL), encoding="utf-8")
    rig = resolve_rig(str(path), bundled_rigs())
    assert rig.names == ("my_Root", "my_Arm", "my_Tip")
    assert rig.parents == (-1, 0, 1)
    assert resolve_rig("vrm", bundled_rigs()).name == "vrm"


def test_unknown_rig_lists_what_there_is() -> None:
    with pytest.raises(PluginError) as error:
        resolve_rig("manny", bundled_rigs())
    assert "manny" in str(error.value)
    assert all(name in str(error.value) for name in RIGS)
    with pytest.raises(PluginError, match="did you mean 'mixamo'"):
        resolve_rig("mixano", bundled_rigs())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "is not a JSON object"),
        (changed(posewire_rig=2), "version"),
        (changed(extra=1), "unknown key"),
        (changed(name=""), "needs a text under 'name'"),
        (changed(summary=None), "needs a text under 'summary'"),
        (changed(rest_pose="u"), "'rest_pose' that is not known"),
        (changed(prefixes=[]), "list of texts under 'prefixes'"),
        (changed(bones={}), "needs a list of bones"),
        (changed(bones=[]), "needs a list of bones"),
        (changed(bones=[3]), "bone 0, is not a JSON object"),
        (changed(bone={"nmae": "x"}), "bone 'Arm', has an unknown key"),
        (changed(bone={"name": "Root"}), "stands there twice"),
        (changed(bone={"parent": "Rot"}), "bone 'Arm', has an unknown bone under 'parent'"),
        (changed(bone={"parent": "Tip"}), "stands before its parent"),
        (changed(bone={"parent": None}), "two bones without a parent"),
        (changed(bone={"joint": "left_arm"}), "'joint' that is not known"),
        (changed(bone={"joint": ["left_arm"]}), "'joint' that is not known"),
        (changed(bone={"share": 1.5}), "not a share"),
        (changed(bone={"share": float("nan")}), "not a share"),
        (changed(bone={"share": True}), "not a share"),
        (changed(bone={"share": 0.5, "twist_share": 0.5}), "a share and a twist_share"),
        (changed(bone={"aim_joint": None}), "aim without the native joint"),
        (changed(bone={"aim": None, "aim_joint": None, "twist_share": 0.5}), "twist_share without an axis"),
        (changed(bone={"aim_joint": "left_shoulder"}), "points at its own joint"),
        (changed(bone={"joint": None}), "but no joint"),
        (changed(bone={"align": "up"}), "'align' that is not known"),
        (changed(bone={"rest_direction": [0, 0, 0]}), "not a direction"),
        (changed(bone={"rest_direction": [0, 1]}), "not a direction"),
        (changed(bone={"place": {"from": "left_hip"}}), "needs two joints"),
        (changed(bone={"place": {"from": "left_hip", "to": "left_knee", "at": 2}}), "not a share"),
        (changed(bone={"aliases": {"third": "x"}}), "unknown key"),
        (changed(bone={"humanoid": 5}), "needs a text under 'humanoid'"),
        (changed(root={"joint": "spine"}), "does not begin with the root bone"),
        (changed(root={"share": 0.5}), "does not begin with the root bone"),
    ],
)
def test_broken_rig_names_the_file_and_the_fault(content: object, message: str) -> None:
    with pytest.raises(PluginError, match="rig file mine") as error:
        parse_rig(content, "mine.json")
    assert message in error.value.problem


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_file_that_is_not_json_is_a_plain_error(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(text)
    with pytest.raises(PluginError, match="is not JSON"):
        read_rig(path)


def test_missing_file_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="cannot be read"):
        resolve_rig(str(tmp_path / "none.json"), bundled_rigs())
