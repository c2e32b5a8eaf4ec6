# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects what a character's bones are set to and brings it to the scene's frame rate, on the clock of the capture.

Kept as numbers, not as references into Blender: a recording outlives the character that it was made on.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from . import rotation

_CONTACTS = 4
_LONGEST_STEP_S = 10.0
"""A longer way of the capture clock, or one backwards, is a publisher that started again: then the clock on the wall counts."""
_LONGEST_BRIDGE_S = 0.5
"""Where somebody is unseen for longer, no frames are made up: nobody should glide to where he comes back."""


@dataclass(frozen=True)
class Baked:
    """A motion at the scene's frames: F frames, K bones that turn, P that change their place."""

    frames: np.ndarray
    """(F,) frame numbers; some are left out where nobody was seen for long."""
    locations: np.ndarray
    """(F, P, 3) of the root bone and of controls, their own axes, armature units."""
    rotations_wxyz: np.ndarray
    """(F, K, 4) pose-bone quaternions, each of the sign nearest to the frame before."""
    contacts: np.ndarray
    """(F, 4); NaN = not estimated."""


class CaptureClock:
    """The stream's media time made to run on where a publisher started again or looped."""

    def __init__(self) -> None:
        self._session = ""
        self._last_media_s = self._last_wall_s = self._offset_s = 0.0
        self._started = False

    def time_s(self, session: str, media_time_s: float, wall_s: float) -> float:
        """Capture time that never runs backwards; `wall_s` is any steady clock of this computer."""
        if not self._started:
            self._offset_s, self._started = -media_time_s, True
        elif session != self._session or not 0.0 <= media_time_s - self._last_media_s < _LONGEST_STEP_S:
            now_s = self._last_media_s + self._offset_s + max(wall_s - self._last_wall_s, 1e-3)
            self._offset_s = now_s - media_time_s
        self._session, self._last_media_s, self._last_wall_s = session, media_time_s, wall_s
        return media_time_s + self._offset_s


class Recorder:
    """One character's motion while it is being recorded; 4 bytes a number, 25 MB for ten minutes of 25 bones at 60 Hz."""

    def __init__(self, turned: int, placed: int = 1) -> None:
        self.turned, self.placed = turned, placed
        self._time_s = array("d")
        self._values = array("f")

    def add(self, time_s: float, locations: np.ndarray, rotations_wxyz: np.ndarray, contacts: np.ndarray) -> None:
        """A sample of locations (P, 3) and rotations (K, 4); one that is not later than the last is left out."""
        if self._time_s and time_s <= self._time_s[-1]:
            return
        self._time_s.append(time_s)
        row = np.concatenate([contacts, locations.reshape(-1), rotations_wxyz.reshape(-1)]).astype(np.float32)
        self._values.frombytes(row.tobytes())

    def __len__(self) -> int:
        return len(self._time_s)

    def baked(self, fps: float, start_frame: int, start_s: float = 0.0) -> Baked:
        """Everything so far at the scene's frames; `start_s` of the capture falls on `start_frame`."""
        values = np.frombuffer(self._values, np.float32).reshape(len(self), -1).astype(np.float64)
        end = _CONTACTS + 3 * self.placed
        locations = values[:, _CONTACTS:end].reshape(len(self), self.placed, 3)
        rotations = values[:, end:].reshape(len(self), self.turned, 4)
        return bake(np.array(self._time_s), locations, rotations, values[:, :_CONTACTS], fps, start_frame, start_s)


def bake(
    time_s: np.ndarray,
    locations: np.ndarray,
    rotations_wxyz: np.ndarray,
    contacts: np.ndarray,
    fps: float,
    start_frame: int,
    start_s: float,
) -> Baked:
    """Samples at (R,) ascending times to every frame that lies among them but in no long gap, and at least one."""
    first, last = np.ceil((time_s[0] - start_s) * fps - 1e-6), np.floor((time_s[-1] - start_s) * fps + 1e-6)
    frames = np.arange(first, max(last, first) + 1)
    frames = frames[_seen(frames / fps + start_s, time_s)]
    at_s = frames / fps + start_s
    after = np.clip(np.searchsorted(time_s, at_s), 1, max(len(time_s) - 1, 1)) if len(time_s) > 1 else np.zeros(len(frames), int)
    before = np.maximum(after - 1, 0)
    span_s = np.where(after > before, time_s[after] - time_s[before], 1.0)
    share = np.clip((at_s - time_s[before]) / span_s, 0.0, 1.0)
    place = locations[before] + share[:, None, None] * (locations[after] - locations[before])
    turned = rotation.nlerp(rotations_wxyz[before], rotations_wxyz[after], share[:, None, None])
    nearest = np.where(share < 0.5, before, after)
    return Baked(frames + start_frame, place, continuous(turned), contacts[nearest])


def _seen(at_s: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """(F,) true for times that lie in no long gap between the samples at (R,) ascending times; the first always counts."""
    steps_s = np.diff(time_s)
    if len(steps_s) == 0 or steps_s.max() <= (longest_s := max(_LONGEST_BRIDGE_S, 3.0 * float(np.median(steps_s)))):
        return np.ones(len(at_s), bool)
    gap = np.clip(np.searchsorted(time_s, at_s) - 1, 0, len(steps_s) - 1)
    inside = (at_s > time_s[gap] + 1e-6) & (at_s < time_s[gap + 1] - 1e-6)
    seen = ~(inside & (steps_s[gap] > longest_s))
    seen[0] = True
    return seen


def continuous(rotations_wxyz: np.ndarray) -> np.ndarray:
    """(F, K, 4) with each sign chosen nearest to the frame before, so that curves do not jump."""
    if len(rotations_wxyz) < 2:
        return rotations_wxyz
    dots = np.sum(rotations_wxyz[1:] * rotations_wxyz[:-1], axis=-1)
    flips = np.cumprod(np.where(dots < 0.0, -1.0, 1.0), axis=0)
    return np.concatenate([rotations_wxyz[:1], rotations_wxyz[1:] * flips[..., None]])
