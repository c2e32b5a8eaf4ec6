"""The 2D overlay: the fitted skeleton reprojected into the picture, and over it what the method saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from posewire import camera as cameras
from posewire.data import Camera, FloatArray, ImageArray, SkeletonPose, Track
from posewire.preview import strokes
from posewire.preview.palette import OUTLINE, joint_colour, person_colour, side_colour
from posewire.preview.text import put_text
from posewire.skeleton import REFERENCE, Skeleton

_SIDED_BONES = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"), ("wrist", "hand"),
    ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("heel", "foot_index"),
    ("ankle", "foot_index"), ("heel", "toe"), ("ankle", "toe"), ("neck", "shoulder"), ("pelvis", "hip"),
)  # fmt: skip
_BONES = frozenset({("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), ("pelvis", "spine"), ("spine", "chest"),
                    ("chest", "neck"), ("neck", "head"), ("mouth_left", "mouth_right")})  # fmt: skip
_CENTRE = frozenset({"pelvis", "spine", "chest", "neck", "head"})
_FACE = frozenset({"nose", "mouth_left", "mouth_right", "left_ear", "right_ear",
                   *(f"{side}_eye{part}" for side in ("left", "right") for part in ("", "_inner", "_outer"))})  # fmt: skip
_SEEN = 0.5
"""Keypoints of less confidence are drawn small and without their bones."""
_HEAD_RADIUS = 1.0
"""Radius of the head in lengths of the neck."""


def draw_overlay(
    image: ImageArray,
    tracks: Sequence[Track],
    poses: Sequence[SkeletonPose],
    skeletons: Mapping[int, Skeleton],
    *,
    camera: Camera,
    keypoint_names: Sequence[str],
) -> None:
    """Draws on `image` (H, W, 3), which may be a scaled copy of the camera's picture.

    Args:
        skeletons: Each person's skeleton; the native one for people that are not in it.
        camera: Of the full picture, in whose pixels the tracks are.
        keypoint_names: (J,) names of the tracks' keypoints.
    """
    scale = image.shape[1] / camera.width_px
    bones = keypoint_bones(keypoint_names)
    for pose in poses:
        _draw_pose(image, pose, skeletons.get(pose.person_id, REFERENCE), camera, scale)
    fitted = {pose.person_id for pose in poses}
    for track in tracks:
        if not track.missed_frames:
            _draw_track(image, track, keypoint_names, () if track.person_id in fitted else bones, scale)
            _draw_label(image, track.person_id, track.keypoints_px * scale)


def keypoint_bones(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Pairs of keypoints (indices into `names`) that are drawn as bones, for any set of names."""
    pairs = set(_BONES)
    for a, b in _SIDED_BONES:
        pairs |= {(a if a in _CENTRE else f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")}
    index = {name: i for i, name in enumerate(names)}
    return tuple(sorted((index[a], index[b]) for a, b in pairs if a in index and b in index))


def head_ball(skeleton: Skeleton, positions: FloatArray) -> tuple[FloatArray, float] | None:
    """Centre and radius of the head from joint positions (N, 3); the skeleton's tree ends at the top of the neck."""
    if "head" not in skeleton.names or "neck" not in skeleton.names:
        return None
    head, neck = positions[skeleton.index("head")], positions[skeleton.index("neck")]
    return head + (head - neck), float(np.linalg.norm(head - neck)) * _HEAD_RADIUS


def _draw_pose(image: ImageArray, pose: SkeletonPose, skeleton: Skeleton, camera: Camera, scale: float) -> None:
    positions = cameras.to_camera(pose.positions_m, camera)  # (N, 3)
    pixels = cameras.project(positions, camera) * scale
    width_px = _stroke_px(image, pixels)
    joined = [(child, parent) for child, parent in enumerate(skeleton.parents) if parent >= 0]
    colours = [joint_colour(pose.person_id, *seen) for seen in zip(skeleton.names, pose.confidence.tolist(), strict=True)]
    strokes.bones(image, [(pixels[parent], pixels[child], colours[child]) for child, parent in joined], width_px)
    ball = head_ball(skeleton, positions)
    if ball is not None and ball[0][2] > 0:
        radius_px = ball[1] * float(camera.K[0, 0]) / float(ball[0][2]) * scale
        colour = side_colour(pose.person_id, "head")
        strokes.ring(image, cameras.project(ball[0], camera) * scale, colour, radius_px, width_px)


def _draw_track(image: ImageArray, track: Track, names: Sequence[str], bones: Sequence[tuple[int, int]], scale: float) -> None:
    pixels, seen = track.keypoints_px * scale, track.confidence >= _SEEN
    width_px = _stroke_px(image, pixels)
    joined = [(a, b) for a, b in bones if seen[a] and seen[b]]
    segments = [(pixels[a], pixels[b], side_colour(track.person_id, _common_side(names[a], names[b]))) for a, b in joined]
    strokes.bones(image, segments, width_px)
    for j, name in enumerate(names):
        size = 0.5 if name in _FACE or not seen[j] else 0.9
        strokes.dot(image, pixels[j], side_colour(track.person_id, name), width_px * size)


def _common_side(a: str, b: str) -> str:
    """left or right when both names begin with it."""
    side = a.partition("_")[0]
    return side if b.startswith(f"{side}_") else ""


def _stroke_px(image: ImageArray, pixels: FloatArray) -> int:
    """Width of a bone by the size of the picture, thinner for people who are small in it; pixels (N, 2)."""
    seen = pixels[np.isfinite(pixels).all(axis=1)]
    size_px = float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0
    return max(1, round(min(min(image.shape[:2]) / 160, size_px / 70)))


def _draw_label(image: ImageArray, person_id: int, pixels: FloatArray) -> None:
    """The person's number above the highest keypoint."""
    seen = pixels[np.isfinite(pixels).all(axis=1)]
    if not len(seen):
        return
    height_px = 6 + 2 * _stroke_px(image, pixels)
    x, y = seen[np.argmin(seen[:, 1])]
    y -= 0.07 * float(np.ptp(seen[:, 1])) + 2 * height_px  # above the head, not only above the eyes
    limit = np.array([image.shape[1], image.shape[0]], dtype=np.float64) - 2 * height_px
    x, y = np.clip([x, y], height_px, np.maximum(limit, 0))
    strokes.dot(image, np.array([x, y]) + height_px / 2, person_colour(person_id), height_px * 1.1)
    put_text(image, str(person_id), round(x + height_px / 2), round(y), height_px, OUTLINE, "centre")
