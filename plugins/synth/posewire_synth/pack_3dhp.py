"""Adds the people of MPI-INF-3DHP, cut out, to a pack: every training with that pack then sees them, too.

The data set is for research only: so is a pack that holds any of it, and perhaps what is trained on it. Read its licence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.errors import SourceError
from posewire_data.mpi_inf_3dhp_masks import ALL_28, MaskedFrame, masked_videos, read_masked_frames
from posewire_synth.layers import BY_OBJECT, VISIBLE
from posewire_synth.pack import Pack, load, save
from posewire_synth.points import POINTS

T = TypeVar("T")
Track = Callable[[Iterable[T]], Iterable[T]]

_HALF = 0.5
"""Frames of 2048 x 2048 are stored at half their size: somebody is then about 400 pixels high."""
_COLUMNS = [(POINTS.index(name), ALL_28.index(name)) for name in POINTS if name in ALL_28] + [
    (POINTS.index("nose"), ALL_28.index("head"))
]
"""24 of the 31 labels: no eyes, ears and heels; their "spine" is another point than ours. Their head is a point inside the face,
which stands for the nose in the universal skeleton, too (docs/DATA.md)."""


def add(pack: Path, data: Path, out: Path, *, each: int, seed: int = 1, track: Track[Any] = iter) -> int:
    """Writes `out`, the pack and the data set's cut-outs; returns how many there are.

    Args:
        pack: See posewire_synth.pack.
        data: The folder that holds S1 to S8.
        out: Another pack.
        each: Frames of each video.
        seed: Which frames.
        track: Shows progress over an iterable with a length.

    Raises:
        PosewireError: the pack or the data set does not read, or nobody is in its masks.
    """
    arrays = {name: value for name, value in load(pack).items() if not name.startswith("cutout_")}
    rng = np.random.default_rng(seed)
    rows = [_row(frame) for seat, camera in track(masked_videos(data)) for frame in read_masked_frames(seat, camera, each, rng)]
    save(out, arrays | _packed(rows))
    return len(rows)


def _packed(rows: list[dict[str, Any]]) -> Pack:
    if not rows:
        raise SourceError("Nobody is in the masks.", hint="are FGmasks and ChairMasks the data set's own?")
    blobs: list[bytes] = [blob for row in rows for blob in row.pop("blobs")]
    packed = {f"cutout_{name}": np.stack([row[name] for row in rows]) for name in rows[0]}
    packed["cutout_blobs"] = np.frombuffer(b"".join(blobs), dtype=np.uint8)
    packed["cutout_ends"] = np.cumsum([len(blob) for blob in blobs])
    return packed


def _row(frame: MaskedFrame) -> dict[str, Any]:
    """The part of a frame that shows somebody, at half its size: JPEG, PNG (matte, upper and lower clothes), labels."""
    matte = cv2.erode(frame.person.astype(np.uint8) * 255, np.ones((3, 3), np.uint8))  # the edge is half green
    planes = np.stack([matte, *frame.clothes], axis=-1)
    small, masks = (cv2.resize(a, None, fx=_HALF, fy=_HALF, interpolation=cv2.INTER_AREA) for a in (frame.rgb, planes))
    y, x = np.nonzero(masks[..., 0] > 0)
    part = slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1)
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(small[part], cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    png = cv2.imencode(".png", np.ascontiguousarray(masks[part]))[1]
    px, m = np.full((len(POINTS), 2), np.nan, np.float32), np.full((len(POINTS), 3), np.nan, np.float32)
    said = np.full(len(POINTS), VISIBLE, np.uint8)
    for ours, theirs in _COLUMNS:
        px[ours], m[ours] = _HALF * (frame.points_px[theirs] + 0.5) - 0.5, frame.points_m[theirs]
        said[ours] = BY_OBJECT if _on(frame.chair, frame.points_px[theirs]) else VISIBLE
    to_half = np.array([[_HALF, 0, 0.5 * _HALF - 0.5], [0, _HALF, 0.5 * _HALF - 0.5], [0, 0, 1]])
    return {
        "blobs": (jpeg.tobytes(), png.tobytes()),
        "corner_px": np.array([part[1].start, part[0].start], np.int32),
        "camera": np.array(frame.camera, np.int32),
        "sequence": np.array(int(frame.subject[1:]) * 10 + int(frame.sequence[3:]), np.int32),
        "K": (to_half @ frame.K).astype(np.float32),
        "points_px": px,
        "points_m": m,
        "visibility": said,
    }


def _on(mask: NDArray[np.bool_], point_px: NDArray[np.floating[Any]]) -> bool:
    """Whether a point lies on the mask."""
    x, y = point_px.round()
    return 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and bool(mask[int(y), int(x)])
