"""What every output gets: everybody at one instant, already chosen and placed, on whatever rig it asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from posewire.client import Received
from posewire.data import FloatArray
from posewire.skeleton import Skeleton
from posewire.wire import PersonPose, PoseMessage, SubjectMessage
from posewire_gateway.kinematics import world_poses

_MIRROR_M, _MIRROR_WXYZ = np.array([-1.0, 1.0, 1.0]), np.array([1.0, 1.0, -1.0, -1.0])
"""Of a place; of a rotation: the axis is mirrored, and turns the other way."""
_OTHER_FEET = [2, 3, 0, 1]


class PersonNow(NamedTuple):
    """One person at one instant."""

    pose: PersonPose
    name: str
    """For people to read; "person ID" unless the engine knows better. Differs from everybody else's."""
    skeleton: Skeleton


@dataclass(frozen=True, eq=False)
class Moment:
    """Everybody at one instant on the native skeleton, or on a rig."""

    subject: SubjectMessage
    message: PoseMessage
    latency_s: float | None
    """From capture to this gateway; None = unknown."""
    moved_m: FloatArray = field(default_factory=lambda: np.zeros(3))
    """(3,) what this gateway added to every position of the stream, world axes."""

    @classmethod
    def of(cls, received: Received) -> Moment:
        """What a client received."""
        return cls(received.subject, received.message, received.latency_s)

    @cached_property
    def people(self) -> tuple[PersonNow, ...]:
        """Who is seen now."""
        names = _distinct_names(self.subject)
        return tuple(
            PersonNow(pose, names.get(pose.person_id, f"person {pose.person_id}"), self.subject.skeletons[pose.skeleton])
            for pose in self.message.people
        )

    @cached_property
    def roots_m(self) -> FloatArray:
        """(P, 3) positions of bone 0 in the world; at least one person."""
        return np.array([pose.root_m for pose in self.message.people])

    @cached_property
    def rotations_wxyz(self) -> FloatArray:
        """(P, N, 4) parent-relative rotations from rest; at least one person."""
        return np.array([pose.rotations_wxyz for pose in self.message.people])

    @cached_property
    def offsets_m(self) -> FloatArray:
        """(P, N, 3) rest positions relative to the parent; at least one person."""
        return np.array([person.skeleton.offsets_m for person in self.people])

    @cached_property
    def world(self) -> tuple[FloatArray, FloatArray]:
        """Rotations (P, N, 4) and positions (P, N, 3) in the world, in the order of `people`."""
        bones = len(self.subject.names)
        if not self.people:
            return np.empty((0, bones, 4)), np.empty((0, bones, 3))
        return world_poses(self.subject.parents, self.offsets_m, self.roots_m, self.rotations_wxyz)

    def with_people(self, people: Sequence[PersonNow]) -> Moment:
        """Only these, in this order."""
        return replace(self, message=replace(self.message, people=tuple(person.pose for person in people)))

    def mirrored(self) -> Moment:
        """Everybody as in a mirror in the plane x = 0: left is right. On the native skeleton, whose sides are alike."""
        others = _other_sides(self.subject.names)
        people = tuple(
            replace(
                pose,
                root_m=pose.root_m * _MIRROR_M,
                rotations_wxyz=pose.rotations_wxyz[others] * _MIRROR_WXYZ,
                confidence=pose.confidence[others],
                contacts=pose.contacts[_OTHER_FEET],
            )
            for pose in self.message.people
        )
        return replace(self, message=replace(self.message, people=people))

    def moved(self, by_m: FloatArray) -> Moment:
        """Everybody moved by a vector (3,) in the world; the camera of the subject message stays where it was."""
        people = tuple(replace(pose, root_m=pose.root_m + by_m) for pose in self.message.people)
        return replace(self, message=replace(self.message, people=people), moved_m=self.moved_m + by_m)


@lru_cache(maxsize=4)
def _other_sides(names: tuple[str, ...]) -> list[int]:
    """(N,) index of each joint's other side; its own for a joint in the middle."""
    other = {"left": "right", "right": "left"}
    return [names.index("_".join(other.get(word, word) for word in name.split("_"))) for name in names]


@lru_cache(maxsize=4)
def _distinct_names(subject: SubjectMessage) -> dict[int, str]:
    """Person id to name, the id added where two people have the same."""
    counts = Counter(person.name for person in subject.people)
    return {p.person_id: p.name if counts[p.name] == 1 else f"{p.name} {p.person_id}" for p in subject.people}
