"""What stands beside the 3D view: the 2D overlay, who is there, how fast and how late the stream comes, where the time goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import viser  # pyright: ignore[reportMissingImports] - an extra
import viser.uplot  # pyright: ignore[reportMissingImports] - an extra

from posewire.client import Client, Received
from posewire.data import ImageArray

_PERIOD_S = 1.0
_OVERLAY_PERIOD_S = 0.2
_SHOWN_S = 10.0
_WAITING = "Nobody publishes at this address yet: `posewire run SOURCE --publish`"
_NO_VIEW = "No 2D view: the publisher is older, or not `posewire`."
_SMOOTHING = 0.1
"""Share of the newest frame in the stage timings."""
_LINES = (("capture to here", "#0072b2"), ("publisher to here", "#d55e00"))


class Panel:
    """Brought up to date a few times a second: the page's own work must not slow the 3D view."""

    def __init__(self, server: viser.ViserServer) -> None:
        self._overlay = server.gui.add_image(np.full((9, 16, 3), 24, dtype=np.uint8), label="what the method saw", format="jpeg")
        self._overlay.visible = False
        self._text = server.gui.add_markdown(_WAITING)
        self._stages_text = server.gui.add_markdown("")
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
        self._stages_ms: dict[str, float] = {}
        self._due_s = self._overlay_due_s = 0.0

    def wants_overlay(self, now_s: float) -> bool:
        """True when it is time for another picture; it is then not again for a while."""
        due = now_s >= self._overlay_due_s
        if due:
            self._overlay_due_s = now_s + _OVERLAY_PERIOD_S
        return due

    def show_overlay(self, image: ImageArray) -> None:
        """The 2D overlay."""
        self._overlay.visible = True
        self._overlay.image = image

    def show(self, client: Client, received: Received | None, now_s: float) -> None:
        """Takes in one pose, or word that none came; `now_s` is a clock that never goes back."""
        if received is not None:
            self._recent.append((now_s, _ms(received.latency_s), _ms(received.transport_s)))
        if client.view is not None:
            self._smooth(client.view.stages_ms)
        if now_s < self._due_s:
            return
        self._due_s = now_s + _PERIOD_S
        while self._recent and self._recent[0][0] < now_s - _SHOWN_S:
            self._recent.popleft()
        self._text.content = _words(client, received)
        self._stages_text.content = _stage_words(self._stages_ms) if client.view is not None else _NO_VIEW
        if self._recent:
            times_s, latency_ms, transport_ms = np.array(self._recent).T
            self._plot.data = (times_s - now_s, latency_ms, transport_ms)

    def _smooth(self, stages_ms: Mapping[str, float]) -> None:
        self._stages_ms = {
            stage: self._stages_ms.get(stage, ms) + _SMOOTHING * (ms - self._stages_ms.get(stage, ms))
            for stage, ms in stages_ms.items()
        }


def _ms(seconds: float | None) -> float:
    return np.nan if seconds is None else 1e3 * seconds


def _words(client: Client, received: Received | None) -> str:
    if received is None:
        return _WAITING if client.status != "connected" else "Connected; no pose comes."
    statistics, subject = client.statistics, received.subject
    latency = "unknown" if statistics.latency_p50_s is None else f"{1e3 * statistics.latency_p50_s:.1f} ms"
    people = ", ".join(person.name for person in subject.people) or "nobody yet"
    return _table(
        {
            "method": subject.method or "-",
            "people": people,
            "camera": subject.camera_origin,
            "poses": f"{statistics.fps:.1f} a second",
            "latency": f"{latency} (median)",
            "lost": f"{statistics.dropped}; malformed {statistics.malformed} {statistics.last_error}",
        }
    )


def _stage_words(stages_ms: Mapping[str, float]) -> str:
    """Nothing of a take that is replayed: there are no stages."""
    return _table({stage: f"{ms:.1f} ms" for stage, ms in stages_ms.items()}, title="stage timings") if stages_ms else ""


def _table(rows: Mapping[str, str], title: str = " ") -> str:
    """Names come from the network: what Markdown would take for markup is shown as it is."""
    escaped = {key: "".join(f"\\{c}" if c in _MARKUP else c for c in value) for key, value in rows.items()}
    return f"| {title} | |\n|---|---|\n" + "\n".join(f"| {key} | {value} |" for key, value in escaped.items())


_MARKUP = frozenset("\\`*_{}[]()<>#+!|~")
