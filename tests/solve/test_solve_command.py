"""`posewire solve` as it is typed, on a recording of the real bundled clip."""

import argparse
import json
import time

import cv2
import numpy as np
import pytest

from posewire.bench.clip import bundled_frames
from posewire.cli import main, solving
from posewire.errors import PosewireError, TakeError
from posewire.fit import compiling
from posewire.solve import settling, tensors
from posewire.take import Take, TakeHeader, TakeWriter


def solve(*arguments):
    """Runs the command through its own parser."""
    parser = argparse.ArgumentParser()
    solving.add_commands(parser.add_subparsers())
    flags = parser.parse_args(["solve", *map(str, arguments)])
    flags.run(flags)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Sixteen real frames, half size, from an image folder."""
    folder = tmp_path_factory.mktemp("frames")
    for number, frame in enumerate(bundled_frames(16)):
        assert cv2.imwrite(str(folder / f"{number:03}.png"), np.ascontiguousarray(frame.image[::2, ::2, ::-1]))
    out = folder.parent / "recorded.pwt"
    assert main(["run", str(folder), "--out", str(out), "--overwrite"]) == 0
    return out


def test_a_real_recording_is_solved_and_the_json_says_what_was_done(recorded, tmp_path, capsys):
    out = tmp_path / "solved.pwt"
    solve(recorded, "--out", out, "--json", "--ground", "auto")
    said = json.loads(capsys.readouterr().out)
    assert said["poses"] == {"1": 16}
    assert said["ground"]["applied"] is False
    old, new = Take.open(recorded), Take.open(out)
    np.testing.assert_array_equal(old.time_s, new.time_s)
    was, now = (np.asarray(take.arrays(1).positions_m, dtype=np.float64) for take in (old, new))
    assert np.linalg.norm(was - now, axis=-1).mean() < 0.1
    assert np.linalg.norm(np.diff(now, 2, axis=0), axis=-1).mean() < np.linalg.norm(np.diff(was, 2, axis=0), axis=-1).mean()


def test_without_json_a_person_is_told_of_on_standard_error(recorded, tmp_path, capsys):
    solve(recorded, "--out", tmp_path / "a.pwt", "--smooth", "none", "--height", "1.9")
    said = capsys.readouterr()
    assert said.out == ""
    assert "person 1: 16 of 16 frames, in 1 stretch" in said.err
    assert Take.open(tmp_path / "a.pwt").header.settings["height_m"] == 1.9


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--smooth", "much"], "--smooth is not usable"),
        (["--smooth", "-1"], "smoothing is not usable"),
        (["--height", "9"], "height is not usable"),
        (["--fov", "200"], "field of view is not usable"),
        (["--lifter", "nobody"], "nobody"),
        (["--lifter", "blazepose"], "is no lifter"),
        (["--camera", "missing.json"], "camera file"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_written(recorded, tmp_path, flags, problem):
    with pytest.raises(PosewireError, match=problem):
        solve(recorded, "--out", tmp_path / "a.pwt", *flags)
    assert not (tmp_path / "a.pwt").exists()


def test_no_take_the_same_take_and_an_existing_file_are_refused(recorded, tmp_path):
    text = tmp_path / "text.pwt"
    text.write_text("no take")
    with pytest.raises(TakeError, match="not a Posewire take"):
        solve(text, "--out", tmp_path / "a.pwt")
    with pytest.raises(TakeError, match="no such take"):
        solve(tmp_path / "missing.pwt", "--out", tmp_path / "a.pwt")
    with pytest.raises(TakeError, match="does not replace its own take"):
        solve(recorded, "--out", recorded, "--overwrite")
    with pytest.raises(TakeError, match="exists"):
        solve(recorded, "--out", text)
    assert text.read_text() == "no take"


def test_a_take_of_nobody_is_refused_before_anything_is_compiled(tmp_path, monkeypatch):
    TakeWriter(tmp_path / "empty.pwt", TakeHeader("0", "blazepose", ("nose",))).close()
    monkeypatch.setattr(solving.fit, "warm_up", lambda _: pytest.fail("it compiles"))
    with pytest.raises(TakeError, match="no recorded keypoints"):
        solve(tmp_path / "empty.pwt", "--out", tmp_path / "a.pwt")


def test_compiling_the_solve_is_said_when_it_takes_a_moment(recorded, tmp_path, capsys, monkeypatch):
    solver, pauses_s = settling.solve, iter([0.5])  # the first call is the one that compiles

    def slow(*arguments):
        time.sleep(next(pauses_s, 0.0))
        return solver(*arguments)

    monkeypatch.setattr(compiling, "MOMENT_S", 0.05)
    monkeypatch.setattr(settling, "solve", slow)
    solve(recorded, "--out", tmp_path / "a.pwt")
    assert compiling.MESSAGE.format("the solve") in " ".join(capsys.readouterr().err.split())


def test_the_smoothing_words_mean_what_they_say():
    assert solving._smooth_s("auto") is None
    assert solving._smooth_s("none") == 0.0
    assert solving._smooth_s("0.2") == 0.2


def test_a_gpu_that_is_not_there_is_said_before_any_work(recorded, tmp_path):
    torch = pytest.importorskip("torch", reason="SKIPPED LOUDLY: torch is not installed (pip install 'posewire[train]')")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(PosewireError, match="CUDA") as error:
        solve(recorded, "--out", tmp_path / "a.pwt", "--device", "gpu")
    assert "pip install" in str(error.value)
    assert not (tmp_path / "a.pwt").exists()


def test_without_torch_the_gpu_names_what_to_install(recorded, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(tensors.importlib, "import_module", missing)
    with pytest.raises(PosewireError, match="PyTorch") as error:
        solve(recorded, "--out", tmp_path / "a.pwt", "--device", "gpu")
    assert tensors.TORCH_COMMAND in str(error.value)


def test_the_flags_reach_the_new_takes_header(recorded, tmp_path):
    solve(recorded, "--out", tmp_path / "a.pwt", "--no-lock-feet")
    assert Take.open(tmp_path / "a.pwt").header.settings["solve"]["lock_feet"] is False
