"""Single poses beside the truth: a lifter under virtual cameras, or a method on a dataset. Tables by group, and a picture."""

from posewire.evaluate.poses.dataset import by_lifter, by_method, evaluate_sequences
from posewire.evaluate.poses.report import PoseReport, PoseRow, to_picture, to_table
from posewire.evaluate.poses.samples import PoseSamples, joined
from posewire.evaluate.poses.scoring import score
from posewire.evaluate.poses.synthetic import Synthetic, evaluate_lifter
from posewire.evaluate.poses.takes import of_motion

__all__ = [
    "PoseReport",
    "PoseRow",
    "PoseSamples",
    "Synthetic",
    "by_lifter",
    "by_method",
    "evaluate_lifter",
    "evaluate_sequences",
    "joined",
    "of_motion",
    "score",
    "to_picture",
    "to_table",
]
