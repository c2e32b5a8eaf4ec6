"""The whole command on rendered films of boards, with a known camera."""

import json
import math

import cv2
import numpy as np
import pytest
from rendering import BOARDS, Renderer, held, lying, over_floor

from posewire import camera as cam
from posewire.calibrate import floor_of, look, parse_board
from posewire.data import Frame


def angle_between_ups_deg(a, b):
    up_a, up_b = a.T_world_camera[1, :3], b.T_world_camera[1, :3]
    return math.degrees(math.acos(min(1.0, float(up_a @ up_b))))


def save_images(folder, images):
    folder.mkdir()
    for number, image in enumerate(images, start=1):
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return folder


@pytest.fixture(scope="module")
def board():
    return parse_board("charuco:5x7", 0.08)


@pytest.fixture(scope="module", params=BOARDS)
def calibrated(request, films, tmp_path_factory):
    """The camera file, the picture and the summary of one film."""
    from posewire import capture
    from posewire.calibrate import calibrate, write_picture
    from posewire.cli.calibration import summary
    from posewire.methods import SourceOptions

    board = parse_board(request.param, BOARDS[request.param])
    looked = look(capture.open_source(str(films[request.param]), SourceOptions()), board)
    found = calibrate(looked, board)
    picture = tmp_path_factory.mktemp("pictures") / "covered.png"
    write_picture(picture, looked, found)
    return found, picture, summary(looked, found)


def test_focal_length_is_found_within_half_a_percent(calibrated, camera):
    K = calibrated[0].camera.K
    np.testing.assert_allclose(np.diag(K)[:2], np.diag(camera.K)[:2], rtol=0.005)
    np.testing.assert_allclose(K[:2, 2], camera.K[:2, 2], atol=3.0)


def test_the_lens_maps_the_whole_picture_within_half_a_pixel(calibrated, camera):
    found = calibrated[0].camera
    y, x = np.mgrid[0:600:25, 0:800:25]
    points = cam.rays(np.stack([x, y], axis=-1).reshape(-1, 2), camera)
    assert np.abs(cam.project(points, found) - cam.project(points, camera)).max() < 2.0
    assert np.median(np.abs(cam.project(points, found) - cam.project(points, camera))) < 0.5
    assert found.distortion[0] == pytest.approx(camera.distortion[0], abs=0.01)


def test_the_floor_is_found_within_a_degree_and_a_centimetre(calibrated, camera):
    found = calibrated[0].camera
    assert found.origin == "calibrated"
    assert angle_between_ups_deg(found, camera) < 0.5
    assert found.T_world_camera[1, 3] == pytest.approx(camera.T_world_camera[1, 3], abs=0.01)
    origin = cam.to_camera([0.0, 0.0, 0.0], found)
    assert np.linalg.norm(origin - cam.to_camera([0.0, 0.0, 0.0], camera)) < 0.02


def test_the_summary_says_what_it_rests_on(calibrated):
    found, _, said = calibrated
    assert said["lens"]["rms_px"] < 0.2
    assert said["lens"]["views"] >= 15
    assert 0.5 < said["lens"]["coverage"] <= 1.0
    assert said["floor"]["camera_height_m"] == pytest.approx(1.2, abs=0.01)
    assert said["floor"]["looks_down_deg"] == pytest.approx(35.0, abs=0.5)
    assert found.remarks == []


def test_the_picture_shows_corners_and_floor_on_the_last_view(calibrated):
    picture = cv2.imdecode(np.fromfile(calibrated[1], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (600, 800, 3)
    greenish = (picture[..., 1] > 150) & (picture[..., 0] < 140) & (picture[..., 2] < 140)
    assert greenish.sum() > 500


def test_the_command_writes_a_camera_file_that_a_run_takes(command, films, tmp_path):
    out = tmp_path / "camera.json"
    flags = ("--board", "charuco:5x7", "--square", 0.08, "--out", out, "--preview", tmp_path / "p.png")
    ran = command("calibrate", films["charuco:5x7"], *flags, "--json")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    loaded = cam.load(out)
    assert loaded.origin == "calibrated"
    assert said["focal_px"][0] == pytest.approx(loaded.K[0, 0])
    assert (tmp_path / "p.png").stat().st_size > 1000
    again = command("calibrate", films["charuco:5x7"], *flags)
    assert again.code == 2
    assert "--overwrite" in again.err


def test_without_a_floor_the_world_stays_assumed(command, films, tmp_path):
    out = tmp_path / "camera.json"
    ran = command("calibrate", films["charuco:5x7"], "--square", 0.08, "--out", out, "--ground", "none")
    assert ran.code == 0, ran.err
    assert "not asked for" in ran.out
    assert cam.load(out).origin == "assumed"
    np.testing.assert_array_equal(cam.load(out).T_world_camera, np.diag([1.0, -1, -1, 1]))


def test_a_film_that_ends_in_the_hand_has_no_floor(command, films, tmp_path):
    flags = ("--board", "checkerboard:9x6", "--square", 0.06, "--out", tmp_path / "c.json", "--seconds", 4.5)
    ran = command("calibrate", films["checkerboard:9x6"], *flags)
    assert ran.code == 2
    assert "never lies still" in ran.err
    assert not (tmp_path / "c.json").exists()


def test_a_moment_can_be_named(command, films, camera, tmp_path):
    flags = ("--square", 0.08, "--out", tmp_path / "c.json", "--ground", 5.8)
    ran = command("calibrate", films["charuco:5x7"], *flags)
    assert ran.code == 0, ran.err
    assert angle_between_ups_deg(cam.load(tmp_path / "c.json"), camera) < 1.0
    late = command("calibrate", films["charuco:5x7"], *flags[:4], "--ground", 60, "--overwrite")
    assert late.code == 2
    assert "not seen at the moment" in late.err


def test_a_moved_camera_needs_one_image_of_the_floor(command, camera, board, tmp_path):
    moved = over_floor(camera, height_m=1.0, pitch_deg=28.0, roll_deg=-4.0)
    image = save_images(tmp_path / "floor", [Renderer(board, moved).image(*lying(moved))]) / "1.png"
    cam.save(camera, tmp_path / "camera.json")
    flags = ("--square", 0.08, "--lens", tmp_path / "camera.json", "--out", tmp_path / "moved.json")
    ran = command("calibrate", image, *flags)
    assert ran.code == 0, ran.err
    found = cam.load(tmp_path / "moved.json")
    np.testing.assert_array_equal(found.K, camera.K)
    assert angle_between_ups_deg(found, moved) < 0.5
    assert found.T_world_camera[1, 3] == pytest.approx(1.0, abs=0.01)


def test_the_floor_of_a_folder_is_its_last_image(command, camera, board, tmp_path):
    renderer = Renderer(board, camera)
    poses = [*held(np.random.default_rng(5), board, camera, 12), lying(camera)]
    folder = save_images(tmp_path / "photos", [renderer.image(*pose) for pose in poses])
    ran = command("calibrate", folder, "--square", 0.08, "--out", tmp_path / "c.json", "--json")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    assert said["floor"]["image"] == 13
    assert said["focal_px"][0] == pytest.approx(camera.K[0, 0], rel=0.01)
    assert angle_between_ups_deg(cam.load(tmp_path / "c.json"), camera) < 1.0


def test_a_board_that_is_held_up_is_no_floor_unless_its_moment_is_named(command, camera, board, tmp_path):
    renderer = Renderer(board, camera)
    poses = [*held(np.random.default_rng(5), board, camera, 11), (np.eye(3), np.array([0.0, 0.0, 1.2]))]
    folder = save_images(tmp_path / "photos", [renderer.image(*pose) for pose in poses])
    flags = ("--square", 0.08, "--out", tmp_path / "c.json")
    ran = command("calibrate", folder, *flags)
    assert ran.code == 2
    assert "does not look like lying on the floor" in ran.err
    assert command("calibrate", folder, *flags, "--ground", 12).code == 0


def test_too_few_views_are_refused_with_their_number(command, camera, board, tmp_path):
    images = [Renderer(board, camera).image(*pose) for pose in held(np.random.default_rng(5), board, camera, 4)]
    ran = command("calibrate", save_images(tmp_path / "photos", images), "--square", 0.08, "--out", tmp_path / "c.json")
    assert ran.code == 2
    assert "too few different views" in ran.err
    assert "4 different ones of 4" in ran.err


def test_another_checkerboard_is_named(command, films, tmp_path):
    film = films["checkerboard:9x6"]
    for wrong in ("checkerboard:10x7", "charuco:5x7"):
        ran = command("calibrate", film, "--board", wrong, "--square", 0.06, "--out", tmp_path / "c.json", "--seconds", 2)
        assert ran.code == 2
        assert "--board checkerboard:9x6" in ran.err


def test_a_charuco_board_in_place_of_a_checkerboard_is_named(command, films, tmp_path):
    flags = ("--board", "checkerboard:9x6", "--out", tmp_path / "c.json", "--seconds", 2)
    ran = command("calibrate", films["charuco:5x7"], *flags)
    assert ran.code == 2
    assert "ChArUco" in ran.err


def test_no_board_at_all_is_an_error_that_says_how_to_get_one(command, tmp_path):
    folder = save_images(tmp_path / "empty", [np.full((120, 160, 3), 90, np.uint8)] * 2)
    ran = command("calibrate", folder, "--out", tmp_path / "c.json")
    assert ran.code == 2
    assert "2 pictures looked at" in ran.err
    assert "posewire calibrate board" in ran.err


def test_blurred_views_are_refused(command, camera, board, tmp_path):
    soft = Renderer(board, camera, blur_px=3.0)
    images = [soft.image(*pose) for pose in held(np.random.default_rng(5), board, camera, 10)]
    ran = command("calibrate", save_images(tmp_path / "photos", images), "--square", 0.08, "--out", tmp_path / "c.json")
    assert ran.code == 2
    assert "blurred" in ran.err


def test_pictures_of_two_sizes_are_refused(command, camera, board, tmp_path):
    image = Renderer(board, camera).image(*lying(camera))
    folder = save_images(tmp_path / "photos", [image, image[:-10]])
    ran = command("calibrate", folder, "--square", 0.08, "--out", tmp_path / "c.json")
    assert ran.code == 2
    assert "800x600 and 800x590" in ran.err


def test_a_board_too_far_to_be_read_is_not_taken_for_a_checkerboard(command, camera, board, tmp_path):
    far = over_floor(camera, height_m=1.4, pitch_deg=18.0, distance_m=3.2)
    folder = save_images(tmp_path / "photos", [Renderer(board, far).image(*lying(far))])
    ran = command("calibrate", folder, "--square", 0.08, "--out", tmp_path / "c.json")
    assert ran.code == 2
    assert "nowhere to be seen" in ran.err


@pytest.mark.parametrize("wrong", ["charuco:7x5", "charuco:6x8", "charuco:4x6", "charuco:8x11"])
def test_a_charuco_board_of_another_size_gives_no_camera_file(command, films, tmp_path, wrong):
    ran = command("calibrate", films["charuco:5x7"], "--board", wrong, "--square", 0.08, "--out", tmp_path / "c.json")
    assert ran.code == 2
    assert not (tmp_path / "c.json").exists()


class Webcam:
    """A live source whose user presses Ctrl-C after some pictures."""

    live, frame_count = True, None

    def __init__(self, images, camera):
        self.images, self.camera = images, camera

    def __iter__(self):
        for number, image in enumerate(self.images):
            yield Frame(image, number / 10.0, number, self.camera)
        raise KeyboardInterrupt

    def close(self):
        pass


def test_ctrl_c_ends_the_looking_of_a_live_source_with_what_was_seen(camera, board):
    image = Renderer(board, camera).image(*lying(camera))
    told = []
    looked = look(Webcam([image] * 9, camera), board, report=lambda *counts: told.append(counts))
    assert looked.pictures == len(looked.views) == 5  # every second picture: 0.2 s apart
    assert told[-1] == (5, 5)


def test_a_board_that_lay_still_before_and_was_taken_up_again_is_where_it_lay_last(camera, board):
    renderer, other = Renderer(board, camera), over_floor(camera, pitch_deg=37.0)
    hand = [renderer.image(*pose) for pose in held(np.random.default_rng(3), board, camera, 3)]
    first, last = renderer.image(*lying(other)), renderer.image(*lying(camera))
    images = [image for still in (first, last) for image in [*[still] * 9, *hand]]
    floor = floor_of(look(Webcam(images, camera), board), board, camera)
    assert floor.pitch_deg == pytest.approx(35.0, abs=0.5)
