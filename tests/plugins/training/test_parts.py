"""Checkpoints in parts: small enough to be carried, joined by whatever reads them, refused where one is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from test_training_loop import SETTINGS, Line  # noqa: E402

from posewire.errors import ModelError  # noqa: E402
from posewire_training import loop, parts, weights  # noqa: E402

SMALL = 4096


@pytest.fixture
def net() -> torch.nn.Module:
    """10,000 numbers, one of which float16 cannot hold."""
    made = torch.nn.Sequential(torch.nn.Linear(100, 99), torch.nn.BatchNorm1d(2))
    made[1].running_var[0] = 1e6
    return made


@pytest.fixture
def carried(net: torch.nn.Module, tmp_path: Path) -> list[Path]:
    weights.save(tmp_path / "weights.pt", "line", ("a",), {}, {"net": net})
    return parts.split(tmp_path / "weights.pt", tmp_path / "carried", SMALL)


def test_no_part_is_larger_than_asked_and_together_they_are_half_the_file(carried: list[Path], tmp_path: Path) -> None:
    assert [path.name for path in carried] == [
        f"weights.part{number}of{len(carried)}.pt" for number in range(1, len(carried) + 1)
    ]
    sizes = [path.stat().st_size for path in carried]
    assert len(sizes) > 3 and max(sizes) <= SMALL and sum(sizes) < 0.65 * (tmp_path / "weights.pt").stat().st_size
    assert parts.LARGEST == 15 * 2**20


@pytest.mark.parametrize("of", ["folder", "first part", "another part"])
def test_a_folder_or_any_part_is_read_as_the_whole(of: str, carried: list[Path], net: torch.nn.Module) -> None:
    path = {"folder": carried[0].parent, "first part": carried[0], "another part": carried[2]}[of]
    states = weights.load(path, "line", ("a",)).states["net"]
    for name, value in net.state_dict().items():
        torch.testing.assert_close(states[name], value, atol=1e-3, rtol=1e-3)
    assert states["1.running_var"][0] == 1e6


def test_a_missing_part_is_named(carried: list[Path]) -> None:
    carried[1].unlink()
    with pytest.raises(ModelError, match=r"does not hold all parts(.|\n)*weights.part2of"):
        weights.load(carried[0].parent, "line", ("a",))


def test_parts_of_an_earlier_checkpoint_go(carried: list[Path], tmp_path: Path) -> None:
    again = parts.split(tmp_path / "weights.pt", carried[0].parent, 2 * SMALL)
    assert sorted(carried[0].parent.iterdir()) == sorted(again) and len(again) < len(carried)


def test_a_folder_without_parts_and_a_file_that_is_no_checkpoint_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="parts of one checkpoint"):
        weights.load(tmp_path, "line", ("a",))
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(ModelError, match="cannot be read"):
        parts.split(tmp_path / "text.pt", tmp_path)


def test_a_run_goes_on_elsewhere_from_the_parts_of_its_checkpoint_bit_by_bit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = loop.train(Line(), SETTINGS, tmp_path / "whole", quiet=True)["net"].state_dict()
    with pytest.raises(KeyboardInterrupt):
        loop.train(Line(stop_after=27), SETTINGS, tmp_path / "here", quiet=True)
    assert parts.main([str(tmp_path / "here" / "last.pt"), "--out", str(tmp_path / "there")]) == 0
    assert capsys.readouterr().out.startswith("last.part1of1.pt  ")
    weights.save(tmp_path / "weights.pt", "line", ("a",), {}, {"net": Line().net})
    parts.split(tmp_path / "weights.pt", tmp_path / "there")  # beside each other, both are found
    assert weights.load(tmp_path / "there", "line", ("a",)).states
    continued = loop.train(Line(), SETTINGS, tmp_path / "there", quiet=True)["net"].state_dict()
    for name in whole:
        torch.testing.assert_close(continued[name], whole[name], rtol=0, atol=0)
