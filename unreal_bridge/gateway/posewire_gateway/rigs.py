"""The stream on another rig: the same retargeting as the engine's --rig, done here so that the engine need not know."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from posewire.data import SkeletonPose
from posewire.retarget import Retargeter, Rig, rig_skeleton
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
        self._subjects: tuple[SubjectMessage, SubjectMessage] | None = None

    def __call__(self, moment: Moment) -> Moment:
        """The moment on the rig; its skeletons keep their digests."""
        people = tuple(self._person(person.pose, person.skeleton, moment) for person in moment.people)
        message = replace(moment.message, rig=self.rig.name, people=people)
        return replace(moment, subject=self._subject(moment.subject), message=message)

    @cached_property
    def driven(self) -> list[int]:
        """Indices of the bones that a joint turns."""
        return [b for b, bone in enumerate(self.rig.bones) if bone.joint is not None]

    def _person(self, pose: PersonPose, skeleton: Skeleton, moment: Moment) -> PersonPose:
        retargeter, _ = self._of(moment.subject.session, pose.skeleton, skeleton)
        # angles and positions are not read by a Retargeter, and computing them would take longer than all else
        native = SkeletonPose(
            person_id=pose.person_id,
            time_s=moment.message.media_time_s,
            root_m=pose.root_m,
            angles_rad=np.empty(0),
            rotations_wxyz=pose.rotations_wxyz,
            positions_m=np.full((len(skeleton.names), 3), np.nan),
            confidence=pose.confidence,
            contacts=pose.contacts,
        )
        on_rig = retargeter(native)
        return replace(pose, root_m=on_rig.root_m, rotations_wxyz=on_rig.rotations_wxyz, confidence=on_rig.confidence)

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
