"""How a command ends that somebody else ends: a service manager, a closed pipe, a full disk, no console at all."""

import os
import signal
import socket
import subprocess
import sys
import time

import av
import pytest

import posewire as api

COMMAND = [sys.executable, "-m", "posewire"]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(happened, process, patience_s=300.0):
    """A busy machine may have to compile first."""
    until_s = time.monotonic() + patience_s
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until_s
        time.sleep(0.02)


@posix
def test_a_run_that_is_told_to_end_keeps_its_take_and_its_preview(short_clip, tmp_path):
    take, seen = tmp_path / "take.pwt", tmp_path / "seen.mp4"
    address = f"tcp://127.0.0.1:{free_port()}"
    run = ["run", short_clip, "--out", take, "--preview", seen, "--publish", address]
    process = subprocess.Popen([*COMMAND, *run], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: seen.exists() and seen.stat().st_size, process)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + signal.SIGTERM, said
    assert f"Kept, up to here: {take}, {seen}" in said
    recorded = api.Take.open(take)
    assert recorded.complete
    with av.open(str(seen)) as film:
        assert sum(1 for _ in film.decode(video=0)) in (len(recorded) - 1, len(recorded))  # the last one may be half drawn


@posix
def test_a_second_ctrl_c_changes_nothing_any_more(short_clip, tmp_path):
    take = tmp_path / "take.pwt"
    run = ["run", short_clip, "--out", take, "--publish", f"tcp://127.0.0.1:{free_port()}"]
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # also where the tests run in the background
    process = subprocess.Popen([*COMMAND, *run], stderr=subprocess.PIPE, text=True, **heard)
    wait_for(take.exists, process)
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if line == "posewire: stopped\n":
            time.sleep(0.02)  # from the message to where nothing listens any more
            process.send_signal(signal.SIGINT)
    process.stderr.close()
    assert process.wait(timeout=60) == 128 + signal.SIGINT


@posix
def test_what_the_parent_ignores_stays_ignored():
    """As under nohup, where a closed terminal must not end a recording."""
    code = "import signal; from posewire.__main__ import main; import sys; sys.argv[1:] = ['keys', 'list']; main()"
    code += "; sys.exit(signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN)"
    start = "import signal, os, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    start += f"; os.execv(sys.executable, [sys.executable, '-c', {code!r}])"
    assert subprocess.run([sys.executable, "-c", start], capture_output=True, check=False).returncode == 0


@posix
def test_a_program_without_a_console_runs(short_clip, tmp_path):
    take = tmp_path / "take.pwt"
    command = f'"{sys.executable}" -m posewire run "{short_clip}" --out "{take}" >&- 2>&-'
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, ""), ended
    assert api.Take.open(take).complete


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")  # noqa: PTH110
def test_a_full_disk_behind_standard_output_is_said():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = subprocess.run([*COMMAND, "rigs"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert "The output cannot be written." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_listen_into_a_pipe_says_something_every_second_and_ends_with_its_reader(short_clip, tmp_path, posewire):
    take = tmp_path / "short.pwt"
    assert posewire("run", short_clip, "--out", take).code == 0
    address = f"tcp://127.0.0.1:{free_port()}"
    replay = subprocess.Popen([*COMMAND, "replay", take, "--publish", address, "--loop"], stderr=subprocess.DEVNULL)
    listen = subprocess.Popen([*COMMAND, "listen", address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert "fps, latency" in listen.stdout.readline()
        assert "mean confidence" in listen.stdout.readline()
        listen.stdout.close()
        assert listen.wait(timeout=60) == 0
        assert listen.stderr.read().count("\n") == 1  # where it listens, and no traceback
    finally:
        for process in (replay, listen):
            process.kill()
            process.wait()
        listen.stderr.close()
