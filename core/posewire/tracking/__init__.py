"""Detections -> Tracks: who is who from frame to frame (match, birth, death, re-identification)."""

from posewire.tracking.settings import TrackSettings
from posewire.tracking.tracker import Tracker

__all__ = ["TrackSettings", "Tracker"]
