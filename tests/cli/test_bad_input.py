"""Bad input: a message that says what to do, exit code 2, no traceback."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from posewire.take import TakeHeader, TakeWriter


@pytest.fixture
def refused(posewire):
    def run(*arguments):
        ran = posewire(*arguments)
        assert ran.code == 2, ran
        assert "Traceback" not in ran.err + ran.out
        return ran.err

    return run


@pytest.mark.parametrize(
    "flags",
    [
        ["--height", "3"],
        ["--height", "0.4"],
        ["--height", "tall"],
        ["--fov", "4"],
        ["--fov", "176"],
        ["--max-people", "0"],
        ["--device", "tpu"],
        ["--method", "openpose"],
        ["--lifter", "openpose"],
        ["--lifter", "blazepose"],
        ["--publish", "udp://127.0.0.1:1"],
        ["--publish", "tcp://0.0.0.0:5599"],
        ["--publish", "tcp://127.0.0.1:5599", "--rig", "gundam"],
        ["--out", "absent-folder/take.pwt"],
        ["--camera", "absent.json"],
    ],
    ids=" ".join,
)
def test_an_unusable_flag_is_refused(refused, short_clip, flags, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("run", short_clip, *flags)


@pytest.mark.parametrize(
    ("flags", "listed"),
    [
        (["--method", "openpose"], "blazepose"),
        (["--publish", "tcp://127.0.0.1:5598", "--rig", "gundam"], "mixamo"),
        (["--rig", "gundam"], "mixamo"),
        (["--device", "tpu"], "cpu"),
        (["--lifter", "nix"], "There is no lifter 'nix'.\n  got:     nix\n  allowed: selfsup, vae, vae-temporal\n"),
        (["--lifter", "selfsub"], "did you mean 'selfsup'?"),
        (["--lifter", "vnect"], "--method vnect, without --lifter"),
        (["--method", "vae"], "--method blazepose --lifter vae"),
        (["--method", "xnect", "--max-people", "30"], "--max-people 16"),
    ],
    ids=["method", "rig", "rig, unpublished", "device", "lifter", "nearly a lifter", "no lifter", "no method", "people"],
)
def test_an_unknown_name_lists_what_exists(refused, short_clip, flags, listed):
    assert listed in refused("run", short_clip, *flags)


def test_a_gpu_that_is_not_there_is_an_error_with_the_command_that_mends_it(refused, short_clip):
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is a GPU")
    assert "pip install --force-reinstall --no-deps onnxruntime-gpu" in refused("run", short_clip, "--device", "gpu")


def test_what_is_no_video_is_refused(refused, tmp_path, short_clip):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video at all\n" * 100)
    data = short_clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: data.index(b"moov")])
    (tmp_path / "folder").mkdir()
    for name in ("absent.mp4", "empty.mp4", "text.mp4", "cut.mp4", "folder"):
        assert name in refused("run", tmp_path / name)


def test_a_video_of_which_not_one_picture_can_be_read_is_refused(refused, tmp_path, short_clip):
    data = short_clip.read_bytes()
    start = data.index(b"mdat") + 4
    length = int.from_bytes(data[start - 8 : start - 4], "big") - 8
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[:start] + b"\x7f" * length + data[start + length :])
    said = refused("run", broken, "--out", tmp_path / "take.pwt")
    assert f"Not one picture of {broken} can be read." in said
    assert "cannot be decoded" in said
    assert "Recorded" not in said


def test_a_camera_that_is_not_there_is_refused(refused):
    refused("run", "97")


@pytest.mark.parametrize(
    "words",
    [
        ["info", "NAME.pwt"],
        ["run", "CLIP", "--out", "NAME.pwt"],
        ["replay", "NAME.pwt", "--publish"],
        ["detect", "NAME.png", "--out", "a.npz"],
    ],
    ids=lambda words: words[0],
)
def test_a_name_that_the_system_cannot_even_look_up_is_refused(refused, short_clip, words):
    """As in a folder of another user, which a test that runs as root cannot make."""
    name = "a" * 300
    assert name in refused(*[word.replace("NAME", name).replace("CLIP", str(short_clip)) for word in words])


@pytest.mark.parametrize(
    "words",
    [
        ["run", "CLIP", "--out", "a.pwt"],
        ["run", "CLIP", "--preview", "a.mp4"],
        ["solve", "TAKE", "--out", "b.pwt"],
        ["detect", "CLIP", "--out", "a.npz"],
    ],
    ids=lambda words: " ".join(words[::2]),
)
def test_a_write_protected_folder_is_refused_before_any_work(
    posewire, refused, short_clip, nobody_clip, tmp_path, monkeypatch, words
):
    take = tmp_path / "take.pwt"
    posewire("run", nobody_clip, "--out", take)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write where it is written that nobody may
    said = refused(*[word.replace("CLIP", str(short_clip)).replace("TAKE", str(take)) for word in words])
    assert "write-protected" in said
    assert "━" not in said  # no progress


def test_a_file_name_that_the_output_cannot_spell_is_no_error(posewire, nobody_clip, tmp_path):
    take = tmp_path / "人.pwt"
    assert posewire("run", nobody_clip, "--out", take).code == 0
    command = [sys.executable, "-m", "posewire", "info", str(take)]
    told = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "cp1252"}, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
    assert rb"\u4eba.pwt" in told.stdout


def test_an_existing_take_is_kept_unless_told_otherwise(refused, posewire, nobody_clip, tmp_path):
    take = tmp_path / "take.pwt"
    take.write_bytes(b"precious")
    assert "--overwrite" in refused("run", nobody_clip, "--out", take)
    assert take.read_bytes() == b"precious"
    assert posewire("run", nobody_clip, "--out", take, "--overwrite").code == 0


@pytest.mark.parametrize(
    "wrong", [("--preview", "seen.avi"), ("--publish", "tcp://0.0.0.0:5599"), ("--publish", "tcp://nowhere")]
)
def test_a_refused_run_leaves_the_take_that_it_would_have_replaced(posewire, refused, nobody_clip, tmp_path, wrong):
    take = tmp_path / "old.pwt"
    assert posewire("run", nobody_clip, "--out", take).code == 0
    before = take.read_bytes()
    refused("run", nobody_clip, "--out", take, "--overwrite", *wrong)
    assert take.read_bytes() == before
    refused("run", nobody_clip, "--out", tmp_path / "new.pwt", *wrong)
    assert not (tmp_path / "new.pwt").exists()


@pytest.mark.parametrize("alias", [False, True])
def test_a_preview_never_replaces_the_film_that_is_read(refused, nobody_clip, tmp_path, alias):
    film, preview = tmp_path / "film.mp4", tmp_path / "seen.mp4"
    film.write_bytes(nobody_clip.read_bytes())
    if alias:
        try:
            preview.symlink_to(film)
        except OSError:
            pytest.skip("this user may not make links")
    said = refused("run", film, "--preview", preview if alias else film, "--overwrite")
    assert "--preview would replace what is read" in said
    assert film.read_bytes() == nobody_clip.read_bytes()


def test_a_method_for_one_says_so_when_more_are_wanted(posewire, nobody_clip):
    assert "sees one person" in posewire("run", nobody_clip, "--method", "vnect", "--max-people", "3").err
    assert "sees one person" not in posewire("run", nobody_clip, "--max-people", "3").err


def test_a_take_without_frames_is_not_streamed_round_and_round(refused, tmp_path):
    TakeWriter(tmp_path / "empty.pwt", TakeHeader("0", "blazepose", ("nose",))).close()
    assert "no frames" in refused("replay", tmp_path / "empty.pwt", "--publish", "tcp://127.0.0.1:*", "--loop")


def test_a_damaged_take_says_what_is_lost_and_gives_the_rest(posewire, short_clip, tmp_path):
    take = tmp_path / "take.pwt"
    posewire("run", short_clip, "--out", take)
    take.write_bytes(take.read_bytes()[:-40])
    ran = posewire("info", take, "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["complete"] is False


def test_what_is_no_take_is_refused(refused, tmp_path):
    (tmp_path / "noise.pwt").write_bytes(np.random.default_rng(0).bytes(5000))
    for path in (tmp_path / "noise.pwt", tmp_path / "absent.pwt"):
        refused("info", path)


def test_an_absent_take_cannot_be_exported_or_replayed(refused, tmp_path):
    refused("export", tmp_path / "no.pwt", tmp_path / "no.bvh")
    refused("replay", tmp_path / "no.pwt", "--publish")


def test_a_video_is_not_taken_for_one_image(refused, short_clip, tmp_path):
    assert f"posewire run {short_clip}" in refused("detect", short_clip, "--out", tmp_path / "found.npz")
    assert not (tmp_path / "found.npz").exists()


def test_a_take_is_not_replayed_without_publish(refused, tmp_path):
    assert "replay take.pwt --publish" in refused("replay", "take.pwt")


def test_nobody_publishing_ends_listen_with_an_explanation(refused):
    assert "tcp://127.0.0.1:5591" in refused("listen", "tcp://127.0.0.1:5591", "--timeout", "0.3")


def test_an_unknown_command_is_refused(refused):
    assert "invalid choice" in refused("fly")


def test_an_unknown_benchmark_lists_the_known_ones(refused):
    assert "end_to_end" in refused("bench", "luck")


def test_every_command_explains_itself(posewire):
    text = posewire("--help").out
    commands = re.findall(r"^    (\w+)\s", text, flags=re.MULTILINE)
    assert {"run", "demo", "detect", "methods", "listen", "replay", "export", "info", "doctor", "plugin", "bench", "eval"} <= set(
        commands
    )
    for command in commands:
        ran = posewire(command, "--help")
        assert ran.code == 0
        assert len(ran.out) > 100


def test_a_rate_is_of_folders_of_images_only(refused, short_clip):
    assert "every other source has its own times" in refused("run", short_clip, "--rate", "24")
    assert "--rate is out of range" in refused("run", short_clip, "--rate", "0")


def test_a_rate_in_the_settings_file_is_kept_for_folders(posewire, refused, short_clip, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("rate_hz = 24\n", encoding="utf-8")
    assert posewire("run", short_clip, "--settings", file).code == 0
    file.write_text('rate_hz = "fast"\n', encoding="utf-8")
    assert "rate_hz has the wrong type" in refused("run", short_clip, "--settings", file)
