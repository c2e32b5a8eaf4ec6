"""A take as other programs' files. A new format is one module with a writer and one row in EXPORTS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from posewire.errors import TakeError
from posewire.shell import typed
from posewire.take.export.people import people_with_poses
from posewire.take.export.to_bvh import bvh_lines
from posewire.take.export.to_csv import csv_lines
from posewire.take.export.to_glb import write_glb, write_gltf
from posewire.take.export.to_jsonl import jsonl_lines
from posewire.take.export.to_npz import write_npz
from posewire.take.export.to_trc import trc_lines
from posewire.take.export.to_usd import write_usda, write_usdc
from posewire.take.new_file import check_target, not_writable, replacing
from posewire.take.recording import Take

Write = Callable[[BinaryIO, Take, int | None], None]


@dataclass(frozen=True, slots=True)
class ExportKind:
    """A file format."""

    suffix: str
    summary: str
    file_per_person: bool
    write: Write
    """Fills a file with one person, or with everybody (None; never for a file per person)."""


def _everybody(lines: Callable[[Take, int | None], Iterable[str]]) -> Write:
    def write(file: BinaryIO, take: Take, person: int | None) -> None:
        file.writelines(f"{line}\n".encode() for line in lines(take, person))

    return write


def _one_person(lines: Callable[[Take, int], Iterable[str]]) -> Write:
    def write(file: BinaryIO, take: Take, person: int | None) -> None:
        assert person is not None
        file.writelines(f"{line}\n".encode() for line in lines(take, person))

    return write


_KINDS = (
    ExportKind(".bvh", "animation programs: skeleton and motion, centimetres, one file per person", True, _one_person(bvh_lines)),
    ExportKind(".glb", "Blender, three.js, any viewer: everybody's skeleton, a simple body and motion, metres", False, write_glb),
    ExportKind(".gltf", "the same as one JSON text", False, write_gltf),
    ExportKind(".usda", "USD as text: everybody's skeleton and motion, metres; needs the extra [export]", False, write_usda),
    ExportKind(".usdc", "the same, binary", False, write_usdc),
    ExportKind(".trc", "OpenSim: joint positions, metres, one file per person", True, _one_person(trc_lines)),
    ExportKind(".npz", "scripts: everything as numpy arrays", False, write_npz),
    ExportKind(".csv", "spreadsheets: a row per frame and person", False, _everybody(csv_lines)),
    ExportKind(".jsonl", "any language: a JSON object per frame", False, _everybody(jsonl_lines)),
)
EXPORTS: dict[str, ExportKind] = {kind.suffix: kind for kind in _KINDS}
"""Every format by its suffix."""


def export(
    take: Take, path: str | PathLike[str], kind: str | None = None, *, person: int | None = None, overwrite: bool = False
) -> list[Path]:
    """Writes a take in another format and returns the files made.

    Args:
        take: The take.
        path: The file to make; its folder must exist. A format with a file per person makes NAME_person1.bvh and so on when
            several people have poses and none is chosen.
        kind: One of EXPORTS; None = by the suffix of `path`.
        person: Only this person.
        overwrite: Replace existing files.

    Raises:
        TakeError: unknown format or person, nobody to export, or the files cannot be made.
    """
    path = Path(path)
    form = _kind(take, path, kind)
    if person is not None:
        take.require_person(person)
    files = _files(take, path, person) if form.file_per_person else {path: person}
    for file in files:
        check_target(file, overwrite=overwrite)
    for file, who in files.items():
        _write(form, take, file, who)
    return list(files)


def _kind(take: Take, path: Path, kind: str | None) -> ExportKind:
    suffix = path.suffix.lower() if kind is None else f".{kind.lower().removeprefix('.')}"
    if suffix not in EXPORTS:
        usual, then = (".glb", "; Blender makes .fbx of it") if suffix == ".fbx" else (".bvh", "")
        hint = typed("posewire", "export", take.path, path.with_suffix(usual) if path.name else f"clip{usual}") + then
        raise TakeError(
            "There is no such export format.", got=suffix or f"{path}, which has no suffix", allowed=list(EXPORTS), hint=hint
        )
    return EXPORTS[suffix]


def _files(take: Take, path: Path, person: int | None) -> dict[Path, int | None]:
    """The file of each person who has a pose."""
    people = people_with_poses(take, person)
    if len(people) == 1:
        return {path: people[0]}
    return {path.with_name(f"{path.stem}_person{id_}{path.suffix}"): id_ for id_ in people}


def _write(form: ExportKind, take: Take, path: Path, person: int | None) -> None:
    try:
        with replacing(path) as file:
            form.write(file, take, person)
    except OSError as error:
        raise not_writable(path, error) from error
