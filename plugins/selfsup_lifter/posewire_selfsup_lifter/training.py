"""A whole run: the stages of each teacher, one after the other, from views to the networks of a lifter. Resumable at any step.

Nothing here or below can reach a third dimension: the arguments are MultiView2D.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from posewire.errors import ModelError
from posewire_selfsup_lifter.batches import Batches, Corruption
from posewire_selfsup_lifter.chirality import Chirality
from posewire_selfsup_lifter.nrsfm import DeepNrsfm
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_selfsup_lifter.students import Networks, unscaled
from posewire_selfsup_lifter.teachers.adversarial import AdversarialTask
from posewire_selfsup_lifter.teachers.dictionary import DictionaryTask
from posewire_selfsup_lifter.teachers.distillation import DistillationTask
from posewire_selfsup_lifter.teachers.factorization import FactorizationTask
from posewire_selfsup_lifter.teachers.reprojection import ReprojectionTask
from posewire_selfsup_lifter.views import MultiView2D
from posewire_training import parts
from posewire_training.loop import averaged, set_up, train
from posewire_training.real import RealClips
from posewire_training.samples import NOTHING_HIDDEN, Disturbance, Hiding
from posewire_training.task import Task

_ESTIMATOR = RealClips().said
"""Says the keypoints of what is like a real clip, in training and in validation."""
_CHIRALITY_BATCHES = 8
_DICTIONARY_SETTINGS = (
    *("teacher", "batch", "learning_rate", "warm_up_steps", "average", "largest_gradient", "device", "threads", "seed"),
    *("validate_every", "cameras", "instants", "proportions", "mixing", "mirror", "real_share"),
)


def run(
    settings: SelfsupSettings,
    training: MultiView2D,
    validation: MultiView2D,
    folder: Path,
    *,
    start: Path | None = None,
    quiet: bool = False,
    finish: bool = False,
) -> Networks:
    """Trains one teacher's student and returns the networks that a lifter is made of (students.student).

    Args:
        settings: Which teacher, how long, how large.
        training: Views to learn from.
        validation: Other people's views; only losses are measured on them.
        folder: For checkpoints and curves; one that holds a run is continued.
        start: Folder of another run of the same shape, to begin from its averaged networks.
        quiet: No progress bars.
        finish: Train no further; take the networks of the checkpoint.
    """
    clean = _batches(settings, training, Corruption())
    first: DeepNrsfm | None = None
    if needs_dictionary(settings):
        first = _dictionary(settings, clean, _batches(settings, validation, Corruption()), folder / "dictionary", quiet=quiet)
    if settings.teacher == "distillation" and settings.target == "none":
        assert first is not None
        return _with_chirality(settings, {"nrsfm": first}, clean)
    set_up(settings)
    judged = _batches(settings, validation, Corruption(estimator=_ESTIMATOR))
    task = _task(settings, _batches(settings, training, _corruption(settings)), judged, first)
    if start is not None:
        _begin_from(task, start)
    last = averaged(task, settings, folder) if finish else train(task, settings, folder, quiet=quiet)
    return _with_chirality(settings, last, clean)


def _batches(settings: SelfsupSettings, views: MultiView2D, corruption: Corruption) -> Batches:
    return Batches(views, settings.batch, corruption, seed=settings.seed, device=settings.device)


def _corruption(settings: SelfsupSettings) -> Corruption:
    """What is done to the keypoints that a network learns from."""
    disturbance = Disturbance(settings.noise) if settings.noise else None
    return Corruption(Hiding() if settings.hiding else NOTHING_HIDDEN, disturbance, settings.focal_error, _ESTIMATOR)


def needs_dictionary(settings: SelfsupSettings) -> bool:
    """True where NRSfM comes first."""
    return settings.teacher == "distillation" or (settings.teacher == "factorization" and settings.dictionary)


def _dictionary(settings: SelfsupSettings, training: Batches, validation: Batches, folder: Path, *, quiet: bool) -> DeepNrsfm:
    """The finished auto-encoder; its pictures are not corrupted: NRSfM knows no missing joints.

    Its settings are those that concern it: the same folder serves every student.
    """
    mine = {name: getattr(settings, name) for name in _DICTIONARY_SETTINGS}
    settings = SelfsupSettings(**mine, steps=settings.dictionary_steps)
    set_up(settings)
    nrsfm = train(DictionaryTask(settings, training, validation), settings, folder, quiet=quiet)["nrsfm"]
    assert isinstance(nrsfm, DeepNrsfm)
    return nrsfm


def _task(settings: SelfsupSettings, training: Batches, validation: Batches, first: DeepNrsfm | None) -> Task:
    if settings.teacher == "reprojection":
        kind = AdversarialTask if settings.terms == "adversarial" else ReprojectionTask
        return kind(settings, training, validation)
    if settings.teacher == "factorization":
        return FactorizationTask(settings, training, validation, first)
    assert first is not None
    return DistillationTask(settings, training, validation, first)


def _begin_from(task: Task, folder: Path) -> None:
    """Takes the averaged networks of another run's checkpoint over."""
    state = parts.read(parts.or_first(folder / "last.pt"))
    try:
        for name, module in task.modules.items():
            module.load_state_dict(state["average"][name])
    except (KeyError, RuntimeError) as error:
        problem, got = f"{folder} holds no run to begin from.", " ".join(str(error).split())[:200]
        raise ModelError(problem, got=got, allowed="the folder of a run of the same teacher and shape") from error


def _with_chirality(settings: SelfsupSettings, networks: Mapping[str, nn.Module], batches: Batches) -> Networks:
    """The networks without what only training needs, and the sign of depth where the teacher cannot know it."""
    if settings.teacher == "reprojection":
        return {"lifting": networks["lifting"]}
    chirality, shape = Chirality(), unscaled(settings, networks)
    views = [batches.draw(number).first for number in range(_CHIRALITY_BATCHES)]
    with torch.inference_mode():
        poses = torch.cat([shape(view.clean_features) for view in views])
    chirality.learn(poses.clone(), torch.cat([view.rays for view in views]))
    return {**networks, "chirality": chirality}
