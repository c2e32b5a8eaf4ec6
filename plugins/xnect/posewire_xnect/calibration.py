"""Pictures that show a quantiser how large a network's numbers become: rendered groups, and frames of real footage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from posewire.errors import SourceError
from posewire_synth.cast import Split
from posewire_synth.dataset import Pictures
from posewire_xnect.letterbox import LONGER_PX, SHORTER_PX, Letterbox

Image: TypeAlias = NDArray[np.float32]
"""(1, 3, 320, 512) RGB 0..1."""


def rendered(pack: Path, count: int, split: Split = "train", seed: int = 7) -> Iterator[Image]:
    """Groups of people as in training."""
    for batch in Pictures(pack, "groups", batch=1, size=(SHORTER_PX, LONGER_PX), split=split, seed=seed, count=count):
        yield batch.image.numpy().astype(np.float32)


def of_videos(videos: Sequence[Path], count: int) -> Iterator[Image]:
    """So many frames of each film, evenly spread."""
    for video in videos:
        try:
            yield from _of_video(video, count)
        except (FFmpegError, OSError, IndexError) as error:
            raise SourceError(f"{video} cannot be read.", got=str(error), allowed="a film") from error


def _of_video(video: Path, count: int) -> Iterator[Image]:
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for number in np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int):
        image = np.asarray(frames[number], dtype=np.uint8)
        yield Letterbox.into((image.shape[1], image.shape[0]), (LONGER_PX, SHORTER_PX)).to_network(image)
