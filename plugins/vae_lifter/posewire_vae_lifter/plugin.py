"""The cards of the VAE lifter. The network is opened when a lifter is, not before."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from posewire.hookspecs import hookimpl
from posewire.methods import Method, MethodCard, MethodOptions
from posewire_lifting.names import LIFTER_JOINTS
from posewire_models import method_numbers

_LIFTERS = {
    "vae": ("lifter_vae", "beta-VAE on one frame: fills unseen joints, says how sure it is"),
    "vae-temporal": ("lifter_vae_temporal", "beta-VAE on the person's last 27 frames (dilated causal convolutions)"),
}


def _opener(model: str) -> Callable[[MethodOptions], Method]:
    def create(options: MethodOptions) -> Method:
        from posewire_lifting.lifter import open_lifter

        return open_lifter(model, options)

    return create


@hookimpl
def posewire_methods() -> Iterable[MethodCard]:
    """vae, vae-temporal."""
    return [_card(name, model, summary) for name, (model, summary) in _LIFTERS.items()]


def _card(name: str, model: str, summary: str) -> MethodCard:
    told = method_numbers(name)
    return MethodCard(name, "lifter", LIFTER_JOINTS, False, "Apache-2.0", summary, _opener(model), told.accuracy, told.speed)
