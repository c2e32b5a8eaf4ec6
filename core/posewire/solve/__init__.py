"""Fits a recorded take anew, with the whole of it known: one skeleton a person, both directions of time, no delay.

A tool above the pipeline. `solve_take` writes a new take; the recorded one stays. docs/SOLVE.md tells what happens.
"""

from posewire.solve.settings import SolveSettings
from posewire.solve.whole import SolveReport, solve_take

__all__ = ["SolveReport", "SolveSettings", "solve_take"]
