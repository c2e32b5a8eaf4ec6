"""How many frames a second `posewire view` shows: `python measure_view.py [PEOPLE]`, with viser, and Chromium if there is one.

Publisher and viewer are processes of their own, as in use: so many people with keypoints at 60 Hz. Counted over ten
seconds: frames that the viewer sends, and redraws of the page, in a small and in a larger window. Headless Chromium draws
with the CPU, so that the larger window says more about that than about the viewer.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from chromium_page import Page
from gateway_samples import ANYWHERE, ASSUMED, instant, pose

from posewire.client import connect
from posewire.data import Track
from posewire.publish import Publisher
from posewire.wire import View
from posewire_gateway.view import Viewer

_SECONDS = 10.0
_WARM_UP_S = 6.0
_WINDOWS = ((500, 350), (1000, 700))
_KEYPOINTS = tuple(f"keypoint {k}" for k in range(33))
_COUNT_REDRAWS = "window.redraws = 0; (function count() { redraws += 1; requestAnimationFrame(count); })(); 1"


def publish(pipe: Connection, people: int) -> None:
    """Sends moving people at 60 Hz until it is told to stop."""
    rng = np.random.default_rng(0)
    crowd = [[pose(i, seed=frame) for i in range(people)] for frame in range(60)]
    with Publisher(ANYWHERE) as publisher:
        pipe.send(publisher.address)
        due_s, frame = time.monotonic(), 0
        while not pipe.poll():
            tracks = [Track(i, rng.uniform(0, 480, (33, 2)), np.ones(33), np.full(4, np.nan)) for i in range(people)]
            view = View(ASSUMED, _KEYPOINTS, tracks, {"method": 20.0})
            publisher.send(instant(*crowd[frame % 60], time_s=frame / 60, view=view))
            due_s, frame = due_s + 1 / 60, frame + 1
            time.sleep(max(0.0, due_s - time.monotonic()))


def main(people: int) -> None:
    """Prints the frame rates."""
    context = get_context("spawn")
    here, there = context.Pipe()
    publisher = context.Process(target=publish, args=(there, people), daemon=True)
    publisher.start()
    stop = threading.Event()
    with Viewer(connect(here.recv(), view=True), 0) as viewer:
        pump = threading.Thread(target=lambda: [viewer.pump() for _ in iter(stop.is_set, True)])
        pump.start()
        try:
            _measure(viewer, people)
        finally:
            stop.set()
            pump.join()
            here.send("stop")
            publisher.join()


def _measure(viewer: Viewer, people: int) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print(f"{people} people: {_sent_fps(viewer):.1f} frames a second sent; no Chromium to show them")
        return
    for window in _WINDOWS:
        with tempfile.TemporaryDirectory() as profile, Page(chromium, Path(profile), viewer.url, window) as page:
            time.sleep(_WARM_UP_S)
            page.evaluate(_COUNT_REDRAWS)
            sent_fps, redraws_fps = _sent_fps(viewer), page.evaluate("redraws") / _SECONDS
        size = f"{window[0]}x{window[1]}"
        print(f"{people} people, window {size}: {sent_fps:.1f} frames a second sent, {redraws_fps:.1f} redraws a second")


def _sent_fps(viewer: Viewer) -> float:
    before, start_s = viewer.frames, time.monotonic()
    time.sleep(_SECONDS)
    return (viewer.frames - before) / (time.monotonic() - start_s)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("people", nargs="?", type=int, default=5)
    main(parser.parse_args().people)
