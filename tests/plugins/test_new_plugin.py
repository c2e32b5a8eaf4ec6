"""`posewire plugin new NAME` writes a plugin or says why not. That it works as it stands is in test_third_party.py."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from posewire import new_plugin
from posewire.errors import PluginError


@pytest.mark.parametrize(
    ("name", "package", "distribution"),
    [
        ("glow", "posewire_glow", "posewire-glow"),
        ("glow-worm", "posewire_glow_worm", "posewire-glow-worm"),
        ("glow_worm2", "posewire_glow_worm2", "posewire-glow-worm2"),
        ("class", "posewire_class", "posewire-class"),
    ],
)
def test_a_new_plugin_is_a_distribution_of_its_own(tmp_path: Path, name: str, package: str, distribution: str) -> None:
    root = new_plugin.create(name, tmp_path)
    assert root == tmp_path / distribution
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == distribution
    assert project["entry-points"]["posewire.plugins"] == {name: f"{package}.plugin"}
    assert {path.name for path in (root / package).iterdir()} == {"__init__.py", "plugin.py", "estimator.py", "lifter.py"}
    for path in root.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), path, "exec")


def test_a_new_plugin_leaves_no_placeholder(tmp_path: Path) -> None:
    root = new_plugin.create("glow", tmp_path)
    for path in root.rglob("*.*"):
        assert "$" not in path.read_text(encoding="utf-8"), path
        assert path.suffix != ".template"


def test_a_new_plugin_is_clean_code(tmp_path: Path) -> None:
    root = new_plugin.create("glow", tmp_path)
    settings = Path(__file__).parents[2] / "pyproject.toml"
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "--config", str(settings), str(root)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=root)
        assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("name", ["", "Glow", "7up", "-x", "x-", "a b", "a.b", "../evil", "a/b", "käse", "a--b", "x" * 41])
def test_a_bad_name_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(PluginError, match=r"cannot have this name(.|\n)*allowed:"):
        new_plugin.create(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_an_installed_method_is_refused_with_its_owner(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"a method 'blazepose' already(.|\n)*of posewire "):
        new_plugin.create("blazepose", tmp_path)


def test_the_name_of_an_installed_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="a package 'posewire_models' already"):
        new_plugin.create("models", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "posewire-glow").mkdir()
    (tmp_path / "posewire-glow" / "mine.txt").write_text("mine")
    with pytest.raises(PluginError, match="posewire-glow exists already"):
        new_plugin.create("glow", tmp_path)
    assert [path.name for path in (tmp_path / "posewire-glow").iterdir()] == ["mine.txt"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"cannot be made(.|\n)*existing folder"):
        new_plugin.create("glow", tmp_path / "nowhere")
