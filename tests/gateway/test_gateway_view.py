"""`posewire view`: the page is there, on this machine and for its pages only, and shows who is in the stream."""

from __future__ import annotations

import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from gateway_samples import ANYWHERE, ASSUMED, instant, moment, pose, until

pytest.importorskip("viser", reason='NOT RUN: pip install "posewire[viewer]"')

import viser
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as websocket

from posewire import camera as cameras
from posewire.client import connect
from posewire.data import SkeletonPose, Track
from posewire.errors import PosewireError, SettingsError
from posewire.preview.palette import person_colour
from posewire.publish import Publisher
from posewire.wire import View, decode_view, encode_view
from posewire_gateway.view import DEFAULT_PORT, HOST, Viewer
from posewire_gateway.view.guard import check_guard
from posewire_gateway.view.overlay import Overlay
from posewire_gateway.view.panel import _table

# pyright: reportPrivateUsage=false
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # viser's, of asyncio


def seen(person: SkeletonPose, **more: object) -> View:
    """What a method saw of somebody: two points in the picture, one unseen."""
    keypoints_px = np.array([[100.0, 80.0], [160.0, 120.0], [np.nan, np.nan]])
    track = Track(person.person_id, keypoints_px, np.array([1.0, 0.9, 0.0]), np.full(4, np.nan))
    return View(ASSUMED, ("nose", "left_wrist", "right_wrist"), [track], {"method": 20.0, "fit": 0.5}, **more)


def knock(address: str, origin: str | None, **more: Any) -> None:
    """Connects as a page of this origin would, and goes again."""
    with websocket(address, origin=origin, proxy=None, **more):  # pyright: ignore[reportArgumentType]
        pass


@contextmanager
def shown(*people: SkeletonPose) -> Generator[Viewer]:
    """A viewer of a stream of these people."""
    with Publisher(ANYWHERE) as publisher, Viewer(connect(publisher.address, view=True), 0) as viewer:

        def send() -> None:
            publisher.send(instant(*people, view=seen(people[0])))

        until(lambda: viewer.pump(0.01) and viewer._client.view is not None, meanwhile=send)
        until(lambda: viewer.pump(0.01), meanwhile=send)
        yield viewer


def test_a_stream_is_shown() -> None:
    people = pose(0), pose(1)
    with shown(*people) as viewer:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(viewer.url, timeout=10) as answer:
            assert answer.status == 200 and b"<html" in answer.read().lower()
        joints = np.asarray(viewer._scene._joints.points).reshape(2, -1, 3)
        apart = np.stack([person.positions_m for person in people])
        np.testing.assert_allclose(joints - joints[0, 0], apart - apart[0, 0], atol=1e-4)
        assert viewer.url.startswith("http://127.0.0.1:") and viewer.frames >= 1


def test_somebody_has_the_hue_of_the_preview_in_3d_too() -> None:
    with shown(pose(1), pose(9)) as viewer:
        names = pose(1).rotations_wxyz.shape[0]
        first, ninth = np.asarray(viewer._scene._joints.colors).reshape(2, names, 3).max(axis=1)
        assert (tuple(first), tuple(ninth)) == (person_colour(1), person_colour(9))


def test_a_viewer_says_nothing_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    with Viewer(connect(ANYWHERE.replace("*", "1")), 0):
        pass
    assert capfd.readouterr().out == ""


def test_the_frustum_is_as_wide_as_the_camera_and_the_stage_timings_are_the_publishers() -> None:
    with shown(pose(0)) as viewer:
        assert viewer._scene._camera.fov == pytest.approx(2 * np.arctan(0.5 * ASSUMED.height_px / ASSUMED.K[1, 1]), abs=1e-3)
        assert viewer._scene._camera.aspect == pytest.approx(ASSUMED.width_px / ASSUMED.height_px)
        assert viewer._panel._stages_ms == {"method": 20.0, "fit": 0.5}
        assert viewer._panel._overlay.visible


def test_a_port_that_was_asked_for_is_taken_or_refused_and_no_other_one_is() -> None:
    taken = "cannot be served at this port"
    with Viewer(connect(ANYWHERE.replace("*", "1")), 0) as first, pytest.raises(SettingsError, match=taken) as refusal:
        Viewer(connect(ANYWHERE.replace("*", "1")), first.port)
    assert refusal.value.got == f"{HOST}:{first.port}"
    with Viewer(connect(ANYWHERE.replace("*", "1")), first.port) as second:
        assert second.port == first.port


def test_where_no_port_was_asked_for_the_next_free_one_serves() -> None:
    with Viewer(connect(ANYWHERE.replace("*", "1"))) as first, Viewer(connect(ANYWHERE.replace("*", "1"))) as second:
        assert DEFAULT_PORT <= first.port < second.port


def test_pages_of_elsewhere_are_refused_and_those_of_this_machine_are_not() -> None:
    with Publisher(ANYWHERE) as publisher, Viewer(connect(publisher.address), 0) as viewer:
        address = f"ws://{HOST}:{viewer.port}"
        for origin in ("https://example.org", "http://localhost.example.org", "null", "http://127.0.0.1@example.org"):
            with pytest.raises(InvalidStatus) as refusal:
                knock(address, origin)
            assert refusal.value.response.status_code == 403
        version = [f"viser-v{viser.__version__}"]
        for origin in (viewer.url, f"http://localhost:{viewer.port}", None):
            knock(address, origin, subprotocols=version)


def test_a_viser_whose_pages_nobody_checks_is_found_out() -> None:
    server = viser.ViserServer(host=HOST, port=0, verbose=False)
    try:
        with pytest.raises(PosewireError, match="other pages"):
            check_guard(HOST, server.get_port())
    finally:
        server.stop()


def test_the_overlay_shows_keypoints_and_the_skeleton_of_the_same_picture() -> None:
    person = pose(0, root_m=(0.0, 0.0, -3.0))
    overlay, now = Overlay(), moment(person)
    overlay.note(now)
    message = decode_view(encode_view(seen(person), now.message.session, now.message.sequence))
    image = overlay.draw(message)
    assert image is not None and image.shape[:2] == (320, 480)
    scale = 320 / ASSUMED.height_px
    margin_px = (480 - scale * ASSUMED.width_px) / 2
    pixels = cameras.project(cameras.to_camera(person.positions_m[:1], ASSUMED), ASSUMED)
    for x, y in np.concatenate([[[100.0, 80.0], [160.0, 120.0]], pixels]):
        column, row = round(scale * x + margin_px), round(scale * y)
        assert image[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5].max() > 100, (x, y)
    assert overlay.draw(message) is None  # not twice
    alone = overlay.draw(decode_view(encode_view(seen(person), "another session", 0)))
    assert alone is not None and alone.sum() < image.sum()  # keypoints without a skeleton


def test_the_overlay_lies_over_the_publishers_picture_when_it_sends_one() -> None:
    picture = np.zeros((480, 640, 3), dtype=np.uint8)
    picture[..., 2] = 255  # blue
    message = decode_view(encode_view(seen(pose(0), image=picture), "a", 0))
    image = Overlay().draw(message)
    assert image is not None
    np.testing.assert_allclose(image[300, 240], [0, 0, 255], atol=6)


def test_names_from_the_network_are_no_markup() -> None:
    assert "\\[x\\]\\(http" in _table({"method": "[x](http://a)"}) and "\\|" in _table({"method": "a|b"})


def test_the_page_waits_for_a_stream_that_is_not_there_yet() -> None:
    with Publisher(ANYWHERE) as publisher:
        address = publisher.address
    with Viewer(connect(address), 0) as viewer:
        assert not viewer.pump(0.01)
        assert viewer.frames == 0
