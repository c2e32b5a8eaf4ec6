"""A plugin's source that does not do what a source does: the user learns whose mistake it is, and in which line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from posewire import camera, capture
from posewire.data import Frame
from posewire.errors import PluginError, SourceError
from posewire.methods import Source, SourceCard, SourceOptions

VIEW = camera.assumed(64, 48)
LINE = r"\(capture/test_foreign_source\.py, line \d+\)"


class Good:
    """Three blank frames."""

    live = False
    frame_count: int | None = 3

    def __iter__(self) -> Iterator[Frame]:
        for index in range(3):
            yield Frame(np.zeros((48, 64, 3), np.uint8), index / 30, index, VIEW)

    def close(self) -> None:
        pass


class BreaksOnTheWay(Good):
    def __iter__(self) -> Iterator[Frame]:
        yield from list(super().__iter__())[:2]
        raise KeyError("no such key")


class Arrays(Good):
    def __iter__(self) -> Iterator[Frame]:
        return iter([np.zeros((48, 64, 3), np.uint8)])  # pyright: ignore[reportReturnType] - its mistake


class Nones(Good):
    def __iter__(self) -> Iterator[Frame]:
        return iter([None])  # pyright: ignore[reportReturnType] - its mistake


class Frames(Good):
    def __init__(self, **changes: object) -> None:
        self.changes = changes

    def __iter__(self) -> Iterator[Frame]:
        yield replace(next(super().__iter__()), **self.changes)


class CannotBeClosed(Good):
    def close(self) -> None:
        raise OSError("busy")


class CannotSay(Good):
    @property
    def problems(self) -> list[str]:
        raise ValueError("nobody knows")

    status = problems


class Talks(Good):
    status = "connected"
    problems = ("lost once",)


def fail(*_: object) -> Good:
    raise LookupError("oh")


def opened(open_source: Callable[..., object], matches: Callable[[str], bool] = lambda _: True) -> Source:
    """The source that Posewire opens for an address, with one plugin installed."""
    card = SourceCard("theirs", "somebody's", "theirs:", matches, lambda *_: open_source())  # pyright: ignore[reportArgumentType]
    return capture.open_source("theirs:", SourceOptions(), (card, *capture.CARDS))


def test_a_good_source_is_as_its_plugin_made_it() -> None:
    source = opened(Talks)
    assert [frame.index for frame in source] == [0, 1, 2]
    assert (source.live, source.frame_count, source.status, source.problems) == (False, 3, "connected", ["lost once"])  # pyright: ignore[reportAttributeAccessIssue] - a source may offer it
    silent = opened(Good)
    assert (silent.status, silent.problems) == ("", [])  # pyright: ignore[reportAttributeAccessIssue] - a source may offer it


def test_what_it_raises_on_the_way_is_said_with_its_line_after_the_frames_before() -> None:
    frames = iter(opened(BreaksOnTheWay))
    assert [next(frames).index, next(frames).index] == [0, 1]
    with pytest.raises(PluginError, match=rf"'theirs' failed(.|\n)*KeyError: 'no such key' {LINE}"):
        next(frames)


@pytest.mark.parametrize(("source", "said"), [(Arrays, "a ndarray"), (Nones, "a NoneType")])
def test_something_else_than_a_frame_is_refused(source: type[Good], said: str) -> None:
    with pytest.raises(PluginError, match=f"'theirs' failed(.|\n)*{said}(.|\n)*posewire.data.Frame"):
        list(opened(source))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"picture": np.zeros((48, 64), np.uint8)}, r"a picture \(48, 64\) of uint8"),
        ({"picture": np.zeros((48, 64, 4), np.uint8)}, r"a picture \(48, 64, 4\) of uint8"),
        ({"picture": np.zeros((48, 64, 3))}, "of float64"),
        ({"picture": np.zeros((0, 64, 3), np.uint8)}, r"a picture \(0, 64, 3\)"),
        ({"time_s": None}, "time_s: None"),
        ({"time_s": float("nan")}, "time_s: nan"),
        ({"index": None}, "index: None"),
        ({"camera": None}, "camera: None"),
    ],
    ids=["grey", "RGBA", "floats", "empty", "no time", "NaN", "no index", "no camera"],
)
def test_a_frame_that_is_not_what_it_should_be_is_the_sources_mistake(changes: dict[str, object], said: str) -> None:
    with pytest.raises(PluginError, match=rf"'theirs' failed(.|\n)*{said}(.|\n)*\(H, W, 3\) uint8 RGB"):
        list(opened(lambda: Frames(**changes)))


def test_numpys_own_numbers_are_numbers() -> None:
    (frame,) = opened(lambda: Frames(time_s=np.float32(0.5), index=np.int64(3)))
    assert (frame.time_s, frame.index) == (0.5, 3)


def test_a_source_that_cannot_be_opened_closed_or_asked_is_named() -> None:
    with pytest.raises(PluginError, match=rf"'theirs' cannot be opened(.|\n)*LookupError: oh {LINE}"):
        opened(fail)
    with pytest.raises(PluginError, match=rf"whether an address is its own(.|\n)*LookupError: oh {LINE}"):
        opened(Good, matches=fail)  # pyright: ignore[reportArgumentType]
    with pytest.raises(PluginError, match=rf"OSError: busy {LINE}"):
        opened(CannotBeClosed).close()
    with pytest.raises(PluginError, match=rf"ValueError: nobody knows {LINE}"):
        _ = opened(CannotSay).problems  # pyright: ignore[reportAttributeAccessIssue] - a source may offer it


def test_a_status_that_cannot_be_said_ends_no_recording() -> None:
    assert opened(CannotSay).status == "no status: ValueError: nobody knows"  # pyright: ignore[reportAttributeAccessIssue]


def test_what_is_no_source_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(PluginError, match=r"'theirs' opens is not a source(.|\n)*no live, frame_count, __iter__, close"):
        opened(lambda: None)


def test_its_own_posewire_error_passes() -> None:
    def absent() -> Good:
        raise SourceError("The camera is in the drawer.")

    with pytest.raises(SourceError, match="drawer"):
        opened(absent)
