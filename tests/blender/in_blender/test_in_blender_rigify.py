"""A generated Rigify human, led by its FK controls, its IK controls or both; and the metarig."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import LIMBS, add, assert_directions
from conftest import Stage, angle_deg, connect, evaluated_heads, pump_until, sequences


@pytest.mark.parametrize("controls", ["FK", "IK"])
def test_the_demo_clip_on_a_generated_rigify_human(demo_take: Path, rigify: Path, controls: str) -> None:
    """FK: limbs within 2 degrees of Posewire's own skeleton; IK: within 4 degrees, and with reach the ends within 2 cm."""
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    bpy.context.scene.render.fps = 60
    assert bpy.ops.posewire.import_take(filepath=str(demo_take), frame=1) == {"FINISHED"}
    native = bpy.context.scene.posewire.characters[0].object
    obj = bpy.data.objects["rig"]
    add(obj)
    bpy.context.scene.posewire.characters.remove(0)
    character = bpy.context.scene.posewire.characters[0]
    character.controls, joints = controls, deform_joints("DEF-")
    tolerance_deg = 2.0 if controls == "FK" else IK_TOLERANCE_DEG
    for reach in ("NOTHING", "ALL") if controls == "IK" else ("NOTHING",):
        character.reach, character.auto_scale, character.scale = reach, reach == "NOTHING", 1.0
        assert bpy.ops.posewire.import_take(filepath=str(demo_take), frame=1) == {"FINISHED"}
        away: list[np.ndarray] = []
        for frame in range(1, 100, 9):
            bpy.context.scene.frame_set(frame)
            want, got = evaluated_heads(native), evaluated_heads(obj)
            for start, end in LIMBS if reach == "NOTHING" else ():
                assert angle_deg(got[joints[end]] - got[joints[start]], want[end] - want[start]) < tolerance_deg, (frame, start)
            away.append(np.array([got[joints[joint]] - want[joint] for joint in ENDS]))
        if reach == "ALL":
            off = np.array(away)
            off[:, 2:, 2] -= off[0, 2:, 2].mean()  # the character's ankles are higher over its soles
            assert np.linalg.norm(off, axis=-1).max() < 0.02


def test_the_feet_of_rigify_reach_the_persons(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    character = add(obj)
    character.reach = "ALL"
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    expected, heads = stage.expected(session.newest.pose.sequence), evaluated_heads(obj)
    person = session.followers[obj.session_uid].binding._performers
    scale = next(iter(person.values()))[1]._retarget.scale
    for side, end in (("left", ".L"), ("right", ".R")):
        assert np.linalg.norm((heads[f"DEF-foot{end}"] - scale * expected[f"{side}_ankle"])[:2]) < 0.02
        shoulder, elbow, wrist = (heads[f"DEF-{bone}{end}"] for bone in ("upper_arm", "forearm", "hand"))
        length = np.linalg.norm(elbow - shoulder) + np.linalg.norm(wrist - elbow)
        way = scale * expected[f"{side}_wrist"] - shoulder
        nearest = shoulder + way * min(1.0, length / np.linalg.norm(way))  # its arms are short for its legs
        assert np.linalg.norm(wrist - nearest) < 0.02


@pytest.fixture(scope="module")
def rigify(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a generated Rigify human and its metarig: generation takes seconds."""
    import addon_utils

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    bpy.context.object.name = "metarig"
    bpy.ops.pose.rigify_generate()
    path = tmp_path_factory.mktemp("rigify") / "rigify.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


DEFORM = {"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand", "hip": "thigh", "knee": "shin", "ankle": "foot"}


def deform_joints(prefix: str) -> dict[str, str]:
    sides = (("left", ".L"), ("right", ".R"))
    return {f"{side}_{joint}": f"{prefix}{bone}{end}" for side, end in sides for joint, bone in DEFORM.items()}


def test_a_generated_rigify_rig_is_led_by_its_fk_controls(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    character = add(obj)
    before = evaluated_heads(obj)
    switches = {bone.name: bone["IK_FK"] for bone in obj.pose.bones if "IK_FK" in bone}
    assert len(switches) == 4
    session = connect(stage.address)
    for _ in range(4):
        newest = session.newest
        pump_until(lambda newest=newest: session.newest is not newest, "a pose")
        assert session.problem_of(character) == ""
        assert_directions(stage, session, obj, deform_joints("DEF-"), 2.0)
    assert character.fit().confidence > 0.9
    bpy.ops.posewire.disconnect()
    after = evaluated_heads(obj)
    assert max(np.abs(after[name] - before[name]).max() for name in before) < 1e-5
    assert {bone.name: bone["IK_FK"] for bone in obj.pose.bones if "IK_FK" in bone} == switches


def test_a_recording_on_rigify_keeps_the_fk_switch_in_the_action(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    add(obj)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.context.scene.render.fps = 60
    bpy.ops.posewire.record()
    first = session.newest.pose.sequence
    pump_until(lambda: session.newest.pose.sequence > first + 40, "motion")
    started = session.newest
    bpy.ops.posewire.stop()
    bpy.ops.posewire.disconnect()
    bpy.context.scene.frame_set(10)
    assert all(bone["IK_FK"] == 1.0 for bone in obj.pose.bones if "IK_FK" in bone)
    del started


ENDS = ("left_wrist", "right_wrist", "left_ankle", "right_ankle")
SWITCHES = ("IK_FK", "IK_parent", "pole_vector", "pole_parent", "neck_follow", "head_follow", "FK_limb_follow", "torso_parent")


def switches_of(obj: Any) -> dict[tuple[str, str], float]:
    return {(bone.name, key): float(bone[key]) for bone in obj.pose.bones for key in SWITCHES if key in bone}


def lead_by(obj: Any, fk: float) -> None:
    """The artist's own switch: 0 = IK leads, 1 = FK."""
    for bone in obj.pose.bones:
        if "IK_FK" in bone:
            bone["IK_FK"] = fk
    obj.update_tag(refresh={"DATA"})


IK_TOLERANCE_DEG = 4.0
"""Rigify's own IK bones may stretch by 10 %, and so shorten in a limb that is bent as far as this motion bends it."""


def test_a_generated_rigify_rig_is_led_by_its_ik_controls(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    before, kept = evaluated_heads(obj), switches_of(obj)
    character = add(obj)
    character.controls = "IK"
    session = connect(stage.address)
    for _ in range(6):
        newest = session.newest
        pump_until(lambda newest=newest: session.newest is not newest, "a pose")
        assert session.problem_of(character) == ""
        assert_directions(stage, session, obj, deform_joints("DEF-"), IK_TOLERANCE_DEG)
    assert np.abs(obj.pose.bones["hand_ik.L"].location).max() > 0.05
    assert obj.pose.bones["forearm_fk.L"].rotation_quaternion.angle == 0.0
    bpy.ops.posewire.disconnect()
    assert switches_of(obj) == kept
    after = evaluated_heads(obj)
    assert max(np.abs(after[name] - before[name]).max() for name in before) < 1e-5


def test_with_both_the_rigs_own_switch_stays_the_artists_and_shows_the_same(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    add(obj).controls = "BOTH"
    session = connect(stage.address)
    for fk in (0.0, 1.0):
        lead_by(obj, fk)
        newest = session.newest
        pump_until(lambda newest=newest: session.newest is not newest, "a pose")
        assert {bone["IK_FK"] for bone in obj.pose.bones if "IK_FK" in bone} == {fk}
        assert_directions(stage, session, obj, deform_joints("DEF-"), IK_TOLERANCE_DEG if fk == 0.0 else 2.0)
    by_fk = evaluated_heads(obj)
    lead_by(obj, 0.0)
    by_ik = evaluated_heads(obj)
    for joint in ENDS:
        bone = deform_joints("DEF-")[joint]
        assert np.linalg.norm(by_ik[bone] - by_fk[bone]) < 1e-3, joint


@pytest.mark.parametrize("longer", [0.8, 1.0, 1.25])
def test_hands_and_feet_of_rigifys_ik_are_where_the_persons_are_with_any_proportions(
    stage: Stage, rigify: Path, longer: float
) -> None:
    """Arms and legs of other lengths: the rig stretches where it must, as Rigify does by itself."""
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    character = add(obj)
    character.controls, character.reach, character.auto_scale, character.scale = "IK", "ALL", False, longer
    session = connect(stage.address)
    lift_m = None
    for _ in range(6):
        newest = session.newest
        pump_until(lambda newest=newest: session.newest is not newest, "a pose")
        expected, heads = stage.expected(session.newest.pose.sequence), evaluated_heads(obj)
        for joint in ENDS:
            away = heads[deform_joints("DEF-")[joint]] - longer * expected[joint]
            if joint.endswith("ankle"):  # the character's ankles are higher over its soles
                lift_m = away[2] if lift_m is None else lift_m
                away[2] -= lift_m
            assert np.linalg.norm(away) < 0.02, (joint, away)
    assert lift_m is not None
    assert abs(lift_m) < 0.06


def test_ik_controls_move_with_the_rigs_root(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    obj.pose.bones["root"].location = (0.5, 1.0, 0.0)
    character = add(obj)
    character.controls = "IK"
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert_directions(stage, session, obj, deform_joints("DEF-"), IK_TOLERANCE_DEG)


@pytest.mark.parametrize("controls", ["IK", "BOTH"])
def test_a_recording_on_rigifys_ik_plays_back(stage: Stage, rigify: Path, controls: str) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    add(obj).controls = controls
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.context.scene.render.fps = 60
    seen = sequences(session)
    bpy.ops.posewire.record()
    pump_until(lambda: len(seen) > 40, "motion")
    first = seen[0]
    bpy.ops.posewire.stop()
    bpy.ops.posewire.disconnect()
    start = int(obj.animation_data.action.frame_range[0])
    bpy.context.scene.frame_set(start + 20)
    heads, expected, joints = evaluated_heads(obj), stage.expected(first + 20), deform_joints("DEF-")
    for begin, end in LIMBS:
        assert angle_deg(heads[joints[end]] - heads[joints[begin]], expected[end] - expected[begin]) < IK_TOLERANCE_DEG, begin
    leads = {bone["IK_FK"] for bone in obj.pose.bones if "IK_FK" in bone}
    assert leads == {0.0}


def test_a_metarig_follows_as_it_is(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["metarig"]
    obj.hide_set(False)
    character = add(obj)
    assert character.fit().rig.name == "rigify"
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert_directions(stage, session, obj, deform_joints(""), 2.0)


def test_a_rigify_with_fewer_parts_keeps_its_controls(rigify: Path) -> None:
    """Without shoulders 89 % of the preset are there; the names alone would lead to bones that Rigify moves itself."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.object.armature_basic_human_metarig_add()
    bpy.ops.object.mode_set(mode="EDIT")
    for name in ("shoulder.L", "shoulder.R"):
        bpy.context.object.data.edit_bones.remove(bpy.context.object.data.edit_bones[name])
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.pose.rigify_generate()
    found = add(bpy.data.objects["rig"]).fit()
    assert found.confidence < 0.9
    assert (found.rig.name, found.has_ik) == ("rigify", True)
