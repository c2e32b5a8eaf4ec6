# SPDX-License-Identifier: GPL-3.0-or-later
"""What all panels share: their place in the sidebar, and sentences longer than a line."""

from __future__ import annotations

from bpy.types import UILayout

from .translation import tell


class Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Posewire"


def draw_text(layout: UILayout, text: str, width: int = 36) -> None:
    """A sentence on as many lines as it needs: Blender's labels do not wrap."""
    column, line = layout.column(align=True), ""
    for word in tell(text).split():
        if line and len(line) + len(word) >= width:
            column.label(text=line, translate=False)
            line = ""
        line = f"{line} {word}".strip()
    column.label(text=line, translate=False)
