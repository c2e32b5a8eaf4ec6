"""What the pipeline says of one instant, and the messages that carry it: one subject and one pose message for each rig."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from posewire import __version__
from posewire.data import Camera, FloatArray, Frame, RigPose, SkeletonPose
from posewire.skeleton import REFERENCE, Skeleton
from posewire.wire.limits import MAX_ROOT_M, UNIT_TOLERANCE
from posewire.wire.messages import Person, PersonPose, PoseMessage, SubjectMessage, Timecode
from posewire.wire.view import View


@dataclass(frozen=True, slots=True, eq=False)
class RigInstant:
    """Everybody on one target rig at one instant."""

    tree: Skeleton
    """The rig's bones in its own rest pose; gives names and parents while nobody is there."""
    poses: Sequence[RigPose]
    skeletons: Mapping[int, Skeleton]
    """Person id to the rig's bones in this person's proportions; the same tree."""


@dataclass(frozen=True, slots=True, eq=False)
class Instant:
    """Everybody at one instant."""

    media_time_s: float
    capture_unix_ns: int
    """0 = unknown."""
    camera: Camera
    poses: Sequence[SkeletonPose]
    """Who is seen now; a pose with a non-finite root or rotation is left out."""
    skeletons: Mapping[int, Skeleton]
    """Person id to skeleton, for everybody known, seen now or not; all on the tree of skeleton.REFERENCE."""
    rigs: Mapping[str, RigInstant] = field(default_factory=dict[str, RigInstant])
    names: Mapping[int, str] = field(default_factory=dict[int, str])
    """Person id to a name for people to read; "person ID" where it is missing."""
    timecode: Timecode | None = None
    view: View | None = None
    """For viewers; published only while there is one."""

    @classmethod
    def of(
        cls,
        frame: Frame,
        poses: Sequence[SkeletonPose],
        skeletons: Mapping[int, Skeleton],
        rigs: Mapping[str, RigInstant] | None = None,
    ) -> Instant:
        """The instant at which `frame` was taken."""
        return cls(frame.time_s, frame.capture_unix_ns, frame.camera, poses, skeletons, rigs or {})


def subject_mark(instant: Instant) -> Hashable:
    """Equal for two instants whose subject messages are equal: cheap to make at each of them."""
    streams = {"": instant.skeletons} | {rig: on_rig.skeletons for rig, on_rig in instant.rigs.items()}
    people = tuple((rig, *((i, skeleton.digest) for i, skeleton in skeletons.items())) for rig, skeletons in streams.items())
    camera = instant.camera
    return people, tuple(instant.names.items()), camera.T_world_camera.tobytes(), camera.origin


def subjects_of(instant: Instant, session: str, method: str) -> Iterator[SubjectMessage]:
    """The subject message of the native skeleton, then of each rig."""
    yield _subject(instant, session, method, "", REFERENCE, instant.skeletons)
    for rig, on_rig in instant.rigs.items():
        yield _subject(instant, session, method, rig, on_rig.tree, on_rig.skeletons)


def _subject(
    instant: Instant, session: str, method: str, rig: str, tree: Skeleton, skeletons: Mapping[int, Skeleton]
) -> SubjectMessage:
    strangers = [i for i, s in skeletons.items() if (s.names, s.parents) != (tree.names, tree.parents)]
    if strangers:
        raise ValueError(f"the skeletons of people {strangers} have other joints than the {rig or 'native'} skeleton")
    return SubjectMessage(
        session=session,
        rig=rig,
        engine=f"posewire {__version__}",
        method=method,
        names=tree.names,
        parents=tree.parents,
        dofs=tree.dofs,
        skeletons={skeleton.digest: skeleton for skeleton in skeletons.values()},
        people=tuple(Person(i, instant.names.get(i, f"person {i}"), s.digest) for i, s in skeletons.items()),
        T_world_camera=instant.camera.T_world_camera,
        camera_origin=instant.camera.origin,
    )


def poses_of(instant: Instant, session: str, sequence: int, send_unix_ns: int) -> Iterator[PoseMessage]:
    """The pose message on the native skeleton, then on each rig."""

    def message(rig: str, people: Iterator[PersonPose]) -> PoseMessage:
        times = (instant.media_time_s, instant.capture_unix_ns, send_unix_ns, instant.timecode)
        return PoseMessage(session, rig, sequence, *times, tuple(people))

    contacts = {pose.person_id: pose.contacts for pose in instant.poses}
    yield message("", _people(instant.poses, instant.skeletons, contacts))
    for rig, on_rig in instant.rigs.items():
        yield message(rig, _people(on_rig.poses, on_rig.skeletons, contacts))


def _people(
    poses: Sequence[SkeletonPose] | Sequence[RigPose], skeletons: Mapping[int, Skeleton], contacts: Mapping[int, FloatArray]
) -> Iterator[PersonPose]:
    for pose in poses:
        if _is_sendable(pose):
            yield PersonPose(
                person_id=pose.person_id,
                skeleton=skeletons[pose.person_id].digest,
                root_m=pose.root_m,
                rotations_wxyz=pose.rotations_wxyz,
                confidence=np.fmin(np.fmax(pose.confidence, 0.0), 1.0),  # NaN becomes 0
                contacts=np.minimum(np.maximum(contacts.get(pose.person_id, _UNKNOWN_CONTACTS), 0.0), 1.0),  # NaN stays
            )


_UNKNOWN_CONTACTS = np.full(4, np.nan)


def _is_sendable(pose: SkeletonPose | RigPose) -> bool:
    """False for a pose that every receiver would refuse, and the whole message with it; NaN fails both comparisons."""
    q = pose.rotations_wxyz
    length_error = np.abs(np.sqrt(np.einsum("ij,ij->i", q, q)) - 1.0)
    return bool((np.abs(pose.root_m) <= MAX_ROOT_M).all() and (length_error <= UNIT_TOLERANCE / 2).all())
