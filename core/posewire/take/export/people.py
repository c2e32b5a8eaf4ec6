"""Who goes into an animation file, and what moves there: one motion a person, all of one length."""

from __future__ import annotations

import numpy as np

from posewire import rotation
from posewire.data import FloatArray
from posewire.errors import TakeError
from posewire.shell import typed
from posewire.take.export.resample import Motion, constant_rate
from posewire.take.recording import Take


def motions(take: Take, person: int | None) -> dict[int, Motion]:
    """The motion of one person, or of everybody who has a pose, by person id.

    Raises:
        TakeError: nobody has one.
    """
    return {id_: constant_rate(take, id_) for id_ in people_with_poses(take, person)}


def people_with_poses(take: Take, person: int | None = None) -> list[int]:
    """The person asked for, or everybody who has a pose.

    Raises:
        TakeError: nobody has one.
    """
    people = [person] if person is not None else [id_ for id_, span in take.people.items() if span.skeleton is not None]
    if not people:
        got, hint = f"{len(take)} frames without a pose", typed("posewire", "export", take.path, take.path.with_suffix(".npz"))
        raise TakeError("The take has nobody to export.", got=got, allowed=[".npz", ".csv", ".jsonl"], hint=hint)
    return people


def continuous(rotations_wxyz: FloatArray) -> FloatArray:
    """Quaternions (F, N, 4) whose signs follow the frame before: programs interpolate number by number."""
    turned_over = np.sum(rotations_wxyz[1:] * rotations_wxyz[:-1], axis=-1) < 0.0
    signs = np.cumprod(np.where(turned_over, -1.0, 1.0), axis=0)
    return np.concatenate([rotations_wxyz[:1], rotations_wxyz[1:] * signs[..., None]])


def rest_positions_m(motion: Motion) -> FloatArray:
    """(N, 3) joints of the rest pose, soles at y = 0."""
    skeleton = motion.skeleton
    return skeleton.positions_m(skeleton.offsets_m[0], rotation.identity(len(skeleton.names)))
