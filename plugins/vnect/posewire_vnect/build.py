"""Settings to networks."""

from __future__ import annotations

from torch import nn

from posewire_vnect.network import HeadSettings, LocationHead, VNect, widths_of
from posewire_vnect.regression import RegressionHead
from posewire_vnect.settings import VNectSettings


def trunk(settings: VNectSettings) -> nn.Module:
    """The trunk that the settings name, with the weights that it begins from; only what may learn asks for gradients."""
    from posewire_vnect import trunk_blazepose, trunks
    from posewire_xnect.selecsls import SelecSlsSettings

    makers = {
        "blazepose": lambda: trunk_blazepose.BlazePoseTrunk(answers=settings.answers),
        "selecsls": lambda: trunks.SelecSlsTrunk(SelecSlsSettings(settings.module, settings.skip, settings.outputs)),
        "resnet50": trunks.ResNetTrunk,
        "tiny": trunks.TinyTrunk,
    }
    made = makers[settings.trunk]()
    if isinstance(made, trunk_blazepose.BlazePoseTrunk):
        made.learn_from(settings.trunk_from)
    return made


def head(settings: VNectSettings, trunk: nn.Module) -> nn.Module:
    """The head that the settings name, for this trunk."""
    sizes = HeadSettings(dropout=settings.dropout) if settings.trunk != "tiny" else HeadSettings(8, 8, 1, 8, 0.0)
    if settings.head == "regression":
        return RegressionHead(widths_of(trunk), settings.side, sizes)
    return LocationHead(widths_of(trunk), sizes)


def network(settings: VNectSettings) -> VNect:
    """Trunk and head."""
    made = trunk(settings)
    return VNect(made, head(settings, made))
