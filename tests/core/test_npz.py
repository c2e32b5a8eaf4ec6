"""Files of arrays: what is written comes back under the very name, and whatever is damaged is a ValueError."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from posewire.npz import read_npz, write_npz

ARRAYS = {"poses": np.arange(600.0).reshape(50, 4, 3), "names": np.array(["hip", "knee"]), "version": np.array(1)}


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("name", ["motion.npz", "motion", "motion.backup"])
def test_arrays_come_back_from_a_file_of_the_name_that_was_given(tmp_path: Path, name: str, compressed: bool) -> None:
    write_npz(tmp_path / name, ARRAYS, compressed=compressed)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    found = read_npz(tmp_path / name)
    assert found.keys() == ARRAYS.keys()
    for key, array in ARRAYS.items():
        np.testing.assert_array_equal(found[key], array)


@pytest.mark.parametrize("compressed", [True, False])
def test_any_damaged_bytes_are_a_value_error(tmp_path: Path, compressed: bool) -> None:
    write_npz(tmp_path / "good.npz", ARRAYS, compressed=compressed)
    good, rng = (tmp_path / "good.npz").read_bytes(), np.random.default_rng(0)
    wrong = 0
    for turn in range(600):
        damaged = bytearray(good[: rng.integers(len(good))] if turn % 3 == 0 else good)
        for place in rng.integers(max(len(damaged), 1), size=min(turn % 3, len(damaged))):
            damaged[place] = rng.integers(256)
        try:
            read_npz(io.BytesIO(bytes(damaged)))
        except ValueError:
            wrong += 1
    assert wrong > 300


def test_a_single_array_and_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match="one array"):
        read_npz(tmp_path / "one.npy")
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        read_npz(tmp_path / "objects.npz")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "absent.npz")


def test_what_cannot_be_written_whole_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    write_npz(path, {"one": np.arange(3)})

    class Broken:
        def __array__(self, *_: object, **__: object) -> np.ndarray:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_npz(path, {"first": np.zeros(1000), "second": Broken()})
    assert read_npz(path)["one"].tolist() == [0, 1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["kept.npz"]


def test_objects_are_not_pickled_into_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        write_npz(tmp_path / "objects.npz", {"a": np.array([{}], dtype=object)})
    assert not list(tmp_path.iterdir())
