"""posewire bench preprocess: who is said to do the same work does it, and every peer has its row."""

from __future__ import annotations

import numpy as np
import pytest

from posewire.bench import preprocess
from posewire.bench.row import Peers
from posewire.pictures import to_network
from posewire_blazepose.regions import Region


def test_the_peers_for_the_same_crop_see_the_same() -> None:
    y, x = np.mgrid[:600, :500]
    image = np.stack([128 + 100 * np.sin(x / 40 + y / 55 + phase) for phase in range(3)], axis=-1).astype(np.uint8)
    region = Region(240.0, 310.0, 400.0, 0.3)
    ours = to_network([region.crop(image, 256)])
    for peer in (preprocess._warped, preprocess._naive):  # pyright: ignore[reportPrivateUsage]
        assert np.abs(peer(image, region) - ours).max() < 2 / 255


def test_every_peer_has_a_row_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocess, "_REPEATS", 1)
    monkeypatch.setattr(preprocess, "_CACHES_BYTES", 1)
    rows = preprocess.run(Peers())
    assert len({(row.workload, row.peer) for row in rows}) == 4
    assert all(row.ratio is not None and row.ratio > 0 for row in rows)
