# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions to actions: of a recording that ends, and of a take that is imported."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import bpy

from . import actions, mannequin
from .binding import Binding, Choices
from .errors import LiveError
from .live import Session
from .properties import ANYONE
from .recorder import Baked, Recorder
from .recording import Recording, Tape
from .scenes import view_layer_of
from .takes import Motion, Take, read_take
from .translation import tell


def frames_a_second(scene: bpy.types.Scene) -> float:
    """The scene's rate."""
    return scene.render.fps / scene.render.fps_base


def finish_recording(scene: bpy.types.Scene, session: Session, recording: Recording) -> list[bpy.types.Action]:
    """One new action for each character that moved; also for one that is gone by now."""
    stamp = datetime.now().strftime("%Y-%m-%d %H.%M.%S")
    made: list[bpy.types.Action] = []
    there = {obj.session_uid: obj for obj in bpy.data.objects if obj.type == "ARMATURE"}
    for (uid, _), tape in recording.tapes.items():
        if len(tape.recorder) == 0:
            continue
        baked = tape.recorder.baked(frames_a_second(scene), recording.start_frame)
        action = actions.write_action(f"{tape.character} {stamp}", baked, tape.channels, markers=scene.posewire.markers)
        _give(scene, there.get(uid) or _by_name(tape), action)
        made.append(action)
    _set_range(scene, made)
    return made


def _by_name(tape: Tape) -> bpy.types.Object | None:
    """After undo or the loading of a file an object has another session id, but the same name."""
    obj = bpy.data.objects.get(tape.character)
    return obj if obj is not None and obj.type == "ARMATURE" else None


def _give(scene: bpy.types.Scene, obj: bpy.types.Object | None, action: bpy.types.Action) -> None:
    if obj is None:
        action.use_fake_user = True  # nobody else would keep it when the file is saved
    else:
        actions.assign(obj, action, as_strip=scene.posewire.as_strip)


def _set_range(scene: bpy.types.Scene, made: list[bpy.types.Action]) -> None:
    if scene.posewire.set_range and made:
        scene.frame_end = max(scene.frame_end, *(int(action.frame_range[1]) for action in made))


def import_take(
    context: bpy.types.Context, path: Path, *, at_frame: int, stand_ins: bool, on_ground: bool = True
) -> tuple[Take, list[bpy.types.Action]]:
    """Everybody in a take onto the characters that follow them, or onto new stand-ins.

    With `on_ground` they stand on the ground, also where the take does not know it.

    Raises:
        LiveError: the file is no take, nobody moves in it, or nobody is there to move.
    """
    take = read_take(path)
    take = take.on_the_ground() if on_ground else take
    if not take.motions:
        raise LiveError("Nobody moves in {file}.", "Was anybody seen in the video?", file=path.name)
    # Everybody is bound before anything is made: who cannot follow leaves the file as it was.
    bound = [[_bound(obj, choices) for obj, choices in _followers(context.scene, motion, take)] for motion in take.motions]
    made: list[bpy.types.Action] = []
    for motion, cast in zip(take.motions, bound, strict=True):
        for obj, binding in cast or ([_stand_in(context, motion)] if stand_ins else []):
            made.append(_write(context.scene, obj, binding, motion, take, f"{obj.name} {path.stem}", at_frame))
    if not made:
        raise LiveError("No character follows anybody in this take.", "Add a character, or let the import make stand-ins.")
    _set_range(context.scene, made)
    return take, made


def imported(path: Path, take: Take, made: list[bpy.types.Action]) -> str:
    """What to tell of an import."""
    if len(made) == 1:
        text = tell("One action from {file}: {action}", file=path.name, action=made[0].name)
    else:
        text = tell("{count} actions from {file}", count=len(made), file=path.name)
    return "; ".join([text, *(tell(loss) for loss in take.damage)])


def _followers(scene: bpy.types.Scene, motion: Motion, take: Take) -> list[tuple[bpy.types.Object, Choices]]:
    """Those who follow this person, and their choices; whoever follows anyone follows the first, who was deleted nobody."""
    wanted = {motion.person_id, ANYONE} if motion is take.motions[0] else {motion.person_id}
    there = (one for one in scene.posewire.characters if not one.is_gone())
    return [(character.object, character.choices()) for character in there if character.person in wanted]


def _stand_in(context: bpy.types.Context, motion: Motion) -> tuple[bpy.types.Object, Binding]:
    obj = mannequin.create(context, motion.skeleton, f"Person {motion.person_id}")
    return _bound(obj, context.scene.posewire.add(obj, motion.person_id).choices())


def _bound(obj: bpy.types.Object, choices: Choices) -> tuple[bpy.types.Object, Binding]:
    return obj, Binding(obj, choices, view_layer_of(obj))


def _write(
    scene: bpy.types.Scene, obj: bpy.types.Object, binding: Binding, motion: Motion, take: Take, name: str, at_frame: int
) -> bpy.types.Action:
    channels = actions.channels_of(obj, binding.turned, binding.placed, list(binding.switched))
    baked = _baked(binding, motion, frames_a_second(scene), at_frame, take.start_s)
    action = actions.write_action(name, baked, channels, markers=scene.posewire.markers)
    actions.assign(obj, action, as_strip=scene.posewire.as_strip)
    return action


def _baked(binding: Binding, motion: Motion, fps: float, at_frame: int, start_s: float) -> Baked:
    recorder = Recorder(len(binding.turned), len(binding.placed))
    for time_s, root_m, rotations_wxyz, contacts in zip(
        motion.time_s.tolist(), motion.root_m, motion.rotations_wxyz, motion.contacts, strict=True
    ):
        locations, q = binding.values(motion.skeleton, time_s, root_m, rotations_wxyz, contacts)
        recorder.add(time_s, locations, q, contacts)
    return recorder.baked(fps, at_frame, start_s)
