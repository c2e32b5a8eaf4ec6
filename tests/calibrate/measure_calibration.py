"""Prints the numbers of docs/CALIBRATION.md: python tests/calibrate/measure_calibration.py"""

from __future__ import annotations

import math

import numpy as np
from ground_samples import angle_deg, camera_over_floor, depth_noise, walk
from rendering import Renderer, held, lens, lying, over_floor

from posewire import camera as cam
from posewire.calibrate import Looked, calibrate, floor_of, parse_board
from posewire.calibrate.finding import find_view
from posewire.data import Frame
from posewire.errors import CalibrationError
from posewire.ground import estimate_ground


def up_error_deg(found, true):
    return angle_deg(found[1, :3], true[1, :3])


def seen(images, board, camera):
    views = [find_view(Frame(image, k, k, camera), board) for k, image in enumerate(images)]
    found = tuple(view for view in views if view is not None)
    return Looked(found, len(images), camera.width_px, camera.height_px, True, images[-1])


def lens_table():
    print("| board | views | RMS, px | focal length off | k1 off | up off | height off |\n|---|---|---|---|---|---|---|")
    for name, square_m in (("checkerboard:9x6", 0.06), ("charuco:5x7", 0.08)):
        board, camera = parse_board(name, square_m), over_floor(lens())
        renderer = Renderer(board, camera)
        poses = [*held(np.random.default_rng(1), board, camera, 30), lying(camera)]
        found = calibrate(seen([renderer.image(*pose) for pose in poses], board, camera), board)
        K, T = found.camera.K, found.camera.T_world_camera
        focal = f"{100 * abs(K[0, 0] / camera.K[0, 0] - 1):.2f} %"
        k1 = abs(found.camera.distortion[0] - camera.distortion[0])
        floor = f"{up_error_deg(T, camera.T_world_camera):.2f} degrees | {1000 * abs(T[1, 3] - 1.2):.1f} mm"
        print(f"| {name} | {len(found.lens.views)} | {found.lens.rms_px:.3f} | {focal} | {k1:.4f} | {floor} |")


def reach_table():
    """How far away a board may lie; camera 1.2 m high, 1920x1080, 54 degrees."""
    camera = cam.assumed(1920, 1080)
    print("\n| board | square | farthest that it is found | up off by there |\n|---|---|---|---|")
    for name, square_m in (
        ("charuco:5x7", 0.035),
        ("charuco:5x7", 0.08),
        ("checkerboard:9x6", 0.025),
        ("checkerboard:9x6", 0.06),
    ):
        board, reach = parse_board(name, square_m), "not found at 1.0 m |"
        for distance_m in np.arange(1.0, 6.1, 0.5):
            stands = over_floor(camera, 1.2, math.degrees(math.atan2(1.0, distance_m)), 0.0, distance_m)
            looked = seen([Renderer(board, stands).image(*lying(stands))], board, stands)
            try:
                found = floor_of(looked, board, stands) if looked.views else None
            except CalibrationError:
                found = None
            if found is None:
                break
            reach = f"{distance_m:.1f} m | {up_error_deg(found.T_world_camera, stands.T_world_camera):.2f} degrees"
        print(f"| {name} | {1000 * square_m:g} mm | {reach} |")


def feet_table():
    print("\n| walk of 1.3 m radius for | certain | up off by, median | largest |\n|---|---|---|---|")
    camera, body_up = camera_over_floor(1.4, 18.0, 3.0), np.array([0.03, 1.0, 0.05])
    for seconds in (3.0, 6.0, 12.0, 24.0):
        feet, time_s = walk(seconds)
        upright = np.tile(body_up @ camera.T_world_camera[:3, :3], (len(time_s), 1))
        errors = []
        for seed in range(40):
            noisy = depth_noise(cam.to_camera(feet, camera), np.random.default_rng(seed))
            found = estimate_ground(noisy, time_s, upright)
            if found is not None and found.certain:
                errors.append(up_error_deg(found.T_world_camera, camera.T_world_camera))
        said = f"{np.median(errors):.2f} degrees | {max(errors):.2f} degrees" if errors else "- | -"
        print(f"| {seconds:g} s | {len(errors)} of 40 | {said} |")


if __name__ == "__main__":
    lens_table()
    reach_table()
    feet_table()
