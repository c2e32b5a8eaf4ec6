"""What a client hands out: everybody at one instant, with the skeletons that they move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from posewire.data import SkeletonPose
from posewire.skeleton import Skeleton
from posewire.wire import PoseMessage, SubjectMessage


@dataclass(frozen=True, eq=False)
class Received:
    """Everybody at one instant, together with the skeletons that they move."""

    message: PoseMessage
    """As it came: root, rotations, confidence and contacts of each person."""
    subject: SubjectMessage
    """What was said once: names, parents, skeletons, camera, method."""
    latency_s: float | None
    """From capture to this client; None = unknown, because the clocks are of different machines or capture is not known."""
    transport_s: float | None
    """From the publisher's encoder to this client; None = unknown."""

    @property
    def sequence(self) -> int:
        """Counts the instants of a session."""
        return self.message.sequence

    @property
    def media_time_s(self) -> float:
        """Capture clock."""
        return self.message.media_time_s

    @cached_property
    def skeletons(self) -> Mapping[int, Skeleton]:
        """Person id to skeleton."""
        return {person.person_id: self.subject.skeletons[person.skeleton] for person in self.message.people}

    @cached_property
    def people(self) -> tuple[SkeletonPose, ...]:
        """Everybody as a SkeletonPose, positions and angles computed at the first use (about a millisecond a person)."""
        return tuple(
            SkeletonPose(
                person_id=person.person_id,
                time_s=self.media_time_s,
                root_m=person.root_m,
                angles_rad=self.skeletons[person.person_id].angles_rad(person.rotations_wxyz),
                rotations_wxyz=person.rotations_wxyz,
                positions_m=self.skeletons[person.person_id].positions_m(person.root_m, person.rotations_wxyz),
                confidence=person.confidence,
                contacts=person.contacts,
            )
            for person in self.message.people
        )
