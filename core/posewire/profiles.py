"""A person's measures, kept under a name: stature and bone lengths, so that the next run need not measure them again.

A profile is a small JSON file in the folder `profiles` beside the settings file.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from posewire import settings, skeleton
from posewire.errors import SettingsError
from posewire.skeleton import REFERENCE, REFERENCE_HEIGHT_M, Skeleton

VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LENGTH_RANGE = (0.4, 2.5)
"""Of the reference skeleton's, scaled to the stature."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One person."""

    name: str
    height_m: float
    skeleton: Skeleton


def path_of(name: str) -> Path:
    """Where the profile of this name lies.

    Raises:
        SettingsError: it is no name.
    """
    if not _NAME.fullmatch(name):
        allowed = "up to 64 letters, digits, - and _"
        raise SettingsError("This is no name for a profile.", got=repr(name), allowed=allowed, hint="--calibrate anna")
    return settings.default_path().parent / "profiles" / f"{name}.json"


def save(profile: Profile) -> Path:
    """Writes the profile, in the place of an older one of this name; where it lies now.

    Raises:
        SettingsError: the name is none, or the file cannot be written.
    """
    path = path_of(profile.name)
    lengths_m = dict(zip(profile.skeleton.names, profile.skeleton.bone_lengths_m.round(5).tolist(), strict=True))
    told = {"posewire_profile": VERSION, "height_m": round(profile.height_m, 4), "bone_lengths_m": lengths_m}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"The profile {path} cannot be written.", got=error, allowed="a folder that may be written to"
        ) from error
    return path


def load(name: str) -> Profile:
    """The profile of this name.

    Raises:
        SettingsError: there is none, or the file is damaged.
    """
    path = path_of(name)
    if not path.exists():
        allowed = sorted(file.stem for file in path.parent.glob("*.json")) or "no profile was saved yet"
        hint = f"posewire run 0 --calibrate {name}"
        raise SettingsError(f"There is no profile {name!r}.", got=path, allowed=allowed, hint=hint)
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        return _profile(name, cast("dict[str, Any]", told))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = f"measure it again: posewire run SOURCE --calibrate {name}"
        raise SettingsError(
            f"The profile {path} cannot be read.", got=error, allowed="a profile of Posewire", hint=hint
        ) from error


def _profile(name: str, told: dict[str, Any]) -> Profile:
    if told["posewire_profile"] != VERSION:
        raise ValueError(f"version {told['posewire_profile']!r}, not {VERSION}")
    height_m, lengths_m = float(told["height_m"]), np.array([float(told["bone_lengths_m"][joint]) for joint in REFERENCE.names])
    low, high = settings.HEIGHT_RANGE_M
    if not (math.isfinite(height_m) and low <= height_m <= high):
        raise ValueError(f"a height of {height_m} m")
    usual_m = REFERENCE.bone_lengths_m * height_m / REFERENCE_HEIGHT_M
    low, high = _LENGTH_RANGE
    if not np.all((lengths_m >= low * usual_m - 1e-6) & (lengths_m <= high * usual_m + 1e-6)):
        raise ValueError("bone lengths that nobody has")
    return Profile(name, height_m, skeleton.for_height(height_m).with_bone_lengths(lengths_m))
