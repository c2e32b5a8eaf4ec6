"""docs/PLUGINS.md is true: its files are written, installed by pip, tested by its tests and used by its script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pip_site import Site

REPOSITORY = Path(__file__).parents[2]
_FILE = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The tutorial's files as its reader has them at the end, installed."""
    folder = tmp_path_factory.mktemp("tutorial")
    root = folder / "bright"
    for name, code in _FILE.findall((REPOSITORY / "docs" / "PLUGINS.md").read_text(encoding="utf-8")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    (root / "posewire_bright" / "__init__.py").touch()
    return Site(folder / "site", folder).install("bright")


def test_every_file_of_the_tutorial_is_there(site: Site) -> None:
    files = {path.relative_to(site.sources / "bright").as_posix() for path in (site.sources / "bright").rglob("*.*")}
    code = {f"posewire_bright/{name}" for name in ("bright.py", "flat.py", "square.py", "plugin.py", "puppet.json")}
    assert code | {"pyproject.toml", "tests/test_conformance.py", "use_it.py"} <= files


def test_the_tutorials_methods_pass_the_conformance_tests(site: Site) -> None:
    run = site.pytest("bright/tests")
    assert run.returncode == 0, run.stdout
    assert "bright" in run.stdout.split("posewire: speed")[1]


def test_the_tutorials_script_sees_the_square_and_reads_the_rig(site: Site) -> None:
    run = site.run("bright/use_it.py")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) == 31
    assert lines[0].startswith("0.0 [")
    assert lines[-1] == "puppet ['body', 'head']"


def test_the_tutorials_run_records_what_no_skeleton_has(site: Site) -> None:
    take = site.sources / "square.pwt"
    run = site.run("-m", "posewire", "run", "square:", "--method", "bright", "--out", str(take))
    assert run.returncode == 0, run.stderr
    assert "nobody is fitted" in run.stderr
    info = site.run("-m", "posewire", "info", str(take))
    assert "person 1  30 frames, 0.00 to 0.97 s, not fitted" in info.stdout


def test_the_tutorials_cards_are_listed_by_the_commands(site: Site) -> None:
    for command, name in (("methods", "bright"), ("sources", "square"), ("rigs", "puppet")):
        run = site.run("-m", "posewire", command)
        assert run.returncode == 0, run.stderr
        assert name in run.stdout
