"""Real footage as training pictures: labels lie on the people, what is left open keeps what the heads say, the rest is nobody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from xnect_trunk import tiny_trunk  # noqa: E402

import posewire  # noqa: E402
from posewire import camera as cameras  # noqa: E402
from posewire.errors import SourceError  # noqa: E402
from posewire_data.joints import JOINTS  # noqa: E402
from posewire_xnect import cache, footage  # noqa: E402
from posewire_xnect.movenet import CHANNELS, Features, Heads, HeadSettings  # noqa: E402
from posewire_xnect.placed import Placed  # noqa: E402
from posewire_xnect.skeleton import NECK  # noqa: E402

CLIP = Path(posewire.__file__).parent / "assets" / "balancing_cam01.mp4"
HEAD_TOP = JOINTS.index("head_top")


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("tilt_rad", [0.0, 0.5])
def test_a_point_of_a_frame_lies_on_its_pixel_of_the_picture_and_comes_back(mirrored: bool, tilt_rad: float) -> None:
    image = np.zeros((576, 768, 3), np.uint8)
    image[200:204, 300:304] = 255
    placed = Placed(0.5, 20.0, -30.0, mirrored, tilt_rad=tilt_rad)
    y, x = np.argwhere(placed.picture(image)[0] > 0.5).mean(axis=0)
    np.testing.assert_allclose(placed.points(np.array([301.5, 201.5])), [x, y], atol=0.3)
    np.testing.assert_allclose(placed.frame_points(placed.points(np.array([301.5, 201.5]))), [301.5, 201.5])


@pytest.mark.parametrize("tilt_rad", [0.0, -0.6])
def test_the_picture_s_camera_sees_a_mirrored_body_at_the_mirrored_points(tilt_rad: float) -> None:
    placed, view = Placed(0.4, 12.0, -20.0, True, tilt_rad=tilt_rad), cameras.assumed(768, 576)
    body_m = np.random.default_rng(0).normal(0.0, 0.4, (17, 3)) + np.array([0.5, 0.1, 4.0])
    seen = placed.joints(body_m) @ placed.K(view).T
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], placed.points(cameras.project(body_m, view)), atol=1e-9)


def test_a_frame_larger_than_the_picture_covers_it_and_a_smaller_one_lies_within() -> None:
    rng = np.random.default_rng(0)
    for placed in (Placed.drawn((768, 576), rng) for _ in range(100)):
        for low, side, room in ((placed.left_px, 768, 512), (placed.top_px, 576, 320)):
            assert min(0.0, room - placed.scale * side) <= low <= max(0.0, room - placed.scale * side)


def test_a_film_becomes_parts_beside_those_of_other_films(tmp_path: Path) -> None:
    heads = Heads(HeadSettings(width=16, blocks=1, hidden=16)).eval()
    trunk, other = tiny_trunk(tmp_path / "trunk.onnx"), tmp_path / "the other.mp4"
    other.write_bytes(CLIP.read_bytes())
    for film in (CLIP, other):
        assert list(footage.make(film, trunk, heads, tmp_path / "real", footage.PICTURES, first=60)) == [0]
    assert len(cache.paths(tmp_path / "real")) == 2
    part = cache.load(cache.paths(tmp_path / "real")[1])
    visible = part.visible[:, 0]
    assert visible[:, NECK].sum() >= 3 and not visible[:, HEAD_TOP].any()
    for picture in np.flatnonzero(visible[:, NECK].numpy()):
        x, y = ((part.points_px[picture, 0, NECK] + 0.5) / 8 - 0.5).round().long().tolist()
        assert part.heatmaps[picture, NECK, y, x] > 0.6
        bones_m = part.joints_m[picture, 0, NECK] - part.joints_m[picture, 0, 0]
        assert 0.3 < float(bones_m.norm()) < 0.8


def test_a_film_asked_for_again_gives_what_is_missing_and_asked_for_otherwise_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footage, "PICTURES", 2)
    heads, trunk, real = (
        Heads(HeadSettings(width=16, blocks=1, hidden=16)).eval(),
        tiny_trunk(tmp_path / "t.onnx"),
        tmp_path / "r",
    )
    stopped = footage.make(CLIP, trunk, heads, real, 4)
    assert next(stopped) == 0
    stopped.close()
    (first,) = cache.paths(real)
    made = first.stat().st_mtime_ns
    assert list(footage.make(CLIP, trunk, heads, real, 4)) == [1] and list(footage.make(CLIP, trunk, heads, real, 4)) == []
    assert len(cache.paths(real)) == 2 and first.stat().st_mtime_ns == made
    assert not torch.equal(*(cache.load(path).points_px for path in cache.paths(real)))
    torch.nn.init.zeros_(heads.heatmaps.weight)  # other heads leave other things open
    assert list(footage.make(CLIP, trunk, heads, real, 4)) == [0, 1]
    assert len(cache.paths(real)) == 2 and not first.exists()


def test_a_film_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        footage.add_pictures(tmp_path / "missing.mp4", tmp_path, 2)


def test_heads_keep_what_they_say_of_joints_left_open_and_say_nothing_beside_people() -> None:
    one = next(footage.labelled(CLIP, 1, np.random.default_rng(0)))
    heads = Heads(HeadSettings(width=16, blocks=1, hidden=16)).eval()
    torch.nn.init.constant_(heads.heatmaps.bias, 0.7)  # pyright: ignore[reportArgumentType]
    torch.nn.init.zeros_(heads.heatmaps.weight)
    features = Features(*(torch.randn(1, count, 40 // 2**n, 64 // 2**n) for n, count in enumerate(CHANNELS)))
    due = footage._due(one, heads, features).heatmaps[0]
    assert one.left_open[HEAD_TOP].any() and not one.left_open[HEAD_TOP].all()
    np.testing.assert_allclose(due[HEAD_TOP].numpy(), 0.7 * one.left_open[HEAD_TOP], atol=1e-6)


def test_a_film_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film")
    with pytest.raises(SourceError, match="cannot be read"):
        next(footage.labelled(tmp_path / "film.mp4", 2, np.random.default_rng(0)))
