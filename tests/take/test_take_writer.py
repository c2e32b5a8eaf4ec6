"""A recording survives whatever happens while it is made, and destroys nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from take_samples import CAMERA, HEADER, dance, frame, instant, pose, track, write

from posewire.data import Frame
from posewire.errors import TakeError
from posewire.skeleton import REFERENCE
from posewire.take import TakeWriter, read_take
from posewire.take.writer import FLUSH_AFTER_S

HERE = Path(__file__).parent


def start_writer(path, stand_still_after):
    command = [sys.executable, str(HERE / "realtime_writer.py"), str(path), str(stand_still_after)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_process_loses_at_most_the_last_second(tmp_path):
    path = tmp_path / "a.pwt"
    with start_writer(path, 10**9) as process:
        last_added = next(number for number in map(int, process.stdout) if number >= 130)
        process.kill()
        last_added = max([last_added, *(int(line) for line in process.stdout.read().split())])
    take = read_take(path)
    kept = [one.index for one in take]
    assert kept == list(range(len(kept)))
    assert take.time_s[-1] >= frame(last_added, fps=60).time_s - 1.0
    assert not take.complete
    assert "not closed" in take.damage[-1]


def test_frames_before_a_standstill_reach_the_disk_without_a_further_frame(tmp_path):
    path = tmp_path / "a.pwt"
    with start_writer(path, 5) as process:
        assert [int(process.stdout.readline()) for _ in range(5)] == list(range(5))
        deadline = time.monotonic() + 60
        while len(read_take(path)) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert len(read_take(path)) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource.setrlimit")
def test_a_full_disk_is_a_take_error_and_what_was_recorded_stays(tmp_path):
    path = tmp_path / "a.pwt"
    command = [sys.executable, str(HERE / "disk_full_writer.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot be written any further" in done.stdout
    take = read_take(path)
    kept = [one.index for one in take]
    assert kept == list(range(len(kept)))
    assert len(kept) >= 15
    assert take.damage


def test_media_time_alone_flushes(tmp_path):
    path = tmp_path / "a.pwt"
    writer = TakeWriter(path, HEADER)
    for number in range(90):
        writer.add(*instant(number, [1]))
        assert frame(number).time_s - frame(len(read_take(path))).time_s <= FLUSH_AFTER_S
    writer.close()


def test_a_take_can_be_read_while_it_is_written(tmp_path):
    path = tmp_path / "a.pwt"
    with TakeWriter(path, HEADER) as writer:
        assert len(read_take(path)) == 0
        for values in dance(31):
            writer.add(*values)
        assert 15 <= len(read_take(path)) <= 31
        assert not read_take(path).complete
    assert len(read_take(path)) == 31


def test_header_camera_and_skeletons_stand_twice_in_a_closed_take(tmp_path):
    data = write(tmp_path / "a.pwt", dance()).read_bytes()
    assert data.count(b"PWTHEAD") == 2
    assert data.count(b"PWTCAMR") == 2
    assert data.count(b"PWTSKEL") == 4


def test_those_who_left_are_not_said_again_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("posewire.take.writer._REPEAT_AFTER_S", 0.0)
    path = tmp_path / "a.pwt"
    with TakeWriter(path, HEADER) as writer:
        for person in range(40):  # each for a second
            skeletons = {person: REFERENCE.scaled(1.0 + person / 100)}
            for number in range(30 * person, 30 * person + 30):
                writer.add(*instant(number, [person], skeletons))
    assert path.read_bytes().count(b"PWTSKEL") <= 5 * 40
    take = read_take(path)
    assert (len(take), len(take.skeletons), take.damage) == (1200, 40, ())


def test_no_picture_is_kept_in_memory(tmp_path):
    image = np.zeros((64, 64, 3), np.uint8)
    before = sys.getrefcount(image)
    with TakeWriter(tmp_path / "a.pwt", HEADER) as writer:
        writer.add(Frame(image, 0.0, 0, CAMERA), [], [], {})
        assert sys.getrefcount(image) == before


def test_close_twice_is_fine_and_ends_the_thread(tmp_path):
    before = threading.active_count()
    writer = TakeWriter(tmp_path / "a.pwt", HEADER)
    writer.close()
    writer.close()
    assert threading.active_count() == before
    assert read_take(tmp_path / "a.pwt").damage == ()


def test_adding_to_a_closed_take_is_an_error(tmp_path):
    writer = TakeWriter(tmp_path / "a.pwt", HEADER)
    writer.close()
    with pytest.raises(TakeError, match="closed"):
        writer.add(*instant(0, [1]))


def test_an_error_in_the_with_block_closes_the_take_and_passes(tmp_path):
    with pytest.raises(KeyError), TakeWriter(tmp_path / "a.pwt", HEADER) as writer:
        writer.add(*instant(0, [1]))
        raise KeyError
    assert len(read_take(tmp_path / "a.pwt")) == 1


def test_an_existing_file_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "a.pwt"
    path.write_bytes(b"precious")
    with pytest.raises(TakeError, match="--overwrite"):
        TakeWriter(path, HEADER)
    assert path.read_bytes() == b"precious"


def test_overwrite_replaces_and_leaves_no_other_file(tmp_path):
    path = write(tmp_path / "a.pwt", dance())
    with TakeWriter(path, HEADER, overwrite=True) as writer:
        writer.add(*instant(0, [1]))
    assert len(read_take(path)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_overwrite_keeps_the_old_take_when_the_new_header_cannot_be_written(tmp_path):
    path = write(tmp_path / "a.pwt", dance())
    with pytest.raises(TakeError, match="cannot hold"):
        TakeWriter(path, replace(HEADER, settings={"path": object()}), overwrite=True)
    assert len(read_take(path)) == 60
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_not_made_and_the_error_says_how(tmp_path):
    with pytest.raises(TakeError, match="mkdir") as caught:
        TakeWriter(tmp_path / "no" / "a.pwt", HEADER)
    assert str(tmp_path / "no") in caught.value.hint
    assert not (tmp_path / "no").exists()


def test_a_folder_as_the_file_is_an_error(tmp_path):
    with pytest.raises(TakeError, match="is a folder"):
        TakeWriter(tmp_path, HEADER, overwrite=True)


TWO_KEYPOINTS = replace(track(1, 0, with_3d=False), keypoints_px=np.zeros((2, 2)), confidence=np.zeros(2))
WRONG = {
    "2 keypoints": (frame(0), [TWO_KEYPOINTS], [], {}),
    "without its skeleton": (frame(0), [], [pose(1, 2.0)], {2: REFERENCE}),
    "person twice": (frame(0), [track(1, 0), track(1, 1)], [], {}),
    "does not fit its skeleton": (frame(0), [], [replace(pose(1, 2.0), angles_rad=np.zeros(3))], {1: REFERENCE}),
    "time is not a number": (replace(frame(0), time_s=float("nan")), [], [], {}),
}


@pytest.mark.parametrize("text", WRONG)
def test_values_that_do_not_fit_are_refused_and_the_take_goes_on(tmp_path, text):
    with TakeWriter(tmp_path / "a.pwt", HEADER) as writer:
        writer.add(*instant(0, [1]))
        with pytest.raises(TakeError, match=text):
            writer.add(*WRONG[text])
        writer.add(*instant(1, [1]))
    assert [one.index for one in read_take(tmp_path / "a.pwt")] == [0, 1]
