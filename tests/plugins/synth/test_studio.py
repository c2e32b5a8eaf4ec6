"""Pictures and their labels: projection, masks, depth, visibility, determinism."""

from __future__ import annotations

import dataclasses
import pickle
from types import SimpleNamespace

import pytest
import torch
from synth_samples import SIDE_PX, TINY

from posewire_synth import dataset
from posewire_synth.dataset import Pictures
from posewire_synth.layers import BY_OBJECT, BY_PERSON, BY_SELF, OUTSIDE, VISIBLE
from posewire_synth.pack import Pack
from posewire_synth.points import POINTS, indices
from posewire_synth.studio import Batch, Studio

LIMBS = indices(tuple(f"{side}_{name}" for side in ("left", "right") for name in ("elbow", "wrist", "knee", "ankle", "hip")))


@pytest.fixture(scope="module")
def crops(clean_studio: Studio) -> Batch:
    return clean_studio.crops(3, 12, SIDE_PX)


@pytest.fixture(scope="module")
def groups(clean_studio: Studio) -> Batch:
    return clean_studio.groups(4, 6, (64, 96))


def same(a: Batch, b: Batch) -> bool:
    tensors = [field.name for field in dataclasses.fields(Batch) if field.name != "split"]
    alike = (torch.equal(getattr(a, name).nan_to_num(-1), getattr(b, name).nan_to_num(-1)) for name in tensors)
    return a.split == b.split and all(alike)


def test_labels_are_the_projection_of_the_3d(crops: Batch, groups: Batch) -> None:
    for batch in (crops, groups):
        seen = batch.points_m @ batch.K[:, None].transpose(-1, -2)
        front = batch.points_m[..., 2] > 0.01
        torch.testing.assert_close((seen[..., :2] / seen[..., 2:])[front], batch.points_px[front], atol=2e-2, rtol=1e-4)


def test_visible_joints_lie_on_their_own_person(crops: Batch, groups: Batch) -> None:
    for batch in (crops, groups):
        height, width = batch.instance.shape[1:]
        hits: list[bool] = []
        for b, m, j in (batch.visibility == VISIBLE).nonzero().tolist():
            if j in LIMBS:
                x, y = batch.points_px[b, m, j].round().long().tolist()
                patch = batch.instance[b, max(0, y - 1) : min(height, y + 2), max(0, x - 1) : min(width, x + 2)]
                hits.append(bool((patch == m + 1).any()))
        assert len(hits) > 40 and sum(hits) >= 0.97 * len(hits)


def test_a_joint_hidden_by_its_own_body_lies_behind_the_surface(crops: Batch) -> None:
    behind_m: list[float] = []
    for b, m, j in (crops.visibility == BY_SELF).nonzero().tolist():
        x, y = crops.points_px[b, m, j].round().long().tolist()
        if int(crops.instance[b, y, x]) == m + 1:
            behind_m.append(float(crops.points_m[b, m, j, 2] - crops.depth_m[b, y, x]))
    assert len(behind_m) > 20 and min(behind_m) > 0.03


def test_a_visible_joint_is_near_the_surface_or_at_its_edge(crops: Batch) -> None:
    gaps: list[float] = []
    for b, m, j in (crops.visibility == VISIBLE).nonzero().tolist():
        x, y = crops.points_px[b, m, j].round().long().tolist()
        if int(crops.instance[b, y, x]) == m + 1:
            gaps.append(float(crops.points_m[b, m, j, 2] - crops.depth_m[b, y, x]))
    inner = torch.tensor(gaps)
    assert len(gaps) > 100 and float(inner.median()) < 0.15 and float((inner < 0.3).float().mean()) > 0.95


def test_a_joint_hidden_by_somebody_is_behind_a_nearer_person(groups: Batch) -> None:
    pelvis = groups.points_m[:, :, POINTS.index("pelvis"), 2]
    found = (groups.visibility == BY_PERSON).nonzero().tolist()
    assert found
    for b, m, j in found:
        x, y = groups.points_px[b, m, j].round().long().tolist()
        other = int(groups.instance[b, y, x]) - 1
        assert 0 <= other != m and float(pelvis[b, other]) <= float(pelvis[b, m])


def test_people_are_numbered_nearest_first_and_empty_rows_hold_nothing(groups: Batch) -> None:
    pelvis = groups.points_m[:, :, POINTS.index("pelvis"), 2]
    there = pelvis.isfinite()
    assert bool(there[:, 0].all()) and not bool(there.all())
    assert bool((pelvis.nan_to_num(1e9).diff(dim=1) >= 0).all())
    assert bool((groups.visibility[~there] == OUTSIDE).all())


def test_labels_outside_the_picture_say_so(crops: Batch) -> None:
    outside = ((crops.points_px < -0.6) | (crops.points_px > SIDE_PX - 0.4)).any(-1)
    assert bool(outside.any()) and bool((crops.visibility[outside] == OUTSIDE).all())


def test_nobody_is_black_and_nobody_is_burnt(crops: Batch) -> None:
    people = [crops.image[b][:, crops.instance[b] == 1] for b in range(len(crops.image))]
    brightness = [float(mine.mean()) for mine in people if mine.shape[1] > 60]
    assert len(brightness) > 5
    assert min(brightness) > 0.03 and max(brightness) < 0.97


def test_the_same_seed_gives_the_same_batch(studio: Studio, pack: Pack) -> None:
    first = studio.crops(7, 3, SIDE_PX)
    studio.groups(1, 1, (64, 96))
    assert same(first, studio.crops(7, 3, SIDE_PX))
    assert same(first, Studio(pack, procedural=3).crops(7, 3, SIDE_PX))
    assert not same(first, studio.crops(8, 3, SIDE_PX))


def test_the_test_split_of_a_seed_is_another_picture(studio: Studio, pack: Pack) -> None:
    assert not same(studio.crops(7, 2, SIDE_PX), Studio(pack, "test", procedural=3).crops(7, 2, SIDE_PX))


def test_erasing_hides_the_labels_beneath(studio: Studio) -> None:
    batch = studio.crops(2, 12, SIDE_PX)
    erased = studio.erased(batch, 2)
    changed = (erased.image != batch.image).any(1).flatten(1).float().mean(1)
    assert bool((changed[changed > 0] < 0.41).all()) and 2 <= int((changed > 0.01).sum()) <= 10
    newly = (erased.visibility == BY_OBJECT) & (batch.visibility != BY_OBJECT)
    assert bool(newly.any())
    assert torch.equal(erased.visibility == OUTSIDE, batch.visibility == OUTSIDE)


def pictures(first: int = 0, count: int = 3) -> Pictures:
    return Pictures(TINY, "crops", batch=2, side_px=SIDE_PX, seed=5, first=first, count=count, procedural=2)


def test_two_workers_share_the_batches_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = list(pictures())
    shares: list[list[Batch]] = []
    for worker in range(2):
        monkeypatch.setattr(dataset, "get_worker_info", lambda worker=worker: SimpleNamespace(id=worker, num_workers=2))
        shares.append(list(pictures()))
    assert [len(share) for share in shares] == [2, 1]
    assert all(same(a, b) for a, b in zip(alone, (shares[0][0], shares[1][0], shares[0][1]), strict=True))


def test_a_batch_survives_the_way_between_processes() -> None:
    batch = next(iter(pictures(count=1)))
    assert same(batch, pickle.loads(pickle.dumps(batch)))


def test_a_resumed_iteration_goes_on_where_it_stopped() -> None:
    assert same(list(pictures())[2], next(iter(pictures(first=2, count=1))))
