"""The numbers beside the 3D view: who is there, how fast the stream comes, how late."""

from __future__ import annotations

from collections import deque

import numpy as np
import viser  # pyright: ignore[reportMissingImports] - an extra
import viser.uplot  # pyright: ignore[reportMissingImports] - an extra

from posewire.client import Client, Received

_PERIOD_S = 0.5
_SHOWN_S = 10.0
_WAITING = "Nobody publishes at this address yet: `posewire run SOURCE --publish`"


class Panel:
    """Text and a latency plot, brought up to date twice a second: the page's own work must not slow the 3D view."""

    def __init__(self, server: viser.ViserServer) -> None:
        self._text = server.gui.add_markdown(_WAITING)
        series = (
            viser.uplot.Series(label="seconds ago"),
            *(viser.uplot.Series(label=label, stroke=stroke) for label, stroke in _LINES),
        )
        nothing = np.zeros(1)
        scales = {"x": viser.uplot.Scale(time=False)}
        self._plot = server.gui.add_uplot(
            (nothing, nothing, nothing), series, title="latency, milliseconds", scales=scales, aspect=1.6
        )
        self._recent: deque[tuple[float, float, float]] = deque()
        self._due_s = 0.0

    def show(self, client: Client, received: Received | None, now_s: float) -> None:
        """Takes in one pose, or word that none came; `now_s` is a clock that never goes back."""
        if received is not None:
            self._recent.append((now_s, _ms(received.latency_s), _ms(received.transport_s)))
        if now_s < self._due_s:
            return
        self._due_s = now_s + _PERIOD_S
        while self._recent and self._recent[0][0] < now_s - _SHOWN_S:
            self._recent.popleft()
        self._text.content = _words(client, received)
        if self._recent:
            times_s, latency_ms, transport_ms = np.array(self._recent).T
            self._plot.data = (times_s - now_s, latency_ms, transport_ms)


_LINES = (("capture to here", "#0072b2"), ("publisher to here", "#d55e00"))


def _ms(seconds: float | None) -> float:
    return np.nan if seconds is None else 1e3 * seconds


def _words(client: Client, received: Received | None) -> str:
    if received is None:
        return _WAITING if client.status != "connected" else "Connected; no pose comes."
    statistics, subject = client.statistics, received.subject
    latency = "unknown" if statistics.latency_p50_s is None else f"{1e3 * statistics.latency_p50_s:.1f} ms"
    people = ", ".join(person.name for person in subject.people) or "nobody yet"
    rows = {
        "method": subject.method or "-",
        "people": people,
        "camera": subject.camera_origin,
        "poses": f"{statistics.fps:.1f} a second",
        "latency": f"{latency} (median)",
        "lost": f"{statistics.dropped}; malformed {statistics.malformed}",
    }
    return "| | |\n|---|---|\n" + "\n".join(f"| {key} | {value} |" for key, value in rows.items())
