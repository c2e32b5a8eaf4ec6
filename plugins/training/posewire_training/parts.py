"""A checkpoint in parts that are small enough to be carried from one machine to another.

    python -m posewire_training.parts runs/one/weights.pt --out carried

writes carried/weights.part1of2.pt, ...: of weights (weights.pt) as float16, which halves them; of a run that is to go on
elsewhere (last.pt) bit by bit. Nothing has to be put together: whatever takes weights (--begin, --start, --one, --two) takes the
folder, or its first part, and a run whose --out holds the parts of last.pt goes on from them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posewire.errors import ModelError
from posewire_training.command import command, parser_of

LARGEST = 15 * 2**20
"""Bytes of a part."""
_PART = re.compile(r"(?P<stem>.+)\.part(?P<number>\d+)of(?P<count>\d+)\.pt")


def split(path: Path, folder: Path, largest: int = LARGEST) -> list[Path]:
    """Writes the parts of a checkpoint and returns them; those of an earlier one of this name go.

    Args:
        path: weights.pt or last.pt, of any run.
        folder: Made where it is missing.
        largest: Bytes of a part at most.

    Raises:
        ModelError: the file cannot be read as a checkpoint.
    """
    data = _carried(path)
    folder.mkdir(parents=True, exist_ok=True)
    for old in _parts_in(folder, path.stem):
        old.unlink()
    count = -(-len(data) // largest)
    written = [folder / f"{path.stem}.part{number}of{count}.pt" for number in range(1, count + 1)]
    for number, part in enumerate(written):
        part.write_bytes(data[number * largest : (number + 1) * largest])
    return written


def opened(path: Path) -> Path | BytesIO:
    """What torch.load takes: a file as it is; of a folder, or of a part, all parts joined.

    Raises:
        ModelError: a part is missing, or the folder holds none, or those of several checkpoints.
    """
    if path.is_dir():
        return BytesIO(_joined(_stem_in(path), path))
    if (part := _PART.fullmatch(path.name)) is not None:
        return BytesIO(_joined(part["stem"], path.parent))
    return path


def read(
    path: Path,
    device: str = "cpu",
    *,
    allowed: str = "weights.pt or last.pt of a training",
    hint: str = "give another file, carry it again, or train again",
) -> dict[str, Any]:
    """The content of a checkpoint, or of its parts; `allowed` and `hint` are said where it is none.

    Raises:
        ModelError: it is missing, damaged, or something else.
    """
    source = opened(path)
    try:
        content = torch.load(source, map_location=device, weights_only=True)
    except Exception as error:  # torch raises whatever zipfile and its own unpickler raise
        got = " ".join(str(error).split())[:200]
        raise ModelError(f"{path} cannot be read.", got=got, allowed=allowed, hint=hint) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds something else.", got=type(content).__name__, allowed=allowed, hint=hint)
    return content


def or_first(path: Path) -> Path:
    """The file, or where there is none, the first of its parts that lie there instead."""
    beside = [] if path.exists() else _parts_in(path.parent, path.stem)
    return beside[0] if beside else path


def _carried(path: Path) -> bytes:
    """The file's content as it is to be carried."""
    content = read(path)
    if "states" not in content:
        return path.read_bytes()
    content["states"] = {name: {key: _halved(v) for key, v in state.items()} for name, state in content["states"].items()}
    buffer = BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _halved(value: Any) -> Any:
    """As float16, where its numbers fit."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    half = value.half()
    return half if torch.isfinite(half).all() else value


def _parts_in(folder: Path, stem: str) -> list[Path]:
    """Of this checkpoint, in their order."""
    found = [(part, path) for path in folder.glob(f"{stem}.part*.pt") if (part := _PART.fullmatch(path.name)) is not None]
    return [path for part, path in sorted(found, key=lambda one: int(one[0]["number"])) if part["stem"] == stem]


def _joined(stem: str, folder: Path) -> bytes:
    there = _parts_in(folder, stem)
    counts = {part["count"] for path in there if (part := _PART.fullmatch(path.name)) is not None}
    due = [folder / f"{stem}.part{number}of{count}.pt" for count in counts for number in range(1, int(count) + 1)]
    if not there or there != due:
        got = ", ".join(path.name for path in there) or "no part"
        allowed = f"all parts of one {stem}.pt: {', '.join(path.name for path in due) or f'{stem}.part1of2.pt, ...'}"
        raise ModelError(f"{folder} does not hold all parts of {stem}.pt.", got=got, allowed=allowed, hint="carry them again")
    return b"".join(path.read_bytes() for path in there)


def _stem_in(folder: Path) -> str:
    """Whose parts a folder holds; beside those of last.pt, weights are meant."""
    stems = {part["stem"] for path in folder.glob("*.pt") if (part := _PART.fullmatch(path.name)) is not None} - {"last"}
    if len(stems) != 1:
        hint = "python -m posewire_training.parts weights.pt --out FOLDER writes some"
        got = ", ".join(sorted(stems)) or "no parts"
        raise ModelError(f"{folder} does not hold the parts of one checkpoint.", got=got, allowed="parts of one", hint=hint)
    return stems.pop()


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = parser_of("posewire_training.parts", __doc__)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT.pt")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    flags = parser.parse_args(arguments)
    for part in split(flags.checkpoint, flags.out):
        print(f"{part.name}  {part.stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(main())
