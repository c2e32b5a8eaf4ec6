"""`posewire bench methods`: every estimator that can be opened, the default one first, as ratios to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from posewire.bench import methods
from posewire.bench.row import Peers
from posewire.errors import PosewireError


def test_the_peer_comes_first_and_what_cannot_be_opened_is_left_out() -> None:
    names = methods.installed()
    assert names[0] == "blazepose"
    assert "blazepose-lite" in names
    assert not {"blazepose-heavy", "vae"} & set(names)


def test_the_best_of_the_turns_counts_and_the_note_says_frames_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([(20.0, 1.0), (30.0, 0.9), (10.0, 1.0), (50.0, 0.9), (40.0, 1.0), (25.0, 0.9)])
    monkeypatch.setattr(methods, "installed", lambda: ["blazepose", "mine"])
    monkeypatch.setattr(methods, "_ms_per_frame", lambda name, clip: next(told))
    peer, mine = methods.run(Peers())
    assert (peer.ours, peer.ratio) == (10.0, 1.0)
    assert (mine.ours, mine.ratio) == (25.0, pytest.approx(0.4))
    assert "40.0 frames/s" in mine.note and "90 %" in mine.note


def test_a_method_that_fails_is_named_with_its_reason() -> None:
    with pytest.raises(PosewireError, match="nobodys did not run"):
        methods._ms_per_frame("nobodys", Path("nowhere.mp4"))
