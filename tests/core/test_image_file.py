"""Image files under every name and of every kind, and nobody who reads or writes them another way."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire.errors import PosewireError, SourceError
from posewire.image_file import read_image, write_image

REPOSITORY = Path(__file__).parents[2]
SHIPPED = [path for folder in ("core", "plugins", "unreal_bridge", "models") for path in (REPOSITORY / folder).rglob("*.py")]
PICTURE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["a.png", "\u6f14\u54e1 \u00e9t\u00e9.png", "A.PNG", "without"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, PICTURE)
    np.testing.assert_array_equal(read_image(tmp_path / name), PICTURE)


def test_no_file_is_left_to_opencv_which_on_windows_takes_only_some_names() -> None:
    """As it cannot be tried here, the source is asked."""
    assert SHIPPED
    own_way = re.compile(r"cv2\.(imread|imwrite|FileStorage)\(")
    assert [str(path) for path in SHIPPED if own_way.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("content", [b"", b"no picture at all"])
def test_what_is_no_picture_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.png cannot be read(.|\n)*export the image again"):
        read_image(tmp_path / "a.png")


def test_a_missing_picture_is_said_with_the_callers_hint(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"No such file(.|\n)*unpack it"):
        read_image(tmp_path / "a.png", hint="unpack it")


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(PosewireError, match=r"\.png, "):
        write_image(tmp_path / "a.gif", PICTURE)
    with pytest.raises(PosewireError, match="cannot be written"):
        write_image(tmp_path / "absent" / "a.png", PICTURE)
    assert cv2.imencode(".png", PICTURE)[0]
