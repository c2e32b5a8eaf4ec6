"""Reads pictures with known 2D joints: a folder or a tar file, and an npz file beside or inside it.

joints.npz: `joint_names` (J,), `keypoints_px` (N, J, 2), `visible` (N, J). Row i - 1 belongs to the picture whose file name
holds the number i (`images/im00015.jpg`: row 14). The published Leeds Sports Pose Extended pictures fit once so converted.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from posewire.data import FloatArray, ImageArray
from posewire.errors import SettingsError, SourceError
from posewire.npz import read_npz

JOINTS_FILE = "joints.npz"
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
_HINT = "docs/METRICS.md describes the files"


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """One picture of one labelled person."""

    name: str
    image: ImageArray
    points_px: FloatArray
    """(J, 2) NaN = not visible."""


@dataclass(frozen=True, slots=True, eq=False)
class Stills:
    """Labelled pictures, read one by one."""

    joint_names: tuple[str, ...]
    path: Path
    names: Mapping[int, str]
    """Number to the picture's name in the folder or tar file, in the order in which they are read."""
    points_px: FloatArray
    """(N, J, 2) NaN = not visible."""

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Still]:
        with _Files(self.path) as files:
            for number, name in self.names.items():
                yield Still(name, _decoded(files.read(name), name), self.points_px[number - 1])


def open_stills(path: Path, joints: Path | None = None, numbers: range | None = None, limit: int | None = None) -> Stills:
    """The pictures of a folder or tar file that have a row in the joints file.

    Args:
        path: The folder or tar file.
        joints: The joints file; None = joints.npz inside `path`.
        numbers: Only these, by the number in the file name.
        limit: The first so many.

    Raises:
        SourceError: a file is missing or something else, or no picture is left.
    """
    with _Files(path) as files:
        names, points_px = _labels(_read(joints) if joints else files.read(files.find(JOINTS_FILE)), joints or path)
        found = {_number(name): name for name in sorted(files.names()) if name.lower().endswith(_PICTURES)}
    wanted = [number for number in sorted(found) if 1 <= number <= len(points_px) and (numbers is None or number in numbers)]
    if not wanted:
        allowed = f"pictures whose names hold a number from 1 to {len(points_px)}"
        raise SourceError(f"{path} has none of the pictures.", got=numbers or "no picture", allowed=allowed, hint=_HINT)
    return Stills(names, path, {number: found[number] for number in wanted[:limit]}, points_px)


def number_range(text: str) -> range:
    """The numbers from A to B of "A-B", as --numbers says them.

    Raises:
        SettingsError: the text says something else.
    """
    told = re.fullmatch(r"(\d+)-(\d+)", text)
    if told is None or int(told[1]) > int(told[2]):
        raise SettingsError("--numbers must be a range.", got=text, allowed="FIRST-LAST", hint="--numbers 6001-7000")
    return range(int(told[1]), int(told[2]) + 1)


class _Files:
    """The files of a folder, or of a tar file, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._tar = None if path.is_dir() else tarfile.open(path)  # noqa: SIM115 - closed by __exit__
        except (OSError, tarfile.TarError) as error:
            allowed = "a folder of pictures, or a tar file of one"
            raise SourceError(f"{path} cannot be read.", got=error, allowed=allowed, hint=_HINT) from error

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tar is not None:
            self._tar.close()

    def names(self) -> list[str]:
        """Every file."""
        if self._tar is not None:
            return [member.name for member in self._tar.getmembers() if member.isfile()]
        return [path.relative_to(self._path).as_posix() for path in self._path.rglob("*") if path.is_file()]

    def find(self, last: str) -> str:
        """The one file of this name, wherever it lies."""
        found = [name for name in self.names() if name.rsplit("/", 1)[-1] == last]
        if len(found) != 1:
            hint = "give it with --joints FILE.npz"
            raise SourceError(f"{self._path} holds no {last}.", got=found or "none", allowed="exactly one", hint=hint)
        return found[0]

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        if self._tar is None:
            return _read(self._path / name)
        opened = self._tar.extractfile(name)
        return b"" if opened is None else opened.read()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read.", got=error, hint=_HINT) from error


def _labels(data: bytes, path: Path) -> tuple[tuple[str, ...], FloatArray]:
    """Joint names and points (N, J, 2), NaN where not visible."""
    try:
        arrays = read_npz(io.BytesIO(data))
        names = tuple(str(name) for name in arrays["joint_names"])
        points_px = arrays["keypoints_px"].reshape(-1, len(names), 2).astype(np.float64)
        visible = arrays["visible"].reshape(-1, len(names)).astype(np.bool_)
        return names, np.where(visible[..., None], points_px, np.nan)
    except (KeyError, ValueError, OSError) as error:
        allowed = "an npz file with joint_names (J,), keypoints_px (N, J, 2) and visible (N, J)"
        raise SourceError(f"The joints of {path} cannot be used.", got=error, allowed=allowed, hint=_HINT) from error


def _number(name: str) -> int:
    """The last number of a file name; 0 without one."""
    digits = re.findall(r"\d+", name.rsplit("/", 1)[-1])
    return int(digits[-1]) if digits else 0


def _decoded(data: bytes, name: str) -> ImageArray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise SourceError(f"{name} is no picture.", got=f"{len(data)} bytes", allowed="JPEG, PNG or BMP")
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)
