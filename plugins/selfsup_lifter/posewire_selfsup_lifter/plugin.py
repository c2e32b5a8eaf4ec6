"""The card of the self-supervised lifter. The network is opened with the method, not before; training is not imported at all."""

from __future__ import annotations

from collections.abc import Iterable

from posewire.hookspecs import hookimpl
from posewire.methods import Method, MethodCard, MethodOptions
from posewire_lifting.names import LIFTER_JOINTS
from posewire_models import method_numbers

MODEL = "lifter_selfsup"
_SUMMARY = "2D to 3D, one frame; trained on 2D alone by two virtual cameras that check each other"


def _open(options: MethodOptions) -> Method:
    from posewire_lifting.lifter import open_lifter

    return open_lifter(MODEL, options)


@hookimpl
def posewire_methods() -> Iterable[MethodCard]:
    """selfsup."""
    told = method_numbers("selfsup")
    return [MethodCard("selfsup", "lifter", LIFTER_JOINTS, False, "Apache-2.0", _SUMMARY, _open, told.accuracy, told.speed)]
