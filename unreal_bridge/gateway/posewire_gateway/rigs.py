"""The stream on another rig: the same retargeting as the engine's --rig, done here so that the engine need not know."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from posewire.retarget import Crowd, IndexArray, Retargeter, Rig, rig_skeleton
from posewire.skeleton import REFERENCE, Skeleton
from posewire.wire import PersonPose, SubjectMessage
from posewire_gateway.moment import Moment

_MOST_KEPT = 64
"""Skeletons whose retargeting is kept: rest offsets change only when somebody is measured anew."""


class OnRig:
    """Puts moments on one rig. Belongs to one thread.

    Args:
        rig: The rig; bones that are not in it keep their rest pose.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._known: dict[tuple[str, str], tuple[Retargeter, Skeleton]] = {}
        self._crowd: tuple[list[Retargeter], Crowd] | None = None
        self._subjects: tuple[SubjectMessage, SubjectMessage] | None = None

    def __call__(self, moment: Moment) -> Moment:
        """The moment on the rig; its skeletons keep their digests."""
        people = self._people(moment) if moment.people else ()
        message = replace(moment.message, rig=self.rig.name, people=people)
        return replace(moment, subject=self._subject(moment.subject), message=message)

    @cached_property
    def driven(self) -> list[int]:
        """Indices of the bones that a joint turns."""
        return [b for b, bone in enumerate(self.rig.bones) if bone.joint is not None]

    def _people(self, moment: Moment) -> tuple[PersonPose, ...]:
        session = moment.subject.session
        crowd, joints = self._crowd_of([self._of(session, pose.skeleton, skeleton)[0] for pose, _, skeleton in moment.people])
        roots_m, rotations = crowd(moment.roots_m, moment.rotations_wxyz)
        return tuple(
            PersonPose(pose.person_id, pose.skeleton, roots_m[p], rotations[p], pose.confidence[joints], pose.contacts)
            for p, pose in enumerate(moment.message.people)
        )

    def _crowd_of(self, retargeters: list[Retargeter]) -> tuple[Crowd, IndexArray]:
        """The same people as at the moment before are not put together anew."""
        if self._crowd is None or self._crowd[0] != retargeters:
            self._crowd = (retargeters, Crowd(retargeters))
        return self._crowd[1], retargeters[0].confidence_joints

    def _subject(self, native: SubjectMessage) -> SubjectMessage:
        if self._subjects is None or self._subjects[0] is not native:
            tree = rig_skeleton(self.rig, REFERENCE)
            skeletons = {digest: self._of(native.session, digest, skeleton)[1] for digest, skeleton in native.skeletons.items()}
            rig = replace(native, rig=self.rig.name, names=tree.names, parents=tree.parents, dofs=(), skeletons=skeletons)
            self._subjects = (native, rig)
        return self._subjects[1]

    def _of(self, session: str, digest: str, skeleton: Skeleton) -> tuple[Retargeter, Skeleton]:
        key = (session, digest)  # a digest is opaque: another session may use it for another skeleton
        if key not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = (Retargeter(skeleton, self.rig), rig_skeleton(self.rig, skeleton))
        return self._known[key]
