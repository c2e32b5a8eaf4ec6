"""What two pages say of one thing is the same: README.md, docs/ and what `posewire methods` lists."""

import re
import tomllib
from pathlib import Path

import posewire_models
from posewire import plugins

REPOSITORY = Path(__file__).parents[2]
_ON_CMU = "PA-MPJPE on CMU subject 13 under virtual cameras, true 2D"


def cells_of(page):
    """The cells of every table row, without bold and backticks."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    rows = (row[1:-1].replace("`", "").replace("*", "").split("|") for row in re.findall(r"^\|.*\|$", text, re.M))
    return [[cell.strip() for cell in row] for row in rows]


def numbers_of(cell):
    """(82.7, 73.1) of "82.7, **73.1** mm"."""
    return tuple(float(number) for number in re.findall(r"\d+(?:\.\d+)?", cell))


def trial_of_readme():
    """(clip, method, lifter) to raw and fitted PA-MPJPE, acceleration, 2D PCK."""
    return {
        (clip, method, lifter): (numbers_of(pa), numbers_of(acceleration), numbers_of(pck))
        for clip, method, lifter, pa, _, _, acceleration, pck in (row for row in cells_of("README.md") if len(row) == 8)
        if clip in ("cam01", "cam02")
    }


def test_the_readme_and_the_page_of_vnect_say_the_same_of_the_balancing_trial():
    readme, said = trial_of_readme(), 0
    for row in cells_of("docs/VNECT.md"):
        method, _, lifter = row[0].partition(", --lifter ")
        if len(row) == 7 and (row[1], method, lifter) in readme:
            pa, acceleration, pck = readme[row[1], method, lifter]
            assert (numbers_of(row[4]) + numbers_of(row[5]), numbers_of(row[6]), numbers_of(row[3])) == (pa, acceleration, pck), (
                row
            )
            said += 1
    assert said >= 8


def test_the_readme_and_the_page_of_lifters_say_the_same_of_the_balancing_trial():
    readme, said = trial_of_readme(), 0
    for row in cells_of("docs/LIFTERS.md"):
        lifter = row[0].replace("BlazePose's own 3D", "")
        if len(row) == 5 and ("cam01", "blazepose", lifter) in readme and row[1][0].isdigit():
            assert numbers_of(" ".join(row[1:3])) == readme["cam01", "blazepose", lifter][0], row
            assert numbers_of(" ".join(row[3:5])) == readme["cam02", "blazepose", lifter][0], row
            said += 1
    assert said >= 3


def test_the_readme_and_posewire_methods_say_the_same_of_the_balancing_trial():
    readme, said = trial_of_readme(), 0
    for name in ("blazepose", "vnect", "xnect", "vae", "vae-temporal", "selfsup"):
        for one in posewire_models.method_numbers(name).accuracy:
            for clip in ("cam01", "cam02"):
                key = (clip, name, "") if (clip, name, "") in readme else (clip, "blazepose", name)
                if f" {clip}" in one.what:
                    assert numbers_of(one.value) == readme[key][0], (name, one)
                    said += 1
    assert said >= 6


def test_the_card_of_each_measured_method_shows_its_numbers():
    cards = plugins.load().methods
    for name in tomllib.loads((posewire_models.FOLDER / "methods.toml").read_text(encoding="utf-8")):
        told = posewire_models.method_numbers(name)
        assert told.accuracy, name
        assert (cards[name].accuracy, cards[name].speed) == (told.accuracy, told.speed), name


def test_the_readme_and_posewire_methods_say_the_same_of_the_lifters():
    text = " ".join((REPOSITORY / "README.md").read_text(encoding="utf-8").split())
    for name in ("vae", "vae-temporal", "selfsup"):
        (value,) = (one.value for one in posewire_models.method_numbers(name).accuracy if one.what == _ON_CMU)
        told = re.search(rf"true 2D, PA-MPJPE:.*?`{name}`(?: \(.*?\))? (\d+\.\d)", text)
        assert told is not None
        assert f"{told[1]} mm" == value, name
