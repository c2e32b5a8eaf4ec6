"""A plugin's source, held to its word: what it raises, or hands out instead of a Frame, is said with its name and its line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from numbers import Integral, Real
from typing import cast

import numpy as np

from posewire.data import Camera, Frame
from posewire.errors import PluginError, as_plugin_error
from posewire.methods import Source, SourceCard, SourceOptions

_MEMBERS = ("live", "frame_count", "__iter__", "close")
"""What a source must have: posewire.methods.Source."""
_END = object()
_HINT = "tell the plugin's author; docs/PLUGINS.md says what a source is"


def matches(card: SourceCard, address: str) -> bool:
    """Whether a plugin's kind of source takes the address.

    Raises:
        PluginError: the plugin's code failed.
    """
    with as_plugin_error(f"The source '{card.name}' failed when asked whether an address is its own.", _HINT):
        return bool(card.matches(address))


def open_foreign(card: SourceCard, address: str, options: SourceOptions) -> ForeignSource:
    """Opens a plugin's source.

    Raises:
        PluginError: the plugin's code failed, or what it opened is no source. A PosewireError passes.
    """
    with as_plugin_error(f"The source '{card.name}' cannot be opened.", _HINT):
        source = card.open(address, options)
        missing = [member for member in _MEMBERS if not hasattr(source, member)]
    if missing:
        raise PluginError(
            f"What '{card.name}' opens is not a source.", got=f"no {', '.join(missing)}", allowed=_MEMBERS, hint=_HINT
        )
    return ForeignSource(source, card.name)


class ForeignSource:
    """A Source around a plugin's. Threads: as the plugin's own."""

    def __init__(self, source: Source, name: str) -> None:
        self._source, self._problem = source, f"The source '{name}' failed."

    @property
    def live(self) -> bool:
        """As the plugin says."""
        with as_plugin_error(self._problem, _HINT):
            return bool(self._source.live)

    @property
    def frame_count(self) -> int | None:
        """As the plugin says."""
        with as_plugin_error(self._problem, _HINT):
            return self._source.frame_count

    @property
    def status(self) -> str:
        """As the plugin says; empty where it says nothing. Never an error: it is asked for while a progress bar is drawn."""
        try:
            return str(getattr(self._source, "status", ""))
        except Exception as error:  # noqa: BLE001 - a plugin is anybody's code
            return f"no status: {type(error).__name__}: {error}"

    @property
    def problems(self) -> Sequence[str]:
        """As the plugin says; empty where it says nothing."""
        with as_plugin_error(self._problem, _HINT):
            return list(getattr(self._source, "problems", ()))

    def __iter__(self) -> Iterator[Frame]:
        with as_plugin_error(self._problem, _HINT):
            frames = iter(self._source)
        while True:
            with as_plugin_error(self._problem, _HINT):
                frame: object = next(frames, _END)
            if frame is _END:
                return
            yield self._checked(frame)

    def _checked(self, frame: object) -> Frame:
        """A method would be blamed for what is wrong here, or see nobody without a word."""
        fault = _fault(frame)
        if fault is not None:
            raise PluginError(self._problem, got=fault, allowed=_FRAME, hint=_HINT)
        return cast(Frame, frame)

    def close(self) -> None:
        """Closes the plugin's source."""
        with as_plugin_error(self._problem, _HINT):
            self._source.close()


_FRAME = "posewire.data.Frame: picture (H, W, 3) uint8 RGB, time_s in seconds, index, camera"


def _fault(frame: object) -> str | None:
    """What is wrong with a frame; None = nothing."""
    if not isinstance(frame, Frame):
        return f"a {type(frame).__name__}"
    picture = frame.picture
    if isinstance(picture, np.ndarray) and (picture.dtype != np.uint8 or picture.shape[2:] != (3,) or not picture.size):
        return f"a picture {picture.shape} of {picture.dtype}"
    good = {
        "time_s": isinstance(frame.time_s, Real) and math.isfinite(frame.time_s),
        "index": isinstance(frame.index, Integral),
        "camera": isinstance(cast(object, frame.camera), Camera),
    }
    return next((f"{name}: {getattr(frame, name)!r}" for name in good if not good[name]), None)
