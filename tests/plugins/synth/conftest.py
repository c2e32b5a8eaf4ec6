"""The tiny pack and a studio that tests share. Without torch the whole folder is skipped, and says so."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="rendering needs torch: pip install 'posewire[train]'")

import torch
from synth_samples import TINY

from posewire_synth import pack as packs
from posewire_synth.pack import Pack
from posewire_synth.studio import Studio


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pack() -> Pack:
    return packs.load(TINY)


@pytest.fixture(scope="session")
def studio(pack: Pack) -> Studio:
    """Training split, everything on."""
    return Studio(pack, procedural=3)


@pytest.fixture(scope="session")
def clean_studio(pack: Pack) -> Studio:
    """Nothing is done to the pictures after compositing, and nothing stands before people."""
    return Studio(pack, clean=True, procedural=3)
