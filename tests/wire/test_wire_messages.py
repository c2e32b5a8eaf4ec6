"""From the pipeline's values to messages and back."""

from __future__ import annotations

import numpy as np
import pytest
from wire_samples import CAMERA, instant, pose

from posewire.data import RigPose
from posewire.errors import WireError
from posewire.rigs import bundled_rigs, read_rig, rig_skeleton
from posewire.skeleton import REFERENCE, Skeleton, for_height
from posewire.wire import (
    Instant,
    PoseMessage,
    RigInstant,
    SubjectMessage,
    decode,
    encode,
    poses_of,
    subject_mark,
    subjects_of,
    topic,
)


def streamed(now: Instant) -> tuple[list[SubjectMessage], list[PoseMessage]]:
    """Subject and pose messages of an instant after a trip through bytes."""
    subjects = [decode(encode(message)) for message in subjects_of(now, "session", "blazepose")]
    poses = [decode(encode(message)) for message in poses_of(now, "session", 3, 5)]
    return [m for m in subjects if isinstance(m, SubjectMessage)], [m for m in poses if isinstance(m, PoseMessage)]


def test_a_pose_survives_to_float32_accuracy() -> None:
    sent = pose(4)
    _, (message,) = streamed(instant(sent))
    (got,) = message.people
    assert got.person_id == 4 and got.skeleton == REFERENCE.digest
    assert np.abs(got.root_m - sent.root_m).max() < 1e-6
    assert np.abs(got.rotations_wxyz - sent.rotations_wxyz).max() < 1e-6
    assert np.abs(got.confidence - sent.confidence).max() < 1e-6
    assert np.abs(got.contacts - sent.contacts).max() < 1e-6


def test_a_received_skeleton_has_the_digest_of_the_one_that_was_sent() -> None:
    tall = for_height(1.9137)
    (subject,), _ = streamed(instant(skeletons={0: tall}))
    assert {digest: skeleton.digest for digest, skeleton in subject.skeletons.items()} == {tall.digest: tall.digest}
    assert subject.skeletons[tall.digest].dof_names == REFERENCE.dof_names


def test_all_people_of_an_instant_are_in_one_message() -> None:
    _, messages = streamed(instant(*(pose(i) for i in range(10))))
    assert [[person.person_id for person in message.people] for message in messages] == [list(range(10))]


def test_a_subject_lists_people_who_are_known_but_not_seen_now() -> None:
    (subject,), (message,) = streamed(instant(pose(1), skeletons={1: REFERENCE, 2: for_height(1.5)}))
    assert [person.person_id for person in subject.people] == [1, 2]
    assert [person.person_id for person in message.people] == [1]


def test_nobody_is_a_message_too() -> None:
    (subject,), (message,) = streamed(Instant(0.0, 0, CAMERA, (), {}))
    assert message.people == () and subject.people == () and subject.names == REFERENCE.names


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e5])
def test_a_person_whose_root_no_receiver_would_take_is_left_out(bad: float) -> None:
    _, (message,) = streamed(instant(pose(0, root_m=[0, bad, 0]), pose(1)))
    assert [person.person_id for person in message.people] == [1]


@pytest.mark.parametrize("factor", [np.nan, 0.0, 1.5])
def test_a_person_with_broken_rotations_is_left_out(factor: float) -> None:
    broken = pose(0).rotations_wxyz.copy()
    broken[7] *= factor
    _, (message,) = streamed(instant(pose(0, rotations_wxyz=broken), pose(1)))
    assert [person.person_id for person in message.people] == [1]


def test_unknown_confidence_is_zero_and_unknown_contacts_stay_unknown() -> None:
    confidence = np.full(25, np.nan)
    _, (message,) = streamed(instant(pose(0, confidence=confidence, contacts=[np.nan, 1.5, -1, 0.5])))
    assert not message.people[0].confidence.any()
    np.testing.assert_array_equal(message.people[0].contacts, [np.nan, 1, 0, 0.5])


@pytest.mark.parametrize("card", bundled_rigs(), ids=lambda card: card.name)
def test_every_bundled_rig_can_be_streamed(card: object) -> None:
    rig = read_rig(card.path)
    bones = rig_skeleton(rig, REFERENCE)
    n = len(bones.names)
    rig_pose = RigPose(0, 0.0, rig.name, np.zeros(3), np.tile([1.0, 0, 0, 0], (n, 1)), np.ones(n))
    now = instant(rigs={rig.name: RigInstant(bones, [rig_pose], {0: bones})})
    subjects, messages = streamed(now)
    assert [m.rig for m in subjects] == [m.rig for m in messages] == ["", rig.name]
    assert subjects[1].names == rig.names and subjects[1].dofs == ()
    assert messages[1].people[0].contacts == pytest.approx(now.poses[0].contacts, abs=1e-6)


def test_the_mark_changes_with_what_the_subject_says_and_only_then() -> None:
    before = subject_mark(instant(pose(0, seed=1)))
    assert before == subject_mark(instant(pose(0, seed=2), time_s=9.0))
    assert before != subject_mark(instant(skeletons={0: for_height(1.6)}))
    assert before != subject_mark(instant(skeletons={0: REFERENCE, 1: REFERENCE}))
    assert before != subject_mark(instant(names={0: "Ada"}))
    assert before != subject_mark(instant(rigs={"vrm": RigInstant(REFERENCE, (), {})}))


def test_a_skeleton_of_another_tree_is_a_programming_error() -> None:
    other = Skeleton(("a", "b"), (-1, 0), np.zeros((2, 3)), ())
    with pytest.raises(ValueError, match="other joints"):
        list(subjects_of(instant(skeletons={0: other}), "session", ""))


def test_no_topic_is_the_beginning_of_another() -> None:
    names = [topic(kind, rig) for kind in ("s", "p") for rig in ("", "vrm", "vrm0", "v")]
    assert not any(a != b and b.startswith(a) for a in names for b in names)


@pytest.mark.parametrize("rig", ["My Rig", "a/b", "é", "x" * 65])
def test_a_rig_whose_name_cannot_be_a_topic_is_an_error(rig: str) -> None:
    with pytest.raises(WireError, match="cannot be streamed"):
        topic("p", rig)
