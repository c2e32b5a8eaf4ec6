"""What `python -m posewire_xnect.measure` says of networks that say what a test tells them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from xnect_scenes import SHAPE, STANDING_M, inside, row
from xnect_told import Told, reading, stage_one, stage_two

torch = pytest.importorskip("torch", reason="the truth is written with torch: pip install 'posewire[train]'")

from posewire_synth.layers import OUTSIDE, VISIBLE  # noqa: E402
from posewire_xnect import measure, targets  # noqa: E402
from posewire_xnect.skeleton import Scheme  # noqa: E402
from posewire_xnect.truth import Scene  # noqa: E402

SEED, PEOPLE = 2, 3


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Told]:
    """Networks by the names under which they are opened; the pack holds one picture, seen as crowd, too."""
    networks: dict[str, Told] = {}
    points, joints_m = row(SEED, PEOPLE)
    visibility = np.where(inside(points), VISIBLE, OUTSIDE)[None]
    image = torch.zeros(1, 3, 8 * SHAPE[0], 8 * SHAPE[1])
    told = (torch.from_numpy(part)[None].float() for part in (targets.to_pixels(points), joints_m))
    only = Scene(image, *told, torch.from_numpy(visibility))

    def scenes(pack: Path, pictures: int) -> Iterator[Scene]:
        yield only

    monkeypatch.setattr(measure, "scenes", scenes)
    monkeypatch.setattr(measure.truth, "crowd", lambda scene: scene)
    monkeypatch.setattr(measure, "open_session", lambda name, threads: networks[str(name)])
    return networks


def perfect(scheme: Scheme) -> Told:
    return stage_one(reading(*row(SEED, PEOPLE), scheme=scheme), scheme=scheme)


def table(said: str) -> dict[str, list[float]]:
    """Name of each row to its numbers."""
    return {line[:34].strip(): [float(value) for value in line[34:].split()] for line in said.splitlines()[2:]}


def test_a_perfect_orpm_network_is_read_without_a_stage_two(asked: dict[str, Told], capsys: pytest.CaptureFixture[str]) -> None:
    asked["orpm.onnx"] = perfect("orpm")
    assert measure.main(["--pack", "pack.npz", "--one", "orpm.onnx"]) == 0
    rows = table(capsys.readouterr().out)
    assert list(rows) == ["groups", "crowds", "groups, the unsure too", "crowds, the unsure too"]
    for found, ghosts, everybody, *_ in rows.values():
        assert (found, ghosts) == (100.0, 0.0) and everybody > 97.0


def test_a_sparse_network_is_read_by_the_stage_two_that_ships_unless_another_is_named(
    asked: dict[str, Told], capsys: pytest.CaptureFixture[str]
) -> None:
    asked |= {"one.onnx": perfect("sparse"), "xnect_stage2": stage_two(STANDING_M), "two.onnx": stage_two(STANDING_M)}
    measure.main(["--pack", "pack.npz", "--one", "one.onnx"])
    assert len(asked["xnect_stage2"].asked) == 4 and not asked["two.onnx"].asked
    assert table(capsys.readouterr().out)["groups"][0] == 100.0
    measure.main(["--pack", "pack.npz", "--one", "one.onnx", "--two", "two.onnx"])
    assert len(asked["two.onnx"].asked) == 4


def test_a_stage_two_of_another_scheme_is_refused(asked: dict[str, Told], capsys: pytest.CaptureFixture[str]) -> None:
    asked |= {"orpm.onnx": perfect("orpm"), "two.onnx": stage_two(STANDING_M), "own.onnx": stage_two(STANDING_M, "orpm")}
    assert measure.main(["--pack", "pack.npz", "--one", "orpm.onnx", "--two", "two.onnx"]) == 2
    assert "Stage I orpm, Stage II sparse" in capsys.readouterr().err
    assert measure.main(["--pack", "pack.npz", "--one", "orpm.onnx", "--two", "own.onnx"]) == 0
    assert len(asked["own.onnx"].asked) == 4
