"""An open estimator, held to its card: what it raises, or answers instead of keypoints, is said with its name and its line."""

from __future__ import annotations

from typing import cast

import numpy as np

from posewire.data import Detections, Frame
from posewire.errors import PluginError, SourceError, as_plugin_error
from posewire.methods import Estimator, MethodCard

_HINT = "another --method (see `posewire methods`), or tell the plugin's author; posewire.testing finds mistakes"
_ROUNDING = 1e-6
"""By which a confidence may be above 1: networks compute in float32."""


def estimate(estimator: Estimator, card: MethodCard, frame: Frame, name: str | None = None) -> Detections:
    """What an open method sees in a frame; `name` is what the user calls that, None = its number.

    Raises:
        SourceError: the frame's picture is of a kind that no method takes.
        PluginError: the method failed, or its answer is not what its card says.
    """
    check_picture(frame, name)
    problem = f"The method {card.name!r} failed on {_called(frame, name)}."
    with as_plugin_error(problem, _HINT):
        found = cast(object, estimator.estimate(frame))
    if not isinstance(found, Detections):
        raise PluginError(problem, got=f"a {type(found).__name__}", allowed="Detections", hint=_HINT)
    fault = _fault(found, len(card.joints))
    if fault is not None:
        got, allowed = fault
        raise PluginError(problem, got=got, allowed=allowed, hint=_HINT)
    return found


def check_picture(frame: Frame, name: str | None = None) -> None:
    """A method would be blamed for a grey picture, and see nobody in one of 16 bits or of 0..1.

    Raises:
        SourceError: it is not what `Frame.picture` says.
    """
    picture: object = frame.picture
    if isinstance(picture, np.ndarray):
        got = f"an array {picture.shape} of {picture.dtype}"
        good = picture.dtype == np.uint8 and picture.shape[2:] == (3,) and picture.size > 0
    else:
        got, good = f"a {type(picture).__name__}", hasattr(picture, "rgb")
    if not good:
        allowed, hint = "(height, width, 3) uint8: RGB, 0 to 255", "convert it before it becomes a Frame"
        raise SourceError(f"The picture of {_called(frame, name)} cannot be used.", got=got, allowed=allowed, hint=hint)


def restart(estimator: Estimator, card: MethodCard) -> None:
    """Lets an open method forget earlier frames.

    Raises:
        PluginError: it failed.
    """
    with as_plugin_error(f"The method {card.name!r} failed when told to forget earlier frames.", _HINT):
        estimator.reset()


def close(estimator: Estimator, card: MethodCard) -> None:
    """Closes a method.

    Raises:
        PluginError: it failed.
    """
    with as_plugin_error(f"The method {card.name!r} cannot be closed.", _HINT):
        estimator.close()


def _called(frame: Frame, name: str | None) -> str:
    return name or f"frame {frame.index}"


def _fault(found: Detections, joints: int) -> tuple[str, str] | None:
    """What was got and what is allowed, where nobody could be followed or fitted by such an answer; None = nothing is wrong."""
    confidence = found.confidence
    if confidence.shape[1] != joints:
        return f"{confidence.shape[1]} keypoints", f"{joints}, as on its card"
    if not ((confidence >= 0.0) & (confidence <= 1.0 + _ROUNDING)).all():
        return f"confidence {confidence.min():.3g} to {confidence.max():.3g}", "0 (unseen) to 1"
    for name, points in (("keypoints_px", found.keypoints_px), ("keypoints_m", found.keypoints_m)):
        if points is not None and np.isinf(points).any():
            return f"infinity in {name}", "numbers, and NaN for unseen"
    return None
