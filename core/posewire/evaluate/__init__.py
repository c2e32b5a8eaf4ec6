"""How good is it: takes against a reference motion, as a table, JSON or a picture. What `posewire eval` prints."""

from posewire.evaluate.comparing import evaluate
from posewire.evaluate.motions import Motion, Prediction, Reference
from posewire.evaluate.plot import plot
from posewire.evaluate.reading import load_prediction, load_reference, prediction_of
from posewire.evaluate.report import EvalReport, EvalRow

__all__ = [
    "EvalReport",
    "EvalRow",
    "Motion",
    "Prediction",
    "Reference",
    "evaluate",
    "load_prediction",
    "load_reference",
    "plot",
    "prediction_of",
]
