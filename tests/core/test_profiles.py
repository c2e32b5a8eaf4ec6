"""Profiles: a person's measures are found again under their name, and nothing else is."""

import json

import numpy as np
import pytest

from posewire import profiles, settings
from posewire.errors import SettingsError
from posewire.fit import Fitter
from posewire.people import fit_settings
from posewire.settings import Settings
from posewire.skeleton import REFERENCE, for_height


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "default_path", lambda: tmp_path / "settings.toml")
    return tmp_path / "profiles"


def anna() -> profiles.Profile:
    tall = for_height(1.84)
    return profiles.Profile("anna", 1.84, tall.with_bone_lengths(tall.bone_lengths_m * np.linspace(0.95, 1.05, len(tall.names))))


def test_a_saved_profile_is_loaded_again():
    profiles.save(anna())
    found = profiles.load("anna")
    assert found.height_m == 1.84
    np.testing.assert_allclose(found.skeleton.bone_lengths_m, anna().skeleton.bone_lengths_m, atol=1e-5)


def test_a_run_with_a_profile_begins_on_its_skeleton():
    profiles.save(anna())
    chosen = fit_settings(Settings(profile="anna"))
    assert chosen.height_m == 1.84
    fitter = Fitter(("left_hip", "right_hip", "left_knee"), chosen)
    np.testing.assert_allclose(fitter.skeleton.bone_lengths_m, anna().skeleton.bone_lengths_m, atol=1e-5)


def test_an_unknown_name_lists_the_known_ones():
    profiles.save(anna())
    with pytest.raises(SettingsError, match="anna"):
        profiles.load("bert")


@pytest.mark.parametrize("name", ["", "../anna", "a b", ".hidden", "x" * 65])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(SettingsError, match="no name for a profile"):
        profiles.load(name)


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told | {"posewire_profile": 2},
        lambda told: told | {"height_m": 9.0},
        lambda told: told | {"bone_lengths_m": {}},
        lambda told: told | {"bone_lengths_m": dict.fromkeys(REFERENCE.names, 7.0)},
        lambda _: [],
    ],
)
def test_a_damaged_profile_is_refused(damage):
    path = profiles.save(anna())
    path.write_text(json.dumps(damage(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot be read"):
        profiles.load("anna")


@pytest.mark.parametrize("flags", [{"max_people": 2}, {"height_m": 1.8}, {"calibrate": "bert"}])
def test_what_contradicts_a_profile_is_refused(flags):
    with pytest.raises(SettingsError):
        Settings(profile="anna", **flags)
