"""The two exported networks: each checks that its file is one that this version understands, and says what it sees.

The contract stands in export.py. Neither torch nor onnx is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.errors import ModelError
from posewire.runtime import Session, Tensor
from posewire_data.joints import JOINTS
from posewire_xnect import people
from posewire_xnect.association import CANDIDATES
from posewire_xnect.letterbox import MULTIPLE_PX, SHORTER_PX, Size
from posewire_xnect.rows import WIDTH, person_rows
from posewire_xnect.skeleton import LINKS, J
from posewire_xnect.targets import STRIDE

VERSION = "1"
STAGE_ONE, STAGE_TWO = "xnect-stage-1", "xnect-stage-2"
"""What the files call themselves."""

Shape: TypeAlias = tuple[int | None, ...]

_HINT = "take the files that came with this version of Posewire, or export them anew: docs/XNECT.md"
_READING: Mapping[str, Shape] = {
    "peaks": (J, CANDIDATES, 3),
    "integrals": (len(LINKS), CANDIDATES, CANDIDATES),
    "encodings": (J, CANDIDATES, 3 * J),
}
"""Stage I's outputs, behind the axis of pictures,"""
_CENTRES: Mapping[str, Shape] = {"centres": (CANDIDATES,), "guesses": (CANDIDATES, J, 2)}
"""and what it says besides on a trunk that knows whose joints are whose."""


class StageOneNet:
    """Picture to people with 2D points and encodings. One thread.

    Raises:
        ModelError: the file is of another kind, version, skeleton or resolution.
    """

    def __init__(self, session: Session) -> None:
        _check_kind(session, STAGE_ONE)
        self.fixed = _input_size(session)
        knows_centres = any(output.name in _CENTRES for output in session.outputs)
        for name, shape in {**_READING, **(_CENTRES if knows_centres else {})}.items():
            _require(f"output {name}", _behind_first(session.outputs, name), shape)
        self._session = session

    def look(self, image: NDArray[np.float32]) -> people.People:
        """Whoever shows in a picture (1, 3, h, w), RGB 0..1; points in pixels of that picture."""
        return people.of_said(self._session.run({"image": image}))

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._session.close()


class StageTwoNet:
    """What Stage I saw of people to all their joints. One thread.

    Raises:
        ModelError: the file is of another kind, version or skeleton.
    """

    def __init__(self, session: Session) -> None:
        _check_kind(session, STAGE_TWO)
        _require("input rows", _behind_first(session.inputs, "rows"), (J, WIDTH))
        _require("output joints_m", _behind_first(session.outputs, "joints_m"), (J, 3))
        self._session = session

    def joints_m(self, found: people.People) -> FloatArray:
        """(P, J, 3) metres from the pelvis, each in the axes of a camera that looks straight at the neck (rows.anchors)."""
        if not len(found.confidence):
            return np.empty((0, J, 3))
        rows = person_rows(found.points_px, found.confidence, found.encodings, SHORTER_PX)
        return self._session.run({"rows": rows.astype(np.float32)})["joints_m"].astype(np.float64)

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._session.close()


def _check_kind(session: Session, kind: str) -> None:
    told = session.metadata
    _require("kind of network", told.get("posewire_kind", "nothing"), kind)
    _require("version", told.get("posewire_version", "nothing"), VERSION)
    _require("joints", told.get("joints", "nothing"), ",".join(JOINTS))
    _require("stride", told.get("stride_px", "nothing"), str(STRIDE))


def _input_size(session: Session) -> Size | None:
    """Width and height of the only picture that Stage I takes; None = any that are multiples of 32."""
    batch_and_colours = [tensor.shape[:2] for tensor in session.inputs if tensor.name == "image" and len(tensor.shape) == 4]
    if batch_and_colours not in ([(1, 3)], [(None, 3)]):
        _require("input", _shapes(session.inputs), "image (1, 3, height, width)")
    height, width = session.inputs[0].shape[2:]
    if height is None or width is None:
        return None
    if height % MULTIPLE_PX or width % MULTIPLE_PX:
        _require("resolution", f"{width} x {height}", f"multiples of {MULTIPLE_PX} pixels")
    return width, height


def _behind_first(tensors: tuple[Tensor, ...], name: str) -> Shape | str:
    """A tensor's shape without its first axis, or what there is instead of it."""
    return next((tensor.shape[1:] for tensor in tensors if tensor.name == name), _shapes(tensors))


def _shapes(tensors: tuple[Tensor, ...]) -> str:
    return "; ".join(map(str, tensors))


def _require(what: str, got: Shape | str, allowed: Shape | str) -> None:
    if got != allowed:
        problem = f"This is no XNect network that can be used: its {what} differs."
        raise ModelError(problem, got=got or "nothing", allowed=str(allowed), hint=_HINT)
