"""Trunk and heads that learn together: what windows show, which part learns, and the file that the trunk becomes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from xnect_scenes import SHAPE, inside, row

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
onnx = pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from torch import Tensor  # noqa: E402
from xnect_trunk import tiny_trunk  # noqa: E402

import posewire  # noqa: E402
from posewire_data.joints import JOINTS, MIRROR  # noqa: E402
from posewire_synth.layers import OUTSIDE, VISIBLE  # noqa: E402
from posewire_training import tensors, weights  # noqa: E402
from posewire_xnect import album, cache, footage, targets, train, trunk_file, truth, tune, windows  # noqa: E402
from posewire_xnect.album import Album  # noqa: E402
from posewire_xnect.blend import blend  # noqa: E402
from posewire_xnect.frames import Frames  # noqa: E402
from posewire_xnect.movenet import Heads, HeadSettings, Trunk  # noqa: E402
from posewire_xnect.readout import ReadOut  # noqa: E402
from posewire_xnect.skeleton import NECK, PELVIS, J  # noqa: E402
from posewire_xnect.truth import Scene  # noqa: E402
from posewire_xnect.tune import TuneRun, TuneTask  # noqa: E402
from posewire_xnect.windows import Look  # noqa: E402

PACK = Path(__file__).parents[2] / "synth" / "tiny_pack.npz"
CLIP = Path(posewire.__file__).parent / "assets" / "balancing_cam01.mp4"
SIZES = [0.6, 1.0, 1.5]
WINDOW = Look(1.0, windows.NEAR)
LEARNING = 4
"""Of the stand-in's fifteen convolutions those from here on learn,"""
REACH = (12, 13, 14)
"""but not those of the head that the losses do not see."""


def people_with_marks(pictures: int) -> Album:
    """Dark pictures of two people in a row; a white square lies on each neck, and the cells about it are left open."""
    rows = [row(seed, 2) for seed in range(pictures)]
    points = np.stack([points for points, _ in rows])
    image = torch.full((pictures, 3, 8 * SHAPE[0], 8 * SHAPE[1]), 0.05)
    left_open = torch.zeros(pictures, J, *SHAPE, dtype=torch.bool)
    for picture, (x, y) in ((n, point) for n, of_picture in enumerate(points[:, :, NECK]) for point in of_picture.astype(int)):
        image[picture, :, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = 1.0
        left_open[picture, NECK, y - 1 : y + 2, x - 1 : x + 2] = True
    joints_m = np.stack([joints_m for _, joints_m in rows])
    visibility = np.where(np.stack([inside(points) for points in points]), VISIBLE, OUTSIDE)
    points_px = torch.from_numpy(targets.to_pixels(points)).float()
    scene = Scene(image, points_px, torch.from_numpy(joints_m).float(), torch.from_numpy(visibility))
    return album.of_scene(scene, left_open)


def neck_cell_middle(points_px: Tensor) -> Tensor:
    """Where the square is that lies on a point of the picture."""
    return ((points_px + 0.5) / 8 - 0.5).trunc() * 8 + 3.5


@pytest.mark.parametrize("size", SIZES)
def test_points_of_a_window_lie_on_their_pixels_and_open_cells_where_they_were(size: float) -> None:
    marked = people_with_marks(8)
    marked.points_px[:, :, NECK] = neck_cell_middle(marked.points_px[:, :, NECK])
    scene, left_open = windows.seen([(marked, np.arange(8))], np.random.default_rng(0), Look(size, windows.NEAR))
    x, y = scene.points_px[:, :, NECK].round().long().unbind(-1)
    shown = scene.visible[:, :, NECK].nonzero()
    assert len(shown) >= 5
    for picture, person in shown.tolist():
        at = (y[picture, person], x[picture, person])
        dark = scene.image[picture].mean()
        assert scene.image[picture, :, at[0], at[1]].mean() > dark + 0.3
        assert left_open[picture, NECK, at[0] // 8, at[1] // 8]
    assert not left_open[:, [joint for joint in range(J) if joint != NECK]].any()


def test_a_mirrored_window_has_mirrored_sides_and_bones(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TILTED", "UPRIGHT_RAD"):
        monkeypatch.setattr(windows, name, 0.0)
    marked = people_with_marks(1)
    drawn = [windows.seen([(marked, np.zeros(1, np.int64))], np.random.default_rng(seed), WINDOW)[0] for seed in range(12)]
    turned = [not torch.allclose(scene.joints_m[0, 0], marked.joints_m[0, 0]) for scene in drawn]
    assert {True, False} == set(turned)
    mirrored = drawn[turned.index(True)]
    due = (marked.joints_m[0, :2] * torch.tensor([-1.0, 1.0, 1.0]))[:, list(MIRROR)]
    torch.testing.assert_close(mirrored.joints_m[0], due)
    left, right = JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")
    across = (mirrored.points_px[0, :, left] - mirrored.points_px[0, :, right])[:, 0]
    before = (marked.points_px[0, :2, left] - marked.points_px[0, :2, right])[:, 0]
    assert (across.sign() == before.sign()).all()


def test_nobody_outside_a_window_is_visible_and_beyond_the_picture_it_is_black() -> None:
    marked = people_with_marks(16)
    for size, room in ((0.6, windows.FAR), (1.0, windows.WHOLE), (1.5, windows.NEAR)):
        scene, _ = windows.seen([(marked, np.arange(16))], np.random.default_rng(1), Look(size, room))
        height, width = scene.image.shape[2:]
        assert (width, height) == room
        x, y = scene.points_px[scene.visible].unbind(-1)
        assert ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all()
    small, _ = windows.seen([(marked, np.arange(16))], np.random.default_rng(1), Look(0.5, windows.FAR))
    assert (small.image == 0).all(1).float().mean() > 0.05


def test_tilted_people_lean_in_3d_as_they_do_in_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bones' way across the picture turns by the angle by which the points turn."""
    marked = people_with_marks(1)
    monkeypatch.setattr(windows, "TILTED", 1.0)
    turns: list[list[float]] = []
    for seed in range(8):
        scene, _ = windows.seen([(marked, np.zeros(1, np.int64))], np.random.default_rng(seed), WINDOW)
        sides = (1.0, -1.0) if torch.equal(scene.joints_m[..., 2], marked.joints_m[:, :2, :, 2]) else (-1.0, 1.0)
        spine = [
            (points[0, 0, NECK] - points[0, 0, PELVIS])[:2] * torch.tensor([sides[0], 1.0])
            for points in (scene.points_px, scene.joints_m)
        ]
        before = [(points[0, 0, NECK] - points[0, 0, PELVIS])[:2] for points in (marked.points_px, marked.joints_m)]
        turns.append(
            [float(torch.atan2(*now.flip(0)) - torch.atan2(*was.flip(0))) for now, was in zip(spine, before, strict=True)]
        )
    in_picture, in_3d = np.array(turns).T
    np.testing.assert_allclose(in_3d, in_picture, atol=1e-4)
    assert np.abs(in_picture).max() > 0.2


def test_most_steps_see_whole_pictures_and_shrunk_ones_are_seen_through_the_wide_window() -> None:
    looks = [Look.drawn(np.random.default_rng(seed), 0.7) for seed in range(300)]
    assert 0.6 < np.mean([look.room == windows.WHOLE for look in looks]) < 0.8
    for look in looks:
        if look.room == windows.WHOLE:
            assert windows.SMALLEST_WHOLE <= look.size <= windows.LARGEST_WHOLE
        else:
            assert look.room == (windows.FAR if look.size < windows.BETWEEN else windows.NEAR)


def test_single_people_stand_two_by_two_each_in_a_half_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(album, "SIZE", 2)
    monkeypatch.setattr(album, "_CROPS", 8)
    known = [album.load(path) for path in album.render(PACK, tmp_path, 4, kind="singles")]
    assert [len(one) for one in known] == [2, 2] and not torch.equal(known[0].image, known[1].image)
    scene = known[0].scene(slice(0, 2))
    assert scene.points_px.shape[1] == 2
    for person, low in enumerate((0, 256)):
        x, y = scene.points_px[:, person][scene.visible[:, person]].unbind(-1)
        assert ((x >= low) & (x < low + 256) & (y >= 0) & (y < 320)).all()
    assert scene.visible.float().mean() > 0.5


def test_flat_maps_are_those_of_the_whole_truth() -> None:
    scene, _ = windows.seen([(people_with_marks(3), np.arange(3))], np.random.default_rng(0), WINDOW)
    due = truth.of_scene(scene)
    heatmaps, fields = truth.flat_of_scene(scene)
    torch.testing.assert_close(heatmaps, due.heatmaps)
    torch.testing.assert_close(fields, due.fields)


def test_rendering_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(album, "SIZE", 2)
    monkeypatch.setattr(album, "_BATCH", 2)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert [path.name for path in album.render(PACK, whole, 3)] == ["album_00000.npz", "album_00001.npz"]
    next(album.render(PACK, stopped, 3))
    assert [path.name for path in album.render(PACK, stopped, 3)] == ["album_00001.npz"]
    first, second = (album.load(folder / "album_00001.npz") for folder in (whole, stopped))
    for name in tensors.named(first):
        torch.testing.assert_close(getattr(first, name), getattr(second, name), equal_nan=True)
    assert first.image.dtype == torch.uint8 and first.points_px.shape == (2, album.MOST, J, 2)


def test_a_cache_of_rendered_pictures_goes_on_with_the_next_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(album, "SIZE", 8)
    (tmp_path / "pictures").mkdir()
    known = [people_with_marks(8), people_with_marks(8)]
    known[1].points_px.add_(1.0)
    for number, one in enumerate(known):
        tensors.save(one, tmp_path / "pictures" / album.file_name(number))
    scenes, trunk = partial(cache.of_pictures, tmp_path / "pictures"), tiny_trunk(tmp_path / "trunk.onnx")
    assert list(cache.make(scenes, trunk, tmp_path / "parts", 1)) == [0]
    assert list(cache.make(scenes, trunk, tmp_path / "parts", 3)) == [1, 2]
    for number, (one, first) in enumerate(((known[0], 0), (known[0], 4), (known[1], 0))):
        part = cache.load(cache.paths(tmp_path / "parts")[number])
        torch.testing.assert_close(part.points_px[: cache.GROUPS, :2], one.points_px[first : first + 4, :2])
    assert part.visible[4].any(1).sum() > 2 * part.visible[3].any(1).sum()  # the crowd


@pytest.mark.parametrize("flags", [[], ["--pack", "PACK", "--pictures", "PICTURES"]])
def test_a_cache_is_made_of_one_kind_of_pictures(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["cache", "--trunk", "TRUNK", "--out", "OUT", *flags]) == 2
    assert "--pack or --pictures" in capsys.readouterr().err


def test_a_folder_without_pictures_is_refused_and_says_how_to_make_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [f"--{name}={tmp_path}" for name in ("trunk", "one", "pictures", "out")]
    tiny_trunk(tmp_path / "trunk.onnx")
    weights.save(tmp_path / "one.pt", train.MOVENET, JOINTS, {}, {"heads": Heads()})
    flags[:2] = [f"--trunk={tmp_path / 'trunk.onnx'}", f"--one={tmp_path / 'one.pt'}"]
    assert train.main(["tune", *flags]) == 2
    assert "posewire_xnect.train pictures" in capsys.readouterr().err


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune") / "pictures"
    folder.mkdir()
    for number in range(2):
        tensors.save(people_with_marks(2), folder / album.file_name(number))
    return folder


SETTINGS = TuneRun(
    batch=4, real=0.25, whole=0.0, bf16=False, learning_rate=5e-3, trunk_from=LEARNING, warm_up_steps=1, average=0.0
)


def task_of(folder: Path, pictures: Path, settings: TuneRun = SETTINGS) -> TuneTask:
    heads = Heads(HeadSettings(width=32, blocks=1, hidden=32))
    known = album.paths(pictures)
    return TuneTask(settings, Trunk(tiny_trunk(folder / "trunk.onnx")), heads, known, Frames(known))


def test_the_last_part_of_the_trunk_learns_and_the_rest_and_batch_norm_s_statistics_stay(tmp_path: Path, pictures: Path) -> None:
    task = task_of(tmp_path, pictures)
    before = {name: value.clone() for name, value in task.trunk.graph.state_dict().items()}
    norm = task.heads.merge.norm[0]
    mean = norm.running_mean.clone()
    task.heads.train()
    scores = [task.step(0, 0.0) for _ in range(12)]
    assert scores[-1]["heatmaps"] < 0.8 * scores[0]["heatmaps"] and scores[0]["drift"] == 0 < scores[-1]["drift"]
    for name, value in task.trunk.graph.state_dict().items():
        number = int(name.split(".")[1])
        assert torch.equal(value, before[name]) == (number < LEARNING or number in REACH)
    torch.testing.assert_close(norm.running_mean, mean)


def test_a_small_kernel_learns_as_much_slower_as_it_is_smaller(tmp_path: Path) -> None:
    trunk = Trunk(tiny_trunk(tmp_path / "trunk.onnx"))
    tune.learn_from(trunk, 2)
    groups = tune.by_size(trunk, 0.1)
    assert len(groups) == 4 + 3 * 5  # kernels of features; kernels and biases of small heads
    for group in groups:
        assert group["lr"] == pytest.approx(0.1 * float(group["params"][0].detach().square().mean().sqrt()))
    assert max(group["lr"] for group in groups) > 2 * min(group["lr"] for group in groups)


def test_what_is_left_open_is_learned_from_what_was_said_before(tmp_path: Path, pictures: Path) -> None:
    task = task_of(tmp_path, pictures)
    _, heads = task._before
    torch.nn.init.zeros_(heads.heatmaps.weight)
    torch.nn.init.constant_(heads.heatmaps.bias, 3.0)
    scene, left_open, real = task.batch(0)
    assert real == 1 and left_open.any()
    before = task._said_before(scene.image[-real:])
    due, labelled = tune._due(scene, left_open, before)[0], truth.flat_of_scene(scene)[0]
    torch.testing.assert_close(due[-real:], torch.where(left_open, 3.0, labelled)[-real:])
    torch.testing.assert_close(due[:-real], labelled[:-real])


def test_a_joint_is_seen_where_a_peak_of_its_own_is_near(pictures: Path) -> None:
    scene, _ = windows.seen([(album.load(album.paths(pictures)[0]), np.arange(2))], np.random.default_rng(0), WINDOW)
    heatmaps, fields = truth.flat_of_scene(scene)
    every = tune.seen_joints(ReadOut().find(heatmaps, fields)[0], scene)
    assert every.float().mean() > 0.95 and len(every) == int(scene.visible.sum())
    moved = tune.seen_joints(ReadOut().find(heatmaps.roll(3, 3), fields)[0], scene)
    assert moved.float().mean() < 0.3
    assert not tune.seen_joints(ReadOut().find(0 * heatmaps, fields)[0], scene).any()


def test_a_written_trunk_says_what_the_learned_one_says_and_keeps_what_did_not_learn(tmp_path: Path) -> None:
    path = tiny_trunk(tmp_path / "trunk.onnx")
    learned, first = Trunk(path), Trunk(path)
    with torch.no_grad():
        for number, layer in learned.graph.layers.items():
            layer.weight.mul_(1.1 if int(number) >= LEARNING else 1.0)
    trunk_file.write(path, learned.graph, LEARNING, tmp_path / "new.onnx")
    again, image = Trunk(tmp_path / "new.onnx"), torch.rand(1, 3, 64, 96)
    for said, due in zip(again(image), learned(image), strict=True):
        torch.testing.assert_close(said, due, atol=1e-5, rtol=1e-4)
    for number in range(LEARNING):
        assert torch.equal(again.graph.layers[str(number)].weight, first.graph.layers[str(number)].weight)
    assert (tmp_path / "new.onnx").stat().st_size < 0.7 * path.stat().st_size


def test_the_command_goes_on_where_it_was_stopped_and_writes_trunk_and_heads(tmp_path: Path, pictures: Path) -> None:
    heads = Heads()
    weights.save(tmp_path / "one.pt", train.MOVENET, JOINTS, {}, {"heads": heads})
    settings = replace(SETTINGS, steps=2, batch=2, validate_every=1)
    parts = (settings, tiny_trunk(tmp_path / "trunk.onnx"), tmp_path / "one.pt", [pictures])
    whole = train.tune(*parts, tmp_path / "whole", pictures, quiet=True)

    class StopError(Exception):
        pass

    def stopping(task: TuneTask, number: int, progress: float) -> object:
        if number == 1:
            raise StopError
        return step(task, number, progress)

    step = TuneTask.step
    with pytest.MonkeyPatch.context() as patch, pytest.raises(StopError):
        patch.setattr(TuneTask, "step", stopping)
        train.tune(*parts, tmp_path / "parts", pictures, quiet=True)
    again = train.tune(*parts, tmp_path / "parts", pictures, quiet=True)
    for first, second in zip(train.heads_of(whole).parameters(), train.heads_of(again).parameters(), strict=True):
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)
    assert (whole.parent / "curves.csv").exists()
    assert Trunk(whole.parent / "trunk.onnx")(torch.rand(1, 3, 64, 96)).fine.isfinite().all()


def test_a_blend_is_the_mean_of_what_learned_and_keeps_what_did_not(tmp_path: Path) -> None:
    first, files, heads = tiny_trunk(tmp_path / "trunk.onnx"), [], []
    for number, factor in enumerate((1.0, 1.5)):
        learned = Trunk(first)
        with torch.no_grad():
            for layer in list(learned.graph.layers.values())[LEARNING:]:
                layer.weight.mul_(factor)
        files.append(tmp_path / f"{number}.onnx")
        trunk_file.write(first, learned.graph, LEARNING, files[-1])
        heads.append(tmp_path / f"{number}.pt")
        weights.save(heads[-1], train.MOVENET, JOINTS, {"scheme": "sparse"}, {"heads": Heads()})
    train.main(["blend", "--trunks", *map(str, files), "--ones", *map(str, heads), "--out", str(tmp_path / "blend")])
    mean, begun = Trunk(tmp_path / "blend" / "trunk.onnx"), Trunk(first)
    for number, factor in ((0, 1.0), (LEARNING, 1.25)):
        kernels = [net.graph.layers[str(number)].weight for net in (mean, begun)]
        torch.testing.assert_close(kernels[0], factor * kernels[1], atol=2e-2 * float(kernels[1].abs().max()), rtol=0)
    states = [weights.load(path, train.MOVENET, JOINTS).states["heads"] for path in (*heads, tmp_path / "blend" / "weights.pt")]
    for name, value in states[2].items():
        torch.testing.assert_close(value, (states[0][name] + states[1][name]) / 2 if value.is_floating_point() else value)


def test_a_blend_may_take_one_s_3d_branch_as_it_is(tmp_path: Path) -> None:
    trunk, names = tiny_trunk(tmp_path / "trunk.onnx"), [tmp_path / "0.pt", tmp_path / "1.pt"]
    for name in names:
        weights.save(name, train.MOVENET, JOINTS, {}, {"heads": Heads()})
    one = blend(train.MOVENET, [trunk, trunk], names, tmp_path / "blend", names[0])
    mean, first = (weights.load(path, train.MOVENET, JOINTS).states["heads"] for path in (one, names[0]))
    same = {name for name, value in mean.items() if value.is_floating_point() and torch.equal(value, first[name])}
    assert {"branch_3d.1.weight", "encodings.weight"} <= same and "heatmaps.weight" not in same


def test_a_blend_needs_as_many_trunks_as_heads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["blend", "--trunks", "A", "B", "--ones", "C", "--out", str(tmp_path)]) == 2
    assert "as many of both" in capsys.readouterr().err


def test_frames_of_a_film_become_labelled_pictures_beside_those_of_other_films(tmp_path: Path) -> None:
    other = tmp_path / "the other.mp4"
    other.write_bytes(CLIP.read_bytes())
    for film in (CLIP, other):
        footage.add_pictures(film, tmp_path, 2, 60)
    known = tensors.joined([album.load(path) for path in album.paths(tmp_path)])
    assert len(known) == 4 and (known.visibility[:, 0, NECK] == VISIBLE).sum() >= 2
    assert known.left_open[:, JOINTS.index("head_top")].any()


def test_a_film_that_is_labelled_again_is_there_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = footage.add_pictures(CLIP, tmp_path, 2)
    with monkeypatch.context() as patch:
        patch.setattr(footage, "labelled", None)  # nothing is done again
        assert footage.add_pictures(CLIP, tmp_path, 2) == first
    other = footage.add_pictures(CLIP, tmp_path, 1)
    assert album.paths(tmp_path) == [other] and len(album.load(other)) == 1
