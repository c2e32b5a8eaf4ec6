"""Third-party plugins, installed as their users install them: by pip, into a folder of their own on the search path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pip_site import Site

from posewire import new_plugin

THIRD_PARTY = Path(__file__).parent / "third_party"
collect_ignore_glob = ["third_party/*"]
"""They are distributions of their own: their tests run where they are installed."""


def _copied_sources(folder: Path, *names: str) -> Path:
    sources = folder / "sources"
    for name in names:
        shutil.copytree(THIRD_PARTY / name, sources / name)
    return sources


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """posewire-sample, posewire-broken and a plugin fresh from `posewire plugin new glow-worm`."""
    folder = tmp_path_factory.mktemp("installed")
    sources = _copied_sources(folder, "posewire_sample", "posewire_broken")
    new_plugin.create("glow-worm", sources)
    return Site(folder / "site", sources).install("posewire_sample", "posewire_broken", "posewire-glow-worm")


@pytest.fixture(scope="session")
def site_with_duplicate(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """posewire-sample, and another distribution that brings a method of the same name."""
    folder = tmp_path_factory.mktemp("duplicate")
    names = ("posewire_sample", "posewire_duplicate")
    return Site(folder / "site", _copied_sources(folder, *names)).install(*names)
