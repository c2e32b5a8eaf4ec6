"""Plain OSC, trackers and JSON Live Link over real sockets."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from gateway_samples import Receiver, angle_deg, made, moment, pose, standing

from posewire import rotation
from posewire.errors import SettingsError
from posewire.rigs import load_rig
from posewire.skeleton import REFERENCE
from posewire_gateway.axes import AXES, NATIVE, UNITY, UNREAL
from posewire_gateway.generic_osc import GenericOsc
from posewire_gateway.json_live_link import JsonLiveLink, engine_names
from posewire_gateway.moment import Moment
from posewire_gateway.people import parse_choice
from posewire_gateway.targets import Target
from posewire_gateway.trackers import TRACKERS, OscTrackers, parse_trackers

ALL = parse_choice("all")


def target(receiver: Receiver) -> Target:
    return Target("127.0.0.1", receiver.port)


def bones_of(messages: list[tuple[str, list[float]]], person: int) -> dict[str, list[float]]:
    start = f"/posewire/person/{person}/bone/"
    return {address.removeprefix(start): values for address, values in messages if address.startswith(start)}


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_plain_osc_says_where_every_joint_is(receiver: Receiver, axes: object) -> None:
    assert axes in (NATIVE, UNITY, UNREAL)
    people = pose(3), pose(5)
    output = GenericOsc(target(receiver), ALL, axes, "world")  # type: ignore[arg-type]
    output.send(moment(*people, time_s=2.0))
    messages = receiver.messages()
    output.close()
    assert messages[0] == ("/posewire/frame", [0, 2.0, 2]) and messages[-1] == ("/posewire/end", [])
    for person in people:
        got = bones_of(messages, person.person_id)
        assert tuple(got) == REFERENCE.names
        at = np.array([values[:3] for values in got.values()])
        np.testing.assert_allclose(at, axes.points(person.positions_m), atol=1e-4 * axes.scale)
        turned = axes.rotations_xyzw(REFERENCE.world_rotations(person.rotations_wxyz))
        np.testing.assert_allclose(np.array([values[3:] for values in got.values()]), turned, atol=1e-6)


def test_plain_osc_in_the_parents_space_is_what_the_stream_says(receiver: Receiver) -> None:
    person = pose(1)
    output = GenericOsc(target(receiver), ALL, NATIVE, "parent", load_rig("native"))
    output.send(moment(person))
    got = np.array(list(bones_of(receiver.messages(), 1).values()))
    output.close()
    np.testing.assert_allclose(got[0, :3], person.root_m, atol=1e-6)
    np.testing.assert_allclose(got[1:, :3], REFERENCE.offsets_m[1:], atol=1e-6)
    np.testing.assert_allclose(
        rotation.same_sign(np.roll(got[:, 3:], 1, axis=1), person.rotations_wxyz), person.rotations_wxyz, atol=1e-6
    )


def trackers(messages: list[tuple[str, list[float]]]) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for address, values in messages:
        match = re.fullmatch(r"/tracking/trackers/([1-8]|head)/(position|rotation)", address)
        assert match and len(values) == 3
        found.setdefault(match[1], {})[match[2]] = values
    return found


def test_trackers_are_at_the_joints_in_unitys_axes(receiver: Receiver) -> None:
    person = pose()
    output = OscTrackers(target(receiver), ALL)
    output.send(moment(person, pose(1)))
    got = trackers(receiver.messages())
    output.close()
    assert set(got) == {*"12345678", "head"}
    for number, joint in enumerate(TRACKERS.values(), start=1):
        at_m = person.positions_m[REFERENCE.index(joint)] * [-1, 1, 1]
        np.testing.assert_allclose(got[str(number)]["position"], at_m, atol=1e-5)


def test_a_tracker_turns_with_its_joint_in_unitys_euler_angles(receiver: Receiver) -> None:
    rotations = rotation.identity(len(REFERENCE.names))
    rotations[0] = rotation.exp(np.radians([0.0, 30.0, 0.0]))  # to the person's left: Unity's y turns the other way
    rotations[REFERENCE.index("left_hip")] = rotation.exp(np.radians([-80.0, 0.0, 0.0]))  # the knee up: x likewise as it is
    output = OscTrackers(target(receiver), ALL, parse_trackers("hip,left_knee"))
    output.send(moment(made(0, np.array([0.0, 1.0, 0.0]), rotations)))
    got = trackers(receiver.messages())
    output.close()
    np.testing.assert_allclose(got["1"]["rotation"], [0.0, -30.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(got["5"]["rotation"], [-80.0, -30.0, 0.0], atol=1e-4)


def test_the_head_tracker_is_between_the_eyes(receiver: Receiver) -> None:
    output = OscTrackers(target(receiver), ALL, ["head"])
    output.send(moment(standing()))
    got = trackers(receiver.messages())
    output.close()
    np.testing.assert_allclose(got["head"]["position"], [0.0, 1.575, 0.1], atol=1e-3)


def test_trackers_stay_silent_while_nobody_is_there(receiver: Receiver) -> None:
    output = OscTrackers(target(receiver), ALL)
    output.send(moment())
    output.close()
    assert receiver.is_silent()


def test_unknown_body_parts_are_refused() -> None:
    with pytest.raises(SettingsError, match="left_foot"):
        parse_trackers("hip,tail")


def unreal_positions(subject: dict[str, list[dict[str, object]]]) -> dict[str, np.ndarray]:
    """Forward kinematics in centimetres by matrices, as a Live Link skeleton is put together."""
    world: list[np.ndarray] = []
    for bone in subject["Bone"]:
        x, y, z, w = bone["Rotation"]  # type: ignore[misc]
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = rotation.to_matrix(np.array([w, x, y, z])), bone["Location"]
        parent = bone["Parent"]
        assert isinstance(parent, int) and parent < len(world)
        world.append(local if parent < 0 else world[parent] @ local)
    return {str(bone["Name"]): matrix[:3, 3] for bone, matrix in zip(subject["Bone"], world, strict=True)}


def read(receiver: Receiver) -> dict[str, dict[str, list[dict[str, object]]]]:
    subjects: dict[str, dict[str, list[dict[str, object]]]] = {}
    for data in receiver.datagrams():
        subjects |= json.loads(data)
    return subjects


def test_json_puts_every_joint_where_it_is_in_unreals_axes(receiver: Receiver) -> None:
    people = pose(0), pose(1)
    output = JsonLiveLink(target(receiver), ALL)
    output.send(moment(*people))
    subjects = read(receiver)
    output.close()
    assert set(subjects) == {"person 0", "person 1"}
    for person in people:
        got = unreal_positions(subjects[f"person {person.person_id}"])
        x, y, z = person.positions_m.T
        np.testing.assert_allclose(list(got.values()), 100 * np.stack([x, z, y], axis=1), atol=0.01)


def test_json_has_contacts_and_confidence_as_curves_and_no_nan(receiver: Receiver) -> None:
    output = JsonLiveLink(target(receiver), ALL)
    output.send(moment(pose()))
    curves = {entry["Name"]: entry["Value"] for entry in read(receiver)["person 0"]["Parameter"]}
    output.close()
    assert curves["confidence"] == 0.5
    assert [curves[f"{side}_{part}_contact"] for side in ("left", "right") for part in ("heel", "toe")] == [0.25, 0.5, 0.75, -1]


def test_json_on_a_rig_has_the_rigs_names_and_directions(receiver: Receiver) -> None:
    person = pose()
    output = JsonLiveLink(target(receiver), ALL, load_rig("ue5_manny"))
    output.send(moment(person))
    got = unreal_positions(read(receiver)["person 0"])
    output.close()
    native = person.positions_m[REFERENCE.index("left_knee")] - person.positions_m[REFERENCE.index("left_hip")]
    assert angle_deg(got["calf_l"] - got["thigh_l"], native[[0, 2, 1]]) < 0.1


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("hip", "None", "None_", "NONE_", ""), ("hip", "None__", "None_", "NONE___", "_")),
        (("Hand", "hand", "nonet"), ("Hand", "hand_", "nonet")),
        (("none", "none_", "none__"), ("none___", "none_", "none__")),
    ],
)
def test_json_names_are_names_to_unreal_and_unlike_each_other(names: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert engine_names(names) == said


def test_json_names_nobody_none(receiver: Receiver) -> None:
    output = JsonLiveLink(target(receiver), ALL)
    output.send(moment(pose(1), names={1: "None"}))
    assert list(read(receiver)) == ["None_"]
    output.close()


def test_people_of_the_same_name_are_told_apart(receiver: Receiver) -> None:
    now: Moment = moment(pose(1), pose(2), names={1: "Anna", 2: "Anna"})
    output = JsonLiveLink(target(receiver), ALL)
    output.send(now)
    assert set(read(receiver)) == {"Anna 1", "Anna 2"}
    output.close()
