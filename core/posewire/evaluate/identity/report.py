"""The scores of the scenes as a table for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from posewire.evaluate.identity.following import SceneScore
from posewire.metrics.identity import IdentityScore

_NAME = "all scenes"


def identity_table(scores: Sequence[SceneScore], method: str) -> Table:
    """One row a scene, and one for all."""
    table = Table(title=f"{method} on composites of the bundled clip: identities")
    for title in ("scene", "people", "ids given", "boxes", "missed", "false", "switches", "IDF1 %", "MOTA %"):
        table.add_column(title, justify="left" if title == "scene" else "right")
    for one in scores:
        table.add_row(one.scene, str(one.people), str(one.identities), *_cells(one.score))
    table.add_section()
    table.add_row(_NAME, "", "", *_cells(_total(scores)))
    return table


def _cells(score: IdentityScore) -> tuple[str, ...]:
    counts = (score.annotated, score.misses, score.false_boxes, score.switches)
    return *map(str, counts), f"{100 * score.idf1:.1f}", f"{100 * score.mota:.1f}"


def _total(scores: Sequence[SceneScore]) -> IdentityScore:
    return sum((one.score for one in scores), start=IdentityScore(0, 0, 0, 0, 0, 0))


def identity_json(scores: Sequence[SceneScore], method: str) -> dict[str, Any]:
    """{"method", "scenes": [...], "all": {...}}; IDF1 and MOTA as shares of 1."""
    scenes = [{"scene": one.scene, "people": one.people, "ids": one.identities, **_numbers(one.score)} for one in scores]
    return {"method": method, "scenes": scenes, "all": _numbers(_total(scores))}


def _numbers(score: IdentityScore) -> dict[str, float]:
    return {
        "boxes": score.annotated,
        "missed": score.misses,
        "false": score.false_boxes,
        "switches": score.switches,
        "idf1": score.idf1,
        "mota": score.mota,
    }
