"""docs/TAKE.md says what is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from make_golden_takes import GOLDEN
from take_samples import dance, write

from posewire.take import EXPORTS, read_take
from posewire.take.chunks import MAX_RECORD_BYTES

DOCS = (Path(__file__).parents[2] / "docs" / "TAKE.md").read_text(encoding="utf-8")
EXAMPLE, READER = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "walk.pwt", dance(12))
    exec(EXAMPLE, {})
    assert capsys.readouterr().out.startswith("healthy blazepose [1, 2]")
    assert (tmp_path / "walk_person1.bvh").exists()


@pytest.mark.parametrize("name", ["intact", "from_the_future"])
def test_the_reader_in_plain_python_reads_the_golden_takes(name):
    names: dict = {}
    exec(READER, names)
    motion = list(names["root_motion"]((GOLDEN / f"{name}.pwt").read_bytes(), 1))
    poses = [(frame.time_s, pose) for frame in read_take(GOLDEN / f"{name}.pwt") for pose in frame.poses if pose.person_id == 1]
    assert sorted(motion) == motion
    assert [time_s for time_s, _ in motion] == [time_s for time_s, _ in poses]
    np.testing.assert_array_equal([root for _, root in motion], [pose.root_m for _, pose in poses])


def test_every_export_and_limit_is_documented():
    assert all(f"| `{suffix}` |" in DOCS for suffix in EXPORTS)
    assert f"{MAX_RECORD_BYTES:,} bytes uncompressed" in DOCS
