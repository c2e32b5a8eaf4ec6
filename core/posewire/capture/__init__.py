"""A source address (video file, images, webcam, stream) to Frames.

Files deliver every frame; live sources keep only the newest one, so that a slow reader never falls behind.
"""

from __future__ import annotations

from posewire.capture.address import CARDS, open_source
from posewire.capture.images import ImageFiles, image_files
from posewire.capture.latest import LiveSource
from posewire.capture.video import VideoFile
from posewire.capture.webcam import FoundCamera, find_cameras

__all__ = ["CARDS", "FoundCamera", "ImageFiles", "LiveSource", "VideoFile", "find_cameras", "image_files", "open_source"]
