"""ORPM from a picture's truth to poses: through peaks, encodings at them and Algorithm 1, without a Stage II."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from mover import moving
from xnect_scenes import SHAPE, inside, row

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")

from posewire_data.joints import root_relative  # noqa: E402
from posewire_synth import pack as packs  # noqa: E402
from posewire_synth.layers import OUTSIDE, VISIBLE  # noqa: E402
from posewire_synth.studio import Studio  # noqa: E402
from posewire_xnect import ablation, cache, orpm, people, targets, truth  # noqa: E402
from posewire_xnect.branches import StageOneRun  # noqa: E402
from posewire_xnect.movenet import CHANNELS, Features, Flat, Heads, HeadSettings  # noqa: E402
from posewire_xnect.readout import ReadOut  # noqa: E402
from posewire_xnect.skeleton import NECK, PELVIS, J, Scheme  # noqa: E402
from posewire_xnect.truth import Scene  # noqa: E402

TINY_PACK = Path(__file__).parents[1] / "synth" / "tiny_pack.npz"


def found_in(scene: Scene, scheme: Scheme = "orpm") -> list[people.People]:
    """Who is found in each picture by a Stage I that says the truth."""
    maps = truth.of_scene(scene, scheme)
    reading = ReadOut()(maps.heatmaps, maps.fields, maps.encodings)
    return [people.of_reading(*(part[picture].numpy() for part in reading)) for picture in range(len(scene.image))]


def scene(seeds: range, count: int = 2) -> Scene:
    """Black pictures of people in a row."""
    rows = [row(seed, count) for seed in seeds]
    points, joints_m = (torch.from_numpy(np.stack(parts)).float() for parts in zip(*rows, strict=True))
    visibility = np.where(np.stack([inside(points) for points, _ in rows]), VISIBLE, OUTSIDE)
    image = torch.zeros(len(rows), 3, 8 * SHAPE[0], 8 * SHAPE[1])
    return Scene(image, targets.to_pixels(points), joints_m, torch.from_numpy(visibility))


def off_m(scene: Scene, scheme: Scheme = "orpm") -> np.ndarray:
    """(N, J) metres that ORPM's read-out is off, of everybody found who is somebody."""
    off: list[np.ndarray] = []
    for picture, found in enumerate(found_in(scene, scheme)):
        told, joints_m = orpm.posed(found)
        owner = people.belongs_to(told.points_px, scene.points_px[picture].numpy())
        true_m = root_relative(scene.joints_m[picture].double().numpy())
        off += [np.linalg.norm(joints_m[person] - true_m[true], axis=-1) for person, true in enumerate(owner) if true >= 0]
    return np.stack(off)


def test_rendered_people_are_read_from_peaks_and_encodings() -> None:
    batch = Studio(packs.load(TINY_PACK), "test", clean=True, procedural=2).groups(1, 6, (256, 384))
    rendered = truth.scene_of(batch)
    off = off_m(rendered)
    assert len(off) >= 15 and (off < 0.01).mean() > 0.9
    assert (off_m(rendered, "sparse") < 0.01).mean() < 0.7, "what another scheme writes is no ORPM"


def test_who_shows_neither_neck_nor_pelvis_is_nobody_for_orpm() -> None:
    (found,) = found_in(scene(range(1), 3))
    assert len(found.points_px) == 3
    found.points_px[1, [NECK, PELVIS]], found.confidence[1, [NECK, PELVIS]] = np.nan, 0.0
    told, joints_m = orpm.posed(found)
    np.testing.assert_array_equal(told.points_px, found.points_px[[0, 2]])
    assert told.encodings.shape == (2, J, 3 * J) and np.isfinite(joints_m).all()


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], ablation.Ablation]:
    """The ablation, of so many steps, on one part: its features are noise, to be learned by heart; its 2D is the truth."""
    four = scene(range(4))
    shapes = [(5, channels, SHAPE[0] // 2**level, SHAPE[1] // 2**level) for level, channels in enumerate(CHANNELS)]
    features = Features(*(torch.randn(shape, generator=torch.Generator().manual_seed(0)) for shape in shapes))
    path = tmp_path / "part_00000.pt"
    cache.save(path, features, [four, truth.crowd(four)])
    part, heads, say = cache.load(path), Heads(HeadSettings(width=16, blocks=1, hidden=128)).eval(), Heads.flat

    def flat(self: Heads, features: Features) -> Flat:
        return Flat(part.heatmaps.float(), part.fields.float(), say(self, features).beside)

    monkeypatch.setattr(Heads, "flat", flat)
    monkeypatch.setattr(ablation, "heads_of", lambda _: copy.deepcopy(heads))
    monkeypatch.setattr(ablation, "StageOneRun", partial(StageOneRun, deep_batch=128, learning_rate=1e-2, bf16=False))
    return partial(ablation.Ablation, [path], [path], Path("one.pt"), moving())


def test_a_3d_branch_that_learned_orpm_by_heart_is_read_without_a_stage_two(
    taught: Callable[[int], ablation.Ablation],
) -> None:
    name, scheme, inputs = ablation.CHOICES[0]
    assert name.startswith("ORPM") and scheme == "orpm" and inputs is None
    before, after = (taught(steps).of(scheme, inputs) for steps in (1, 150))
    assert before.people == after.people == 8 and after.found == 100.0
    assert before.mpjpe_matched_mm > 300 and after.mpjpe_matched_mm < 130
    assert before.pck_all < 30 and after.pck_all > 65


def test_the_ablation_teaches_a_stage_two_on_what_its_stage_one_says(taught: Callable[[int], ablation.Ablation]) -> None:
    before, after = (taught(steps).of("sparse", "all") for steps in (1, 40))
    assert before.people == after.people == 8 and after.mpjpe_matched_mm < 0.6 * before.mpjpe_matched_mm
