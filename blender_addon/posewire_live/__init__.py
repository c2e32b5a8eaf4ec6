# SPDX-License-Identifier: GPL-3.0-or-later
"""Posewire Live: people from a video or camera drive Blender's armatures.

Only `register` and `unregister` are here, and they import what needs Blender: so the modules without Blender
(protocol, receiver, mapping, retarget, recorder, takes, engine) can be tested in any Python.
"""

from __future__ import annotations


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled, reloaded or Blender quits."""
    from . import registration

    registration.unregister()
