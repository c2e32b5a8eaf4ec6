# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig files that come with the add-on, read once and kept: Blender asks for the list at every redraw."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from .errors import LiveError
from .mapping import Rig, read_rig

FOLDER = Path(__file__).parent / "rigs"
_TITLES = {
    "native": "Posewire",
    "vrm": "VRM / Unity",
    "mixamo": "Mixamo",
    "ue5_manny": "Unreal 5 Manny",
    "ue4_mannequin": "Unreal 4 / MakeHuman and MPFB game engine",
    "rigify": "Rigify",
    "makehuman": "MakeHuman / MPFB default",
    "cmu": "CMU motion capture (BVH)",
    "cmu_mb": "CMU, MotionBuilder names / MPFB cmu_mb",
}


@cache
def bundled() -> tuple[Rig, ...]:
    """All of them; LiveError when the add-on was not built as it should."""
    rigs = tuple(read_rig(path) for path in sorted(FOLDER.glob("*.json")))
    if not rigs:
        raise LiveError("The add-on has no presets.", "Install the zip that blender_addon/build.py makes.")
    return rigs


def by_name(name: str) -> Rig:
    """A preset by its name."""
    for rig in bundled():
        if rig.name == name:
            return rig
    raise LiveError("There is no preset {name}.", "Choose one from the list.", name=name)


@cache
def _from_file(path: str, changed_ns: int) -> Rig:
    return read_rig(Path(path))


def from_file(path: Path) -> Rig:
    """A mapping file of the artist's own, read again when it changes."""
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise LiveError("There is no mapping file {path}.", "Choose another file or preset.", path=path) from error
    return _from_file(str(path), changed_ns)


def enum_items() -> list[tuple[str, str, str]]:
    """For the property that chooses one: automatic, the bundled ones, a file."""
    items = [("AUTO", "Automatic", "Choose by the names of the bones")]
    items += [(rig.name, _TITLES.get(rig.name, rig.name), rig.summary) for rig in bundled()]
    return [*items, ("FILE", "Mapping File", "A mapping of your own, as a JSON file")]
