"""Pictures of a board as a known camera sees them: homography, supersampling, lens distortion, noise, and videos of them."""

import av
import cv2
import numpy as np

from posewire import camera as cam
from posewire.data import Camera
from posewire.ground import world_from_floor

BOARDS = {"checkerboard:9x6": 0.06, "charuco:5x7": 0.08}
"""The boards of the films and the sides of their squares, metres."""


CELL_PX, MARGIN_CELLS = 10, 8
FPS = 5


def lens(width_px=800, height_px=600, focal_px=720.0, distortion=(-0.18, 0.06, 0.0008, -0.0006, 0.0)):
    K = np.array([[focal_px, 0, width_px / 2 + 6.0], [0, focal_px * 1.004, height_px / 2 - 5.0], [0, 0, 1.0]])
    return Camera(width_px, height_px, K, np.array(distortion))


def over_floor(camera, height_m=1.2, pitch_deg=35.0, roll_deg=3.0, distance_m=1.6):
    """The camera over a floor, the world's origin on it, straight ahead."""
    pitch, roll = np.radians([pitch_deg, roll_deg])
    up = np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])
    ahead = np.array([0, 0, 1.0]) - up[2] * up
    origin = -height_m * up + distance_m * ahead / np.linalg.norm(ahead)
    return Camera(camera.width_px, camera.height_px, camera.K, camera.distortion, world_from_floor(up, origin), "calibrated")


class Renderer:
    """Draws one board with one camera."""

    def __init__(self, board, camera, seed=0, noise=2.5, blur_px=0.0):
        self.board, self.camera, self.noise, self.blur_px = board, camera, noise, blur_px
        self.random = np.random.default_rng(seed)
        cells = np.pad(board.cells(), MARGIN_CELLS, constant_values=255)
        self.texture = np.kron(cells, np.ones((CELL_PX, CELL_PX), np.uint8))
        y, x = np.mgrid[0 : camera.height_px, 0 : camera.width_px].astype(np.float64)
        self.straight = cam.undistort_px(np.stack([x, y], axis=-1), camera)  # where a pinhole sees what this pixel sees

    def image(self, R_camera_board, middle_m):
        """The board with its middle at `middle_m` (3,), camera axes; (H, W, 3) uint8."""
        board, K = self.board, self.camera.K
        per_px = board.square_m / 8 / CELL_PX
        columns, rows = board.squares
        origin = -(MARGIN_CELLS * CELL_PX - 0.5) * per_px  # board position of the texture's pixel 0, 0
        T_board_texture = np.array([[per_px, 0, origin], [0, per_px, origin], [0, 0, 1.0]])
        corner = np.asarray(middle_m) - R_camera_board @ np.array([columns, rows, 0]) * board.square_m / 2
        H = K @ np.column_stack([R_camera_board[:, :2], corner]) @ T_board_texture
        scale, pad = 2, 0.25  # drawn twice as fine and larger than the picture, because barrel distortion sees farther
        width, height = self.camera.width_px, self.camera.height_px
        fine = np.array(
            [[scale, 0, scale * (pad * width + 0.5) - 0.5], [0, scale, scale * (pad * height + 0.5) - 0.5], [0, 0, 1.0]]
        )
        size = (round(scale * width * (1 + 2 * pad)), round(scale * height * (1 + 2 * pad)))
        texture = self.softened(H)
        big = cv2.warpPerspective(texture, fine @ H, size, flags=cv2.INTER_LINEAR, borderValue=110)
        big = cv2.GaussianBlur(big, (0, 0), 0.9)  # a pixel gathers light over its area
        at = (self.straight * [fine[0, 0], fine[1, 1]] + fine[:2, 2]).astype(np.float32)
        grey = cv2.remap(big, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=110).astype(np.float64)
        if self.blur_px:
            grey = cv2.GaussianBlur(grey, (0, 0), self.blur_px)
        grey = 20 + 0.82 * grey + self.random.normal(0, self.noise, grey.shape)
        return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)

    def softened(self, H):
        """The texture blurred as much as its middle will shrink in the picture, so that nothing aliases."""
        height, width = self.texture.shape
        square = np.array([[width, height, 2], [width + 2, height, 2], [width, height + 2, 2]]) / 2.0
        middle, right, below = (H @ square.T).T[:, :2] / (H @ square.T).T[:, 2:]
        shrink = 1.0 / np.sqrt(abs(np.linalg.det(np.stack([right - middle, below - middle]))))
        return cv2.GaussianBlur(self.texture, (0, 0), 0.35 * shrink) if shrink > 1.5 else self.texture


def held(random, board, camera, frames):
    """Poses of a board that is held before the camera: near and far, everywhere in the picture, tilted to every side."""
    size_m = np.hypot(*board.squares) * board.square_m
    for _ in range(frames):
        z = size_m * random.uniform(1.3, 2.6) * camera.K[0, 0] / camera.width_px
        x, y = random.uniform(-0.3, 0.3, 2) * z * np.array([camera.width_px, camera.height_px]) / camera.K[0, 0]
        tilt = cv2.Rodrigues(np.array([*random.uniform(-0.6, 0.6, 2), 0.0]))[0]
        roll = cv2.Rodrigues(np.array([0.0, 0.0, random.uniform(-0.4, 0.4)]))[0]
        yield roll @ tilt, np.array([x, y, z])


def lying(camera, turn_rad=0.4):
    """Pose of a board on the floor under the world's origin, seen from above."""
    R_camera_world = camera.T_world_camera[:3, :3].T
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    R_world_board = np.array([[c, s, 0], [0, 0, -1.0], [-s, c, 0]])  # its z looks into the floor, as OpenCV's boards do
    return R_camera_world @ R_world_board, cam.to_camera([0.0, 0.0, 0.0], camera)


def film(path, images):
    """Writes the images as H.264, five a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "16"})
        stream.height, stream.width, stream.pix_fmt = images[0].shape[0], images[0].shape[1], "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode())
    return path
