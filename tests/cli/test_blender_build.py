"""posewire blender build: zips from a checkout, a clear word from a wheel."""

import tomllib
import zipfile
from pathlib import Path

import pytest

import posewire as posewire_package
from posewire.cli import blender

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch):
    monkeypatch.chdir(REPOSITORY / "docs")  # somewhere in it


def test_a_zip_holds_the_extension_its_manifest_and_the_rigs(posewire, tmp_path):
    ran = posewire("blender", "build", "--out", tmp_path, "--platform", "linux-x64", "--python", "py311", "--no-wheels")
    assert ran.code == 0, ran.err
    (path,) = tmp_path.glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert {"__init__.py", "panel.py", "LICENSE", "rigs/makehuman.json", "languages/de.json"} <= names
    assert manifest["id"] == "posewire_live"
    assert manifest["platforms"] == ["linux-x64"]
    assert (manifest["blender_version_min"], manifest["blender_version_max"]) == ("4.2.0", "5.1.0")


def test_equal_sources_give_equal_zips(posewire, tmp_path):
    for folder in ("a", "b"):
        flags = ("--platform", "linux-x64", "--python", "py313", "--no-wheels")
        assert posewire("blender", "build", "--out", tmp_path / folder, *flags).code == 0
    (first,), (second,) = ((tmp_path / folder).glob("*.zip") for folder in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_without_the_sources_it_says_where_to_get_them(posewire, tmp_path, monkeypatch):
    monkeypatch.setattr(blender, "BUILDER", Path("no_addon") / "build.py")
    ran = posewire("blender", "build")
    assert ran.code == 2
    assert "an installed wheel holds only the engine" in ran.err
    assert "git clone" in ran.err


@pytest.mark.parametrize(
    ("pyproject", "accepted"),
    [
        ('[project]\nname = "posewire"\n', True),
        ('[project]\nname = "other"\n', False),
        ("[tool.ruff]\n", False),
        ('project = "posewire"\n', False),
        ("no toml", False),
        (b"\xff", False),
        (None, False),
    ],
)
def test_a_builder_is_run_only_from_a_checkout_of_posewire(tmp_path, monkeypatch, pyproject, accepted):
    builder = tmp_path / blender.BUILDER
    builder.parent.mkdir()
    builder.write_text("")
    if pyproject is not None:
        (tmp_path / "pyproject.toml").write_bytes(pyproject if isinstance(pyproject, bytes) else pyproject.encode())
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setattr(posewire_package, "__file__", str(REPOSITORY / "core/posewire/__init__.py"))  # as if installed with -e
    assert blender.find_builder() == (builder if accepted else REPOSITORY / blender.BUILDER)


def test_a_folder_that_cannot_be_made_is_a_readable_error(posewire, tmp_path):
    (tmp_path / "file").write_text("")
    ran = posewire("blender", "build", "--out", tmp_path / "file" / "in", "--platform", "linux-x64", "--no-wheels")
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_the_platforms_are_those_of_the_builder():
    source = blender.find_builder().read_text(encoding="utf-8")
    assert all(f'"{platform}": (' in source for platform in blender.PLATFORMS)
