"""Detections -> Tracks: who is who from frame to frame (match, birth, death, re-identification)."""

from posewire.tracking.tracker import Tracker, TrackSettings

__all__ = ["TrackSettings", "Tracker"]
