"""The two exported networks: each checks that its file is one that this version understands, and says what it sees.

The contract stands in export.py. Neither torch nor onnx is imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias, get_args

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
from posewire_xnect.skeleton import LINKS, J, Scheme
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
        ModelError: the file is of another kind, version, skeleton or scheme, or its resolution is none or not what it says.
    """

    def __init__(self, session: Session) -> None:
        _check_kind(session, STAGE_ONE)
        self.scheme: Scheme = _scheme(session)
        self.size = _size(session)
        self.fixed = _input_size(session, self.size)
        knows_centres = any(output.name in _CENTRES for output in session.outputs)
        for name, shape in {**_READING, **(_CENTRES if knows_centres else {})}.items():
            _require(session, f"output {name}", _behind_first(session.outputs, name), shape)
        self._session = session

    def look(self, image: NDArray[np.float32]) -> people.People:
        """Whoever shows in a picture (1, 3, h, w), RGB 0..1; points in pixels of that picture.

        Raises:
            ModelError: the network says NaN or infinity.
        """
        said = self._session.run({"image": image})
        _refuse_no_numbers("Stage I", said)
        return people.of_said(said)

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._session.close()


class StageTwoNet:
    """What Stage I saw of people to all their joints. One thread.

    Raises:
        ModelError: the file is of another kind, version, skeleton or scheme, or says no resolution.
    """

    def __init__(self, session: Session) -> None:
        _check_kind(session, STAGE_TWO)
        self.scheme: Scheme = _scheme(session)
        self.size = _size(session)
        _require(session, "input rows", _behind_first(session.inputs, "rows"), (J, WIDTH))
        _require(session, "output joints_m", _behind_first(session.outputs, "joints_m"), (J, 3))
        self._session = session

    def joints_m(self, found: people.People) -> FloatArray:
        """(P, J, 3) metres from the pelvis, each in the axes of a camera that looks straight at the neck (rows.anchors).

        Raises:
            ModelError: the network says NaN or infinity.
        """
        if not len(found.confidence):
            return np.empty((0, J, 3))
        rows = person_rows(found.points_px, found.confidence, found.encodings, SHORTER_PX)
        said = self._session.run({"rows": rows.astype(np.float32)})
        _refuse_no_numbers("Stage II", said)
        return said["joints_m"].astype(np.float64)

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._session.close()


def check_together(one: StageOneNet, two: StageTwoNet) -> None:
    """Stage II understands the encodings that it was taught, of people as large as in the pictures that it was taught with.

    Raises:
        ModelError: the files were made for different schemes or resolutions.
    """
    sizes = (_told(net.size) for net in (one, two))
    for what, first, second in (("scheme", one.scheme, two.scheme), ("resolution", *sizes)):
        if first != second:
            problem = f"These XNect networks do not belong together: their {what} differs."
            raise ModelError(problem, got=f"Stage I {first}, Stage II {second}", allowed="the same in both", hint=_HINT)


def _refuse_no_numbers(stage: str, said: Mapping[str, NDArray[Any]]) -> None:
    """People of NaN would be nowhere, without a word."""
    if bad := [name for name, values in said.items() if not np.isfinite(values).all()]:
        problem = f"This {stage} of XNect does not work: its training diverged, or its numbers are too large for its precision."
        raise ModelError(problem, got=f"NaN or infinity in {', '.join(bad)}", allowed="numbers", hint=_HINT)


def _check_kind(session: Session, kind: str) -> None:
    told = session.metadata
    _require(session, "kind of network", told.get("posewire_kind", "nothing"), kind)
    _require(session, "version", told.get("posewire_version", "nothing"), VERSION)
    _require(session, "joints", told.get("joints", "nothing"), ",".join(JOINTS))
    _require(session, "stride", told.get("stride_px", "nothing"), str(STRIDE))


def _scheme(session: Session) -> Scheme:
    """How bones are written into the encodings (skeleton.supervised)."""
    schemes: tuple[Scheme, ...] = get_args(Scheme)
    told = session.metadata.get("scheme", "nothing")
    if told not in schemes:
        raise _differs(session, "scheme", told, " or ".join(schemes))
    return schemes[schemes.index(told)]


def _size(session: Session) -> Size:
    """Width and height of the pictures for which a file says that it was made."""
    told = session.metadata.get("size", "nothing")
    sides = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", told)
    if sides is None or any(int(side) % MULTIPLE_PX for side in sides.groups()):
        raise _differs(session, "resolution", told, f"width x height, multiples of {MULTIPLE_PX} pixels")
    return int(sides[1]), int(sides[2])


def _told(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _input_size(session: Session, said: Size) -> Size | None:
    """Width and height of the only picture that Stage I takes, which must be what it `said`; None = any multiples of 32."""
    batch_and_colours = [tensor.shape[:2] for tensor in session.inputs if tensor.name == "image" and len(tensor.shape) == 4]
    if batch_and_colours not in ([(1, 3)], [(None, 3)]):
        _require(session, "input", _shapes(session.inputs), "image (1, 3, height, width)")
    height, width = session.inputs[0].shape[2:]
    if height is None or width is None:
        return None
    _require(session, "resolution", _told((width, height)), _told(said))
    return said


def _behind_first(tensors: tuple[Tensor, ...], name: str) -> Shape | str:
    """A tensor's shape without its first axis, or what there is instead of it."""
    return next((tensor.shape[1:] for tensor in tensors if tensor.name == name), _shapes(tensors))


def _shapes(tensors: tuple[Tensor, ...]) -> str:
    return "; ".join(map(str, tensors))


def _require(session: Session, what: str, got: Shape | str, allowed: Shape | str) -> None:
    if got != allowed:
        raise _differs(session, what, got or "nothing", str(allowed))


def _differs(session: Session, what: str, got: Shape | str, allowed: str) -> ModelError:
    problem = f"{session.name} is no XNect network that can be used: its {what} differs."
    return ModelError(problem, got=got, allowed=allowed, hint=_HINT)
