"""Puts real distributions into a folder, as pip would: a module, and a dist-info folder with METADATA and entry_points.txt."""

from __future__ import annotations

import textwrap
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

HEADER = """
from pathlib import Path
from posewire.hookspecs import hookimpl
from posewire.methods import MethodCard, RigCard, SourceCard

def method(name, joints=("nose",), kind="estimator", create=lambda options: None):
    return MethodCard(name, kind, joints, False, "none", "A method.", create)

def source(name):
    return SourceCard(name, "A source.", "x:0", lambda address: False, lambda address, options: None)

def rig(name, path=Path(__file__)):
    return RigCard(name, "A rig.", path)
"""
"""What every module starts with, so that a test shows only what matters to it."""


def put(folder: Path, distribution: str, plugins: dict[str, str]) -> None:
    """Installs a distribution of version 1.2 with one plugin per item: plugin name to the code of its module."""
    info = folder / f"{distribution}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n", encoding="utf-8")
    lines = ["[posewire.plugins]"]
    for name, code in plugins.items():
        module = f"{distribution}_{name}_plugin"
        (folder / f"{module}.py").write_text(HEADER + textwrap.dedent(code), encoding="utf-8")
        lines.append(f"{name} = {module}")
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def entry_points(folder: Path) -> list[EntryPoint]:
    """The plugins installed in `folder`."""
    return [entry for found in distributions(path=[str(folder)]) for entry in found.entry_points]
