"""Defaults, file, flags: each later one wins, and nonsense is refused with what is allowed."""

import json

import pytest

from posewire.errors import SettingsError
from posewire.settings import Settings


@pytest.fixture(autouse=True)
def _no_user_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("POSEWIRE_SETTINGS", raising=False)


def written(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_defaults_are_one_person_on_the_cpu_at_the_common_address():
    settings = Settings.load()
    assert (settings.method, settings.max_people, settings.device) == ("blazepose", 1, "cpu")
    assert settings.address == "tcp://127.0.0.1:5577"


def test_a_flag_wins_over_the_file_and_the_file_over_the_default(tmp_path):
    path = written(tmp_path, 'max_people = 3\nheight_m = 1.8\nrigs = ["vrm"]\n')
    settings = Settings.load(path, max_people=5)
    assert (settings.max_people, settings.height_m, settings.rigs) == (5, 1.8, ("vrm",))


def test_the_environment_names_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEWIRE_SETTINGS", str(written(tmp_path, "max_people = 7")))
    assert Settings.load().max_people == 7


def test_a_file_that_powershell_wrote_is_read(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("height_m = 1.82", encoding="utf-8-sig")
    assert Settings.load(path).height_m == 1.82


def test_a_whole_number_is_a_fine_height(tmp_path):
    assert Settings.load(written(tmp_path, "height_m = 2")).height_m == 2


def test_the_camera_file_is_relative_to_the_settings_file(tmp_path):
    assert Settings.load(written(tmp_path, 'camera = "cam.json"')).camera == tmp_path / "cam.json"


def test_plain_values_are_what_json_and_takes_can_hold(tmp_path):
    settings = Settings.load(written(tmp_path, 'weights = ["a.onnx", "b.onnx"]\nrigs = ["vrm"]\ncamera = "cam.json"'))
    assert settings.weights == (tmp_path / "a.onnx", tmp_path / "b.onnx")
    plain = settings.plain()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["weights"] == [str(tmp_path / "a.onnx"), str(tmp_path / "b.onnx")]
    assert (plain["rigs"], plain["camera"], plain["height_m"]) == (["vrm"], str(tmp_path / "cam.json"), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("heigth_m = 1.8", "unknown key"),
        ("max_people = 'many'", "wrong type"),
        ("max_people = true", "wrong type"),
        ("max_people =", "cannot be read"),
        ('weights = "mine.onnx"', "wrong type"),
        ("weights = [1]", "wrong type"),
        ("rigs = " + "[" * 100_000, "cannot be read"),
        ("height_m = 3.0", "0.5 to 2.5 metres"),
        ("fov_deg = nan", "5 to 175 degrees"),
        ('device = "tpu"', "cpu or gpu"),
    ],
)
def test_a_bad_file_is_an_error_that_says_why(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said):
        Settings.load(written(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["camera = 5", "profile = 1", "lock_feet = 'yes'", "fov_deg = '54'", "rigs = 'vrm'", "threads = 2.0"]
)
def test_a_wrong_type_is_answered_with_a_line_that_is_right(tmp_path, text):
    with pytest.raises(SettingsError) as refused:
        Settings.load(written(tmp_path, text))
    Settings.load(written(tmp_path, str(refused.value.hint).replace("...", "vrm")))


def test_a_value_out_of_range_names_the_line_and_the_file(tmp_path):
    with pytest.raises(
        SettingsError, match=r"9, by height_m in .*settings\.toml(.|\n)*next: +mend that line, or --height"
    ) as refused:
        Settings.load(written(tmp_path, "height_m = 9\nfov_deg = 60\n"))
    assert "fov_deg" not in str(refused.value)


def test_a_profile_in_the_file_is_named_where_it_does_not_go_with_a_flag(tmp_path):
    with pytest.raises(SettingsError, match="--profile and --height, by profile in"):
        Settings.load(written(tmp_path, 'profile = "anna"'), height_m=1.8)


def test_a_flag_wins_over_a_value_of_the_file_that_is_out_of_range(tmp_path):
    assert Settings.load(written(tmp_path, "height_m = 9"), height_m=1.8).height_m == 1.8


def test_a_flag_that_is_out_of_range_blames_no_file(tmp_path):
    with pytest.raises(SettingsError) as refused:
        Settings.load(written(tmp_path, "height_m = 1.8"), height_m=9.0)
    assert "settings.toml" not in str(refused.value)


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(SettingsError, match="no such settings file"):
        Settings.load(tmp_path / "absent.toml")


@pytest.mark.parametrize("flags", [{"height_m": 0.49}, {"height_m": 2.51}, {"fov_deg": 4.9}, {"fov_deg": 176}, {"max_people": 0}])
def test_flags_outside_their_range_are_refused(flags):
    with pytest.raises(SettingsError, match="out of range"):
        Settings.load(**flags)


def test_a_misspelt_setting_is_refused_with_the_one_that_was_meant():
    """As in posewire.track("clip.mp4", heigth_m=1.8)."""
    with pytest.raises(SettingsError, match=r"heigth_m(.|\n)*did you mean height_m"):
        Settings.load(heigth_m=1.8)
