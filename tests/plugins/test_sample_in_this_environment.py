"""The third-party sample beside Posewire in one environment, as .ci/run installs it (skipped where it is not installed)."""

from __future__ import annotations

import pytest

from posewire import plugins
from posewire.testing import EstimatorConformance

pytest.importorskip("posewire_sample", reason="pip install tests/plugins/third_party/posewire_sample")


class TestSample(EstimatorConformance):
    method = "sample-motion"


def test_the_sample_comes_from_its_own_distribution() -> None:
    registry = plugins.load()
    assert registry.origin(registry.method("sample-motion")).distribution == "posewire-sample"
