"""Single images: whatever a method's author got wrong is said with the method, the image and the line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from posewire import pipeline
from posewire.cli import main
from posewire.data import Detections
from posewire.detect import detect
from posewire.errors import EXIT_CODE, PluginError
from posewire.evaluate import stills
from posewire.image_file import write_image
from posewire.methods import MethodCard
from posewire.settings import Settings

JOINTS = ("left_hip", "right_hip")
LINE = r"(.|\n)*ZeroDivisionError(.|\n)*\(core/test_detect\.py, line \d+\)"


class Blind:
    """Sees nobody."""

    def estimate(self, frame: Any) -> Detections:
        return Detections.nobody(len(JOINTS))

    def reset(self) -> None: ...

    def close(self) -> None: ...


def fail(*_: Any) -> Any:
    return 1 / 0


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Blind]:
    """The method of every settings fails in the members that are named."""

    def install(*members: str) -> Blind:
        method = Blind()
        for member in members:
            setattr(method, member, fail)
        card = MethodCard("blind", "estimator", JOINTS, False, "none", "sees nobody", lambda _: method)
        monkeypatch.setattr(pipeline, "open_estimator", lambda *_, **__: (card, method))
        monkeypatch.setattr(pipeline.plugins, "load", lambda: SimpleNamespace(estimator=lambda _: card))
        return method

    return install


@pytest.fixture
def image(tmp_path: Path) -> Path:
    write_image(tmp_path / "\u6f14.png", np.zeros((48, 64, 3), np.uint8))
    return tmp_path / "\u6f14.png"


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("estimate", "'blind' failed on .*\u6f14.png" + LINE),
        ("reset", "'blind' failed when told to forget" + LINE),
        ("close", "'blind' cannot be closed" + LINE),
    ],
)
def test_whatever_fails_in_a_method_is_said_with_its_line(
    failing: Callable[..., Blind], image: Path, member: str, said: str
) -> None:
    failing(member)
    with pytest.raises(PluginError, match=said):
        list(detect([image], Settings()))


def test_the_first_failure_is_told_not_the_one_when_the_method_is_closed(failing: Callable[..., Blind], image: Path) -> None:
    failing("reset", "close")
    with pytest.raises(PluginError, match="told to forget"):
        list(detect([image], Settings()))


def test_a_method_that_wants_to_end_the_program_is_named_instead(failing: Callable[..., Blind], image: Path) -> None:
    failing().estimate = lambda frame: sys.exit(3)  # type: ignore[method-assign]
    with pytest.raises(PluginError, match=r"'blind' failed on(.|\n)*SystemExit: 3 \(core/test_detect"):
        list(detect([image], Settings()))


def test_what_a_method_prints_is_no_json(
    failing: Callable[..., Blind], image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing().reset = lambda: print("hello")  # type: ignore[method-assign]
    assert main(["detect", str(image), "--out", str(tmp_path / "a.npz"), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["people"] == {str(image): 0}
    assert "hello" in said.err


def test_what_was_seen_is_written_though_the_method_fails_to_close(
    failing: Callable[..., Blind], image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing("close")
    assert main(["detect", str(image), "--out", str(tmp_path / "a.npz")]) == EXIT_CODE
    said = capsys.readouterr().err
    assert "0 people in 1 image" in said
    assert "cannot be closed" in said
    with np.load(tmp_path / "a.npz") as written:
        assert written["image_names"].tolist() == [str(image)]


def test_nothing_is_written_when_an_image_is_not_seen(failing: Callable[..., Blind], image: Path, tmp_path: Path) -> None:
    failing("estimate")
    assert main(["detect", str(image), "--out", str(tmp_path / "a.npz")]) == EXIT_CODE
    assert not (tmp_path / "a.npz").exists()


@pytest.mark.parametrize("member", ["estimate", "reset", "estimate_in"])
def test_labelled_pictures_are_shown_with_the_same_care(failing: Callable[..., Blind], member: str) -> None:
    method = failing(member)
    card = MethodCard("blind", "estimator", JOINTS, False, "none", "sees nobody", lambda _: method)
    one = stills.Still("a.png", np.zeros((48, 64, 3), np.uint8), np.array([[10.0, 10.0], [20.0, 20.0]]))

    class Two:
        joint_names = JOINTS

        def __iter__(self) -> Any:
            return iter([one])

    with pytest.raises(PluginError, match="'blind' failed" + LINE):
        list(stills.answers(method, card, Two(), "true" if member == "estimate_in" else "found"))  # type: ignore[arg-type]
