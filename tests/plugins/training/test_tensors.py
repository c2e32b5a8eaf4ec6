"""Files of tensors and what is said of their folders: whole, of one kind, and refused by name where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from posewire.errors import ModelError, SettingsError, SourceError  # noqa: E402
from posewire_training import origin, tensors  # noqa: E402


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """What the tests keep."""

    first: Tensor
    second: Tensor


def pair(rows: int) -> Pair:
    return Pair(torch.arange(rows), torch.rand(rows, 2))


def test_rows_are_chosen_and_joined_in_every_tensor(tmp_path: Path) -> None:
    one = pair(5)
    apart = [tensors.chosen(one, slice(0, 2)), tensors.chosen(one, torch.tensor([2, 3, 4]))]
    tensors.save(tensors.joined(apart), tmp_path / "new" / "pair.npz")
    again = tensors.load(Pair, tmp_path / "new" / "pair.npz")
    assert torch.equal(again.first, one.first) and torch.equal(again.second, one.second)
    assert tensors.moved(one, "meta").second.device.type == "meta"


def test_a_file_that_is_killed_while_it_is_written_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(file: BinaryIO, *_: object, **__: object) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", killed)
    with pytest.raises(KeyboardInterrupt):
        tensors.save(pair(1), tmp_path / "pair.npz")
    assert not list(tmp_path.glob("*.npz"))


def test_files_of_other_tensors_are_named(tmp_path: Path) -> None:
    @dataclass(frozen=True, slots=True, eq=False)
    class Other:
        third: Tensor

    tensors.save(pair(1), tmp_path / "pair.npz")
    for path in (tmp_path / "pair.npz", tmp_path / "nowhere.npz"):
        with pytest.raises(ModelError, match=f"{path.name} cannot be read"):
            tensors.load(Other, path)


def test_what_is_added_to_a_folder_must_agree_with_what_is_there(tmp_path: Path) -> None:
    origin.agreed(tmp_path, split="test")
    origin.agreed(tmp_path, split="train", seed=3)  # nothing was ever made of the first
    (tmp_path / "made.npz").touch()
    origin.agreed(tmp_path, split="train")
    origin.agreed(tmp_path, trunk="0123abcd", seed=3)
    for told in ({"split": "test"}, {"seed": 4}, {"trunk": "another"}):
        with pytest.raises(SettingsError, match="another --out folder"):
            origin.agreed(tmp_path, **told)
    (tmp_path / origin.NAME).write_text("{")
    with pytest.raises(SourceError, match="cannot be read"):
        origin.agreed(tmp_path, split="train")
