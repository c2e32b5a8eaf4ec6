"""The 3D branch's maps: bones of every visible joint of everybody, written where the 2D points lie; and read again. Numpy only.

Thesis 002, section 6.3.1. The maps L are (3 J, H, W): channels 3 b, 3 b + 1, 3 b + 2 hold bone b, the vector from its parent to
joint b in metres and camera axes. A scheme says which bones are written at which joint (skeleton.supervised).
"""

from __future__ import annotations

import numpy as np

from posewire_data.joints import PARENTS, ROOT
from posewire_xnect.skeleton import BONES, J, Scheme, supervised
from posewire_xnect.targets import BoolArray, FloatArray, gaussian


def bones(joints_m: FloatArray) -> FloatArray:
    """(..., J, 3) each joint less its parent; zero at the root."""
    parents = [max(parent, 0) for parent in PARENTS]
    return joints_m - joints_m[..., parents, :]


def joints(bones_m: FloatArray) -> FloatArray:
    """(..., J, 3) root-relative joints; undoes `bones`. A bone that is NaN makes everything beyond it NaN."""
    joints_m = np.zeros_like(bones_m)
    for joint in _outwards():
        joints_m[..., joint, :] = joints_m[..., PARENTS[joint], :] + bones_m[..., joint, :]
    return joints_m


def _outwards() -> list[int]:
    """Every joint but the root, parents before children."""
    order = [ROOT]
    for joint in order:
        order.extend(child for child, parent in BONES if parent == joint)
    return order[1:]


def encode(
    points: FloatArray, joints_m: FloatArray, visible: BoolArray, shape: tuple[int, int], scheme: Scheme = "sparse"
) -> tuple[FloatArray, FloatArray]:
    """The maps, and how much each cell counts in the loss. Where two people want one cell of a channel, the nearer has it.

    Args:
        points: (P, J, 2) cells.
        joints_m: (P, J, 3) metres, camera axes; NaN leaves a bone out.
        visible: (P, J).
        shape: H, W.
        scheme: Which bones at which joint.

    Returns:
        (3 J, H, W) metres, and (J, H, W) weights 0..1 of the bones: Gaussians around the read-out places.
    """
    values, weights, table = np.zeros((J, 3, *shape)), np.zeros((J, *shape)), supervised(scheme)
    for person in far_to_near(joints_m):
        own = _own_weights(points[person], visible[person], table, shape)  # (J, H, W)
        vectors = bones(joints_m[person])
        own[~np.isfinite(vectors).all(axis=1)] = 0.0
        taken = own > 0
        values = np.where(taken[:, None], np.nan_to_num(vectors)[..., None, None], values)
        weights = np.where(taken, own, weights)
    return values.reshape(3 * J, *shape).astype(np.float32), weights.astype(np.float32)


def far_to_near(joints_m: FloatArray) -> list[int]:
    """People by the depth of what is known of them, the farthest first."""
    depth = [float(np.nanmean(person[:, 2])) if np.isfinite(person[:, 2]).any() else np.inf for person in joints_m]
    return sorted(range(len(depth)), key=lambda person: -depth[person])


def _own_weights(points: FloatArray, visible: BoolArray, table: BoolArray, shape: tuple[int, int]) -> FloatArray:
    """(J, H, W): for each bone the Gaussians of this person's joints at which it is written."""
    own = np.zeros((J, *shape))
    for joint in np.flatnonzero(visible):
        where = gaussian(points[joint], shape)
        own[table[joint]] = np.maximum(own[table[joint]], where)
    return own


def read(maps: FloatArray, points: FloatArray) -> FloatArray:
    """(P, J, 3 J): the encoding l_jk at each joint of each person, zero where the point is NaN (section 6.3.2).

    Args:
        maps: (3 J, H, W).
        points: (P, J, 2) cells; outside the picture the nearest cell is read.
    """
    seen = np.isfinite(points).all(axis=-1, keepdims=True)
    cells = np.rint(np.nan_to_num(points)).astype(int)
    x, y = cells[..., 0].clip(0, maps.shape[2] - 1), cells[..., 1].clip(0, maps.shape[1] - 1)
    return np.where(seen, np.moveaxis(maps, 0, -1)[y, x], 0.0)


def decode(encoding: FloatArray, visible: BoolArray, scheme: Scheme = "sparse") -> FloatArray:
    """Root-relative joints (P, J, 3) by averaging what the visible joints say of each bone; NaN where nobody speaks of it.

    This is what the encodings hold by themselves; Stage II is what fills the rest in.

    Args:
        encoding: (P, J, 3 J) as `read` gives.
        visible: (P, J).
        scheme: The one that the maps were written with.
    """
    says: BoolArray = visible[:, :, None] & supervised(scheme)[None]  # (P, joint that speaks, bone)
    told = encoding.reshape(*encoding.shape[:2], J, 3) * says[..., None]
    count = np.sum(says, axis=1, dtype=int, keepdims=True).swapaxes(1, 2)
    vectors = np.where(count > 0, told.sum(axis=1) / np.maximum(count, 1), np.nan)
    vectors[:, ROOT] = 0.0
    return joints(vectors)
