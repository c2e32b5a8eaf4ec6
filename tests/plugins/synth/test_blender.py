"""Pictures from Cycles have the rasteriser's people and labels. Needs bpy: POSEWIRE_BPY names a Python that has it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from synth_samples import TINY

from posewire.cli import main
from posewire.errors import ModelError
from posewire_synth import pack as packs
from posewire_synth.blender import BlenderPainter, cut
from posewire_synth.saved import Saved, load, save, sizes
from posewire_synth.studio import Studio

PYTHON = Path(os.environ.get("POSEWIRE_BPY", sys.executable))


def has_bpy() -> bool:
    return subprocess.run([PYTHON, "-c", "import bpy"], capture_output=True, check=False).returncode == 0


def test_a_cut_mesh_ends_where_the_trim_is_zero() -> None:
    vertices = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    faces = torch.tensor([[0, 1, 2], [1, 3, 2]])

    def area(trim: list[float]) -> float:
        points, left, kept = cut(vertices, faces, torch.tensor(trim))
        a, b, c = (points[left[:, k]] for k in range(3))
        normal = torch.linalg.cross(b - a, c - a)[:, 2] / 2
        assert bool((normal > 0).all()) and len(kept) == len(left)
        return float(normal.sum())

    assert area([1, 1, 1, 1]) == 1.0 and area([-1, -1, -1, -1]) == 0.0
    assert area([1, -1, 1, -1]) == pytest.approx(0.5)  # the left half
    assert area([1, 1, 1, -1]) == pytest.approx(0.875) and area([-1, -1, -1, 3]) == pytest.approx(0.28125)


def test_batches_in_files_are_those_that_were_saved(tmp_path: Path, studio: Studio) -> None:
    made = [studio.crops(seed, 2, 64) for seed in range(2)]
    for number, batch in enumerate(made):
        save(batch, tmp_path / f"batch_{number:05d}.npz")
    for batch, again in zip(made, Saved(tmp_path), strict=True):
        assert float((batch.image - again.image).abs().max()) < 0.003
        assert torch.equal(batch.points_px, again.points_px) and torch.equal(batch.instance, again.instance)
        assert again.split == batch.split == "train"
    assert sizes(17) == [8, 8, 1]


def test_other_files_are_no_batches(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no pictures"):
        Saved(tmp_path)
    np.savez(tmp_path / "batch_00000.npz", image=np.zeros(3))
    with pytest.raises(ModelError, match="no file of pictures"):
        load(tmp_path / "batch_00000.npz")


def test_without_bpy_the_command_says_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["synth", "blender", "--pack", str(TINY), "--out", str(tmp_path / "fine"), "--python"]
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho 'ModuleNotFoundError: no bpy' >&2\nexit 1\n")
    bare.chmod(0o755)
    for python, word in ((bare, "no Blender"), (tmp_path / "nowhere", "does not run")):
        assert main([*flags, str(python)]) == 2
        said = capsys.readouterr().err
        assert word in said and "pip install 'bpy==4.5.*'" in said and not (tmp_path / "fine").exists()


def test_nothing_here_imports_bpy() -> None:
    code = "import sys, posewire_synth.blender, posewire_synth.studio; sys.exit('bpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not has_bpy(), reason=f"{PYTHON} has no bpy: set POSEWIRE_BPY to a Python that has")
def test_cycles_sees_the_people_of_the_rasteriser_where_their_labels_say() -> None:
    seen: list[int] = []
    painter = partial(BlenderPainter, python=PYTHON, seen=lambda: seen.append(1))
    pack = packs.load(TINY)
    plain = Studio(pack, clean=True, procedural=2).groups(3, 1, (80, 128))
    fine = Studio(pack, clean=True, procedural=2, painter=painter).groups(3, 1, (80, 128))
    assert torch.equal(plain.points_px.nan_to_num(-1), fine.points_px.nan_to_num(-1))
    assert torch.equal(plain.points_m.nan_to_num(-1), fine.points_m.nan_to_num(-1)) and torch.equal(plain.K, fine.K)
    one, other = (batch.instance != 0 for batch in (plain, fine))
    assert float((one & other).sum() / (one | other).sum()) > 0.95
    colours = [batch.image.permute(0, 2, 3, 1)[one & other].mean(0) for batch in (plain, fine)]
    assert float((colours[0] - colours[1]).abs().max()) < 0.15  # the same clothes in the same light
    assert not torch.equal(plain.image, fine.image) and len(seen) == int(plain.points_m[0, :, 0, 2].isfinite().sum())
