"""How well the fit finds back a recorded motion that was made noisy. What `posewire eval --motion` prints.

BVH clips (clips.py) are seen by a made-up method (noise.py), fitted live and solved whole (fitting.py) and scored beside
the truth (scoring.py); the same without one part of the fit at a time is the ablation (measuring.py).
"""

from posewire.evaluate.refit.clips import Clip
from posewire.evaluate.refit.measuring import ABLATIONS, FITS, Ablated, Refit, ablate, read_clips, refit
from posewire.evaluate.refit.report import ablation_rows, ablation_table, as_json, feet_table, refit_rows, refit_table

__all__ = [
    "ABLATIONS",
    "FITS",
    "Ablated",
    "Clip",
    "Refit",
    "ablate",
    "ablation_rows",
    "ablation_table",
    "as_json",
    "feet_table",
    "read_clips",
    "refit",
    "refit_rows",
    "refit_table",
]
