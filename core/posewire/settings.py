"""The one settings value: defaults, then the settings file, then flags; each later one wins.

The file is TOML with the field names below as keys, found at `default_path()`, in the environment variable
POSEWIRE_SETTINGS or behind --settings.
"""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

import platformdirs

from posewire.errors import SettingsError

DEFAULT_ADDRESS = "tcp://127.0.0.1:5577"
"""Where the engine publishes and every client listens unless told otherwise."""
HEIGHT_RANGE_M = (0.5, 2.5)
FOV_RANGE_DEG = (5.0, 175.0)
RATE_RANGE_HZ = (1.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a run can be told."""

    method: str = "blazepose"
    """Name of the pose method, see `posewire methods`."""
    weights: tuple[Path, ...] = ()
    """Files of one's own instead of the method's, as many as `posewire methods NAME` says; () = the method's own."""
    lifter: str | None = None
    """Name of a lifter that replaces the method's own 3D; None = the method's own."""
    device: str = "cpu"
    """cpu or gpu."""
    threads: int = 0
    """Threads for the network; 0 = all cores."""
    max_people: int = 1
    rigs: tuple[str, ...] = ()
    """Rigs to stream besides the native skeleton: names from `posewire rigs` or JSON files."""
    fov_deg: float = 54.0
    """Vertical field of view of an uncalibrated camera (Mehta 2020, 8.2.1)."""
    camera: Path | None = None
    """Calibration file; it wins over fov_deg."""
    rate_hz: float | None = None
    """Images a second of a folder of images, which has no clock; None = 30. Every other source has its own times."""
    height_m: float | None = None
    """Stature of the person; None = measured on a calibrated floor, or else what the method sees, kept near 1.70 m."""
    profile: str | None = None
    """Name of a person measured before, see --calibrate; wins over height_m."""
    calibrate: str | None = None
    """Measure the person on the whole run and keep that under this name."""
    floor: str = "auto"
    """auto: the world moves to the floor once the feet have shown it (a calibrated one stays), and feet that rest on it show how
    far away somebody is; none: neither."""
    contacts: bool = True
    """Whether poses say which feet touch the ground."""
    lock_feet: bool = False
    """Whether a foot on the ground is held where it landed."""
    address: str = DEFAULT_ADDRESS
    """Where --publish binds and where clients connect."""
    insecure: bool = False
    """Allow clear text beyond this machine."""

    def __post_init__(self) -> None:
        _in_range("--height", self.height_m, *HEIGHT_RANGE_M, "metres", "--height 1.75")
        _in_range("--fov", self.fov_deg, *FOV_RANGE_DEG, "degrees", "--fov 54 suits most webcams")
        _in_range("--rate", self.rate_hz, *RATE_RANGE_HZ, "images a second", "--rate 24")
        _in_range("--max-people", self.max_people, 1, 100, "people", "--max-people 4")
        _in_range("--threads", self.threads, 0, 1024, "threads (0 = all cores)", "--threads 2")
        _one_of("--floor", self.floor, ("auto", "none"))
        self._check_profile()
        _one_of("--device", self.device, ("cpu", "gpu"))

    def _check_profile(self) -> None:
        """A profile is one person's, measured or used, and has a stature."""
        if self.profile is None and self.calibrate is None:
            return
        if self.max_people > 1:
            raise SettingsError("A profile is one person's.", got=f"--max-people {self.max_people}", allowed="--max-people 1")
        if self.profile is not None and self.calibrate is not None:
            raise SettingsError(
                "A profile is measured or used, not both.", got="--profile and --calibrate", allowed="one of them"
            )
        if self.profile is not None and self.height_m is not None:
            raise SettingsError("A profile has a stature already.", got="--profile and --height", allowed="one of them")

    def plain(self) -> dict[str, Any]:
        """Every field as a value that JSON knows: paths as texts, tuples as lists."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, **flags: object) -> Settings:
        """Settings from the file (the default one may be absent) and from the flags that are not None.

        Raises:
            SettingsError: the file cannot be read, or a key, flag or value is not usable.
        """
        if unknown := sorted(flags.keys() - {field.name for field in fields(cls)}):
            raise _unknown("There is no such setting.", unknown[0])
        given: dict[str, Any] = {key: value for key, value in flags.items() if value is not None}
        chosen = chosen_path(path)
        values = _read(chosen, required=chosen != default_path())
        try:
            return cls(**values | given)
        except SettingsError as error:
            raise _traced(error, values.keys() - given.keys(), chosen) from error


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return str(value) if isinstance(value, Path) else value


def default_path() -> Path:
    """Where the user's settings file lies on this system."""
    return platformdirs.user_config_path("posewire", appauthor=False) / "settings.toml"


def chosen_path(path: str | os.PathLike[str] | None = None) -> Path:
    """The settings file in force: the one given, the one of POSEWIRE_SETTINGS, or the default one."""
    return Path(path or os.environ.get("POSEWIRE_SETTINGS") or default_path())


def _unknown(problem: str, key: str) -> SettingsError:
    names = [field.name for field in fields(Settings)]
    close = get_close_matches(key, names, n=1)
    return SettingsError(problem, got=key, allowed=names, hint=f"did you mean {close[0]}?" if close else "mend that line")


def _traced(error: SettingsError, keys: Iterable[str], path: Path) -> SettingsError:
    """The same error; where it is about a flag that nobody typed, it names the file and the line that say so."""
    said = f"{error.problem} {error.got} "
    guilty = [key for key in sorted(keys) if f"{_FLAG_OF.get(key, '--' + key.replace('_', '-'))} " in said]
    if not guilty:
        return error
    hint = "mend that line" + (f", or {error.hint}" if error.hint else "")
    return SettingsError(error.problem, got=f"{error.got}, by {' and '.join(guilty)} in {path}", allowed=error.allowed, hint=hint)


_FLAG_OF = {"height_m": "--height", "fov_deg": "--fov", "rate_hz": "--rate"}
"""The flags that are not called as the setting is."""


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if not required:
            return {}
        hint = "leave out --settings or POSEWIRE_SETTINGS, which names it: the defaults hold"
        raise SettingsError("There is no such settings file.", got=path, allowed="a TOML file", hint=hint)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"The settings file {path} cannot be read.", got=error, allowed="TOML, in UTF-8", hint="mend or remove the file"
        ) from error
    return _checked(values, path)


def _checked(values: Mapping[str, Any], path: Path) -> dict[str, Any]:
    types = get_type_hints(Settings)
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in types:
            raise _unknown(f"{path} has an unknown key.", key)
        checked[key] = _converted(key, value, path)
    return checked


def _converted(key: str, value: object, path: Path) -> object:
    default = {field.name: field.default for field in fields(Settings)}[key]
    if key in ("rigs", "weights") and isinstance(value, list) and all(isinstance(name, str) for name in value):  # pyright: ignore[reportUnknownVariableType]
        return tuple(path.parent / name if key == "weights" else name for name in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if key == "camera" and isinstance(value, str):
        return path.parent / value
    if key in ("height_m", "rate_hz") or isinstance(default, float):
        wanted: tuple[type, ...] = (int, float)
    elif key in ("camera", "lifter", "profile", "calibrate") or isinstance(default, str):
        wanted = (str,)
    else:
        wanted = (type(default),)
    if (isinstance(value, bool) and bool not in wanted) or not isinstance(value, wanted):
        allowed, example = _WRITTEN[wanted[-1]]
        hint = f"{key} = {json.dumps(default) if default else example}"
        raise SettingsError(f"{path}: {key} has the wrong type.", got=repr(value), allowed=allowed, hint=hint)
    return value


_WRITTEN: dict[type, tuple[str, str]] = {
    float: ("a number", "1.75"),
    int: ("a whole number", "4"),
    bool: ("true or false", "true"),
    str: ("a text in quotes", '"..."'),
    tuple: ("a list of texts in quotes", '["..."]'),
}
"""How a value of each type is written in TOML: in words, and an example."""


def _one_of(flag: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{flag} is not usable.", got=repr(value), allowed=" or ".join(allowed), hint=f"{flag} {allowed[0]}")


def _in_range(flag: str, value: float | None, low: float, high: float, unit: str, hint: str) -> None:
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        raise SettingsError(f"{flag} is out of range.", got=f"{value:g}", allowed=f"{low:g} to {high:g} {unit}", hint=hint)
