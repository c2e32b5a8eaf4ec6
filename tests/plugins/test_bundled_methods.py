"""Every bundled method passes the conformance tests that a third party's must pass."""

from __future__ import annotations

from posewire import plugins
from posewire.testing import EstimatorConformance, LifterConformance

_BASES = {"estimator": EstimatorConformance, "lifter": LifterConformance}
_REGISTRY = plugins.load()

_WITHOUT_WEIGHTS = {"blazepose-heavy"}
"""Their networks are not in the repository; models/convert makes them."""

for _card in _REGISTRY.methods.values():
    if _REGISTRY.origin(_card).distribution == "posewire" and _card.name not in _WITHOUT_WEIGHTS:
        _name = f"Test_{_card.name}"
        globals()[_name] = type(_name, (_BASES[_card.kind],), {"method": _card.name, "__module__": __name__})


def test_there_are_bundled_methods() -> None:
    assert any(name.startswith("Test_") for name in globals())
