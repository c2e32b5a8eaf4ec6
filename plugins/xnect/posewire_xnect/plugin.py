"""The card of the XNect plugin. The networks are imported when the method is opened, not before."""

from __future__ import annotations

from collections.abc import Iterable

from posewire.hookspecs import hookimpl
from posewire.methods import Method, MethodCard, MethodOptions
from posewire_data.joints import JOINTS
from posewire_models import method_numbers

_SUMMARY = "XNect: 17 joints of everybody in 2D and 3D, at nearly the cost of one person"


def _open(options: MethodOptions) -> Method:
    from posewire_xnect.estimator import MODELS, open_xnect

    return open_xnect(options, options.weights or MODELS)


@hookimpl
def posewire_methods() -> Iterable[MethodCard]:
    """xnect."""
    told = method_numbers("xnect")
    files = ("xnect_stage1.onnx", "xnect_stage2.onnx")
    return [MethodCard("xnect", "estimator", JOINTS, True, "Apache-2.0", _SUMMARY, _open, told.accuracy, told.speed, files)]
