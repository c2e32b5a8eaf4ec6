"""The cards of the BlazePose plugin. The networks are imported when a method is opened, not before."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from posewire.hookspecs import hookimpl
from posewire.methods import Method, MethodCard, MethodOptions
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_models import method_numbers

_VARIANTS = {
    "blazepose": ("blazepose_full", "BlazePose full: 33 keypoints in 2D and 3D, the default"),
    "blazepose-lite": ("blazepose_lite", "BlazePose lite: faster, less steady"),
    "blazepose-heavy": ("blazepose_heavy", "BlazePose heavy: slowest; its file is made by models/convert"),
}


def _opener(landmark_model: str) -> Callable[[MethodOptions], Method]:
    def create(options: MethodOptions) -> Method:
        from posewire_blazepose.estimator import open_blazepose

        return open_blazepose(landmark_model, options)

    return create


@hookimpl
def posewire_methods() -> Iterable[MethodCard]:
    """blazepose, blazepose-lite, blazepose-heavy."""
    return [_card(name, model, summary) for name, (model, summary) in _VARIANTS.items()]


def _card(name: str, model: str, summary: str) -> MethodCard:
    told = method_numbers(name)
    return MethodCard(name, "estimator", KEYPOINT_NAMES, True, "Apache-2.0", summary, _opener(model), told.accuracy, told.speed)
