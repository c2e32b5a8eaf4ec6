# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection while it is alive: `pump` does one step, whoever calls it (the timer, a test, a script).

Everything here belongs to Blender's main thread. Objects are found anew at every step, by what the scenes hold: a
reference into Blender's data would not survive undo, reload or deletion.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from . import armature
from .actions import channels_of
from .binding import Binding
from .errors import LiveError, deleted
from .properties import ANYONE, PosewireCharacter
from .protocol import PersonPose, Skeleton
from .receiver import Subscriber, load_key, parse_address, subscribe
from .recorder import Recorder
from .recording import Recording, Tape
from .scenes import characters, view_layer_of
from .stream import Numbers, Received, Stream
from .translation import say, tell

_SILENT_S = 2.0
_LOOK_S = 1.0
"""How often to look whether a character is still in a scene: 50 us where there are many objects."""


@dataclass
class Follower:
    """What the session knows of one character."""

    settings: tuple[object, ...]
    binding: Binding | None
    problem: str = ""
    retry_s: float = 0.0
    """When to try again what failed, or to look again at what goes well, time.monotonic."""
    last: tuple[np.ndarray, np.ndarray] | None = None
    """Locations and rotations that were set last."""


class Session:
    """One connection, from connect to disconnect."""

    def __init__(self, address: str, key_file: str) -> None:
        where = parse_address(address)
        if not where.is_loopback and not bpy.app.online_access:
            raise LiveError("Blender may not use the network.", "Preferences > System > Network > Allow Online Access.")
        key = load_key(Path(bpy.path.abspath(key_file))) if key_file.strip() else None
        self.address, self.has_key = str(where), key is not None
        self.subscriber: Subscriber = subscribe(where, key)
        self.stream = Stream(same_clock=where.is_loopback)
        self.followers: dict[int, Follower] = {}
        """By the armature's session id."""
        self.kept: dict[int, armature.Kept] = {}
        """The poses from before, by the armature's session id."""
        self.newest: Received | None = None
        self.recording: Recording | None = None
        self.hidden = False
        """While Blender renders: it shows what is animated, and what arrives is only recorded."""
        self.steps_s: deque[float] = deque(maxlen=120)
        """When the last steps were made, time.monotonic."""

    def pump(self) -> int:
        """Takes in what has arrived and sets every character once; gives the number of poses that arrived."""
        self.steps_s.append(time.monotonic())
        taken = [self.stream.take(data) for data in self.subscriber.receive()]
        received = [one for one in taken if one is not None]
        if not received:
            return 0
        if self.recording is not None:
            received = [self.recording.in_its_world(one) for one in received]
        self.newest = received[-1]
        times_s = [self._recording_time_s(one) for one in received]
        for character in characters():
            self._follow(character, received, times_s)
        return len(received)

    def reapply(self) -> None:
        """Sets the last pose again, for instance after the timeline has set that of an action."""
        for character in () if self.hidden else characters():
            follower = self.followers.get(character.object.session_uid) if character.object else None
            if follower is not None and follower.binding is not None and follower.last is not None and character.enabled:
                follower.binding.apply(character.object, *follower.last)

    def forget_bindings(self) -> None:
        """Undo, a new file or an edited armature may have changed anything: look again before the next pose.

        Who follows nobody any more, since undo took that back, may be posed by hand: it is given nothing back.
        """
        self.followers.clear()
        following = {character.object.session_uid for character in characters()}
        self.kept = {uid: kept for uid, kept in self.kept.items() if uid in following}

    def lay_down(self) -> None:
        """Gives every armature that is live its pose from before, so that a file is saved with it; see `take_up`."""
        for character in characters():
            uid = character.object.session_uid
            if character.enabled and uid in self.followers and uid in self.kept:
                armature.give_back(character.object, self.kept[uid])

    def take_up(self) -> None:
        """Shows the last pose again; Rigify's switches were given back, too, so that characters are bound anew."""
        self.reapply()
        self.forget_bindings()

    def problem_of(self, character: PosewireCharacter) -> str:
        """Why a character does not move; empty = it does."""
        if character.is_gone():
            return say(deleted(character.shown_name()))
        follower = self.followers.get(character.object.session_uid)
        return follower.problem if follower else ""

    def close(self) -> None:
        """Disconnects and gives every armature its pose from before."""
        self.subscriber.close()
        there = {obj.session_uid: obj for obj in bpy.data.objects if obj.type == "ARMATURE"}
        for uid, kept in self.kept.items():
            if uid in there:
                _return(there[uid], kept)
        self.kept.clear()

    def release(self, obj: bpy.types.Object) -> None:
        """Gives one armature its pose from before."""
        self.followers.pop(obj.session_uid, None)
        kept = self.kept.pop(obj.session_uid, None)
        if kept is not None:
            _return(obj, kept)

    def numbers(self) -> Numbers:
        """How the stream does."""
        return self.stream.numbers()

    def step_period_s(self) -> float | None:
        """Mean time between two steps: what Blender's own timer adds to the latency."""
        return (self.steps_s[-1] - self.steps_s[0]) / (len(self.steps_s) - 1) if len(self.steps_s) > 1 else None

    def status(self) -> tuple[str, str]:
        """What to show of the connection, and what to do about it."""
        numbers = self.numbers()
        if numbers.problem is not None:
            return "Not understood", say(numbers.problem)
        if self.subscriber.status == "refused":
            return "Refused", _REFUSED_KEY if self.has_key else _REFUSED
        if self.subscriber.status == "connecting":
            return "Waiting for Posewire", "Start it there: posewire run 0 --publish"
        if self.stream.subject is None:
            return "Connected", "Nothing has been sent yet."
        if numbers.silent_s is None or numbers.silent_s > _SILENT_S:
            return "Connected", "No motion comes: is the video at an end, the camera covered?"
        return "Live", ""

    def _recording_time_s(self, one: Received) -> float:
        if self.recording is None:
            return 0.0
        self.recording.time_s = self.recording.clock.time_s(one.pose.session, one.pose.media_time_s, one.arrived_s)
        return self.recording.time_s

    def _follow(self, character: PosewireCharacter, received: list[Received], times_s: list[float]) -> None:
        obj = character.object
        if obj is None or not character.enabled:
            return
        follower = self._follower(character)
        if follower.binding is None:
            return
        follower.problem = ""
        if obj.mode == "EDIT":
            follower.binding, follower.retry_s = None, 0.0  # its rest pose may be changing
            return
        try:
            _look(follower, obj)
            self._move(character, follower, follower.binding, received, times_s)
        except LiveError as error:
            follower.problem = say(error)

    def _move(
        self, character: PosewireCharacter, follower: Follower, binding: Binding, received: list[Received], times_s: list[float]
    ) -> None:
        recording = self.recording
        for one, time_s in zip(received, times_s, strict=True):
            person = _person(one, character.person)
            if person is None or (recording is None and one is not received[-1]):
                continue
            skeleton = one.subject.skeletons[person.skeleton]
            follower.last = binding.values(skeleton, one.pose.media_time_s, person.root_m, person.rotations_wxyz, person.contacts)
            if recording is not None:
                self._tape(recording, character.object, binding).recorder.add(time_s, *follower.last, person.contacts)
        if _person(received[-1], character.person) is None:
            follower.problem = "This person is not seen." if character.person != ANYONE else "Nobody is seen."
        elif follower.last is not None and not self.hidden:
            missing = binding.apply(character.object, *follower.last)
            if missing:
                problem = "The bone {bone} is gone: rename it back, or pick another in the mapping."
                follower.problem = tell(problem, bone=missing[0])
                follower.binding, follower.retry_s = None, time.monotonic() + _LOOK_S
            elif character.object.data.pose_position == "REST":
                hint = "In the armature's properties, under Pose, choose Pose Position."
                raise LiveError("{name} shows its rest position.", hint, name=character.object.name)

    def _follower(self, character: PosewireCharacter) -> Follower:
        """What is known of a character, made anew where its choices have changed; a failure is tried again each second."""
        obj, settings = character.object, character.settings()
        follower = self.followers.get(obj.session_uid)
        waits = follower is not None and (time.monotonic() < follower.retry_s or obj.mode == "EDIT")
        if follower is not None and follower.settings == settings and (waits or follower.binding is not None):
            return follower
        problem = follower.problem if follower else ""
        follower = self.followers[obj.session_uid] = Follower(settings, None, problem, time.monotonic() + _LOOK_S)
        try:
            follower.binding = self._bind(character)
        except LiveError as error:
            follower.problem = say(error)
        return follower

    def _bind(self, character: PosewireCharacter) -> Binding:
        obj = character.object
        layer = view_layer_of(obj)
        if obj.pose is None:  # Blender makes it at the first evaluation of a new object
            layer.update()
        before = armature.keep(obj, [bone.name for bone in obj.pose.bones])
        binding = Binding(obj, character.choices(), layer)
        kept = self.kept.setdefault(obj.session_uid, before)
        for switch, value in binding.switched.items():
            kept.switches.setdefault(switch, value)
        return binding

    def _tape(self, recording: Recording, obj: bpy.types.Object, binding: Binding) -> Tape:
        key = (obj.session_uid, binding.turned)
        if key not in recording.tapes:
            channels = channels_of(obj, binding.turned, binding.placed, list(binding.switched))
            recorder = Recorder(len(binding.turned), len(binding.placed))
            recording.tapes[key] = Tape(obj.name, channels, recorder, recording.time_s)
        return recording.tapes[key]


_REFUSED = "Something answers there, but it wants a key or is no Posewire."
_REFUSED_KEY = "It does not know this key: posewire keys add NAME on its computer writes one that it knows."


def _return(obj: bpy.types.Object, kept: armature.Kept) -> None:
    """The pose from before; or what is animated, where that is another animation by now or another frame."""
    armature.give_back(obj, kept)
    if armature.animation_of(obj) != kept.animation:
        obj.update_tag(refresh={"TIME"})


def _look(follower: Follower, obj: bpy.types.Object) -> None:
    """Once a second: is the character still in a scene? A deleted object lives on as long as our list knows it."""
    if time.monotonic() < follower.retry_s:
        return
    follower.retry_s = time.monotonic() + _LOOK_S
    try:
        view_layer_of(obj)
    except LiveError:
        follower.binding = None
        raise


def _person(received: Received, number: int) -> PersonPose | None:
    people = received.pose.people
    if number == ANYONE:
        return min(people, key=lambda person: person.person_id, default=None)
    return next((person for person in people if person.person_id == number), None)


def seen(received: Received | None, person: int) -> tuple[Skeleton, PersonPose] | None:
    """The skeleton and the pose of somebody who is seen."""
    found = _person(received, person) if received else None
    return (received.subject.skeletons[found.skeleton], found) if received and found else None
