"""What a run saw, drawn for people: the 2D overlay beside a 3D view from the side, into a video file or a window."""

from __future__ import annotations

from posewire.preview.overlay import draw_overlay
from posewire.preview.sheet import Sheet
from posewire.preview.side_view import SideView
from posewire.preview.window import PreviewWindow
from posewire.preview.writer import PreviewWriter, VideoWriter

__all__ = ["PreviewWindow", "PreviewWriter", "Sheet", "SideView", "VideoWriter", "draw_overlay"]
