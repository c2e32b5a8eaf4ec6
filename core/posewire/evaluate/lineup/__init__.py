"""Methods side by side on the same clips, with and without lifters, raw and fitted: the table of the README."""

from posewire.evaluate.lineup.picture import pck_2d_percent, projected_limbs
from posewire.evaluate.lineup.report import LineupRow, as_json, to_markdown, to_table
from posewire.evaluate.lineup.rows import constant_row, row_of

__all__ = ["LineupRow", "as_json", "constant_row", "pck_2d_percent", "projected_limbs", "row_of", "to_markdown", "to_table"]
