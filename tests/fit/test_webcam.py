"""The bundled clip as a webcam would show it, with the real network: cut off below the hips."""

from __future__ import annotations

import numpy as np

from posewire import camera as cameras
from posewire.bench.clip import bundled_frames
from posewire.data import Frame, SkeletonPose, Track
from posewire.fit import FitSettings, Fitter
from posewire.pipeline import open_estimator
from posewire.settings import Settings
from posewire.skeleton import REFERENCE


def poses_above(row: int) -> list[SkeletonPose | None]:
    """What the fit says of the clip when its pictures end at a row."""
    card, estimator = open_estimator(Settings())
    fitter, poses = Fitter(card.joints, FitSettings()), list[SkeletonPose | None]()
    for frame in bundled_frames(100):
        image = np.ascontiguousarray(frame.image[200:row, 180:860])  # without the bystander
        view = cameras.assumed(image.shape[1], image.shape[0], 2 * np.degrees(np.arctan(image.shape[0] / 3768)))
        found = estimator.estimate(Frame(image, frame.time_s, frame.index, view))
        if found.people == 0:
            continue
        assert found.keypoints_m is not None
        track = Track(1, found.keypoints_px[0], found.confidence[0], found.boxes_px[0], found.keypoints_m[0])
        poses.append(fitter.fit(track, frame.time_s, view))
    estimator.close()
    return poses


def off_down_deg(pose: SkeletonPose, side: str) -> float:
    """Angle of a leg, from hip to ankle, to straight down."""
    way = pose.positions_m[REFERENCE.index(f"{side}_ankle")] - pose.positions_m[REFERENCE.index(f"{side}_hip")]
    return float(np.degrees(np.arccos(-way[1] / np.linalg.norm(way))))


def test_legs_that_nobody_sees_come_to_hang() -> None:
    """The athlete leans aside; before, the legs went on in the direction of the trunk, 46 degrees from straight down."""
    poses = [pose for pose in poses_above(760) if pose is not None]
    assert len(poses) == 100
    assert np.median([off_down_deg(pose, side) for pose in poses[72:84] for side in ("left", "right")]) < 35
