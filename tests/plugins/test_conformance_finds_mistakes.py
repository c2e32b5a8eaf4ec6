"""The conformance tests can fail: each of many methods with one mistake is found by the test that is there for it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import bad_methods
import pytest
from pip_site import Site

MISTAKES = sorted(kind.__name__ for kind in bad_methods.FOUND_BY)
TESTS = """
import bad_methods
from posewire.testing import EstimatorConformance, LifterConformance

for kind in (bad_methods.Good, bad_methods.GoodLifter, *bad_methods.FOUND_BY):
    base = LifterConformance if issubclass(kind, bad_methods.GoodLifter) else EstimatorConformance
    globals()["Test" + kind.__name__] = type("Test" + kind.__name__, (base,), {"method": kind.__name__.lower()})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The methods with a mistake as an installed plugin, and the conformance tests of each."""
    folder = tmp_path_factory.mktemp("bad")
    shutil.copy(bad_methods.__file__, folder)
    info = folder / "bad_methods-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-methods\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[posewire.plugins]\nbad-methods = bad_methods\n", encoding="utf-8")
    (folder / "test_bad.py").write_text(TESTS, encoding="utf-8")
    return Site(folder, folder)


@pytest.fixture(scope="module")
def failed(site: Site) -> dict[str, str]:
    """Class to the name of the test that failed: each one was run with the one test that has to find its mistake."""
    run = site.pytest(*(f"test_bad.py::Test{kind.__name__}::{test}" for kind, test in bad_methods.FOUND_BY.items()))
    return dict(re.findall(r"^FAILED test_bad\.py::Test(\w+)::(\w+)", run.stdout, flags=re.MULTILINE))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(failed: dict[str, str], name: str) -> None:
    assert failed.get(name) == bad_methods.FOUND_BY[getattr(bad_methods, name)]


@pytest.mark.parametrize("name", ["Good", "GoodLifter"])
def test_a_method_without_a_mistake_passes(site: Site, name: str) -> None:
    run = site.pytest(f"test_bad.py::Test{name}")
    assert run.returncode == 0, run.stdout


def test_the_pytest_plugin_imports_nothing_heavy_when_pytest_starts(tmp_path: Path) -> None:
    heavy = ("numpy", "cv2", "av", "scipy", "onnxruntime", "numba", "posewire.plugins", "posewire.methods")
    (tmp_path / "test_empty.py").write_text(
        f"import sys\ndef test_light():\n    assert [name for name in {heavy} if name in sys.modules] == []\n", encoding="utf-8"
    )
    run = Site(tmp_path, tmp_path).pytest("test_empty.py")
    assert run.returncode == 0, run.stdout
