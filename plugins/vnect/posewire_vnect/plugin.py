"""The cards of the VNect plugin. The networks are imported when a method is opened, not before."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from posewire.hookspecs import hookimpl
from posewire.methods import Method, MethodCard, MethodOptions
from posewire_models import method_numbers
from posewire_vnect.names import JOINTS

_VARIANTS: dict[str, tuple[tuple[float, ...], bool, str]] = {
    "vnect": ((1.0,), False, "VNect: 21 joints of one person in 2D and 3D, from location maps"),
    "vnect-2scale": ((1.0, 0.7), False, "VNect, mean of two scales (1.0 and 0.7), as the paper averages"),
    "vnect-steady": (
        (1.0,),
        True,
        "VNect, 3D read at One-Euro filtered 2D, as the paper's live system",
    ),
}
"""Name to scales, whether the 2D is filtered, and summary."""


def _opener(scales: tuple[float, ...], steady: bool) -> Callable[[MethodOptions], Method]:
    def create(options: MethodOptions) -> Method:
        from posewire_vnect.estimator import LiveSettings, open_vnect

        return open_vnect(options, LiveSettings(scales, steady), *options.weights)

    return create


@hookimpl
def posewire_methods() -> Iterable[MethodCard]:
    """vnect, vnect-2scale, vnect-steady."""
    return [_card(name, *variant) for name, variant in _VARIANTS.items()]


def _card(name: str, scales: tuple[float, ...], steady: bool, summary: str) -> MethodCard:
    told, create = method_numbers(name), _opener(scales, steady)
    return MethodCard(
        name, "estimator", JOINTS, False, "Apache-2.0", summary, create, told.accuracy, told.speed, weights=("vnect.onnx",)
    )
