"""`posewire view`: a page on this machine with the people of a stream in 3D and 2D, the camera, and how the stream does.

Threading contract: a Viewer belongs to one thread, which calls `pump` or `run`; viser's own threads serve the page.
"""

from __future__ import annotations

import io
import time
from contextlib import AbstractContextManager, redirect_stdout
from types import TracebackType
from typing import Self

import viser  # pyright: ignore[reportMissingImports] - an extra

from posewire.client import Client
from posewire.errors import SettingsError, WireError
from posewire_gateway.moment import Moment
from posewire_gateway.placing import Placing
from posewire_gateway.rate import RateLimit
from posewire_gateway.view.guard import check_guard, pages_of_this_machine_only
from posewire_gateway.view.overlay import Overlay
from posewire_gateway.view.panel import Panel
from posewire_gateway.view.scene import Scene

DEFAULT_PORT = 8080
HOST = "127.0.0.1"
_MOST_FPS = 60.0
_TICK_S = 0.25


class Viewer:
    """Serves the page until it is closed. A context manager.

    Args:
        client: The stream, on the native skeleton, `connect(view=True)` for the 2D side; closed with the viewer.
        port: Where to serve on 127.0.0.1, 0 = any; None = 8080, or the next that is free (see `url`).

    Raises:
        SettingsError: the port is taken.
        PosewireError: viser would let pages of elsewhere in.
    """

    def __init__(self, client: Client, port: int | None = None) -> None:
        self._client = client
        with pages_of_this_machine_only(), _silence():
            self._server = viser.ViserServer(
                host=HOST, port=DEFAULT_PORT if port is None else port, label="Posewire", verbose=False
            )
        self.port = self._server.get_port()
        try:
            if port not in (None, 0, self.port):  # viser goes on to the next one without a word
                hint = "another program uses it: choose another, or leave --port away"
                raise SettingsError("The page cannot be served at this port.", got=f"{HOST}:{port}", hint=hint)
            check_guard(HOST, self.port)
        except BaseException:
            self.close()
            raise
        self.url = f"http://{HOST}:{self.port}"
        self._scene, self._panel, self._overlay = Scene(self._server), Panel(self._server), Overlay()
        self._placing, self._rate = Placing("auto"), RateLimit(_MOST_FPS)
        self.frames = 0
        """Frames drawn."""

    def pump(self, wait_s: float = _TICK_S) -> bool:
        """Waits for a pose and shows the newest; False when none came."""
        try:
            received = self._client.receive(wait_s)
        except WireError:  # nobody publishes yet, or the stream pauses: the page waits
            self._panel.show(self._client, None, time.perf_counter())
            return False
        received = self._client.newest() or received
        now_s = time.perf_counter()  # time.monotonic moves in steps of 16 ms on Windows
        if not self._rate.allows(now_s):
            return False
        moment = Moment.of(received)
        self._scene.show(self._placing(moment))
        self._panel.show(self._client, received, now_s)
        self._show_view(moment, now_s)
        self.frames += 1
        return True

    def _show_view(self, moment: Moment, now_s: float) -> None:
        """The 2D side, less often: drawing and packing a picture takes longer than all else."""
        self._overlay.note(moment)
        view = self._client.view
        if view is not None and self._panel.wants_overlay(now_s):
            self._scene.show_camera(view)
            image = self._overlay.draw(view)
            if image is not None:
                self._panel.show_overlay(image)

    def run(self) -> None:
        """Pumps until interrupted."""
        while True:
            self.pump()

    def close(self) -> None:
        """Takes the page away and disconnects; may be called twice."""
        with _silence():
            self._server.stop()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _silence() -> AbstractContextManager[object]:
    """viser prints a banner and a farewell even when it is told to be quiet."""
    return redirect_stdout(io.StringIO())
