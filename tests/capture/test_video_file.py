from __future__ import annotations

import os
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from capture_media import ASSET, add_silence, damaged, number, numbered, packets, set_display_matrix, write_audio, write_video

from posewire.capture import VideoFile, open_source
from posewire.data import Camera
from posewire.errors import CalibrationError, SourceError
from posewire.methods import SourceOptions

OPTIONS = SourceOptions()


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    frames = list(VideoFile(path, OPTIONS))
    return [frame.image for frame in frames], [frame.time_s for frame in frames]


def test_every_frame_of_the_real_clip_arrives_at_its_time() -> None:
    source = VideoFile(ASSET, OPTIONS)
    frames = list(source)
    assert len(frames) == source.frame_count == 100
    assert [frame.index for frame in frames] == list(range(100))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(100) / 60, atol=1e-9)
    assert {frame.image.shape for frame in frames} == {(1920, 1080, 3)}
    assert source.problems == []
    assert not source.live


def test_a_frame_is_contiguous_read_only_rgb_with_a_camera_and_a_wall_clock() -> None:
    frame = next(iter(VideoFile(ASSET, OPTIONS)))
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    assert not frame.image.flags.writeable
    assert (frame.camera.width_px, frame.camera.height_px, frame.camera.origin) == (1080, 1920, "assumed")
    assert frame.capture_unix_ns > 1_500_000_000 * 10**9


def test_the_camera_is_built_once() -> None:
    cameras = {id(frame.camera) for frame in VideoFile(ASSET, OPTIONS)}
    assert len(cameras) == 1


def test_a_calibration_follows_the_frame_size(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", numbered(2))
    calibrated = Camera(128, 96, np.array([[100.0, 0, 64], [0, 100, 48], [0, 0, 1]]), origin="calibrated")
    camera = next(iter(VideoFile(clip, SourceOptions(camera=calibrated)))).camera
    assert (camera.width_px, camera.height_px, camera.origin, camera.K[0, 0]) == (64, 48, "calibrated", 50.0)


def test_a_calibration_of_another_aspect_ratio_is_refused(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", numbered(2))
    with pytest.raises(CalibrationError, match="does not fit"):
        next(iter(VideoFile(clip, SourceOptions(camera=Camera(100, 100, np.eye(3))))))


def test_variable_frame_rate_keeps_the_containers_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.05, 0.3, 0.31, 1.2]
    images, read_times = read(write_video(tmp_path / "a.mp4", numbered(6), times))
    assert [number(image) for image in images] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(read_times, times, atol=1e-3)


def test_time_starts_at_the_first_frame(tmp_path: Path) -> None:
    _, times = read(write_video(tmp_path / "a.mkv", numbered(3), [5.0, 5.1, 5.4]))
    np.testing.assert_allclose(times, [0.0, 0.1, 0.4], atol=1e-3)


def test_frames_are_in_order_although_b_frames_are_stored_out_of_order(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", numbered(15), options={"bf": "4", "b-adapt": "0"})
    images, times = read(clip)
    assert [number(image) for image in images] == list(range(15))
    np.testing.assert_allclose(times, np.arange(15) / 10, atol=1e-3)


def test_sound_longer_than_the_picture_changes_nothing(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    with av.open(str(clip), "w") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        picture = container.add_stream("libx264", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for i, image in enumerate(numbered(5)):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = i, Fraction(1, 10)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        add_silence(container, sound, 3.0)
    source = VideoFile(clip, OPTIONS)
    assert [number(frame.image) for frame in source] == [0, 1, 2, 3, 4]
    assert source.problems == []


# A quarter turn clockwise (as a phone held upright writes it), a half turn, counter-clockwise, and a mirror.
@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    ],
)
def test_the_display_matrix_turns_the_picture(tmp_path: Path, matrix, expected) -> None:
    image = np.zeros((48, 64, 3), dtype=np.uint8)
    image[:24, :32] = [255, 40, 40]
    image[24:, :32] = 120
    clip = write_video(tmp_path / "a.mp4", [image, image])
    set_display_matrix(clip, *matrix)
    seen = next(iter(VideoFile(clip, OPTIONS))).image
    assert seen.shape == expected(image).shape
    assert seen.flags.c_contiguous
    assert np.abs(seen.astype(int) - expected(image)).mean() < 8


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "size"),
    [
        ("grey.mkv", "ffv1", "gray", (64, 48)),
        ("ten_bit.mkv", "ffv1", "yuv420p10le", (64, 48)),
        ("odd.mkv", "ffv1", "yuv444p", (63, 47)),
        ("alpha.mkv", "ffv1", "bgra", (64, 48)),
        ("full_range.avi", "mjpeg", "yuvj420p", (64, 48)),
        ("one_pixel.mkv", "ffv1", "gray", (1, 1)),
        ("four_k.mp4", "libx264", "yuv420p", (3840, 2160)),
    ],
)
def test_every_pixel_format_and_size_comes_out_as_rgb(tmp_path: Path, name: str, codec: str, pix_fmt: str, size) -> None:
    images, _ = read(write_video(tmp_path / name, numbered(3, *size), codec=codec, pix_fmt=pix_fmt))
    assert {image.shape for image in images} == {(size[1], size[0], 3)}
    assert all(image.flags.c_contiguous for image in images)
    assert [number(image) for image in images] == [0, 1, 2]


def test_red_stays_red(tmp_path: Path) -> None:
    red = np.zeros((48, 64, 3), dtype=np.uint8)
    red[..., 0] = 220
    images, _ = read(write_video(tmp_path / "a.mp4", [red, red]))
    assert np.abs(images[0].astype(int) - red).max() < 12


def test_decoder_threads_do_not_change_the_frames() -> None:
    one, many = (VideoFile(ASSET, OPTIONS, threads=threads) for threads in (1, 0))
    assert all(np.array_equal(a.image, b.image) and a.time_s == b.time_s for a, b in zip(one, many, strict=True))


def test_a_missing_file_is_named_with_its_near_names(tmp_path: Path) -> None:
    (tmp_path / "Walking.mp4").write_bytes(b"x")
    with pytest.raises(SourceError, match="not there") as error:
        open_source(str(tmp_path / "walkin.mp4"), OPTIONS)
    assert "Walking.mp4" in str(error.value.hint)
    assert "a folder of images" in str(error.value)


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no folder"):
        open_source(str(tmp_path / "nowhere" / "clip.mp4"), OPTIONS)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(SourceError, match="empty"):
        open_source(str(tmp_path / "a.mp4"), OPTIONS)


def test_a_cut_mp4_without_its_index_is_refused_as_such(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered(10))
    data = whole.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: data.index(b"moov") - 100])
    with pytest.raises(SourceError, match="moov"):
        open_source(str(tmp_path / "cut.mp4"), OPTIONS)


def test_an_index_that_is_itself_cut_counts_as_missing(tmp_path: Path) -> None:
    data = write_video(tmp_path / "whole.mp4", numbered(10)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: data.index(b"moov") + 60])
    with pytest.raises(SourceError, match="moov"):
        open_source(str(tmp_path / "cut.mp4"), OPTIONS)


def test_a_file_with_only_sound_is_refused(tmp_path: Path) -> None:
    clip = write_audio(tmp_path / "a.m4a", 0.5)
    with pytest.raises(SourceError, match="holds no video") as error:
        open_source(str(clip), OPTIONS)
    assert error.value.__dict__["got"] == "only audio"


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.avi"])
def test_a_text_file_is_no_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello world\n" * 500)
    with pytest.raises(SourceError, match="video"):
        open_source(str(tmp_path / name), OPTIONS)


def test_noise_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(np.random.default_rng(1).bytes(50_000))
    with pytest.raises(SourceError, match="not a video"):
        open_source(str(tmp_path / "a.mp4"), OPTIONS)


def test_a_codec_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", numbered(3))
    clip.write_bytes(clip.read_bytes().replace(b"avc1", b"xyz0"))
    with pytest.raises(SourceError, match="cannot be decoded"):
        open_source(str(clip), OPTIONS)


def test_a_folder_is_no_video_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder"):
        VideoFile(tmp_path, OPTIONS)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", numbered(2))
    clip.chmod(0)
    with pytest.raises(SourceError, match="cannot be read"):
        open_source(str(clip), OPTIONS)


def test_an_os_error_while_opening_is_a_source_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_video(tmp_path / "a.mp4", numbered(2))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match="cannot be read"):
        open_source(str(clip), OPTIONS)


def test_a_damaged_middle_loses_only_the_damaged_frames(tmp_path: Path) -> None:
    source = VideoFile(damaged(ASSET, tmp_path / "a.mp4", 40, 42), OPTIONS)
    times = [frame.time_s for frame in source]
    assert 90 <= len(times) <= 100
    assert times[-1] == pytest.approx(99 / 60)
    assert np.all(np.diff(times) > 0)
    assert source.problems


def test_a_little_damage_inside_a_frame_is_reported(tmp_path: Path) -> None:
    position, _ = packets(ASSET)[40]
    data = bytearray(ASSET.read_bytes())
    data[position + 50 : position + 200] = np.random.default_rng(0).bytes(150)
    (tmp_path / "a.mp4").write_bytes(data)
    source = VideoFile(tmp_path / "a.mp4", OPTIONS)
    assert len(list(source)) == 100
    assert any("damaged frames" in problem for problem in source.problems)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_anywhere_in_a_file_never_hangs_and_never_crashes(tmp_path: Path, suffix: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clip = write_video(tmp_path / f"a{suffix}", [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(20)])
    data = bytearray(clip.read_bytes())
    for start in rng.integers(200, len(data) - 40, 12):
        data[start : start + 30] = rng.bytes(30)
    clip.write_bytes(data)
    try:
        source = VideoFile(clip, OPTIONS)
    except SourceError:
        return
    times = [frame.time_s for frame in source]
    assert np.all(np.diff(times) > 0)
    assert len(times) <= 40


def test_a_file_cut_after_its_index_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered(19), options={"bf": "0"})
    front = tmp_path / "front.mp4"
    with av.open(str(whole)) as source, av.open(str(front), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    front.write_bytes(front.read_bytes()[: sum(packets(front)[9])])
    cut = VideoFile(front, OPTIONS)
    assert [number(frame.image) for frame in cut] == list(range(10))
    assert any("10 of 19 frames" in problem for problem in cut.problems)


def test_a_colon_in_a_file_name_is_no_protocol(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows allows no colon in a name")
    clip = write_video(tmp_path / "a.mp4", numbered(2)).rename(tmp_path / "concat:b ü.mp4")
    assert len(list(open_source(str(clip), OPTIONS))) == 2


def test_close_twice_and_while_another_thread_reads() -> None:
    source = VideoFile(ASSET, OPTIONS)
    reader = threading.Thread(target=lambda: list(source))
    frames = iter(source)
    next(frames)
    reader.start()
    source.close()
    source.close()
    reader.join(10)
    assert not reader.is_alive()
    assert list(frames) == []


def test_a_matroska_file_that_ends_too_early_says_how_much_is_there(tmp_path: Path) -> None:
    """It has no table of frames; what is promised is the length of the stream."""
    images = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), dtype=np.uint8) for i in range(40)]
    whole = write_video(tmp_path / "whole.mkv", images)
    source = VideoFile(whole, OPTIONS)
    assert (len(list(source)), source.problems) == (40, [])
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: sum(packets(whole)[20])])
    source = VideoFile(cut, OPTIONS)
    assert 15 < len(list(source)) < 25
    assert any("end of file too early" in problem and "of 4.0 s are there" in problem for problem in source.problems)
