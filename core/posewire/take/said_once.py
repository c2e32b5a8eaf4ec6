"""What a writer has said so far of cameras and skeletons, so that each is said when it is new and again now and then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.data import Camera
from posewire.skeleton import Skeleton
from posewire.take.chunks import CAMERA, HEADER, SKELETON, pack
from posewire.take.descriptions import camera_record, header_record, skeleton_record
from posewire.take.values import TakeFrame, TakeHeader


class SaidOnce:
    """Makes the chunks that describe the frames."""

    def __init__(self, header: TakeHeader) -> None:
        self._header = header
        self._camera: Camera | None = None
        self._camera_id = -1
        self._skeletons: dict[int, Skeleton] = {}
        """Person id to the latest skeleton, of those who were there since it was last said again."""
        self._digests: set[str] = set()

    def header_chunk(self) -> bytes:
        """The header."""
        return pack(HEADER, header_record(self._header))

    def news(self, frames: Sequence[TakeFrame]) -> tuple[bytes, list[int]]:
        """Chunks of the cameras and skeletons that these frames are the first to use, and each frame's camera id."""
        chunks: list[bytes] = []
        camera_ids: list[int] = []
        for frame in frames:
            chunks += self._new_camera(frame.camera) + self._new_skeletons(frame)
            camera_ids.append(self._camera_id)
        return b"".join(chunks), camera_ids

    def again(self) -> bytes:
        """The header, the latest camera and the latest skeletons of those who were there since the last time, once more."""
        chunks = [self.header_chunk()]
        if self._camera is not None:
            chunks.append(pack(CAMERA, camera_record(self._camera_id, self._camera)))
        latest = {skeleton.digest: skeleton for skeleton in self._skeletons.values()}
        self._skeletons = {}
        chunks += [pack(SKELETON, skeleton_record(skeleton)) for skeleton in latest.values()]
        return b"".join(chunks)

    def _new_camera(self, camera: Camera | None) -> list[bytes]:
        if camera is None or _same(camera, self._camera):
            return []
        self._camera = camera
        self._camera_id += 1
        return [pack(CAMERA, camera_record(self._camera_id, camera))]

    def _new_skeletons(self, frame: TakeFrame) -> list[bytes]:
        self._skeletons |= frame.skeletons
        new = {skeleton.digest: skeleton for skeleton in frame.skeletons.values() if skeleton.digest not in self._digests}
        self._digests |= new.keys()
        return [pack(SKELETON, skeleton_record(skeleton)) for skeleton in new.values()]


def _same(a: Camera, b: Camera | None) -> bool:
    if a is b or b is None:
        return a is b
    arrays = all(
        np.array_equal(x, y) for x, y in ((a.K, b.K), (a.distortion, b.distortion), (a.T_world_camera, b.T_world_camera))
    )
    return arrays and (a.width_px, a.height_px, a.origin) == (b.width_px, b.height_px, b.origin)
