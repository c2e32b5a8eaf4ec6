"""A method on single pictures whose 2D joints are known: PCK in the picture."""

from posewire.evaluate.stills.reading import Still, Stills, number_range, open_stills
from posewire.evaluate.stills.report import StillsReport, as_json, to_table
from posewire.evaluate.stills.running import BOXES, answers
from posewire.evaluate.stills.scoring import score

__all__ = ["BOXES", "Still", "Stills", "StillsReport", "answers", "as_json", "number_range", "open_stills", "score", "to_table"]
