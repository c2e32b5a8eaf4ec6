"""VMC: bytes as another hand writes them, and the same person on the other side, seen by python-osc."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gateway_samples import Receiver, angle_deg, made, moment, neighbours, pose, standing

from posewire import rotation
from posewire.data import FloatArray
from posewire.errors import SettingsError
from posewire.skeleton import REFERENCE
from posewire_gateway.osc import LARGEST_BUNDLE
from posewire_gateway.people import parse_choice
from posewire_gateway.targets import Target
from posewire_gateway.vmc import VmcPerformer, vmc_rig

GOLDEN = Path(__file__).parent / "golden"
FIRST, ALL = parse_choice("first"), parse_choice("all")
UNITY_PARENTS = {
    "Spine": "Hips",
    "Chest": "Spine",
    "UpperChest": "Chest",
    "Neck": "UpperChest",
    "Head": "Neck",
    **{f"{side}UpperLeg": "Hips" for side in ("Left", "Right")},
    **{f"{side}LowerLeg": f"{side}UpperLeg" for side in ("Left", "Right")},
    **{f"{side}Foot": f"{side}LowerLeg" for side in ("Left", "Right")},
    **{f"{side}Shoulder": "UpperChest" for side in ("Left", "Right")},
    **{f"{side}UpperArm": f"{side}Shoulder" for side in ("Left", "Right")},
    **{f"{side}LowerArm": f"{side}UpperArm" for side in ("Left", "Right")},
    **{f"{side}Hand": f"{side}LowerArm" for side in ("Left", "Right")},
}
LIMBS = {
    ("UpperArm", "LowerArm"): ("shoulder", "elbow"),
    ("LowerArm", "Hand"): ("elbow", "wrist"),
    ("UpperLeg", "LowerLeg"): ("hip", "knee"),
    ("LowerLeg", "Foot"): ("knee", "ankle"),
}


@pytest.fixture
def performer(receiver: Receiver) -> Iterator[VmcPerformer]:
    one = VmcPerformer(Target("127.0.0.1", receiver.port), FIRST)
    yield one
    one.close()


def bones(messages: list[tuple[str, list[Any]]]) -> dict[str, list[float]]:
    return {values[0]: values[1:] for address, values in messages if address == "/VMC/Ext/Bone/Pos"}


def unity_positions(got: dict[str, list[float]]) -> dict[str, FloatArray]:
    """What a Unity scene makes of the local transforms: forward kinematics by matrices, a parent's times a child's."""
    world: dict[str, FloatArray] = {}
    for name, values in got.items():
        local = np.eye(4)
        x, y, z, w = values[3:]
        local[:3, :3], local[:3, 3] = rotation.to_matrix(np.array([w, x, y, z])), values[:3]
        world[name] = world[UNITY_PARENTS[name]] @ local if name in UNITY_PARENTS else local
    return {name: matrix[:3, 3] for name, matrix in world.items()}


def test_packets_are_the_golden_ones(receiver: Receiver, performer: VmcPerformer) -> None:
    case = json.loads((GOLDEN / "vmc.json").read_text(encoding="utf-8"))
    rotations = rotation.identity(len(REFERENCE.names))
    for joint, turn in case["rotations_wxyz"].items():
        rotations[REFERENCE.index(joint)] = turn
    performer.send(moment(made(0, np.array(case["root_m"]), rotations), time_s=case["media_time_s"]))
    golden = [path.read_bytes() for path in sorted(GOLDEN.glob("vmc_*.bin"))]
    got = receiver.datagrams()
    assert [len(data) for data in got] == [len(data) for data in golden]
    for mine, theirs in zip(got, golden, strict=True):
        if mine != theirs:  # a float may differ in its last bit
            a, b = (np.array(struct.unpack(f">{len(data) // 4}f", data)) for data in (mine, theirs))
            np.testing.assert_allclose(a, b, rtol=2e-7, atol=1e-7)


@pytest.mark.parametrize("seed", range(8))
def test_bones_point_where_the_person_does(receiver: Receiver, performer: VmcPerformer, seed: int) -> None:
    person = pose(seed=seed)
    performer.send(moment(person))
    unity = unity_positions(bones(receiver.messages()))
    for side in ("Left", "Right"):
        for (start, end), (joint, next_joint) in LIMBS.items():
            native = np.subtract(*(person.positions_m[REFERENCE.index(f"{side.lower()}_{j}")] for j in (next_joint, joint)))
            off_deg = angle_deg(unity[side + end] - unity[side + start], native * [-1, 1, 1])
            assert off_deg < 0.1, f"{side}{start} is off by {off_deg} degrees"


def test_the_hips_stand_where_the_pelvis_is(receiver: Receiver, performer: VmcPerformer) -> None:
    performer.send(moment(standing(root_m=(0.5, 1.0, 2.0))))
    np.testing.assert_allclose(bones(receiver.messages())["Hips"][:3], [-0.5, 1.0, 2.0], atol=1e-6)


def test_a_frame_begins_with_ok_and_ends_with_apply(receiver: Receiver, performer: VmcPerformer) -> None:
    performer.send(moment(pose()))
    addresses = [address for address, _ in receiver.messages()]
    assert addresses[:3] == ["/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Root/Pos"]
    assert addresses[-1] == "/VMC/Ext/Blend/Apply"
    assert set(addresses[3:-1]) == {"/VMC/Ext/Bone/Pos"} and len(addresses) == 24


def test_every_datagram_fits_a_network_packet(receiver: Receiver, performer: VmcPerformer) -> None:
    performer.send(moment(pose()))
    assert all(len(data) <= LARGEST_BUNDLE for data in receiver.datagrams())


def test_nobody_in_view_is_said_and_nothing_moves(receiver: Receiver, performer: VmcPerformer) -> None:
    performer.send(moment(pose(), time_s=1.0))
    receiver.datagrams()
    performer.send(moment(time_s=2.0))
    assert receiver.messages() == [("/VMC/Ext/OK", [1, 3, 0, 0]), ("/VMC/Ext/T", [2.0])]
    performer.lost()
    assert receiver.messages()[0] == ("/VMC/Ext/OK", [1, 3, 0, 0])


def test_each_person_has_a_port() -> None:
    first, second = neighbours()
    performer = VmcPerformer(Target("127.0.0.1", first.port), ALL)
    performer.send(moment(standing(4, (1, 1, 0)), standing(7, (2, 1, 0))))
    assert bones(first.messages())["Hips"][0] == -1.0
    assert bones(second.messages())["Hips"][0] == -2.0
    performer.send(moment(standing(7, (3, 1, 0))))
    assert bones(second.messages())["Hips"][0] == -3.0, "who stays keeps the port"
    assert first.messages()[0] == ("/VMC/Ext/OK", [1, 3, 0, 0])
    for one in (performer, first, second):
        one.close()


def test_without_an_upper_chest_the_chest_turns_in_its_stead(receiver: Receiver) -> None:
    performer = VmcPerformer(Target("127.0.0.1", receiver.port), FIRST, without=["UpperChest"])
    rotations = rotation.identity(len(REFERENCE.names))
    rotations[REFERENCE.index("chest")] = rotation.exp([0.0, 0.4, 0.0])
    performer.send(moment(made(0, np.array([0.0, 1.0, 0.0]), rotations)))
    got = bones(receiver.messages())
    performer.close()
    assert "UpperChest" not in got
    np.testing.assert_allclose(got["Chest"][3:], [0, -np.sin(0.2), 0, np.cos(0.2)], atol=1e-6)


def test_a_bone_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="UpperChest"):
        vmc_rig(["Tail"])
