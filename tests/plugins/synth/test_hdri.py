"""Background pictures from panoramas: what rings is mended, what is there is kept, views look where they say."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire.cli import main
from posewire.errors import SourceError
from posewire_synth.hdri import mended, read_panorama, view

HEIGHT, WIDTH = 64, 128


def panorama() -> np.ndarray:
    """A grey room with a floor, a yellow wall straight ahead, and a lamp of three by three pixels there."""
    light = np.full((HEIGHT, WIDTH, 3), 0.4, np.float32)
    light[34:] = 0.1
    light[:34, 54:74] = (0.5, 0.4, -0.01)  # yellow beyond what the file's colours can say
    light[27:30, 63:66] = 300.0
    return light


def ringing() -> np.ndarray:
    """The same, and what a sharp filter leaves round the lamp."""
    light = panorama()
    ring = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    ring[26:31, 62:67] = True
    ring[27:30, 63:66] = False
    light[ring] = -20.0
    light[25, 61] = 0.001
    return light


def test_rings_become_as_what_is_round_them_and_the_rest_stays() -> None:
    before, after = panorama(), mended(ringing())
    assert float(after.min()) > 0
    wrong = np.abs(after - np.maximum(before, 0.02 * before.max(axis=-1, keepdims=True))).max(axis=-1)
    assert float(wrong.max()) < 0.01


def test_a_view_has_no_black_ring() -> None:
    for light, black in ((mended(ringing()), False), (np.maximum(ringing(), 0), True)):
        picture = view(light, np.random.default_rng(0), np.pi)
        assert picture.shape == (480, 640, 3) and bool((picture.max(axis=-1) < 10).any()) == black


def test_the_lamp_ahead_is_in_the_middle_and_above_the_floor() -> None:
    picture = view(mended(ringing()), np.random.default_rng(0), np.pi).astype(int)
    y, x = np.nonzero(picture.min(axis=-1) > 240)
    assert abs(x.mean() - 319.5) < 25 and y.mean() < 240
    assert picture[:60].mean() > picture[-60:].mean() + 20


def test_middle_grey_is_met_whatever_the_light() -> None:
    pictures = [
        view(mended((ringing() * scale).astype(np.float32)), np.random.default_rng(0), 0.5) for scale in (0.01, 1.0, 50.0)
    ]
    assert all(np.abs(pictures[0].astype(int) - one).max() <= 1 for one in pictures)


def test_one_command_writes_views_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hdri").mkdir()
    cv2.imwrite(str(tmp_path / "hdri" / "room.hdr"), np.maximum(panorama(), 0)[..., ::-1])
    flags = ["synth", "backgrounds", "--hdri", str(tmp_path / "hdri"), "--out", str(tmp_path / "views"), "--each", "3"]
    assert main([*flags, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == 3
    assert sorted(path.name for path in (tmp_path / "views" / "room").iterdir()) == ["room_00.jpg", "room_01.jpg", "room_02.jpg"]
    assert main(flags) == 2 and "not empty" in capsys.readouterr().err
    assert main([*flags, "--overwrite"]) == 0


def test_what_is_no_panorama_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    square = tmp_path / "square.hdr"
    cv2.imwrite(str(square), np.ones((8, 8, 3), np.float32))
    with pytest.raises(SourceError, match="no panorama"):
        read_panorama(square)
    with pytest.raises(SourceError, match="is dark"):
        mended(np.full((8, 16, 3), -1.0, np.float32))
    (tmp_path / "empty").mkdir()
    assert main(["synth", "backgrounds", "--hdri", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 2
    assert ".exr.js" in capsys.readouterr().err


def test_without_openexr_its_files_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    (tmp_path / "room.exr").write_bytes(b"")
    assert main(["synth", "backgrounds", "--hdri", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "pip install OpenEXR" in capsys.readouterr().err


def test_openexr_and_the_packages_javascript_read_the_same(tmp_path: Path) -> None:
    exr = pytest.importorskip("OpenEXR", reason="pip install OpenEXR")
    path, script = tmp_path / "room.exr", tmp_path / "room.exr.js"
    header = {"compression": exr.DWAB_COMPRESSION, "type": exr.scanlineimage}
    exr.File(header, {"RGB": np.maximum(panorama(), 0)}).write(str(path))
    script.write_text(f"export default 'data:image/exr;base64,{base64.b64encode(path.read_bytes()).decode()}'")
    light = read_panorama(path)
    np.testing.assert_array_equal(light, read_panorama(script))
    assert np.abs(light - np.maximum(panorama(), 0))[:16].max() < 0.05
    script.write_text("export default 'nothing'")
    with pytest.raises(SourceError, match="does not read"):
        read_panorama(script)
