"""IK controls: they stand where the rotations put the limb, poles in its plane, steady where it is straight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from posewire_live import rotation
from posewire_live.controls import Controls, IkControl, find
from posewire_live.mapping import read_rig
from posewire_live.protocol import Skeleton
from posewire_live.reach import LIMBS, Body
from posewire_live.retarget import Character, Driven, Retargeter, drive

from posewire.skeleton import REFERENCE

RIGS = Path(__file__).parents[2] / "core" / "posewire" / "rigs"
PERSON = Skeleton(REFERENCE.names, REFERENCE.parents, np.array(REFERENCE.offsets_m))
CONTROLS = tuple(IkControl(end, f"{end}_ik", f"{end}_pole", ()) for end in LIMBS)


def posed(seed: int, straight: float = 0.0) -> tuple[Driven, Body, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Native bones, W and places of a random pose, rest places of controls; straight = 1 unbends every limb."""
    rig = read_rig(RIGS / "native.json")
    driven = drive(rig, rig.match(REFERENCE.names), Character(REFERENCE.names, REFERENCE.parents, PERSON.rest_m()))
    retargeter = Retargeter(PERSON, driven)
    rng = np.random.default_rng(seed)
    lower, upper = REFERENCE.limits_rad.T
    angles = (lower + (upper - lower) * rng.uniform(0.25, 0.75, len(lower))) * (1.0 - straight)
    L = REFERENCE.joint_rotations(angles, rotation.about(np.array([0, 1.0, 0]), 0.8))
    W = retargeter.world(retargeter.native_world(L), L)
    body = Body(driven, retargeter.alignments_wxyz)
    rest = driven.positions_m
    rest_m = {one.control: rest[body.limbs[one.end].c] + [0.01, 0.02, 0.03] for one in CONTROLS}
    rest_m |= {one.pole: rest[body.limbs[one.end].b] + [0.0, 0.0, 0.7] for one in CONTROLS}
    return driven, body, W, body.places_m(W, np.array([0.2, 0.9, 1.0])), rest_m


@pytest.mark.parametrize("seed", range(5))
def test_the_pole_lies_in_the_plane_of_the_limb_on_the_side_where_it_bends(seed: int) -> None:
    driven, body, W, places, rest_m = posed(seed)
    made, turns = Controls(body, driven, CONTROLS, rest_m)(W, places, {})
    for number, one in enumerate(CONTROLS):
        limb = body.limbs[one.end]
        a, b, c = places[limb.a], places[limb.b], places[limb.c]
        control, pole = made[2 * number], made[2 * number + 1]
        assert np.allclose(control - c, rotation.rotate(W[limb.c], np.array([0.01, 0.02, 0.03])))
        assert np.allclose(turns[number], W[limb.c])
        assert np.linalg.norm(pole - b) == pytest.approx(0.7)
        along = (c - a) / np.linalg.norm(c - a)
        bent = (b - a) - ((b - a) @ along) * along
        assert abs((pole - b) @ along) < 1e-9
        cosine = (pole - b) @ bent / 0.7 / np.linalg.norm(bent)
        assert np.linalg.norm(bent) * np.sqrt(max(0.0, 1 - cosine**2)) < 0.005, one.end  # the elbow moves by so much, metres
        assert cosine > 0


def test_the_pole_of_a_straight_limb_does_not_jump() -> None:
    """Within a thousandth of straight, on either side, the pole moves by no more than a little."""
    poles = []
    for straight in (0.999, 1.0, 1.001):
        driven, body, W, places, rest_m = posed(3, straight)
        poles.append(Controls(body, driven, CONTROLS, rest_m)(W, places, {})[0][1::2])
    assert np.linalg.norm(np.diff(poles, axis=0), axis=-1).max() < 0.1


def test_a_target_takes_the_control_along() -> None:
    driven, body, W, places, rest_m = posed(1)
    controls = Controls(body, driven, CONTROLS, rest_m)
    away = np.array([0.3, 0.1, -0.2])
    limb = body.limbs["left_wrist"]
    before, after = controls(W, places, {})[0], controls(W, places, {"left_wrist": places[limb.c] + away})[0]
    row = 2 * [one.end for one in CONTROLS].index("left_wrist")
    assert np.allclose(after[row] - before[row], away)
    assert np.allclose(np.delete(after, [row, row + 1], axis=0), np.delete(before, [row, row + 1], axis=0))


def test_rigifys_controls_are_found_beside_the_fk_controls() -> None:
    rig = read_rig(RIGS / "rigify.json")
    fk = [bone.aliases["fk"] for bone in rig.bones if "fk" in bone.aliases]
    ik = [f"{name}.{side}" for name in ("hand_ik", "foot_ik", "upper_arm_ik_target", "thigh_ik_target") for side in "LR"]
    found = find(rig, rig.match(fk, "fk"), [*fk, *ik])
    assert {(one.end, one.control, one.pole) for one in found} == {
        ("left_wrist", "hand_ik.L", "upper_arm_ik_target.L"),
        ("right_wrist", "hand_ik.R", "upper_arm_ik_target.R"),
        ("left_ankle", "foot_ik.L", "thigh_ik_target.L"),
        ("right_ankle", "foot_ik.R", "thigh_ik_target.R"),
    }
    assert next(one for one in found if one.end == "left_wrist").replaces == ("upper_arm_fk.L", "forearm_fk.L", "hand_fk.L")
    assert find(rig, rig.match(fk, "fk"), fk) == ()
