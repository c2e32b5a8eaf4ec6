"""Whether a file may be made, asked before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from posewire.errors import PosewireError
from posewire.shell import typed, typed_mkdir


def check_new_file(
    path: Path, name: str, *, overwrite: bool, source: str | None = None, kind: type[PosewireError] = PosewireError
) -> None:
    """Refuses a file that exists, or whose folder does not or is write-protected.

    Args:
        path: The file to make.
        name: What the user knows it by: a flag, or "the output file".
        overwrite: An existing file is no mistake.
        source: What is read; it is refused in any case: its first second would be all that is left of it.
        kind: What is raised.

    Raises:
        PosewireError: of this kind, with the words to type next.
    """
    if not path.parent.is_dir():
        hint = typed_mkdir(path.parent)
        raise kind(f"The folder for {name} does not exist.", got=path.parent, allowed="an existing folder", hint=hint)
    if not os.access(path.parent, os.W_OK):
        raise kind(f"The folder for {name} is write-protected.", got=path.parent, allowed="a folder of your own")
    if path.is_dir():
        raise kind(f"{path} is a folder.", allowed="a file name", hint=f"a file in it: {path / 'NAME'}")
    if path.exists() and not overwrite:
        raise kind(f"{path} exists.", hint="--overwrite, or another name")
    if source is not None and path.exists() and os.path.exists(source) and path.samefile(source):  # noqa: PTH110 - an address?
        hint = typed(name, path.with_stem(f"{path.stem}_seen"))
        raise kind(f"{name} would replace what is read.", got=path, allowed="another file", hint=hint)


def check_take_name(path: Path, flag: str) -> None:
    """Refuses a name that does not end in .pwt: by that other commands know a take.

    Raises:
        PosewireError: with the words to type next.
    """
    if path.suffix.lower() != ".pwt":
        hint = f"{flag} {path.with_suffix('.pwt') if path.name else 'take.pwt'}, and then: posewire export"
        raise PosewireError("The name of a take ends in .pwt.", got=path, allowed=".pwt", hint=hint)
