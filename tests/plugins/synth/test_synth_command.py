"""`posewire synth`, and what a wrong pack or flag is answered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from synth_samples import TINY

from posewire.cli import main
from posewire.errors import ModelError
from posewire_synth import pack as packs


def test_a_contact_sheet_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posewire_synth.surroundings._PROCEDURAL", {"train": 2, "test": 2})
    out = tmp_path / "sheet.png"
    flags = ["--pack", str(TINY), "--count", "3", "--columns", "2", "--size", "64", "--json"]
    assert main(["synth", "--out", str(out), *flags]) == 0
    picture = cv2.imread(str(out))
    assert picture is not None and picture.shape == (128, 128, 3) and float(np.std(picture)) > 5
    assert json.loads(capsys.readouterr().out)["pictures"] == 3


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ([], "--out"),
        (["--out", "x.png", "--pack", "nowhere.npz"], "not a synth pack"),
        (["--out", "x.png", "--size", "100"], "multiple of 16"),
        (["--out", "x.png", "--count", "0"], "--count"),
        (["--out", "x.png", "--device", "toaster"], "device"),
        (["pack"], "--motion"),
        (["backgrounds"], "--hdri"),
        (["cutouts"], "--data"),
        (["blender"], "--python"),
        (["backgrounds", "--hdri", ".", "--out", "views", "--each", "0"], "--each"),
        (["pack", "--pack", "new.npz", "--motion", "."], "CMU motion"),
    ],
)
def test_wrong_use_is_answered(
    flags: list[str], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["synth", *flags]) == 2
    assert word in capsys.readouterr().err


def test_another_version_of_a_pack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.npz"
    np.savez(path, format=np.array(0))
    with pytest.raises(ModelError, match="version"):
        packs.load(path)


def test_without_torch_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from posewire.cli import main; sys.exit(main(['synth', '--out', 'x.png']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2 and "posewire[train]" in done.stderr


def test_the_package_itself_imports_no_torch() -> None:
    code = "import sys, posewire_synth; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
