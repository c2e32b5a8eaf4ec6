"""The training of XNect: what is learned from, and that every part can learn it by heart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mover import moving
from xnect_scenes import SHAPE, inside, row

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from posewire import camera, rotation  # noqa: E402
from posewire.camera import R_camera_crop  # noqa: E402
from posewire.data import Camera  # noqa: E402
from posewire_data.joints import JOINTS, MIRROR, root_relative  # noqa: E402
from posewire_synth.layers import OUTSIDE, VISIBLE  # noqa: E402
from posewire_training import tensors  # noqa: E402
from posewire_xnect import album, association, cache, encodings, hidden, targets, train, truth  # noqa: E402
from posewire_xnect.branches import DeepTask, FlatTask, StageOneRun, gather  # noqa: E402
from posewire_xnect.likeness import Found, Maker, found_by  # noqa: E402
from posewire_xnect.movenet import CHANNELS, Features, Heads, HeadSettings  # noqa: E402
from posewire_xnect.rows import person_rows  # noqa: E402
from posewire_xnect.skeleton import NECK, J, supervised  # noqa: E402
from posewire_xnect.stage_two import StageTwo, StageTwoSettings  # noqa: E402
from posewire_xnect.stage_two_task import StageTwoRun, StageTwoTask, mirrored, rolled  # noqa: E402
from posewire_xnect.truth import Scene  # noqa: E402


def scene(seed: int, pictures: int, people: int = 2) -> Scene:
    """Pictures whose pixels are noise, of people in a row; a third place is empty."""
    rows = [row(seed + number, people) for number in range(pictures)]
    points = np.stack([points for points, _ in rows])
    joints_m = np.stack([joints_m for _, joints_m in rows])
    visibility = np.where(np.stack([inside(points) for points, _ in rows]), VISIBLE, OUTSIDE)
    nobody = ((0, 0), (0, 1), (0, 0))
    image = torch.rand(pictures, 3, 8 * SHAPE[0], 8 * SHAPE[1], generator=torch.Generator().manual_seed(seed))
    return Scene(
        image,
        torch.from_numpy(np.pad(targets.to_pixels(points), (*nobody, (0, 0)), constant_values=np.nan)).float(),
        torch.from_numpy(np.pad(joints_m, (*nobody, (0, 0)), constant_values=np.nan)).float(),
        torch.from_numpy(np.pad(visibility, nobody, constant_values=OUTSIDE)),
    )


def saved(folder: Path, parts: int) -> Path:
    """A cache of noise: its features say nothing, but they differ, so that they can be learned by heart."""
    for number in range(parts):
        folder.mkdir(exist_ok=True)
        four = scene(10 * number, 4)
        shapes = [(5, channels, SHAPE[0] // 2**level, SHAPE[1] // 2**level) for level, channels in enumerate(CHANNELS)]
        features = Features(*(torch.randn(shape, generator=torch.Generator().manual_seed(number)) for shape in shapes))
        cache.save(folder / f"part_{number:05d}.pt", features, [four, truth.crowd(four)])
    return folder


def test_a_turned_person_is_turned_back_by_the_core() -> None:
    K = np.array([[300.0, 0.0, 250.0], [0.0, 320.0, 150.0], [0.0, 0.0, 1.0]])
    joints_m, neck_px = row(3, 1)[1], np.array([450.0, 40.0])
    turned = truth.facing(*(torch.from_numpy(value)[None] for value in (joints_m, neck_px[None], K)))[0, 0].numpy()
    view = Camera(512, 320, K, np.zeros(5), np.eye(4), "assumed")
    back = rotation.rotate(R_camera_crop(neck_px, view), root_relative(turned))
    np.testing.assert_allclose(back, root_relative(joints_m[0]), atol=1e-12)
    np.testing.assert_allclose(turned[0], joints_m[0, 0], atol=1e-12)

    ray = np.linalg.inv(K) @ [*neck_px, 1.0]
    along = (np.stack([np.zeros(3), ray])[None], neck_px[None], K)
    looked = truth.facing(*(torch.from_numpy(value)[None] for value in along))
    np.testing.assert_allclose(looked[0, 0, 1].numpy(), [0, 0, np.linalg.norm(ray)], atol=1e-12)


def test_a_crowd_is_four_pictures_at_half_size_and_its_points_lie_on_the_same_pixels() -> None:
    four = scene(0, 4)
    four.image.zero_()
    points = four.points_px[:, 0, NECK].round().long()
    for picture, (x, y) in enumerate(points.tolist()):
        four.image[picture, :, y - 1 : y + 3, x - 1 : x + 3] = 1.0
    crowd = truth.crowd(four)
    assert crowd.image.shape == (1, 3, 320, 512) and crowd.points_px.shape == (1, 12, J, 2)
    x, y = crowd.points_px[0, ::3, NECK].round().long().unbind(-1)
    assert (crowd.image[0, :, y, x] > 0.2).all()
    assert torch.isfinite(crowd.points_px[..., 0]).all(-1).sum() == 8


def test_nobody_is_visible_in_a_black_border() -> None:
    whole = scene(0, 40)
    cut = cache.bordered(whole, np.random.default_rng(0))
    bordered = [n for n in range(40) if (cut.image[n] == 0).any()]
    assert 5 < len(bordered) < 25
    for n in bordered:
        x, y = cut.points_px[n][cut.visible[n]].floor().long().unbind(-1)
        assert (cut.image[n, :, y.clamp(0, 319), x.clamp(0, 511)] > 0).any(0).all()
    assert (cut.visibility == OUTSIDE).sum() > (whole.visibility == OUTSIDE).sum()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("xnect") / "cache", 2)


def test_an_empty_cache_is_refused_and_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["stage1", "--cache", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "posewire_xnect.train cache" in capsys.readouterr().err


@pytest.mark.parametrize(("count", "said"), [(1, "1 part in"), (2, "2 parts in")])
def test_one_part_of_a_cache_is_told_as_one(
    count: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cache, "make", lambda *_: iter(()))
    for number in range(count):
        (tmp_path / f"part_{number}.pt").touch()
    assert train.main(["cache", "--pack", "PACK", "--trunk", "TRUNK", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{said} {tmp_path}\n"


def test_a_part_comes_back_as_it_was_saved(folder: Path) -> None:
    part, four = cache.load(cache.paths(folder)[0]), scene(0, 4)
    due = truth.of_scene(four)
    torch.testing.assert_close(part.heatmaps[:4], due.heatmaps, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(part.fields[:4], due.fields, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(part.joints_m[:4, :3], four.joints_m, equal_nan=True)
    assert part.points_px.shape == (5, album.MOST, J, 2) and torch.isnan(part.points_px[:4, 3:]).all()


def test_the_heads_learn_a_part_by_heart_first_in_2d_then_in_3d(folder: Path) -> None:
    settings = StageOneRun(batch=1, bf16=False, learning_rate=4e-3, deep_batch=256)
    heads = Heads(HeadSettings(width=32, blocks=1, hidden=64))
    flat = FlatTask(settings, heads, folder)
    losses = [flat.step(0, 0.0) for _ in range(25)]
    assert losses[-1]["heatmaps"] < 0.5 * losses[2]["heatmaps"]
    seen = gather(heads.eval(), cache.paths(folder)[:1])
    assert seen.features.shape == (len(seen.joint), sum(CHANNELS) + 32)
    deep = DeepTask(replace(settings, learning_rate=1e-2), heads.train(), seen, seen)
    errors = [deep.step(step, 0.0)["encodings"] for step in range(60)]
    assert errors[-1] < 0.3 * errors[0]
    with torch.inference_mode():
        heads.eval()
        assert 0 < deep.validate()["validation_bone_mm"] < 300


def test_the_3d_branch_is_taught_at_the_bones_that_meet_at_a_joint(folder: Path) -> None:
    heads = Heads(HeadSettings(width=16, blocks=1, hidden=16))
    seen = gather(heads.eval(), cache.paths(folder)[:1])
    for scheme in ("sparse", "dense"):
        task = DeepTask(StageOneRun(scheme=scheme, bf16=False), heads, seen, seen)  # type: ignore[arg-type]
        squared = task._squared(seen, torch.arange(len(seen.joint)))
        assert ((squared > 0).numpy() <= supervised(scheme)[seen.joint.numpy()]).all()  # type: ignore[arg-type]
        assert (squared > 0).any()


def found(count: int) -> Found:
    """People some of whose joints are unseen, each point one pixel off, each bone 3 cm off."""
    rng = np.random.default_rng(0)
    points, joints_m = (np.concatenate(parts) for parts in zip(*(row(seed, 2) for seed in range(count // 2)), strict=True))
    seen = rng.random((count, J)) > 0.3
    seen[:, NECK] = True
    true_px = targets.to_pixels(points)
    bones = encodings.bones(joints_m)[:, None] * supervised("sparse")[None, :, :, None]
    told = np.where(seen[..., None], (bones + 0.03).reshape(count, J, 3 * J), 0.0)
    return Found(np.where(seen[..., None], true_px + 1.0, np.nan), 0.5 * seen, told, true_px, root_relative(joints_m), seen * 1)


def test_made_people_lack_the_joints_of_those_whom_they_resemble() -> None:
    model = found(20)
    rows, joints_m = Maker(model, moving(), real=0.0).draw(np.random.default_rng(1), 64)
    patterns = {tuple(pattern) for pattern in (model.confidence > 0).astype(int)}
    assert {tuple(pattern) for pattern in (rows[..., 2] > 0).astype(int)} <= patterns
    told = rows[..., 3:].reshape(-1, J, J, 3)
    bones = encodings.bones(joints_m)[:, None]
    meant = (rows[..., 2] > 0)[..., None] & supervised("sparse")[None]
    np.testing.assert_allclose(told[meant], np.broadcast_to(bones, told.shape)[meant] + 0.03, atol=1e-5)


def test_made_people_stand_where_a_picture_shows_them_in_the_axes_of_a_camera_that_looks_at_their_neck() -> None:
    points, joints_m = Maker(found(4), moving())._posed(np.random.default_rng(2), 32)
    view = Camera(2, 2, np.eye(3), np.zeros(5), np.eye(4), "assumed")
    in_camera_m = rotation.rotate(R_camera_crop(points[:, NECK], view)[:, None], joints_m)
    root_m = hidden.root_m(points, np.ones(points.shape[:2]), in_camera_m, view)
    np.testing.assert_allclose(camera.project(in_camera_m + root_m[:, None], view), points, atol=1e-5)


def test_made_people_of_real_clips_show_nearly_all_joints_near_where_they_are() -> None:
    model = found(20)
    rows, joints_m = Maker(model, moving(), real=1.0).draw(np.random.default_rng(1), 256)
    seen = rows[..., 2] > 0
    assert 0.85 < seen.mean() < 1.0 > (model.confidence > 0).mean() + 0.2 and not seen[:, NECK].all()
    told = rows[..., 3:].reshape(-1, J, J, 3) - encodings.bones(joints_m)[:, None]
    meant = seen[..., None] & supervised("sparse")[None]
    assert (np.abs(told[meant] - 0.03) < 1e-5).mean() > 0.8


def test_rolled_people_are_what_a_rolled_camera_sees() -> None:
    model, angle_rad = found(4), np.array([0.3, -0.2, 0.0, 1.0])
    rows, joints_m = rolled(model.rows, model.joints_m, angle_rad)
    for person, angle in enumerate(angle_rad):
        R = rotation.to_matrix(np.array([np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)]))
        told = (model.encodings[person].reshape(J, J, 3) @ R.T).reshape(1, J, 3 * J)
        due = person_rows(model.points_px[person : person + 1] @ R[:2, :2].T, model.confidence[person : person + 1], told, 320.0)
        np.testing.assert_allclose(rows[person], due[0], atol=1e-6)
        np.testing.assert_allclose(joints_m[person], model.joints_m[person] @ R.T, atol=1e-6)


def test_made_people_resemble_those_of_the_most_similar_pose() -> None:
    model = found(20)
    maker, rng = Maker(model, moving()), np.random.default_rng(0)
    assert np.abs(model.joints_m[maker._like(rng, model.joints_m)] - model.joints_m).max() < 1e-9


class Seeing:
    """A session that says the same of every picture: two people (2, J, 2), cells, as perfect maps show them."""

    def __init__(self, points: targets.FloatArray) -> None:
        maps = targets.heatmaps(points, inside(points), SHAPE), targets.affinity_fields(points, inside(points), SHAPE)
        peaks = association.find_peaks(maps[0])
        said = np.concatenate([peaks.points, peaks.scores[..., None]], axis=-1)
        told = np.zeros((J, association.CANDIDATES, 3 * J))
        self._reading = {"peaks": said[None], "integrals": association.line_integrals(maps[1], peaks.points)[None]}
        self._reading["encodings"] = told[None]

    def run(self, inputs: object) -> dict[str, np.ndarray]:
        return self._reading


def test_stage_two_learns_from_whom_an_exported_stage_one_finds_in_pictures(tmp_path: Path) -> None:
    four = scene(0, 4)
    tensors.save(album.of_scene(four), tmp_path / "album_00000.npz")
    session = Seeing(targets.to_cells(four.points_px[0, :2].double().numpy()))
    seen = found_by(session, album.paths(tmp_path))  # type: ignore[arg-type]
    assert 2 <= len(seen.confidence) <= 10  # the two of the first picture, and whoever stands there in the other four
    off_px = np.linalg.norm(seen.points_px[:2] - seen.true_px[:2], axis=-1)
    assert np.nanmax(off_px) < 8.0 and np.isfinite(off_px).mean() > 0.9
    known_m = root_relative(four.joints_m[0, :2].double().numpy())
    np.testing.assert_allclose(sorted(seen.joints_m[:2, 5, 0]), sorted(known_m[:, 5, 0]), atol=1e-6)


@pytest.mark.parametrize("flags", [[], ["--cache", "C"], ["--pictures", "P", "--one", "W"], ["--cache", "C", "--stage1", "F"]])
def test_where_stage_two_has_its_people_from_must_be_clear(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["stage2", "--motion", "M", "--out", "O", *flags]) == 2
    assert "--pictures and --stage1" in capsys.readouterr().err


def test_people_of_films_are_learned_from_besides_and_what_their_labels_leave_open_is_left_open() -> None:
    model = found(20)
    labelled = replace(model, joints_m=model.joints_m.copy())
    labelled.joints_m[:, JOINTS.index("chest")] = np.nan
    settings = StageTwoRun(batch=20, bf16=False)
    task = StageTwoTask(settings, StageTwo(StageTwoSettings(hidden=32)), model, Maker(model, moving()), model, labelled)
    alone = StageTwoTask(settings, StageTwo(StageTwoSettings(hidden=32)), model, Maker(model, moving()), model)
    alone.net.load_state_dict(task.net.state_dict())
    first, other = task.step(0, 0.0)["error"], alone.step(0, 0.0)["error"]
    assert np.isfinite(first) and first != other


def test_mirrored_people_are_what_a_mirrored_picture_shows() -> None:
    model = found(4)
    rows, joints_m = mirrored(model.rows, model.joints_m, np.array([True, False, True, False]))
    np.testing.assert_array_equal(rows[1], model.rows[1])
    flipped_px = (model.points_px * [-1.0, 1.0])[:, list(MIRROR)]
    flipped_m = (model.joints_m * [-1.0, 1.0, 1.0])[:, list(MIRROR)]
    bones = (encodings.bones(flipped_m)[:, None] + [-0.03, 0.03, 0.03]) * supervised("sparse")[None, :, :, None]
    told = np.where((model.confidence > 0)[:, list(MIRROR), None], bones.reshape(-1, J, 3 * J), 0.0)
    due = person_rows(flipped_px, model.confidence[:, list(MIRROR)], told, 320.0)
    meant = np.repeat(supervised("sparse"), 3, axis=1)
    np.testing.assert_allclose(rows[0, :, 3:][meant], due[0, :, 3:][meant], atol=1e-5)
    np.testing.assert_allclose(rows[2, :, :3], due[2, :, :3], atol=1e-6)
    np.testing.assert_allclose(joints_m[0], flipped_m[0])
