from __future__ import annotations

import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from posewire import camera as cameras
from posewire import rotation
from posewire.data import Frame, SkeletonPose, Track
from posewire.errors import PosewireError
from posewire.pipeline import Instant
from posewire.preview import PreviewWindow, PreviewWriter, Sheet, SideView, VideoWriter, draw_overlay, legend
from posewire.preview.overlay import keypoint_bones
from posewire.preview.palette import TEXT_DIM, joint_colour, person_colour, side_colour
from posewire.preview.sheet import clock_text, layout
from posewire.skeleton import REFERENCE

NAMES = ("nose", "left_shoulder", "right_shoulder", "left_elbow", "left_hip", "right_hip")
DISTANCE_M = 4.0


def frame(width: int = 320, height: int = 240, time_s: float = 0.0, index: int = 0) -> Frame:
    image = np.full((height, width, 3), 60, dtype=np.uint8)
    image.flags.writeable = False
    return Frame(image, time_s, index, cameras.assumed(width, height))


def track(person_id: int = 0, scale: float = 1.0, missed_frames: int = 0) -> Track:
    points = np.array([[160, 50], [190, 90], [130, 90], [200, 130], [180, 170], [140, 170]]) * scale
    return Track(person_id, points, np.ones(6), np.array([100, 40, 220, 230]) * scale, missed_frames=missed_frames)


def pose(person_id: int = 0, x_m: float = 0.0, y_m: float = 0.0, distance_m: float = DISTANCE_M) -> SkeletonPose:
    """A T-pose four metres before the camera."""
    root = np.array([x_m, y_m, -distance_m])
    rotations = rotation.identity(len(REFERENCE.names))
    positions = REFERENCE.positions_m(root, rotations)
    angles = np.zeros(len(REFERENCE.dof_names))
    return SkeletonPose(person_id, 0.0, root, angles, rotations, positions, np.ones(len(REFERENCE.names)), np.full(4, np.nan))


def instant(index: int = 0, time_s: float | None = None, **size: int) -> Instant:
    at_s = index / 30 if time_s is None else time_s
    return Instant(frame(time_s=at_s, index=index, **size), (track(),), (pose(),), {0: REFERENCE})


def read_back(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [f.to_ndarray(format="rgb24") for f in frames], [float(f.pts * f.time_base) for f in frames]


def has_colour(area: np.ndarray, colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool((np.abs(area.astype(int) - colour).max(axis=-1) <= tolerance).any())


def test_bones_join_the_keypoints_of_any_set_of_names() -> None:
    pairs = {(NAMES[a], NAMES[b]) for a, b in keypoint_bones(NAMES)}
    assert pairs == {
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
        ("left_shoulder", "left_elbow"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
    }
    assert keypoint_bones(("a", "b")) == ()


def test_the_overlay_draws_the_left_and_the_right_side_in_their_colours() -> None:
    image = frame().image.copy()
    draw_overlay(image, [track()], [], {}, camera=frame().camera, keypoint_names=NAMES)
    assert has_colour(image[125:136, 193:206], side_colour(0, "left_elbow"))
    assert has_colour(image[85:96, 125:136], side_colour(0, "right_shoulder"))
    assert np.all(image[200:, :60] == 60)


def test_the_fitted_skeleton_is_drawn_where_the_camera_sees_it() -> None:
    view = frame(640, 480)
    image = view.image.copy()
    draw_overlay(image, [], [pose()], {}, camera=view.camera, keypoint_names=NAMES)
    wrist_m = pose().positions_m[REFERENCE.index("left_wrist")]
    x, y = cameras.project(cameras.to_camera(wrist_m, view.camera), view.camera).round().astype(int)
    assert has_colour(image[y - 2 : y + 3, x - 2 : x + 3], side_colour(0, "left_wrist"))
    assert x > 320  # a person who faces the camera has the left hand on the picture's right


def test_bones_that_nobody_saw_are_drawn_dark() -> None:
    legs = [REFERENCE.index(f"left_{joint}") for joint in ("knee", "ankle", "heel", "toe")]
    confidence = np.ones(len(REFERENCE.names))
    confidence[legs] = 0.0
    guessed, view = replace(pose(), confidence=confidence), frame(640, 480)
    image = view.image.copy()
    draw_overlay(image, [], [guessed], {}, camera=view.camera, keypoint_names=NAMES)
    middle_m = guessed.positions_m[[REFERENCE.index("left_hip"), REFERENCE.index("left_knee")]].mean(axis=0)
    x, y = cameras.project(cameras.to_camera(middle_m, view.camera), view.camera).round().astype(int)
    for area in (image[y - 2 : y + 3, x - 2 : x + 3], SideView(400, 400).draw([guessed], {})):
        assert has_colour(area, joint_colour(0, "left_knee", 0.0), tolerance=4)
    assert not has_colour(image[y - 2 : y + 3, x - 2 : x + 3], side_colour(0, "left_knee"), tolerance=40)


def test_a_scaled_copy_is_drawn_at_its_own_scale() -> None:
    small = np.full((120, 160, 3), 60, dtype=np.uint8)
    draw_overlay(small, [track()], [], {}, camera=frame().camera, keypoint_names=NAMES)
    assert has_colour(small[62:68, 97:103], side_colour(0, "left_elbow"))


def test_unseen_keypoints_and_lost_people_are_not_drawn() -> None:
    image = frame().image.copy()
    unseen = Track(0, np.full((6, 2), np.nan), np.zeros(6), np.full(4, np.nan))
    draw_overlay(image, [unseen, track(missed_frames=2)], [], {}, camera=frame().camera, keypoint_names=NAMES)
    assert np.all(image == 60)


def test_points_far_outside_and_behind_the_camera_do_no_harm() -> None:
    image = frame().image.copy()
    far = Track(0, np.full((6, 2), 1e12), np.ones(6), np.zeros(4))
    behind = SkeletonPose(
        **{name: getattr(pose(), name) for name in SkeletonPose.__slots__} | {"positions_m": -pose().positions_m}
    )
    draw_overlay(image, [far], [behind], {}, camera=frame().camera, keypoint_names=NAMES)


def test_people_have_different_colours() -> None:
    colours = np.array([person_colour(person_id) for person_id in range(1, 25)])
    apart = np.abs(colours[:, None] - colours[None]).sum(axis=-1)
    assert apart[~np.eye(24, dtype=bool)].min() > 40
    assert person_colour(25) == person_colour(1)


@pytest.mark.parametrize("size", [(1, 1), (1080, 1920), (1920, 1080), (3840, 2160), (320, 240), (101, 7), (3, 2000)])
def test_every_frame_size_gives_an_even_sheet_of_limited_size(size: tuple[int, int]) -> None:
    sheet = Sheet(NAMES).draw(frame(*size), [track()], [pose()], {})
    height, width = sheet.shape[:2]
    assert height % 2 == width % 2 == 0
    assert height <= 720
    assert width <= 1280
    assert sheet.dtype == np.uint8


def test_the_picture_keeps_its_aspect_ratio() -> None:
    height, picture_width, _ = layout(1080, 1920)
    assert picture_width / height == pytest.approx(1920 / 1080, abs=0.01)


def test_a_frame_of_another_size_keeps_the_size_of_the_sheet() -> None:
    sheet = Sheet(NAMES)
    assert sheet.draw(frame(320, 240)).shape == sheet.draw(frame(240, 320)).shape


def test_an_empty_scene_and_nan_poses_are_drawn() -> None:
    sheet = Sheet(NAMES)
    lost = SkeletonPose(**{n: getattr(pose(), n) for n in SkeletonPose.__slots__} | {"positions_m": np.full((25, 3), np.nan)})
    assert sheet.draw(frame()).shape == sheet.draw(frame(), [], [lost], {}).shape


def test_the_side_view_shows_every_person() -> None:
    panel = SideView(400, 400).draw([pose(0, -0.5), pose(1, 0.5)], {})
    assert has_colour(panel, side_colour(0, "head"))
    assert has_colour(panel, side_colour(1, "head"))


def in_panel(view: SideView, poses: list[SkeletonPose]) -> np.ndarray:
    """(P, N, 2) panel pixels of the people's joints."""
    return np.array([view._pixels(one.positions_m) for one in poses])


@pytest.mark.parametrize(
    "places", [[(0, 4), (0.5, 4.5), (-0.5, 4.5), (9, 12)], [(x, 4) for x in range(-5, 6)], [(0, 3), (0, 20)]]
)
def test_the_side_view_shows_people_who_are_far_from_the_others_between_the_labels(places: list[tuple[float, float]]) -> None:
    view = SideView(322, 538, header_px=45, footer_px=50)
    poses = [pose(number, x, distance_m=z) for number, (x, z) in enumerate(places, 1)]
    for _ in range(60):
        view.draw(poses, {})
    pixels = in_panel(view, poses)
    assert pixels[..., 0].min() >= 0
    assert pixels[..., 0].max() <= 322
    assert pixels[..., 1].min() >= 45
    assert pixels[..., 1].max() <= 538 - 50
    assert view.out_of_view(poses) == 0


def test_somebody_who_comes_later_is_soon_in_view() -> None:
    view = SideView(400, 400)
    view.draw([pose()], {})
    both = [pose(), pose(1, 6.0)]
    for _ in range(45):
        view.draw(both, {})
    assert in_panel(view, both).min() >= 0
    assert in_panel(view, both).max() <= 400


def test_a_ghost_far_away_does_not_shrink_the_people_and_is_counted() -> None:
    view, alone = SideView(400, 400), SideView(400, 400)
    people = [pose(1), pose(2, 1.0)]
    for _ in range(30):
        view.draw([*people, pose(3, distance_m=300.0)], {})
        alone.draw(people, {})
    assert view._radius_m == alone._radius_m
    assert view.out_of_view([*people, pose(3, distance_m=300.0)]) == 1


def test_the_side_view_comes_nearer_again_when_only_one_is_left() -> None:
    view = SideView(400, 400)
    view.draw([pose(), pose(1, 8.0)], {})
    wide = view._radius_m
    for _ in range(400):
        view.draw([pose()], {})
    assert view._radius_m < 0.5 * wide


@pytest.mark.parametrize(("people", "more"), [(1, False), (12, False), (60, True)])
def test_the_legend_has_a_disc_for_everybody_or_counts_the_rest(people: int, more: bool) -> None:
    panel = np.zeros((538, 322, 3), dtype=np.uint8)
    legend.draw_legend(panel, range(1, people + 1), 9, 232)
    assert not panel[: 538 - legend.height_px(9)].any()
    assert not panel[:, 232:].any()
    shown = [number for number in range(1, min(people, 24) + 1) if has_colour(panel, person_colour(number), 3)]
    assert (len(shown) < min(people, 24)) == more
    assert has_colour(panel, TEXT_DIM, 3) == more


def test_the_side_view_holds_still_while_people_move_a_little() -> None:
    view = SideView(400, 400)
    view.draw([pose()], {})
    grid = view.draw([], {})
    view.draw([pose(x_m=0.1)], {})
    assert np.array_equal(view.draw([], {}), grid)


def test_a_jump_leaves_the_ground_where_it_is() -> None:
    view = SideView(400, 400)
    view.draw([pose()], {})
    for _ in range(5):
        view.draw([pose(y_m=0.4)], {})
    assert view._ground_m == pytest.approx(-REFERENCE.offsets_m[0, 1], abs=0.02)


def test_the_clock_shows_minutes_and_milliseconds() -> None:
    assert [clock_text(t) for t in (0.0, 1.6667, 59.9996, 62.345)] == ["0:00.000", "0:01.667", "1:00.000", "1:02.345"]


def test_the_preview_file_keeps_the_frames_and_their_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.05, 0.5, 0.9]
    with PreviewWriter(tmp_path / "a.mp4", NAMES, title="clip") as writer:
        for index, time_s in enumerate(times):
            writer.add(instant(index, time_s))
    images, read_times = read_back(tmp_path / "a.mp4")
    np.testing.assert_allclose(read_times, times, atol=1e-3)
    expected = Sheet(NAMES, "clip").draw(frame(), [track()], [pose()], {0: REFERENCE})
    assert images[0].shape == expected.shape
    assert np.abs(images[0].astype(int) - expected).mean() < 4


@pytest.mark.parametrize("fps", [24, 30, 60])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_players_find_the_rate_and_the_length_of_the_film(tmp_path: Path, suffix: str, fps: int) -> None:
    path = tmp_path / f"seen{suffix}"
    writer = VideoWriter(path)
    for number in range(48):
        writer.write(np.full((64, 96, 3), 5 * number, dtype=np.uint8), number / fps)
    writer.close()
    with av.open(str(path)) as file:
        assert file.streams.video[0].average_rate == fps
        assert file.duration == pytest.approx(48e6 / fps, abs=1500)


def test_repeated_times_still_give_a_file(tmp_path: Path) -> None:
    with PreviewWriter(tmp_path / "a.mkv", NAMES) as writer:
        for index in range(3):
            writer.add(instant(index, 0.0))
    assert len(read_back(tmp_path / "a.mkv")[0]) == 3


def test_a_run_that_fails_leaves_a_readable_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), PreviewWriter(tmp_path / "a.mp4", NAMES) as writer:
        writer.add(instant(0))
        writer.add(instant(1))
        raise RuntimeError
    assert len(read_back(tmp_path / "a.mp4")[0]) == 2


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from posewire.errors import PosewireError
from posewire.preview.writer import VideoWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))
video, rng = VideoWriter(Path(sys.argv[1])), np.random.default_rng(0)
for act in (*[lambda: video.write(rng.integers(0, 255, (256, 256, 3), dtype=np.uint8), 0.0)] * 60, video.close):
    try:
        act()
    except PosewireError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource.setrlimit")
def test_a_full_disk_is_said_while_writing_and_at_the_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "a.mp4 cannot be written" in done.stdout, done.stderr


def test_close_twice_and_without_a_frame(tmp_path: Path) -> None:
    writer = PreviewWriter(tmp_path / "a.mp4", NAMES)
    writer.close()
    writer.close()
    assert not (tmp_path / "a.mp4").exists()


def test_an_existing_file_is_replaced_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(PosewireError, match="exists") as error:
        PreviewWriter(path, NAMES)
    assert "--overwrite" in str(error.value)
    assert path.read_bytes() == b"mine"
    with PreviewWriter(path, NAMES, overwrite=True) as writer:
        writer.add(instant())
    assert len(read_back(path)[0]) == 1


def test_no_folder_is_made_and_no_other_format_is_taken(tmp_path: Path) -> None:
    with pytest.raises(PosewireError, match="does not exist"):
        PreviewWriter(tmp_path / "new" / "a.mp4", NAMES)
    with pytest.raises(PosewireError, match="MP4"):
        VideoWriter(tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_window_without_pygame_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(PosewireError, match="needs pygame") as error:
        PreviewWindow(NAMES)
    assert 'pip install "posewire[view]"' in str(error.value)


def test_a_window_without_a_screen_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoScreenError(Exception):
        pass

    def init() -> None:
        raise NoScreenError("No available video device")

    fake = types.SimpleNamespace(error=NoScreenError, display=types.SimpleNamespace(init=init))
    monkeypatch.setitem(sys.modules, "pygame", fake)
    with pytest.raises(PosewireError, match="no screen"):
        PreviewWindow(NAMES)


@pytest.fixture
def pygame(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    return pytest.importorskip("pygame", reason="the extra [view] is not installed")


def test_the_window_shows_the_sheet_and_ends_when_the_user_closes_it(pygame: types.ModuleType) -> None:
    with PreviewWindow(NAMES) as window:
        window.add(instant())
        expected = Sheet(NAMES).draw(frame(), [track()], [pose()], {0: REFERENCE})
        shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
        assert np.array_equal(shown, expected)
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        window.add(instant(1))
        assert window.closed
        window.add(instant(2))


def test_escape_closes_the_window(pygame: types.ModuleType) -> None:
    window = PreviewWindow(NAMES)
    window.add(instant())
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE))
    window.add(instant(1))
    assert window.closed
    window.close()


def test_a_file_name_that_is_no_utf8_is_written_with_a_question_mark() -> None:
    """OpenCV ends the process, so another one tries it."""
    code = """
import numpy as np
from posewire.preview.text import put_text
odd, plain = np.zeros((2, 30, 90, 3), np.uint8)
put_text(odd, "a" + chr(0xDCFF), 5, 5, 12, (255, 255, 255))
put_text(plain, "a?", 5, 5, 12, (255, 255, 255))
assert plain.any() and (odd == plain).all()
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
