"""Stage II's training from files: whom it learns from, and the weights that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from posewire.runtime import open_session
from posewire_data.joints import JOINTS
from posewire_data.motion import load
from posewire_training import loop, weights
from posewire_training.origin import to_learn_from
from posewire_xnect import album
from posewire_xnect.branches import divided
from posewire_xnect.likeness import Found, Maker, found_by, found_in
from posewire_xnect.movenet import Heads
from posewire_xnect.stage_two import StageTwo, StageTwoSettings
from posewire_xnect.stage_two_task import StageTwoRun, StageTwoTask

STAGE_TWO = "xnect-stage-2"
"""What its weights files call themselves."""


class People(NamedTuple):
    """Whom Stage I finds."""

    found: Found
    held: Found
    """In pictures that are kept apart."""
    films: Found | None = None


def by_heads(heads: Heads, folder: Path) -> People:
    """In a cache."""
    training, held = divided(folder)
    return People(found_in(heads, training), found_in(heads, held))


def by_file(stage_one: Path, pictures: Path, footage: Path | None = None) -> People:
    """By an exported Stage I in pictures (album.py), the first file to choose by, and in labelled frames of films."""
    session = open_session(stage_one, threads=1)
    files = album.paths(to_learn_from(pictures))
    films = found_by(session, album.paths(footage), crowds=False) if footage else None
    people = People(found_by(session, files[1:] or files), found_by(session, files[:1]), films)
    session.close()
    return people


def train(
    settings: StageTwoRun, people: People, motion: Path, out: Path, start: Path | None = None, *, quiet: bool = False
) -> Path:
    """Trains Stage II; returns the weights file.

    Args:
        settings: Of the run.
        people: To learn from.
        motion: For people who are made.
        out: Where everything goes.
        start: Weights to begin from.
        quiet: Shows no progress.
    """
    loop.set_up(settings)
    maker = Maker(people.found, load(motion, "train"), settings.scheme, settings.real)
    net = StageTwo(StageTwoSettings(scheme=settings.scheme, inputs=settings.inputs))
    if start is not None:
        weights.load(start, STAGE_TWO, JOINTS).load_into({"net": net})
    task = StageTwoTask(settings, net, people.found, maker, people.held, people.films)
    trained = loop.train(task, settings, out, quiet=quiet)
    weights.save(out / "weights.pt", STAGE_TWO, JOINTS, settings.to_json(), trained)
    return out / "weights.pt"


def net_of(two: Path) -> StageTwo:
    """A trained Stage II, in eval mode."""
    content = weights.load(two, STAGE_TWO, JOINTS)
    settings = StageTwoRun.from_json(content.settings)
    net = StageTwo(StageTwoSettings(scheme=settings.scheme, inputs=settings.inputs))
    content.load_into({"net": net})
    return net.eval()
