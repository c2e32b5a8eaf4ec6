"""The exported network: checks that a file is one that this version understands, and looks through windows with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray, Frame
from posewire.errors import ModelError
from posewire.pictures import to_network
from posewire.runtime import Session, Tensor
from posewire_vnect.names import INPUT, JOINTS, KIND, OUTPUTS, PATCH, STRIDE_PX, VERSION
from posewire_vnect.sight import Sight
from posewire_vnect.window import Window

_HINT = "take the file that came with this version of Posewire, or export it anew: docs/VNECT.md"
_J = len(JOINTS)
_SHAPES: Mapping[str, tuple[int, ...]] = {
    "peaks_cells": (_J, 2),
    "confidence": (_J,),
    "patch_corner_cells": (_J, 2),
    "patches_m": (_J, 3, PATCH, PATCH),
}
"""Of each output, behind the axis of windows."""


class LocationNet:
    """Runs the network on all windows of a frame at once. One thread.

    Raises:
        ModelError: the file is of another kind, version, skeleton or resolution.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.input_px = _checked_input_px(session)

    def look(self, frame: Frame, windows: Sequence[Window]) -> list[Sight]:
        """One Sight a window.

        Raises:
            ModelError: the network says NaN or infinity.
        """
        if not windows:
            return []
        crops = [window.crop(frame.picture, self.input_px) for window in windows]
        found = self._session.run({INPUT: to_network(crops)})
        _refuse_no_numbers(found)
        rows = zip(*(_doubles(found[name]) for name in OUTPUTS), strict=True)
        return [Sight(window, self.input_px, *row) for window, row in zip(windows, rows, strict=True)]

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._session.close()


def _refuse_no_numbers(found: Mapping[str, NDArray[Any]]) -> None:
    """Every joint would be unseen in every picture, without a word."""
    if bad := [name for name in OUTPUTS if not np.isfinite(found[name]).all()]:
        problem = "This VNect network does not work: its training diverged, or its numbers are too large for its precision."
        raise ModelError(problem, got=f"NaN or infinity in {', '.join(bad)}", allowed="numbers", hint=_HINT)


def _doubles(array: NDArray[Any]) -> FloatArray:
    return array.astype(np.float64)


def _checked_input_px(session: Session) -> int:
    """Side of the input in pixels, once everything that the file says of itself is as it must be."""
    told = session.metadata
    _require("kind of network", told.get("posewire_kind"), KIND)
    _require("version", told.get("posewire_version"), VERSION)
    _require("joints", told.get("joints"), ",".join(JOINTS))
    _require("stride", told.get("stride_px"), str(STRIDE_PX))
    side_px = told.get("input_px", "")
    if not side_px.isdecimal() or int(side_px) < PATCH * STRIDE_PX or int(side_px) % STRIDE_PX:
        _require("resolution", side_px, f"a multiple of {STRIDE_PX} of at least {PATCH * STRIDE_PX} pixels")
    _require("inputs", _shapes(session.inputs), f"{INPUT} (windows, 3, {side_px}, {side_px})")
    wanted = ", ".join(f"{name} (windows, {', '.join(map(str, shape))})" for name, shape in _SHAPES.items())
    _require("outputs", _shapes(session.outputs), wanted)
    return int(side_px)


def _shapes(tensors: Sequence[Tensor]) -> str:
    """Names and shapes; the first axis must be free."""
    return ", ".join(f"{tensor.name} ({', '.join(map(_length, tensor.shape))})" for tensor in tensors)


def _length(length: int | None) -> str:
    return "windows" if length is None else str(length)


def _require(what: str, got: str | None, allowed: str) -> None:
    if got != allowed:
        problem = f"This is no VNect network that can be used: its {what} differs."
        raise ModelError(problem, got=got or "nothing", allowed=allowed, hint=_HINT)
