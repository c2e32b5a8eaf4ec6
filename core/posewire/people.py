"""Everybody in view: a fitter for each, the world they stand in, and how tall they are. Owned by the pipeline's iterating thread.

The floor and the statures are found on the way (ground). When the world moves to the floor, everybody's fit begins anew in it;
when a stature becomes known, that person's does, on a skeleton of that size. Bone lengths are learnt again from what was kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from posewire import profiles
from posewire.data import Camera, Frame, SkeletonPose, Track
from posewire.fit import FitSettings, Fitter
from posewire.ground import Standing, StatureFinder
from posewire.settings import Settings
from posewire.skeleton import REFERENCE, REFERENCE_HEIGHT_M, Skeleton

Tracked: TypeAlias = tuple[Frame, list[Track]]
_KEPT_TRACKS = 30
"""Of a person whose stature is looked for: what its bones are learnt from when the stature is known."""
_NO_CONTACTS = np.full(4, np.nan)
_UPRIGHT = ("spine", "chest", "neck", "head", "left_knee", "left_ankle")


class _Measured:
    """Somebody whose stature is looked for."""

    def __init__(self, keypoint_names: Sequence[str]) -> None:
        self.finder = StatureFinder(keypoint_names)
        self.tracks: deque[Track] = deque(maxlen=_KEPT_TRACKS)


class People:
    """The fit of all people of a run."""

    def __init__(self, keypoint_names: Sequence[str], settings: Settings) -> None:
        self._names, self._settings = tuple(keypoint_names), settings
        self._fit_settings = fit_settings(settings)
        self._world = Standing(settings.floor == "auto")
        self._fitters: dict[int, Fitter] = {}
        self._measured: dict[int, _Measured] = {}

    @property
    def skeletons(self) -> Mapping[int, Skeleton]:
        """Of everybody known, by person id."""
        return {person_id: fitter.skeleton for person_id, fitter in self._fitters.items()}

    def profile(self, name: str) -> profiles.Profile | None:
        """The measures of the one person of the run; None while they are not known."""
        measured = [person_id for person_id, fitter in self._fitters.items() if fitter.measured]
        if not measured:
            return None
        person = self._measured.get(measured[0])
        stature = None if person is None else person.finder.stature
        skeleton = self._fitters[measured[0]].skeleton
        height_m = self._settings.height_m or (_stature_m(skeleton) if stature is None else stature.height_m)
        return profiles.Profile(name, height_m, skeleton)

    def learn(self, first: Sequence[Tracked]) -> None:
        """Bone lengths from a recording's first frames, before anything is said; a profile is measured on more than those."""
        if self._settings.calibrate is not None:
            return
        seen: dict[int, list[Track]] = {}
        for _, tracks in first:
            for track in tracks:
                seen.setdefault(track.person_id, []).append(track)
        for person_id, tracks in seen.items():
            self._fitter(person_id).learn(tracks, first[0][0].camera)

    def place(self, frame: Frame) -> Frame:
        """The frame with its camera where the world is now."""
        camera = self._world.place(frame.camera)
        return frame if camera is frame.camera else replace(frame, camera=camera)

    def fit(self, tracks: Sequence[Track], frame: Frame) -> tuple[SkeletonPose, ...]:
        """Everybody's pose in a placed frame; who is too badly seen has none."""
        for track in tracks:
            self._measure(track, frame.camera)
        found = [self._fitter(track.person_id).fit(track, frame.time_s, frame.camera) for track in tracks]
        poses = tuple(pose for pose in found if pose is not None)
        if self._world.look(poses, frame.camera, frame.time_s):
            for fitter in self._fitters.values():
                fitter.reset()
        return poses if self._settings.contacts else tuple(replace(pose, contacts=_NO_CONTACTS) for pose in poses)

    def forget_all_but(self, known: Collection[int]) -> None:
        """Whoever will never be seen again: those who pass in a day must fit neither into memory nor into a message.

        A profile may be of somebody who left long ago, so a run that measures one forgets nobody.
        """
        if self._settings.calibrate is None:
            for gone in self._fitters.keys() - known:
                del self._fitters[gone]
                self._measured.pop(gone, None)

    def _fitter(self, person_id: int) -> Fitter:
        if person_id not in self._fitters:
            self._fitters[person_id] = Fitter(self._names, self._fit_settings)
        return self._fitters[person_id]

    def _measure(self, track: Track, camera: Camera) -> None:
        """Looks for the person's stature where a calibrated floor shows it and nobody said it."""
        if camera.origin != "calibrated" or self._settings.height_m is not None or self._settings.profile is not None:
            return
        person = self._measured.setdefault(track.person_id, _Measured(self._names))
        if person.finder.stature is not None:
            return
        person.tracks.append(track)
        stature = person.finder.add(track.keypoints_px, camera)
        if stature is not None:
            fitter = Fitter(self._names, replace(self._fit_settings, height_m=stature.height_m))
            fitter.learn(tuple(person.tracks), camera)
            self._fitters[track.person_id] = fitter
            person.tracks.clear()


def _stature_m(skeleton: Skeleton) -> float:
    """Of somebody whose stature nobody said: as the bones that stand on each other have grown."""
    joints = [REFERENCE.index(name) for name in _UPRIGHT]
    return float(REFERENCE_HEIGHT_M * skeleton.bone_lengths_m[joints].sum() / REFERENCE.bone_lengths_m[joints].sum())


def fit_settings(settings: Settings) -> FitSettings:
    """What the run's settings say of the fit.

    Raises:
        SettingsError: there is no such profile.
    """
    known = None if settings.profile is None else profiles.load(settings.profile)
    height_m = settings.height_m if known is None else known.height_m
    skeleton = None if known is None else known.skeleton
    return FitSettings(height_m=height_m, lock_feet=settings.lock_feet, skeleton=skeleton, use_floor=settings.floor == "auto")
