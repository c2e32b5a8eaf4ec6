"""One page in a headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-proxy-server",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--remote-debugging-port=0",
)
_PATIENCE_S = 60.0


class Page:
    """A page that is open until the end of the `with`."""

    def __init__(self, program: str, profile: Path, url: str, window: tuple[int, int] = (1000, 700)) -> None:
        command = [program, *_FLAGS, f"--window-size={window[0]},{window[1]}", f"--user-data-dir={profile}", url]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._number = 0
        try:
            with ExitStack() as stack:  # websockets wants its connections in a `with`
                self._socket = stack.enter_context(connect(_debugger_url(profile), proxy=None, max_size=None))
                self._closing = stack.pop_all()
        except BaseException:
            self._end()
            raise

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, or None where it has none (yet)."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """The value of the expression as soon as it is true."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline_s, f"waited in vain for {expression}"
            time.sleep(0.1)
        return value

    def screenshot(self, path: Path) -> None:
        """Writes what the page shows as a PNG."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"]))

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=_PATIENCE_S))
            if answer.get("id") == self._number:
                assert "result" in answer, answer
                return answer["result"]

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.close()
        self._end()


def _debugger_url(profile: Path) -> str:
    """Where the page listens; Chromium writes its port into its profile when it is ready."""
    note = profile / "DevToolsActivePort"
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        if note.is_file() and (port := note.read_text().partition("\n")[0]):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/json", timeout=_PATIENCE_S) as answer:
                pages = [target for target in json.load(answer) if target["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise AssertionError("Chromium did not start")
