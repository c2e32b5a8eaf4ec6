"""A lifter that says no number of frames, and a name that Posewire itself has: refused before anything is recorded."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import installed
import pytest

from posewire import plugins
from posewire.errors import PluginError
from posewire.methods import MethodOptions

LIFTER = """
from types import SimpleNamespace

def create(options):
    return SimpleNamespace(receptive_field={0}, lift=None, close=None)

@hookimpl
def posewire_methods():
    return [method("up", kind="lifter", create=create)]
"""
TWIN = """
@hookimpl
def posewire_methods():
    return [method("vnect")]
"""


@pytest.fixture(autouse=True)
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("rows", ["None", "2.5", "0", "'9'"])
def test_a_receptive_field_that_is_no_number_of_frames_is_said_at_the_start(tmp_path: Path, rows: str) -> None:
    installed.put(tmp_path, f"{tmp_path.name}_lifter", {"mine": LIFTER.format(rows)})
    card = plugins.load_from(installed.entry_points(tmp_path)).method("up")
    with pytest.raises(PluginError, match=rf"'up' creates is not a lifter(.|\n)*receptive_field: {rows}(.|\n)*at least 1"):
        plugins.open_method(card, MethodOptions())


def test_a_name_of_posewires_own_is_given_up_by_the_other_distribution(tmp_path: Path) -> None:
    installed.put(tmp_path, f"{tmp_path.name}_twin", {"mine": TWIN})
    own = [entry for entry in importlib.metadata.entry_points(group=plugins.GROUP) if entry.name == "vnect"]
    with pytest.raises(PluginError, match=rf"next: +pip uninstall {tmp_path.name}_twin; or its author gives it another name"):
        plugins.load_from([*own, *installed.entry_points(tmp_path)])
