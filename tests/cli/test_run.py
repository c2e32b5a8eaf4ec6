"""posewire run, info, export, replay, listen: what a newcomer types first."""

import json
import os
import shlex
import socket
import subprocess
import sys
import time

import av
import numpy as np
import pytest

import posewire as api
from posewire.cli import main, recording
from posewire.client import Client, connect
from posewire.errors import WireError
from posewire.outputs import TakeOutput


@pytest.fixture
def take(posewire, short_clip, tmp_path):
    path = tmp_path / "short.pwt"
    ran = posewire("run", short_clip, "--out", path)
    assert ran.code == 0, ran.err
    return path


def test_a_take_holds_every_frame_of_the_file(take):
    recorded = api.Take.open(take)
    assert len(recorded) == 16
    assert recorded.complete
    assert list(recorded.people) == [1]


def test_the_npz_has_the_promised_keys_and_shapes(posewire, take, tmp_path):
    assert posewire("export", take, tmp_path / "short.npz").code == 0
    with np.load(tmp_path / "short.npz") as arrays:
        T, K, N, J = 16, 1, len(arrays["joint_names"]), len(arrays["keypoint_names"])
        shapes = {
            "time_s": (T,),
            "person_ids": (K,),
            "joint_names": (N,),
            "positions_m": (T, K, N, 3),
            "rotations_wxyz": (T, K, N, 4),
            "root_m": (T, K, 3),
            "T_world_camera": (T, 4, 4),
            "confidence": (T, K, N),
            "keypoint_names": (J,),
            "keypoints_px": (T, K, J, 2),
            "keypoints_m": (T, K, J, 3),
        }
        assert {key: arrays[key].shape for key in shapes} == shapes
        assert np.isfinite(arrays["positions_m"]).all()
        np.testing.assert_allclose(arrays["time_s"], np.arange(16) / 30, atol=1e-3)


def test_every_pose_has_the_bone_lengths_of_its_skeleton(take):
    recorded = api.Take.open(take)
    for frame in recorded:
        for pose in frame.poses:
            skeleton = frame.skeletons[pose.person_id]
            parents = list(skeleton.parents[1:])
            bones = np.linalg.norm(pose.positions_m[1:] - pose.positions_m[parents], axis=1)
            np.testing.assert_allclose(bones, skeleton.bone_lengths_m[1:], atol=1e-4)
    assert len(recorded.skeletons) == 1  # a file's first frames calibrate; nothing changes afterwards


def test_info_says_what_is_in_a_take(posewire, take):
    summary = json.loads(posewire("info", take, "--json").out)
    assert (summary["frames"], summary["method"], summary["complete"]) == (16, "blazepose", True)
    assert "16 in" in posewire("info", take).out


@pytest.mark.parametrize("suffix", ["bvh", "npz", "csv", "trc", "jsonl"])
def test_every_export_makes_a_file(posewire, take, tmp_path, suffix):
    target = tmp_path / f"out.{suffix}"
    ran = posewire("export", take, target)
    assert (ran.code, ran.out.strip()) == (0, str(target))
    assert target.stat().st_size > 1000


def test_an_unknown_export_lists_what_exists(posewire, take, tmp_path):
    ran = posewire("export", take, tmp_path / "out.doc")
    assert ran.code == 2
    assert ".bvh" in ran.err


def test_an_fbx_is_blenders_to_make(posewire, take, tmp_path):
    said = posewire("export", take, tmp_path / "out.fbx").err
    assert said.endswith(f"  next:    posewire export {take} {tmp_path / 'out.glb'}; Blender makes .fbx of it\n")


def test_json_on_standard_output_is_only_json(posewire, short_clip):
    ran = posewire("run", short_clip, "--json")
    summary = json.loads(ran.out)
    assert summary["frames"] == 16
    assert summary["person_ids"] == [1]
    assert set(summary["stages"]["median_ms"]) >= {"capture", "method", "track", "fit"}


def test_a_preview_shows_every_frame(posewire, short_clip, tmp_path):
    assert posewire("run", short_clip, "--preview", tmp_path / "seen.mp4").code == 0
    with av.open(str(tmp_path / "seen.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 16


def test_a_run_ends_with_who_was_seen_and_what_to_type_next(posewire, short_clip, nobody_clip, tmp_path):
    take = tmp_path / "my first take.pwt"
    said = posewire("run", short_clip, "--out", take, "--preview", tmp_path / "seen.mp4").err
    assert "1 person in all" in said
    assert f"Recorded: {take}. Next: posewire export " in said
    program, *typed = shlex.split(said.partition("Next: ")[2].splitlines()[0])  # as a shell reads what was copied
    assert program == "posewire"
    assert posewire(*typed).code == 0
    assert take.with_suffix(".bvh").is_file()
    assert f"Preview: {tmp_path / 'seen.mp4'}\n" in said
    said = posewire("run", nobody_clip, "--out", tmp_path / "empty.pwt").err
    assert f"Recorded: {tmp_path / 'empty.pwt'}.\n" in said


def test_a_run_that_measures_somebody_does_not_say_that_nothing_was_kept(posewire, short_clip):
    said = posewire("run", short_clip, "--calibrate", "anna").err
    assert "Next: --profile anna" in said
    assert "Nothing was kept" not in said


def test_ctrl_c_keeps_what_was_recorded_and_says_where(posewire, short_clip, tmp_path, monkeypatch):
    take, seen = tmp_path / "take.pwt", tmp_path / "seen.mp4"
    add, frames = TakeOutput.add, iter(range(100))

    def pressed(output, instant):
        if next(frames) == 5:
            raise KeyboardInterrupt
        add(output, instant)

    monkeypatch.setattr(TakeOutput, "add", pressed)
    stopped = posewire("run", short_clip, "--out", take, "--preview", seen)
    assert stopped.code == 130
    assert f"Kept, up to here: {take}, {seen}\n" in stopped.err
    assert len(api.Take.open(take)) == 5
    with av.open(str(seen)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


def test_ctrl_c_while_the_fit_compiles_leaves_a_take_that_is_whole_though_empty(posewire, short_clip, tmp_path, monkeypatch):
    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(recording.fit, "warm_up", pressed)
    assert posewire("run", short_clip, "--out", tmp_path / "take.pwt").code == 130
    take = api.Take.open(tmp_path / "take.pwt")
    assert (len(take), take.damage) == (0, ())


def test_ctrl_c_while_the_program_still_loads_is_no_traceback():
    code = """
import sys
class Pressed:
    def find_spec(self, name, *_):
        if name == "posewire.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from posewire.__main__ import main
sys.exit(main())
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "posewire: stopped\n")


def test_a_frame_with_nobody_is_recorded_as_such(posewire, nobody_clip, tmp_path):
    assert posewire("run", nobody_clip, "--out", tmp_path / "empty.pwt").code == 0
    recorded = api.Take.open(tmp_path / "empty.pwt")
    assert len(recorded) == 6
    assert not recorded.people
    assert posewire("export", tmp_path / "empty.pwt", tmp_path / "empty.npz").code == 0


def test_the_api_gives_poses_in_five_lines(short_clip):
    poses = list(api.track(short_clip, height_m=1.8))
    assert len(poses) >= 14
    assert all(pose.positions_m.shape == (len(api.REFERENCE.names), 3) for pose in poses)
    assert np.all(np.diff([pose.time_s for pose in poses]) > 0)


def test_every_public_name_is_there():
    assert all(getattr(api, name).__name__ for name in api.__all__ if name != "REFERENCE")


def test_the_api_takes_paths_as_texts(take, tmp_path):
    assert api.export(api.Take.open(str(take)), str(tmp_path / "a.bvh")) == [tmp_path / "a.bvh"]
    (tmp_path / "mine.toml").write_text("max_people = 4\n")
    assert api.Settings.load(str(tmp_path / "mine.toml")).max_people == 4
    with pytest.raises(WireError, match="no key file"):
        api.connect(key_file=str(tmp_path / "absent.key"))


def test_a_published_file_is_heard_on_the_rig_that_was_asked_for(take):
    address = f"tcp://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "posewire", "replay", take, "--publish", address, "--rig", "vrm", "--loop"]
    replay = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        with connect(address, rig="vrm", timeout_s=60) as client:
            heard = client.receive()
    finally:
        replay.kill()
        replay.communicate()
    assert heard.subject.rig == "vrm"
    assert heard.message.people[0].person_id == 1


def test_a_published_file_plays_at_its_own_speed(posewire, nobody_clip):
    address = f"tcp://127.0.0.1:{free_port()}"
    start = time.monotonic()
    assert posewire("run", nobody_clip, "--publish", address).code == 0
    assert time.monotonic() - start >= 5 / 30  # six frames at 30 fps: five intervals


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_listen_prints_json_lines(take):
    address = f"tcp://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "posewire"]
    replay = subprocess.Popen([*command, "replay", take, "--publish", address, "--loop"], stderr=subprocess.PIPE)
    try:
        listen = [*command, "listen", address, "--json", "--count", "3", "--timeout", "60"]
        done = subprocess.run(listen, capture_output=True, text=True, timeout=90, check=False)
    finally:
        replay.kill()
        replay.communicate()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(lines) == 3
    assert len(lines[0]["people"][0]["rotations_wxyz"]) == len(api.REFERENCE.names)


def holds_frames(take):
    """The file is empty for the moment between its coming into being and its header."""
    return take.exists() and take.stat().st_size and len(api.Take.open(take))


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_run_leaves_a_take_that_opens(short_clip, tmp_path):
    take = tmp_path / "killed.pwt"
    address = f"tcp://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "posewire", "run", str(short_clip), "--out", str(take), "--publish", address]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300  # it may have to compile on a busy machine first
    while process.poll() is None and time.monotonic() < deadline and not holds_frames(take):
        time.sleep(0.02)
    process.kill()
    process.wait()
    recorded = api.Take.open(take)
    assert 0 < len(recorded) <= 16


def test_listen_says_once_in_a_silence_why_nothing_comes(monkeypatch, capsys):
    def silent(*_):
        nonlocal waits
        waits += 1
        if waits == 3:
            raise KeyboardInterrupt
        raise WireError("Nobody publishes at this address.", hint="start it there")

    waits = 0
    monkeypatch.setattr(Client, "receive", silent)
    assert main(["listen", f"tcp://127.0.0.1:{free_port()}", "--json"]) == 130
    said = capsys.readouterr()
    assert said.err.count("Nobody publishes at this address.") == 1
    assert said.out == ""
