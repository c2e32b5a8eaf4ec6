"""The plugin's own tests, in its own repository: what every method must pass."""

from posewire.testing import EstimatorConformance


class TestMotion(EstimatorConformance):
    method = "sample-motion"
