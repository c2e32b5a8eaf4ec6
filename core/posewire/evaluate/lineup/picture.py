"""The reference in the picture: where its limb joints lie in the pixels of the analysed camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posewire import camera as cameras
from posewire import metrics
from posewire.data import Camera, FloatArray
from posewire.evaluate.motions import LIMB_JOINTS, Reference, nearest_rows
from posewire.metrics import seen_points
from posewire.npz import read_npz
from posewire.take import TakeArrays

_SHARE = 0.2


def projected_limbs(path: Path, reference: Reference) -> FloatArray | None:
    """(T, 12, 2) pixels of the reference's view, or None where its file has no `VIEW_K`.

    Keys: VIEW_K (3, 3); optionally VIEW_dist (4,) or (5,), as OpenCV has it.
    """
    arrays = read_npz(path)
    if f"{reference.view}_K" not in arrays:
        return None
    K = np.asarray(arrays[f"{reference.view}_K"], dtype=np.float64)
    given = arrays.get(f"{reference.view}_dist", np.zeros(5))
    distortion = np.zeros(5)
    distortion[: given.size] = given.ravel()
    return cameras.project(reference.motion.limbs_m(), Camera(1, 1, K, distortion))


def pck_2d_percent(said: TakeArrays, person_id: int, reference: Reference, true_px: FloatArray) -> float:
    """Limb joints of the reference (T, 12, 2) within 0.2 of the longer side of the box around them; missing = wrong."""
    rows, met = nearest_rows(said.time_s, reference.motion.time_s)
    said_px = np.full((len(said.time_s), len(LIMB_JOINTS), 2), np.nan)
    person = said.person_ids.tolist().index(person_id)
    for column, name in enumerate(LIMB_JOINTS):
        if name in said.keypoint_names:
            said_px[:, column] = said.keypoints_px[:, person, said.keypoint_names.index(name)]
    said_px = said_px[rows]
    said_px[~met] = np.nan
    known = np.where(seen_points(true_px)[..., None], true_px, np.nan)
    boxes_px = np.concatenate([np.nanmin(known, axis=1), np.nanmax(known, axis=1)], axis=1)
    return 100 * metrics.pck_2d(said_px, true_px, boxes_px, _SHARE)
