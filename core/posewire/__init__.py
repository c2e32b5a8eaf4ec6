"""Posewire: one ordinary camera in, characters moving out.

    import posewire

    for pose in posewire.track("clip.mp4"):
        print(pose.time_s, pose.person_id, pose.root_m)

What stands in `__all__` is the public door for scripts. Everything is loaded at first use.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posewire.client import Client, Received, connect
    from posewire.data import Camera, Detections, Frame, RigPose, SkeletonPose, Track
    from posewire.errors import PosewireError
    from posewire.pipeline import Instant, Pipeline, open_pipeline, track
    from posewire.settings import Settings
    from posewire.skeleton import REFERENCE, Skeleton
    from posewire.take import Take, TakeHeader, TakeWriter, export

__version__ = "0.1.0"

# onnxruntime's own builds name this machine in a file at home and report each start and each network to Microsoft unless they are
# told before they are loaded. Who wants that sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "REFERENCE",
    "Camera",
    "Client",
    "Detections",
    "Frame",
    "Instant",
    "Pipeline",
    "PosewireError",
    "Received",
    "RigPose",
    "Settings",
    "Skeleton",
    "SkeletonPose",
    "Take",
    "TakeHeader",
    "TakeWriter",
    "Track",
    "connect",
    "export",
    "open_pipeline",
    "track",
]

_ROOMS = {
    "client": ("Client", "Received", "connect"),
    "data": ("Camera", "Detections", "Frame", "RigPose", "SkeletonPose", "Track"),
    "errors": ("PosewireError",),
    "pipeline": ("Instant", "Pipeline", "open_pipeline", "track"),
    "settings": ("Settings",),
    "skeleton": ("REFERENCE", "Skeleton"),
    "take": ("Take", "TakeHeader", "TakeWriter", "export"),
}


if not TYPE_CHECKING:  # a type checker would take it for a promise of every name

    def __getattr__(name: str) -> Any:
        """Loads a public name at its first use, so that `import posewire` costs nothing."""
        for room, names in _ROOMS.items():
            if name in names:
                return getattr(importlib.import_module(f"posewire.{room}"), name)
        raise AttributeError(f"module 'posewire' has no attribute {name!r}")
