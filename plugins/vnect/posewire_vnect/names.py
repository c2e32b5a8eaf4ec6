"""What the exported VNect network says: its joints, the geometry of its maps, the names in its file. Numpy-free, torch-free.

The contract between `export` (which writes the file) and `estimator` (which runs it):

    image (B, 3, S, S) float32 RGB 0..1, S = input_px  ->
    peaks_cells (B, J, 2)         x, y of each heatmap's maximum in cells, refined below a cell
    confidence (B, J)             height of the maximum, 0..1
    patch_corner_cells (B, J, 2)  int64 x, y: top left cell of a 5x5 window around the maximum, moved to lie inside the map
    patches_m (B, J, 3, 5, 5)     X, Y, Z location maps in that window: [:, :, c, row, column], row = y

Cells and pixels: pixel = (cell + 0.5) * STRIDE_PX - 0.5, pixel and cell centres at whole numbers. Cell 0 is centred on pixel 3.5.

Metres: from the pelvis, in the axes of the crop's camera (x right, y down, z away), for a person whose knee-to-neck height is
KNEE_TO_NECK_M. The crop's camera is the picture's camera turned so that it looks through the crop's centre, pixel (S - 1) / 2
(thesis 002, appendix B.1): what is read is turned back by `posewire.camera.R_camera_crop(crop centre in the picture, camera)`.
"""

from __future__ import annotations

JOINTS: tuple[str, ...] = (
    *("pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("chest", "neck", "nose", "head_top"),
    *("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
    *("left_hand", "right_hand", "left_toe", "right_toe"),
)
"""The J = 21 joints: the universal 17 of `posewire_data.joints.JOINTS` in their order, then hands (the knuckles) and toes
(section 5.3.2 adds "hands and foot tip positions"). All are points of `posewire_synth.points.POINTS`."""

PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15, 13, 16, 6, 3)
"""Index of each joint's kinematic parent, -1 for the root."""

ROOT = JOINTS.index("pelvis")

MIRROR: tuple[int, ...] = tuple(
    JOINTS.index(name.replace("left_", "l_").replace("right_", "left_").replace("l_", "right_")) for name in JOINTS
)
"""Index of each joint's other side; its own for a joint in the middle."""

STRIDE_PX = 8
INPUT_PX = 256
"""Of the BlazePose trunk, which takes no other size; a file says its own in `input_px`."""
PATCH = 5
"""Cells to a side of the window that leaves the device."""
KNEE_TO_NECK_M = 0.92
"""Section 5.3.2. Knee to neck is the mean thigh plus the way pelvis - chest - neck."""

INPUT = "image"
OUTPUTS: tuple[str, ...] = ("peaks_cells", "confidence", "patch_corner_cells", "patches_m")

KIND = "vnect"
VERSION = "1"
METADATA: tuple[str, ...] = ("posewire_kind", "posewire_version", "joints", "stride_px", "input_px")
"""Keys of the file's metadata_props: KIND, VERSION, JOINTS joined by commas, STRIDE_PX, INPUT_PX, all as text."""


def pixel_of(cell: float) -> float:
    """Crop pixel of a cell coordinate; works on arrays, too."""
    return (cell + 0.5) * STRIDE_PX - 0.5


def cell_of(pixel: float) -> float:
    """Cell coordinate of a crop pixel; works on arrays, too."""
    return (pixel + 0.5) / STRIDE_PX - 0.5
