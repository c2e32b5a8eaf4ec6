"""MPI-INF-3DHP's people in pictures of our own: from a tiny folder in its layout through a pack to the training's batches."""

from __future__ import annotations

import json
from pathlib import Path

import masked_3dhp as tiny
import numpy as np
import pytest
import torch
from synth_samples import TINY

from posewire.cli import main
from posewire_synth import pack as packs
from posewire_synth.dataset import Pictures
from posewire_synth.layers import BY_OBJECT, VISIBLE
from posewire_synth.pack import Pack
from posewire_synth.points import COMMON_14, POINTS, VNECT_21, indices
from posewire_synth.real_people import recoloured
from posewire_synth.studio import Studio
from posewire_xnect.skeleton import JOINTS as XNECT

SIZE = (96, 144)
EYE = POINTS.index("left_eye")
LIMBS = indices(tuple(f"{side}_{name}" for side in ("left", "right") for name in ("shoulder", "elbow", "wrist")))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny pack and three sequences: two near, one far."""
    folder = tmp_path_factory.mktemp("mpi")
    for seat, away_m, aside_m in (("S1/Seq1", 4.0, -0.3), ("S2/Seq1", 5.0, 0.1), ("S2/Seq2", 3.5, 0.2)):
        tiny.write(folder / "data", seat, away_m=away_m, aside_m=aside_m, extracted=True)
    out = folder / "real.npz"
    flags = ["--data", str(folder / "data"), "--pack", str(TINY), "--each", "3", "--out", str(out)]
    assert main(["synth", "cutouts", *flags]) == 0
    return out


@pytest.fixture(scope="module")
def real(packed: Path) -> Studio:
    """Nothing but real people."""
    return Studio(packs.load(packed), clean=True, procedural=3, real=1.0)


def test_one_command_adds_cut_outs_to_a_pack(packed: Path, pack: Pack) -> None:
    made = packs.load(packed)
    assert made["cutout_points_m"].shape == (9, len(POINTS), 3)
    assert all(np.array_equal(made[name], value) for name, value in pack.items())


def test_groups_are_ordered_by_depth_and_labelled_where_people_are(real: Studio) -> None:
    batch = real.groups(3, 8, SIZE)
    z = batch.points_m[:, :, POINTS.index("pelvis"), 2]
    there = z.isfinite()
    assert 8 < int(there.sum()) <= 32 and bool((z.nan_to_num(99).diff(dim=1) >= 0).all())
    hits: list[bool] = []
    for b, m, j in (batch.visibility == VISIBLE).nonzero().tolist():
        if j in LIMBS:
            x, y = batch.points_px[b, m, j].round().long().tolist()
            patch = batch.instance[b, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            hits.append(bool((patch == m + 1).any()))
    assert len(hits) > 30 and sum(hits) >= 0.97 * len(hits)


def test_nobody_meets_themselves(real: Studio) -> None:
    z = real.groups(4, 12, SIZE).points_m[:, :, POINTS.index("pelvis"), 2]
    gaps = z.diff(dim=1)
    assert int(gaps.isfinite().sum()) > 8 and float(gaps[gaps.isfinite()].min()) > 0.3  # the sequences stand apart


def test_labels_are_the_projection_of_the_3d_also_in_mirrored_pictures(real: Studio) -> None:
    for batch in (real.groups(5, 6, SIZE), real.crops(5, 6, 96)):
        seen = batch.points_m @ batch.K[:, None].transpose(-1, -2)
        limbs = indices(tuple(name for name in COMMON_14 if "hip" not in name))
        known = batch.points_px[:, :, limbs].isfinite().all(-1)
        assert int(known.sum()) >= 6 * len(limbs)
        off = ((seen[..., :2] / seen[..., 2:]) - batch.points_px)[:, :, limbs][known]
        assert float(off.norm(dim=-1).max()) < 0.5


def test_nobody_is_green(real: Studio) -> None:
    batch = real.groups(7, 6, SIZE)
    people = batch.image.permute(0, 2, 3, 1)[batch.instance > 0]
    screen = torch.tensor(tiny.GREEN) / 255
    assert len(people) > 2000 and float(((people - screen).abs().amax(-1) < 0.1).float().mean()) < 0.03


def test_a_knee_behind_the_chair_is_behind_a_thing(real: Studio) -> None:
    batch = real.crops(1, 8, 96)
    knees = batch.visibility[:, 0, indices(("left_knee", "right_knee"))]
    assert bool((knees == BY_OBJECT).any()) and bool((batch.visibility[:, 0, POINTS.index("neck")] != BY_OBJECT).all())


def test_a_training_sees_rendered_and_real_people_and_a_test_none_of_them(packed: Path) -> None:
    batch = next(iter(Pictures(packed, "groups", batch=8, size=SIZE, erase=False, procedural=2)))
    eyes = batch.points_m[:, 0, EYE].isfinite().all(-1)  # nobody knows those of real people
    assert 2 <= int(eyes.sum()) <= 6 and bool(batch.points_m[:, 0, POINTS.index("neck")].isfinite().all())
    crops = next(iter(Pictures(packed, "crops", batch=8, side_px=64, erase=False, procedural=2)))
    assert 2 <= int(crops.points_m[:, 0, EYE].isfinite().all(-1).sum()) <= 6
    neck = crops.points_px[:, 0, POINTS.index("neck")]
    assert bool(crops.points_m[:, 0, POINTS.index("neck")].isfinite().all()) and bool(neck.isfinite().all())
    held = next(iter(Pictures(packed, "groups", batch=4, size=SIZE, split="test", procedural=2)))
    assert bool(held.points_m[:, 0, EYE].isfinite().all())


def test_all_that_xnect_and_vnect_learn_is_known_of_real_people(real: Studio) -> None:
    groups, crops = real.groups(2, 4, SIZE), real.crops(2, 4, 96)
    there = groups.points_px[:, :, 0, 0].isfinite()
    for batch, who, names in ((groups, there, XNECT), (crops, torch.ones(4, 1, dtype=torch.bool), VNECT_21)):
        for labels in (batch.points_px, batch.points_m):
            assert bool(labels[:, :, indices(names)][who].isfinite().all())


def test_a_garment_changes_its_colour_and_keeps_its_folds() -> None:
    rgb = np.full((4, 8, 3), (200, 60, 60), np.uint8)
    rgb[:, 4:6] //= 2
    garment = np.zeros((4, 8), np.float32)
    garment[:, 2:6] = 1.0
    dyed = recoloured(rgb, garment, np.array([0.05, 0.05, 0.4]))
    assert np.array_equal(dyed[:, :2], rgb[:, :2]) and np.array_equal(dyed[:, 6:], rgb[:, 6:])
    assert dyed[0, 2, 2] > dyed[0, 2, 0] + 50 and dyed[0, 2, 2] > dyed[0, 4, 2] + 30


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--data", str(tmp_path), "--pack", str(TINY), "--out", str(tmp_path / "out.npz")]
    assert main(["synth", "cutouts", *flags]) == 2
    assert "training set is missing" in capsys.readouterr().err and not (tmp_path / "out.npz").exists()
    assert main(["synth", "cutouts", "--json"]) == 2
    assert "--data" in capsys.readouterr().err


def test_the_count_is_said_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write(tmp_path / "data", extracted=True)
    flags = ["--data", str(tmp_path / "data"), "--pack", str(TINY), "--each", "2", "--out", str(tmp_path / "out.npz"), "--json"]
    assert main(["synth", "cutouts", *flags]) == 0
    assert json.loads(capsys.readouterr().out)["cut-outs"] == 2
