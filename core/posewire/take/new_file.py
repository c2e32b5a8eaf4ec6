"""Makes files without destroying anything: existing ones are refused, or replaced only when the new one is there."""

from __future__ import annotations

import io
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from posewire.errors import TakeError
from posewire.output_path import check_new_file


def check_target(path: Path, *, overwrite: bool) -> None:
    """Raises TakeError when `path` cannot become a new file: its folder is missing or
    write-protected, or it exists and must stay."""
    check_new_file(path, "the output file", overwrite=overwrite, kind=TakeError)


def create(path: Path, start: bytes, *, overwrite: bool) -> io.FileIO:
    """A new file that holds `start`, open for appending. An existing file is replaced only when `start` is on the disk.

    Raises:
        TakeError: see check_target; or the disk refuses.
    """
    check_target(path, overwrite=overwrite)
    try:
        with replacing(path) if overwrite else _new_file(path) as file:
            file.write(start)
        return path.open("ab", buffering=0)
    except OSError as error:
        raise not_writable(path, error) from error


def not_writable(path: Path, error: OSError) -> TakeError:
    """The error of a file that the operating system refuses."""
    return TakeError(f"The file {path} cannot be written.", got=error, hint="is the disk full, or the folder write-protected?")


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """A file to fill, which takes the name `path` when the block ends well; otherwise what was there stays.

    Raises:
        OSError: the disk refuses.
    """
    neighbour = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    with _new_file(neighbour) as file:
        yield file
    try:
        neighbour.replace(path)
    except OSError:
        neighbour.unlink(missing_ok=True)
        raise


@contextmanager
def _new_file(path: Path) -> Generator[BinaryIO]:
    """A file that must not exist yet; nothing is left of it when the block fails."""
    with path.open("xb") as file:
        try:
            yield file
            file.flush()
            return
        except BaseException:
            with suppress(OSError):  # a full disk refuses to flush once more; the error that matters is on its way
                file.close()
            path.unlink(missing_ok=True)
            raise
