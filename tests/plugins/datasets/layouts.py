"""Tiny datasets in their published layouts, made of one waving person before one camera."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from posewire_data.joints import JOINTS

K = np.array([[1100.0, 0.0, 1024.0], [0.0, 1100.0, 1024.0], [0.0, 0.0, 1.0]])
Y_DOWN = np.diag([1.0, -1.0, -1.0])
MM = 1000.0


def camera_m(world_m: np.ndarray) -> np.ndarray:
    """World (..., 3), +Y up, to the axes of a camera 4 m in front of the person."""
    return world_m @ Y_DOWN.T + np.array([0.0, 1.0, 4.0])


def pixels(in_camera_m: np.ndarray) -> np.ndarray:
    return in_camera_m[..., :2] / in_camera_m[..., 2:] * K[0, 0] + K[:2, 2]


def spread(universal: np.ndarray, order: Sequence[int], joints: int) -> np.ndarray:
    """Universal points (F, 17, C) at the places where a dataset of `joints` joints has them; other joints lie at the neck."""
    wide = np.repeat(universal[:, JOINTS.index("neck")][:, None], joints, axis=1)
    for j, column in enumerate(order):
        if column >= 0:
            wide[:, column] = universal[:, j]
    return wide


def write_h36m(
    root: Path, world_m: np.ndarray, order: Sequence[int], save: Callable[[Path, np.ndarray], None], subjects: Sequence[str]
) -> None:
    """`save` writes (F, columns) as the .cdf variable Pose."""
    for subject in subjects:
        features = root / subject / "MyPoseFeatures"
        for folder in ("D3_Positions_mono", "D2_Positions", "D3_Positions"):
            (features / folder).mkdir(parents=True)
        in_camera = spread(camera_m(world_m), order, 32)
        z_up = np.stack([world_m[..., 0], -world_m[..., 2], world_m[..., 1]], axis=-1)
        for action in ("Walking 1", "_ALL 1"):
            save(features / "D3_Positions_mono" / f"{action}.54138969.cdf", in_camera.reshape(len(world_m), -1) * MM)
            save(features / "D2_Positions" / f"{action}.54138969.cdf", pixels(in_camera).reshape(len(world_m), -1))
            save(features / "D3_Positions" / f"{action}.cdf", spread(z_up, order, 32).reshape(len(world_m), -1) * MM)


def write_h36m_conversion(path: Path, world_m: np.ndarray, order: Sequence[int], subjects: Sequence[str]) -> None:
    """VideoPose3D's data_3d_h36m.npz."""
    z_up = np.stack([world_m[..., 0], -world_m[..., 2], world_m[..., 1]], axis=-1)
    motion = {subject: {"Walking 1": spread(z_up, order, 32).astype(np.float32)} for subject in subjects}
    np.savez_compressed(path, positions_3d=np.array(motion, dtype=object))


def write_3dhp_train(seat: Path, world_m: np.ndarray, order: Sequence[int], cameras: int = 14) -> None:
    seat.mkdir(parents=True)
    in_camera = spread(camera_m(world_m), order, 28)
    cells = {name: np.empty((cameras, 1), dtype=object) for name in ("annot2", "annot3", "univ_annot3")}
    for camera in range(cameras):
        cells["annot3"][camera, 0] = in_camera.reshape(len(world_m), -1) * MM
        cells["annot2"][camera, 0] = pixels(in_camera).reshape(len(world_m), -1)
        cells["univ_annot3"][camera, 0] = in_camera.reshape(len(world_m), -1) * MM * 0.98
    savemat(seat / "annot.mat", cells)


def write_3dhp_test(folder: Path, world_m: np.ndarray, order: Sequence[int], valid: np.ndarray) -> None:
    """As the published file, but in MATLAB's version 5: version 7.3 needs h5py."""
    folder.mkdir(parents=True)
    in_camera = spread(camera_m(world_m), order, 17)

    def columns(values: np.ndarray) -> np.ndarray:
        return np.moveaxis(values, 0, 2).swapaxes(0, 1)[:, :, None]  # (C, 17, 1, F)

    savemat(
        folder / "annot_data.mat",
        {
            "annot3": columns(in_camera * MM),
            "annot2": columns(pixels(in_camera)),
            "univ_annot3": columns(in_camera * MM),
            "valid_frame": valid.astype(np.float64)[None],
            "activity_annotation": np.where(np.arange(len(world_m)) < len(world_m) // 2, 1, 6)[None].astype(np.float64),
        },
    )


def write_mupots(folder: Path, people_m: Sequence[np.ndarray], order: Sequence[int]) -> None:
    """The second person's first frame is not annotated; the first person's left wrist is always hidden."""
    folder.mkdir(parents=True)
    frames = len(people_m[0])
    cells, hidden = np.empty((frames, len(people_m)), dtype=object), np.empty((frames, len(people_m)), dtype=object)
    for p, world_m in enumerate(people_m):
        in_camera = spread(camera_m(world_m), order, 17)
        for f in range(frames):
            row = {"annot2": pixels(in_camera[f]).T, "annot3": in_camera[f].T * MM, "univ_annot3": in_camera[f].T * MM}
            cells[f, p] = row | {"isValidFrame": float(not (p == 1 and f == 0))}
            flags = np.zeros((1, 17))
            flags[0, order[JOINTS.index("left_wrist")]] = p == 0
            hidden[f, p] = flags
    savemat(folder / "annot.mat", {"annotations": cells})
    savemat(folder / "occlusion.mat", {"occlusion_labels": hidden})


def write_3dpw(root: Path, name: str, people_m: Sequence[np.ndarray], order: Sequence[int], part: str = "test") -> Path:
    """The last frame's camera is not known for the first person."""
    folder = root / "sequenceFiles" / part
    folder.mkdir(parents=True, exist_ok=True)
    frames = len(people_m[0])
    T_camera_world = np.eye(4)
    T_camera_world[:3, :3], T_camera_world[:3, 3] = Y_DOWN, [0.0, 1.0, 4.0]
    detections = np.ones((frames, 3, 18))
    detections[:, 2, 7] = 0.0  # OpenPose's left wrist
    valid = np.ones(frames)
    valid[-1] = 0
    values = {
        "jointPositions": [spread(world_m, order, 24).reshape(frames, 72) for world_m in people_m],
        "cam_poses": np.tile(T_camera_world, (frames, 1, 1)),
        "cam_intrinsics": K,
        "poses2d": [detections for _ in people_m],
        "campose_valid": [valid if p == 0 else np.ones(frames) for p in range(len(people_m))],
        "sequence": name,
    }
    path = folder / f"{name}.pkl"
    path.write_bytes(pickle.dumps(values, protocol=2))
    return path
