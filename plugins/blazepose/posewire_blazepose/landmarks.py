"""BlazePose's landmark network on turned regions: 33 keypoints in the picture and in metres, and the next region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posewire import camera, rotation
from posewire.data import Camera, FloatArray, Frame
from posewire.pictures import to_network
from posewire.runtime import Session
from posewire_blazepose.heatmap import refined
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_blazepose.regions import Region

_INPUT = 256
_BODY = len(KEYPOINT_NAMES)
_HIP_CENTRE, _BODY_RIM = 33, 34
"""Two of the six auxiliary landmarks: the circle around the body, from which the next region comes."""
_UNSEEN_PRESENCE = 0.1
"""Below this the network says that the point lies outside its region: unseen."""


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One person as the landmark network saw it."""

    score: float
    """0..1 that there is a person in the region."""
    keypoints_px: FloatArray
    """(33, 2) picture pixels; NaN = outside the region."""
    keypoints_m: FloatArray
    """(33, 3) metres from the middle of the hips, camera axes."""
    confidence: FloatArray
    """(33,) 0..1 that the point can be seen."""
    circle_px: FloatArray
    """(2, 2) hip centre and a point on the circle around the body: where to look in the next frame."""

    @property
    def region(self) -> Region:
        """The region around the body as it stands."""
        return Region.from_body_circle(self.circle_px[0], self.circle_px[1])


class LandmarkNet:
    """Runs the network on all regions of a frame at once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def look(self, frame: Frame, regions: Sequence[Region]) -> list[Body]:
        """One Body a region, also where its score says that nobody is there."""
        if not regions:
            return []
        crops = [region.crop(frame.picture, _INPUT) for region in regions]
        found = self._session.run({"image": to_network(crops)})
        names = ("landmarks", "heatmap", "score", "world_landmarks")
        rows = zip(regions, *(found[name] for name in names), strict=True)
        return [_body(frame.camera, *row) for row in rows]

    def close(self) -> None:
        """Frees the network."""
        self._session.close()


def _body(view: Camera, region: Region, landmarks: FloatArray, heatmap: FloatArray, score: float, world_m: FloatArray) -> Body:
    points_px = region.to_picture(refined(landmarks[:, :2].astype(np.float64), heatmap, _INPUT), _INPUT)  # (39, 2)
    visibility, presence = _sigmoid(landmarks[:_BODY, 3]), _sigmoid(landmarks[:_BODY, 4])
    seen = presence >= _UNSEEN_PRESENCE
    # The network sees a crop, which is a virtual camera turned towards the person (Mehta 2020, appendix B.1).
    R_camera_crop = camera.R_camera_crop([region.x_px, region.y_px], view)
    keypoints_m = rotation.rotate(R_camera_crop, region.turn_3d(world_m[:_BODY].astype(np.float64)))
    return Body(
        float(score),
        np.where(seen[:, None], points_px[:_BODY], np.nan),
        np.where(seen[:, None], keypoints_m, np.nan),
        np.where(seen, visibility, 0.0),
        points_px[[_HIP_CENTRE, _BODY_RIM]],
    )


def _sigmoid(logits: FloatArray) -> FloatArray:
    return 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -60, 60)))
