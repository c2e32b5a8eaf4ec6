"""Tables on a terminal of 80 columns: no name is cut that somebody has to type, and no number."""

import io
import json

import pytest
from rich.console import Console
from rich.table import Table

from posewire.cli import options, tables
from posewire.evaluate import EvalReport, EvalRow


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(options.output, "width", 80)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("command", ["methods", "rigs", "sources", "doctor", "settings"])
def test_a_listing_cuts_nothing_off(posewire, command):
    table = posewire(command).out.split("\n\n")[0]  # commands below it are left to the terminal to wrap
    assert "…" not in table
    assert max(map(len, table.splitlines())) <= 80


@pytest.mark.usefixtures("narrow")
def test_methods_names_each_method_in_one_piece(posewire):
    words = posewire("methods").out.split()
    assert {"blazepose-heavy", "vnect-2scale", "estimator", "Apache-2.0"} <= set(words)


@pytest.mark.usefixtures("narrow")
def test_a_comparison_stands_side_by_side(capsys):
    rows = tuple(EvalRow(name, 100, 100.0, *[123.4 + i] * 6) for i, name in enumerate(("raw", "fitted", "constant pose")))
    tables.show(EvalReport("balancing_reference", "cam01", rows).to_table())
    lines = capsys.readouterr().out.splitlines()
    assert any("raw" in line and "fitted" in line and "constant pose" in line for line in lines)
    assert any("PA-MPJPE mm" in line and "123.4" in line and "124.4" in line and "125.4" in line for line in lines)


def test_a_table_that_fits_is_left_as_it_is(monkeypatch):
    told = Console(file=io.StringIO(), width=80)
    monkeypatch.setattr(tables, "output", told)
    table = Table("name", "value", box=None)
    table.add_row("one", "1")
    tables.show(table)
    plain = Console(file=io.StringIO(), width=80)
    plain.print(table)
    assert told.file.getvalue() == plain.file.getvalue()


def test_a_path_that_is_longer_than_the_terminal_is_told_whole(monkeypatch):
    told = Console(file=io.StringIO(), width=40)
    monkeypatch.setattr(tables, "output", told)
    table = Table("name", "path", "number", box=None)
    table.add_row("camera", "/a" * 40, "1")
    tables.show(table)
    assert "/a" * 40 in told.file.getvalue().replace("\n", "").replace(" ", "")


@pytest.mark.usefixtures("narrow")
def test_a_command_below_the_table_can_be_copied(posewire):
    card = json.loads(posewire("methods", "vae", "--json").out)[0]
    assert f"    {card['accuracy'][0]['command']}\n" in posewire("methods").out
    assert f"    {card['accuracy'][0]['command']}\n" in posewire("methods", "vae").out
