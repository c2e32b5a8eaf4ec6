"""The bundled kinds of sources, and the choice of one by an address."""

from __future__ import annotations

from collections.abc import Sequence

from posewire.capture import foreign, images, streams, video, webcam
from posewire.errors import SourceError
from posewire.methods import Source, SourceCard, SourceOptions


def _is_path(address: str) -> bool:
    return "://" not in address


CARDS: tuple[SourceCard, ...] = (
    SourceCard("webcam", "a camera of this computer", "0", webcam.matches, webcam.open_webcam),
    SourceCard("stream", "a network camera or a phone's camera app", "rtsp://HOST/PATH", streams.matches, streams.open_stream),
    SourceCard("images", "a folder of images, or one image", "folder/", images.matches, images.open_images),
    SourceCard("file", "a video file", "clip.mp4", _is_path, video.open_video),
)
"""In the order of asking: `file` takes every path that nothing before it takes."""


def open_source(address: str, options: SourceOptions, cards: Sequence[SourceCard] = CARDS) -> Source:
    """Opens the source that an address names, by the first card that matches it.

    Raises:
        SourceError: no kind of source takes the address, or it cannot be opened.
        PluginError: a plugin's source failed.
    """
    for card in cards if address.strip() else ():  # an empty path would be the current folder
        if card in CARDS:
            if card.matches(address):
                return card.open(address, options)
        elif foreign.matches(card, address):
            return foreign.open_foreign(card, address, options)
    raise SourceError(
        "No source takes this address.",
        got=repr(address),
        allowed=[f"{card.example} ({card.summary})" for card in cards],
        hint="posewire sources lists every kind",
    )
