"""Deliberate errors: each says what was wrong, what was got, what is allowed and what to type next."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

EXIT_CODE = 2
"""Exit code of every command that ends in a PosewireError."""
_CORE = Path(__file__).parent
_PYTHON = Path(sysconfig.get_path("stdlib"))
_PACKAGES = {"site-packages", "dist-packages"}
_CALLERS = {"pluggy", "_pytest"}


class PosewireError(Exception):
    """An error that the user can act on; the command line prints it without a traceback.

    Args:
        problem: What was wrong, in one sentence.
        got: The offending value, as the user would recognise it.
        allowed: What would have been accepted.
        hint: What to type or do next.
    """

    def __init__(self, problem: str, *, got: object = None, allowed: object = None, hint: str | None = None) -> None:
        self.problem, self.got, self.allowed, self.hint = problem, got, allowed, hint
        super().__init__(self._text())

    def _text(self) -> str:
        parts = [self.problem]
        if self.got is not None:
            parts.append(f"  got:     {self.got}")
        if self.allowed is not None:
            allowed = ", ".join(map(str, self.allowed)) if isinstance(self.allowed, list | tuple) else self.allowed
            parts.append(f"  allowed: {allowed}")
        if self.hint is not None:
            parts.append(f"  next:    {self.hint}")
        return "\n".join(parts)


class SettingsError(PosewireError):
    """A flag or a line of the settings file is not usable."""


class SourceError(PosewireError):
    """A video, camera, stream or image folder cannot be read."""


class ModelError(PosewireError):
    """A model file is missing, changed or of another kind."""


class DeviceError(PosewireError):
    """The asked device is not there; Posewire never falls back silently."""


class PluginError(PosewireError):
    """A plugin, method or rig is unknown, duplicated or broken."""


class TakeError(PosewireError):
    """A recording cannot be read or written."""


class WireError(PosewireError):
    """Bytes from the network do not decode, or an address cannot be used."""


class CalibrationError(PosewireError):
    """A calibration or camera file does not make sense."""


@contextmanager
def as_plugin_error(problem: str, hint: str) -> Generator[None]:
    """Third-party code runs inside: whatever it raises becomes a PluginError with its words and its author's line.

    A PosewireError passes: it says already what to do.
    """
    try:
        yield
    except PosewireError:
        raise
    except (Exception, SystemExit) as error:  # a plugin is anybody's code
        raise PluginError(problem, got=failure_of_a_plugin(error), hint=hint) from error


def failure_of_a_plugin(error: BaseException) -> str:
    """Kind and words of whatever third-party code raised, and its author's line where it came to pass.

    That line is the last one in the folder of the code that we called: deeper ones are numpy's, or our own checks of its answer.
    """
    said = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    foreign = [call for call in traceback.extract_tb(error.__traceback__) if _is_a_plugins(call.filename)]
    if not foreign:
        return said
    folder = Path(foreign[0].filename).parent
    line = [call for call in foreign if Path(call.filename).is_relative_to(folder)][-1]
    return f"{said} ({folder.name}/{Path(line.filename).name}, line {line.lineno})"


def _is_a_plugins(file: str) -> bool:
    """Not ours, not Python's own, and not of those who load plugins and call their hooks."""
    path = Path(file)
    pythons = file.startswith("<frozen") or (path.is_relative_to(_PYTHON) and not _PACKAGES & set(path.parts))
    return not (pythons or path.is_relative_to(_CORE) or _CALLERS & set(path.parts))
