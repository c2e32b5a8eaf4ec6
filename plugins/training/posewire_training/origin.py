"""What files are made of, so that nothing is taken for what it is not: test people for training ones, old features for new.

A folder that several runs of a command add to says in origin.json what all of its files have in common.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from posewire.errors import SettingsError, SourceError

NAME = "origin.json"


def digest(path: Path) -> str:
    """Eight letters of a file's content.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:8]
    except OSError as error:
        raise SourceError(f"{path} cannot be read.", got=error, allowed="a file that is there") from error


def agreed(folder: Path, **told: str | int) -> None:
    """Before files are added to a folder: what is said of them must be what is said already.

    Args:
        folder: Made where it is missing. One from before there was origin.json is taken to agree.
        told: What all of its files have in common, as far as whoever adds some knows.

    Raises:
        SettingsError: what is there was made of something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    was = _read(path)
    holds_files = any(file != path for file in folder.iterdir())
    if holds_files and (changed := [name for name, value in told.items() if was.get(name, value) != value]):
        raise SettingsError(
            f"{folder} holds files of another kind.",
            got=", ".join(f"{name} {told[name]}" for name in changed),
            allowed=", ".join(f"{name} {was[name]}" for name in changed),
            hint="another --out folder",
        )
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({**was, **told}, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def to_learn_from(folder: Path) -> Path:
    """The folder, if it does not say that its people are held out.

    Raises:
        SettingsError: it does.
    """
    if (split := _read(folder / NAME).get("split", "train")) != "train":
        problem, hint = "Nobody learns from people who are held out.", "a folder that was made without --split test"
        raise SettingsError(problem, got=f"{folder}, split {split}", allowed="split train", hint=hint)
    return folder


def _read(path: Path) -> dict[str, str | int]:
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SourceError(f"{path} cannot be read.", got=error, hint="delete the folder and make it anew") from error
