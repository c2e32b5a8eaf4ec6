"""No 3D label at any point of training: not in the values, not behind the task, not among the imports, not in the file."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from walking_person import walking  # noqa: E402

from posewire.errors import PosewireError  # noqa: E402
from posewire_selfsup_lifter import studio, views  # noqa: E402
from posewire_selfsup_lifter.batches import Batches, Corruption  # noqa: E402
from posewire_selfsup_lifter.settings import SelfsupSettings  # noqa: E402
from posewire_selfsup_lifter.teachers.dictionary import DictionaryTask, new_nrsfm  # noqa: E402
from posewire_selfsup_lifter.teachers.distillation import DistillationTask  # noqa: E402
from posewire_selfsup_lifter.teachers.factorization import FactorizationTask  # noqa: E402
from posewire_selfsup_lifter.teachers.reprojection import ReprojectionTask  # noqa: E402
from posewire_selfsup_lifter.training import needs_dictionary  # noqa: E402
from posewire_training.real import RealClips  # noqa: E402

FOLDER = Path(studio.__file__).parent
_MODULES = ("views", "batches", "losses", "geometry", "networks", "nrsfm", "chirality", "training")
LEARNING = [FOLDER / f"{name}.py" for name in _MODULES]
LEARNING += sorted((FOLDER / "teachers").glob("*.py"))
FORBIDDEN = {"motion", "studio", "evaluate", "Sampler", "Samples", "MotionSet", "Views", "random_views"}
JOINTS = 17


def imported_names(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", "") or ""
            yield from module.split(".")
            for alias in node.names:
                yield from alias.name.split(".")


def reachable_arrays(value, seen=None):
    """Every array that can be got at from a value by its attributes, items and closures."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, str | bytes | int | float | type):
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray | torch.Tensor):
        yield value
        yield from reachable_arrays(getattr(value, "base", None), seen)
        return
    parts = list(value.items()) if isinstance(value, dict) else list(value) if isinstance(value, list | tuple | set) else []
    parts += list(getattr(value, "__dict__", {}).values())
    parts += [getattr(value, name, None) for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    parts += [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    for part in parts:
        yield from reachable_arrays(part, seen)


def holds_poses(array):
    """17 joints (or 17 columns of 3) of every row of a data set."""
    return (array.ndim >= 3 and tuple(array.shape[-2:]) == (JOINTS, 3)) or (array.ndim >= 2 and array.shape[-1] == JOINTS * 3)


def all_tasks(settings, batches):
    yield ReprojectionTask(settings, batches, batches)
    yield DictionaryTask(settings, batches, batches)
    yield FactorizationTask(settings, batches, batches)
    yield DistillationTask(settings, batches, batches, new_nrsfm("distillation"))


def test_views_have_no_field_for_a_third_dimension():
    known = {"joints", "rays", "confidence", "extrinsics", "like_real", "R_camera_world", "centre_m", "scale"}
    assert views.field_names() == known
    seen = studio.virtual_views(walking(), 30, seed=0)
    assert seen.rays.shape[-1] == 2
    with pytest.raises(ValueError, match="shape"):
        views.MultiView2D(seen.joints, np.zeros((30, 2, JOINTS, 3)), seen.confidence)
    with pytest.raises(ValueError, match="shape"):
        replace(seen, like_real=np.zeros((30, JOINTS, 3)))


def test_no_pose_can_be_reached_from_a_task_before_it_has_learned():
    casting = studio.Casting(real=RealClips(0.5))
    batches = Batches(studio.virtual_views(walking(), 40, seed=0, casting=casting), 8, Corruption(estimator=RealClips().said))
    for task in all_tasks(SelfsupSettings(width=16, blocks=1), batches):
        arrays = list(reachable_arrays(task))
        assert any(tuple(array.shape) == (40, 2, JOINTS, 2) for array in arrays), "the search must find what is there"
        assert not [array.shape for array in arrays if holds_poses(array)]


def test_the_search_finds_a_pose_that_somebody_hides():
    batches = Batches(studio.virtual_views(walking(), 40, seed=0), 8, Corruption())
    poses = np.zeros((40, JOINTS, 3))
    batches.draw = lambda number: poses[number]  # in a closure
    assert any(holds_poses(array) for array in reachable_arrays(batches))


@pytest.mark.parametrize("path", LEARNING, ids=lambda path: path.stem)
def test_what_learns_imports_nothing_that_holds_3d(path):
    assert not FORBIDDEN & set(imported_names(path))


def test_a_batch_holds_pictures_and_cameras_only():
    pair = Batches(studio.virtual_views(walking(), 40, seed=0), 8, Corruption()).draw(0)
    for view in (pair.first, pair.second):
        assert view.rays.shape == (8, JOINTS, 2)
        assert view.features.shape == (8, JOINTS * 3 + 1)  # two coordinates and seen or not, and the size
        assert view.centre_m.shape == (8, 3)


def test_a_file_with_labels_is_refused(tmp_path):
    seen = studio.virtual_views(walking(), 30, seed=0)
    views.write_views(seen, tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz") as stored:
        np.savez(tmp_path / "bad.npz", **stored, positions_m=np.zeros((30, JOINTS, 3)))
    with pytest.raises(PosewireError, match="no labels"):
        views.read_views(tmp_path / "bad.npz")


def test_a_damaged_file_holds_no_views(tmp_path):
    views.write_views(studio.virtual_views(walking(), 30, seed=0), tmp_path / "views")
    (tmp_path / "views").write_bytes((tmp_path / "views").read_bytes()[:-100])
    with pytest.raises(PosewireError, match="does not hold views"):
        views.read_views(tmp_path / "views")


def test_only_two_teachers_need_a_dictionary():
    wanted = {"reprojection": False, "factorization": True, "distillation": True}
    assert {name: needs_dictionary(SelfsupSettings(teacher=name)) for name in wanted} == wanted
