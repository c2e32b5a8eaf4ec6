"""methods, sources, rigs, doctor, settings, keys, detect."""

import json

import cv2
import numpy as np
import pytest

from posewire.bench.clip import bundled_frames


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("methods", {"blazepose", "blazepose-lite"}),
        ("sources", {"file", "webcam", "stream", "images"}),
        ("rigs", {"native", "vrm", "mixamo", "ue5_manny", "rigify", "cmu"}),
    ],
)
def test_a_listing_shows_what_is_bundled(posewire, command, names):
    rows = json.loads(posewire(command, "--json").out)
    assert names <= {row["name"] for row in rows}
    text = posewire(command).out
    assert all(name in text for name in names)


def test_methods_names_the_licence_of_the_weights(posewire):
    rows = {row["name"]: row for row in json.loads(posewire("methods", "--json").out)}
    assert rows["blazepose"]["weights_licence"] == "Apache-2.0"
    assert len(rows["blazepose"]["joints"]) == 33


def test_methods_shows_what_was_measured_and_by_which_command(posewire):
    rows = {row["name"]: row for row in json.loads(posewire("methods", "--json").out)}
    first = rows["blazepose"]["accuracy"][0]
    assert first["command"].startswith("posewire eval")
    table = posewire("methods").out
    assert first["value"] in table and first["command"].split(" ... ")[0] in " ".join(table.split())


def test_each_number_in_the_table_points_at_the_command_that_printed_it(posewire):
    rows = {row["name"]: row for row in json.loads(posewire("methods", "--json").out)}
    said = posewire("methods").out
    for name in ("blazepose", "vae"):
        first = rows[name]["accuracy"][0]
        mark = said.split(first["value"], 1)[1].split()[0]
        note = said.split(f"\n{mark} ", 1)[1].split("\n(")[0]
        assert " ".join(first["command"].split()) in " ".join(note.split())


def test_methods_name_shows_every_number_of_one_method(posewire):
    (row,) = json.loads(posewire("methods", "blazepose", "--json").out)
    said = " ".join(posewire("methods", "blazepose").out.split())
    assert row["speed"]
    assert all(
        " ".join(one[key].split()) in said for one in row["accuracy"] + row["speed"] for key in ("what", "value", "command")
    )


def test_a_method_that_was_not_measured_says_so(posewire):
    assert "was not measured" in posewire("methods", "blazepose-heavy").out


def test_an_unknown_method_names_those_that_there_are(posewire):
    ran = posewire("methods", "blazepoze")
    assert ran.code == 2
    assert "did you mean 'blazepose'" in ran.err


def test_doctor_checks_every_model(posewire):
    ran = posewire("doctor", "--json")
    models = [row for row in json.loads(ran.out) if row["topic"] == "model"]
    assert ran.code == 0, ran.err
    assert {row["name"] for row in models} >= {"blazepose_full", "blazepose_lite", "blazepose_detector", "person_detector"}
    assert all(row["good"] and "sha256" in row["value"] for row in models)


def test_settings_show_the_file_that_was_given(posewire, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("max_people = 4\n")
    assert json.loads(posewire("settings", "--settings", path, "--json").out)["max_people"] == 4


def test_settings_are_shown_as_the_file_would_say_them(posewire, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('lock_feet = true\nrigs = ["vrm"]\nheight_m = 1.8\nlifter = "vae"\n')
    rows = [line.split(maxsplit=1) for line in posewire("settings", "--settings", path).out.splitlines() if "  " in line]
    again = tmp_path / "again.toml"
    again.write_text("\n".join(f"{key} = {value}" for key, value in rows[1:] if value.strip() != "-" and key != "height_m"))
    said = [json.loads(posewire("settings", "--settings", file, "--json").out) for file in (path, again)]
    assert said[0] == said[1] | {"height_m": 1.8}


def test_keys_come_and_go(posewire):
    added = posewire("keys", "add", "studio")
    assert added.code == 0
    assert "posewire listen tcp://HOST:5577 --key-file studio.json" in added.err
    assert [row["name"] for row in json.loads(posewire("keys", "list", "--json").out)] == ["studio"]
    assert posewire("keys", "add", "studio").code == 2
    assert posewire("keys", "remove", "studio").code == 0
    assert json.loads(posewire("keys", "list", "--json").out) == []


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number, frame in enumerate(bundled_frames(40)[::20]):
        cv2.imwrite(str(folder / f"{number}.png"), frame.image[::2, ::2, ::-1])
    cv2.imwrite(str(folder / "2_nobody.png"), np.full((90, 120), 128, np.uint8))
    return folder


def test_detect_writes_one_row_an_image(posewire, images, tmp_path):
    ran = posewire("detect", images, "--out", tmp_path / "found.npz", "--max-people", "2", "--json")
    assert ran.code == 0, ran.err
    with np.load(tmp_path / "found.npz") as found:
        names = [str(name) for name in found["image_names"]]
        images, P, J = len(names), found["confidence"].shape[1], len(found["keypoint_names"])
        assert [name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] for name in names] == ["0.png", "1.png", "2_nobody.png"]
        assert found["keypoints_px"].shape == (images, P, J, 2)
        assert found["keypoints_m"].shape == (images, P, J, 3)
        assert np.isfinite(found["keypoints_px"][0, 0]).any()
        assert np.isnan(found["keypoints_px"][2]).all()
        assert not found["confidence"][2].any()
    assert json.loads(ran.out)["people"][names[2]] == 0


def test_detect_counts_in_words(posewire, images, tmp_path):
    said = posewire("detect", images / "0.png", "--out", tmp_path / "one.npz").err
    assert "1 person in 1 image -> " in said
    said = posewire("detect", images / "2_nobody.png", images / "2_nobody.png", "--out", tmp_path / "none.npz").err
    assert "0 people in 2 images -> " in said


def test_an_image_that_cannot_be_read_does_not_cost_what_was_seen_before(posewire, images, tmp_path):
    (images / "1.png").write_text("no picture")
    ran = posewire("detect", images, "--out", tmp_path / "found.npz", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "1.png cannot be read" in ran.err
    assert f"Kept, up to here: {tmp_path / 'found.npz'}, 1 of 3 images" in ran.err
    with np.load(tmp_path / "found.npz") as found:
        assert [str(name).endswith("0.png") for name in found["image_names"]] == [True]


def test_an_empty_folder_has_nothing_to_detect(posewire, tmp_path):
    (tmp_path / "empty").mkdir()
    assert posewire("detect", tmp_path / "empty", "--out", tmp_path / "found.npz").code == 2


def test_settings_and_doctor_name_the_file_in_force(posewire, tmp_path, monkeypatch):
    assert "not there: the defaults hold" in posewire("settings").out
    path = tmp_path / "mine.toml"
    path.write_text("max_people = 4\n")
    monkeypatch.setenv("POSEWIRE_SETTINGS", str(path))
    assert str(path) in posewire("settings").out
    rows = {row["topic"]: row for row in json.loads(posewire("doctor", "--json").out)}
    assert (rows["settings"]["name"], rows["settings"]["value"]) == (str(path), "read")
    path.write_text("max_peple = 4\n")
    rows = {row["topic"]: row for row in json.loads(posewire("doctor", "--json").out)}
    assert not rows["settings"]["good"]


def test_names_in_brackets_and_long_lines_are_shown_as_they_are(posewire, images, tmp_path):
    folder = tmp_path / "shot [bold] [3]" / ("long" * 20)
    folder.mkdir(parents=True)
    said = posewire("detect", images / "2_nobody.png", "--out", folder / "found.npz").err
    assert f"0 people in 1 image -> {folder / 'found.npz'}\n" in said


@pytest.mark.parametrize("columns", [80, 120])
def test_the_list_of_commands_has_a_line_for_each(posewire, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = posewire("--help").out.splitlines()
    listed = lines[lines.index("  COMMAND") + 1 : lines.index("first steps:") - 1]
    assert {len(line.split()) > 1 for line in listed if not line.startswith(" " * 8)} == {True}


def test_help_writes_names_as_they_are(posewire):
    assert "Make the Blender extension's zips." in posewire("blender", "--help").out
