"""`posewire view`: the page is there, on this machine only, and shows who is in the stream."""

from __future__ import annotations

import urllib.request

import numpy as np
import pytest
from gateway_samples import ANYWHERE, instant, pose, until

pytest.importorskip("viser", reason='pip install "posewire[viewer]"')

from posewire.client import connect
from posewire.publish import Publisher
from posewire_gateway.view import Viewer


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # viser's, of asyncio
def test_a_stream_is_shown() -> None:
    people = pose(0), pose(1)
    with Publisher(ANYWHERE) as publisher, Viewer(connect(publisher.address), 0) as viewer:
        until(lambda: viewer.pump(0.01), meanwhile=lambda: publisher.send(instant(*people)))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(viewer.url, timeout=10) as answer:
            assert answer.status == 200 and b"<html" in answer.read().lower()
        scene = viewer._scene  # pyright: ignore[reportPrivateUsage]
        shown = np.asarray(scene._joints.points).reshape(2, -1, 3)  # pyright: ignore[reportPrivateUsage]
        apart = np.stack([person.positions_m for person in people])
        np.testing.assert_allclose(shown - shown[0, 0], apart - apart[0, 0], atol=1e-4)
        assert viewer.url.startswith("http://127.0.0.1:") and viewer.frames == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_page_waits_for_a_stream_that_is_not_there_yet() -> None:
    with Publisher(ANYWHERE) as publisher:
        address = publisher.address
    with Viewer(connect(address), 0) as viewer:
        assert not viewer.pump(0.01)
        assert viewer.frames == 0
