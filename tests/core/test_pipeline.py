"""Threads, back-pressure and errors of the pipeline, with small sources and methods beside the real ones."""

import threading
import time
from importlib import resources
from types import SimpleNamespace

import numpy as np
import pytest

from posewire import camera
from posewire.data import Detections, Frame
from posewire.errors import PluginError, PosewireError, SourceError
from posewire.methods import MethodCard, MethodOptions
from posewire.output_path import check_new_file
from posewire.outputs import Outputs, Pacer
from posewire.pipeline import Pipeline, open_estimator, open_lifter, open_pipeline
from posewire.settings import Settings
from posewire.stages import Ahead, StageTimes

JOINTS = ("left_hip", "right_hip")
VIEW = camera.assumed(64, 48)


class Numbers:
    """A source of blank frames that counts how far it was read."""

    frame_count = None

    def __init__(self, count, live=False, broken_at=None):
        self.count, self.live, self.broken_at, self.read, self.closed = count, live, broken_at, 0, False

    def __iter__(self):
        for index in range(self.count):
            if index == self.broken_at:
                raise SourceError("the disk came off")
            self.read += 1
            yield Frame(np.zeros((48, 64, 3), np.uint8), index / 30, index, VIEW)

    def close(self):
        self.closed = True


class Blind:
    """A method that sees nobody, or fails."""

    def __init__(self, fails_at=None):
        self.fails_at, self.closed = fails_at, 0

    def estimate(self, frame):
        if frame.index == self.fails_at:
            raise ZeroDivisionError("a plugin's own mistake")
        return Detections.nobody(len(JOINTS))

    def reset(self):
        pass

    def close(self):
        self.closed += 1


def pipeline(source, method, **settings):
    card = MethodCard("blind", "estimator", JOINTS, False, "none", "sees nobody", lambda options: method)
    return Pipeline(source, card, method, Settings(**settings))


def test_weights_go_to_the_method_as_paths_and_not_to_the_lifter(monkeypatch, tmp_path):
    path, asked = tmp_path / "mine.onnx", {}
    path.touch()

    def card(name, kind, method, *weights):
        def create(options):
            asked[name] = options
            return method

        return MethodCard(name, kind, JOINTS, False, "none", "remembers what it was told", create, weights=weights)

    lifter = SimpleNamespace(receptive_field=1, lift=None, close=lambda: None)
    cards = {"seeing": card("seeing", "estimator", Blind(), "any.onnx"), "lifting": card("lifting", "lifter", lifter)}
    monkeypatch.setattr("posewire.plugins.load", lambda: SimpleNamespace(estimator=cards.get, lifter=cards.get))
    settings = Settings(method="seeing", lifter="lifting", weights=(str(path),), threads=3)
    open_estimator(settings, live=True)
    open_lifter(settings, JOINTS)
    assert asked["seeing"] == MethodOptions(threads=3, live=True, weights=(path,))
    assert asked["lifting"] == MethodOptions(threads=3)


@pytest.mark.parametrize("live", [False, True])
def test_every_frame_that_the_source_gives_comes_out_in_order(live):
    with pipeline(Numbers(50, live), Blind()) as running:
        assert [instant.frame.index for instant in running] == list(range(50))


def test_a_files_reader_waits_for_a_slow_consumer():
    source = Numbers(1000)
    with pipeline(source, Blind()) as running:
        next(iter(running))
        time.sleep(0.3)
        assert source.read < 30  # the 15 that calibrate and what the threads hold


def test_an_error_of_the_source_arrives_after_the_frames_before_it():
    seen = []
    with pipeline(Numbers(10, broken_at=6), Blind()) as running, pytest.raises(SourceError, match="disk"):
        for instant in running:
            seen.append(instant.frame.index)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_an_error_among_the_frames_that_calibrate_loses_none_of_them():
    with pipeline(Numbers(50, broken_at=20), Blind()) as running, pytest.raises(SourceError, match="disk"):
        for number, instant in enumerate(running):
            assert instant.frame.index == number
    assert number == 19


def test_a_methods_mistake_is_named_as_the_methods():
    said = r"'blind' failed on frame 3(.|\n)*\(core/test_pipeline\.py, line \d+\)"
    with pipeline(Numbers(10), Blind(fails_at=3)) as running, pytest.raises(PluginError, match=said):
        list(running)


@pytest.mark.parametrize(("answer", "said"), [(None, "a NoneType"), (Detections.nobody(3), "3 keypoints")])
def test_an_answer_that_is_not_what_the_card_says_is_the_methods_mistake(answer, said):
    method = Blind()
    method.estimate = lambda frame: answer
    with pipeline(Numbers(10), method) as running, pytest.raises(PluginError, match=f"'blind' failed on frame 0(.|\n)*{said}"):
        list(running)


def test_a_method_that_cannot_be_closed_is_named_and_all_else_is_closed():
    source, method = Numbers(10), Blind()
    method.close = lambda: 1 / 0
    running = pipeline(source, method)
    list(running)
    with pytest.raises(PluginError, match=r"'blind' cannot be closed(.|\n)*ZeroDivisionError"):
        running.close()
    assert source.closed


def test_the_first_error_of_a_plugin_is_told_not_the_one_when_it_is_closed():
    method = Blind(fails_at=3)
    method.close = lambda: 1 / 0
    with pytest.raises(PluginError, match="on frame 3"), pipeline(Numbers(10), method) as running:
        list(running)


@pytest.mark.parametrize("wrong", [{"lifter": "nobody"}, {"profile": "nobody"}])
def test_what_was_opened_before_a_setting_was_found_wrong_is_closed_again(monkeypatch, wrong):
    source, method = Numbers(10), Blind()
    card = MethodCard("blind", "estimator", JOINTS, False, "none", "sees nobody", lambda options: method)
    monkeypatch.setattr("posewire.capture.open_source", lambda *_: source)
    monkeypatch.setattr("posewire.pipeline.open_estimator", lambda *_, **__: (card, method))
    with pytest.raises(PosewireError, match="nobody"):
        open_pipeline("film.mp4", Settings(**wrong))
    assert source.closed
    assert method.closed == 1


def test_closing_ends_the_threads_and_closes_source_and_method_once():
    source, method = Numbers(10_000), Blind()
    running = pipeline(source, method)
    next(iter(running))
    running.close()
    running.close()
    assert source.closed
    assert method.closed == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("posewire-capture", "posewire-method"))]


class PassersBy(Numbers):
    """A day at a window: a frame every eleven minutes."""

    def __iter__(self):
        for frame in super().__iter__():
            yield Frame(frame.picture, 660.0 * frame.index, frame.index, VIEW)


class OneEach(Blind):
    """Sees somebody else in every frame."""

    def estimate(self, frame):
        hips_px = np.array([[[20.0 + frame.index % 7, 20.0], [30.0, 20.0]]])
        return Detections(hips_px, np.full((1, 2), 0.9), np.array([[15.0, 5.0, 40.0, 45.0]]))


def test_a_day_of_passers_by_fits_into_memory_and_into_a_message():
    with pipeline(PassersBy(40, live=True), OneEach(), max_people=2) as running:
        instants = list(running)
    assert {track.person_id for instant in instants for track in instant.tracks} == set(range(1, 41))
    assert max(len(instant.skeletons) for instant in instants) <= 2  # the one who is there, and who was before


def test_stage_times_of_a_run_without_end_do_not_grow():
    times = StageTimes()
    for _ in range(50_000):
        times.timed("method", lambda: None)
    assert len(times.seconds["method"]) == 36_000


def test_stage_times_count_every_frame():
    with pipeline(Numbers(20), Blind()) as running:
        list(running)
    assert len(running.times.seconds["method"]) == 20
    assert set(running.times.median_ms()) == {"capture", "method", "track", "fit"}


def test_ahead_passes_items_on_and_can_be_left_early():
    ahead = Ahead(iter(range(100)), "test", 2)
    assert [item for _, item in zip(range(5), ahead, strict=False)] == [0, 1, 2, 3, 4]
    ahead.close()


def test_a_lifter_cannot_be_the_method_and_the_other_way_round():
    with pytest.raises(PluginError, match="no lifter"):
        open_pipeline(resources.files("posewire") / "assets" / "balancing_cam01.mp4", Settings(lifter="blazepose"))


class Sink:
    def __init__(self, breaks=False):
        self.breaks, self.closed = breaks, False

    def add(self, instant):
        if self.breaks:
            raise PosewireError("full")

    def close(self):
        self.closed = True


def test_when_one_output_fails_the_others_still_close():
    good, bad = Sink(), Sink(breaks=True)
    together = Outputs([good, bad])
    with pytest.raises(PosewireError, match="full"):
        together.add(None)
    together.close()
    assert good.closed
    assert bad.closed


def test_a_pacer_waits_for_media_time_and_never_races_to_make_up():
    pacer = Pacer()
    start = time.monotonic()
    pacer.wait(0.0)
    pacer.wait(0.05)
    assert time.monotonic() - start >= 0.049
    time.sleep(0.6)
    late = time.monotonic()
    pacer.wait(0.1)
    pacer.wait(0.15)
    assert time.monotonic() - late >= 0.049


def test_a_pacer_is_even_where_the_monotonic_clock_moves_in_steps(monkeypatch):
    """Windows: time.monotonic steps by 1/64 s. Here the clocks stand still but for sleep."""
    real_s, woken_s = [100.0], []
    clock = SimpleNamespace(
        perf_counter=lambda: real_s[0],
        monotonic=lambda: real_s[0] // (1 / 64) / 64,
        sleep=lambda wait_s: real_s.append(real_s.pop() + wait_s),
    )
    monkeypatch.setattr("posewire.outputs.time", clock)
    pacer = Pacer()
    for index in range(60):
        pacer.wait(index / 60)
        woken_s.append(real_s[0])
        clock.sleep(0.003)  # what is done with the frame
    np.testing.assert_allclose(np.diff(woken_s), 1 / 60, atol=1e-9)


def test_a_file_that_exists_is_refused_before_any_work(tmp_path):
    (tmp_path / "there").touch()
    with pytest.raises(PosewireError, match="exists"):
        check_new_file(tmp_path / "there", "--out", overwrite=False)
    check_new_file(tmp_path / "there", "--out", overwrite=True)
    with pytest.raises(PosewireError, match="mkdir"):
        check_new_file(tmp_path / "no" / "file", "--out", overwrite=True)
    with pytest.raises(PosewireError, match="folder"):
        check_new_file(tmp_path, "--out", overwrite=True)
