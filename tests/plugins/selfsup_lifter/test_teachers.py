"""Each teacher learns from 2D alone, resumes exactly, and leaves a lifter that takes what the live half gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from walking_person import walking  # noqa: E402

from posewire.errors import ModelError, PosewireError, SettingsError  # noqa: E402
from posewire.metrics.position import pa_mpjpe_m  # noqa: E402
from posewire_selfsup_lifter import studio  # noqa: E402
from posewire_selfsup_lifter.batches import Batches, Corruption  # noqa: E402
from posewire_selfsup_lifter.extrinsics import triangulated  # noqa: E402
from posewire_selfsup_lifter.nrsfm import DeepNrsfm  # noqa: E402
from posewire_selfsup_lifter.settings import SelfsupSettings  # noqa: E402
from posewire_selfsup_lifter.students import new_networks, student  # noqa: E402
from posewire_selfsup_lifter.teachers.dictionary import new_nrsfm  # noqa: E402
from posewire_selfsup_lifter.teachers.factorization import FactorizationTask  # noqa: E402
from posewire_selfsup_lifter.teachers.reprojection import Placed, ReprojectionTask  # noqa: E402
from posewire_selfsup_lifter.training import run  # noqa: E402
from posewire_selfsup_lifter.views import MultiView2D  # noqa: E402
from posewire_training import curves, parts  # noqa: E402
from posewire_training.samples import Hiding, Sampler  # noqa: E402

SMALL = SelfsupSettings(
    steps=120,
    batch=48,
    width=48,
    blocks=1,
    warm_up_steps=10,
    validate_every=60,
    dictionary_steps=40,
    average=0.9,
    hiding=False,
    noise=0.0,
    focal_error=0.0,
    proportions=0.0,
    mixing=False,
    real_share=0.0,
    learning_rate=3e-3,
)
VIEWS = studio.virtual_views(walking(), 240, seed=0)
KINDS = {
    "reprojection": {},
    "adversarial": {"terms": "adversarial"},
    "single-view": {"terms": "single-view"},
    "factorization": {"teacher": "factorization"},
    "factorization, random dictionary": {"teacher": "factorization", "dictionary": False},
    "distillation": {"teacher": "distillation"},
    "hard targets": {"teacher": "distillation", "target": "hard"},
    "NRSfM itself": {"teacher": "distillation", "target": "none"},
}


def lifted_mm(settings, networks):
    """PA-MPJPE over new cameras."""
    samples = Sampler(walking()).draw(np.random.default_rng(5), 200)
    with torch.inference_mode():
        joints_m = student(settings, networks)(*samples.inputs).numpy()
    return 1e3 * pa_mpjpe_m(joints_m.astype(float), samples.target_m.numpy().astype(float))


def test_two_cameras_teach_depth_and_one_does_not(tmp_path):
    cross, single = SMALL, replace(SMALL, terms="single-view")
    learned = lifted_mm(cross, run(cross, VIEWS, VIEWS, tmp_path / "cross", quiet=True))
    flat = lifted_mm(single, run(single, VIEWS, VIEWS, tmp_path / "single", quiet=True))
    assert learned < 60
    assert flat > 1.5 * learned


@pytest.mark.parametrize("kind", KINDS)
def test_every_teacher_leaves_a_lifter_of_a_person_s_size(kind, tmp_path):
    settings = replace(SMALL, steps=20, validate_every=20, dictionary_steps=10, **KINDS[kind])
    networks = run(settings, VIEWS, VIEWS, tmp_path, quiet=True)
    fresh = new_networks(settings)
    assert set(networks) == set(fresh)
    for name, network in fresh.items():
        network.load_state_dict(networks[name].state_dict())
    inputs = Sampler(walking(), hiding=Hiding()).draw(np.random.default_rng(5), 20).inputs
    with torch.inference_mode():
        said, again = (student(settings, nets)(*inputs) for nets in (networks, fresh))
    assert said.shape == (20, 17, 3) and torch.isfinite(said).all() and (said[:, 0] == 0).all()
    assert torch.equal(said, again)


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    settings = replace(SMALL, steps=20, validate_every=10)
    whole = run(settings, VIEWS, VIEWS, tmp_path / "whole", quiet=True)

    def draw(self, number, original=Batches.draw):
        if number == 13:
            raise KeyboardInterrupt
        return original(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batches, "draw", draw)
        with pytest.raises(KeyboardInterrupt):
            run(settings, VIEWS, VIEWS, tmp_path / "stopped", quiet=True)
    finished = run(settings, VIEWS, VIEWS, tmp_path / "stopped", quiet=True, finish=True)
    resumed = run(settings, VIEWS, VIEWS, tmp_path / "stopped", quiet=True)
    assert not torch.equal(finished["lifting"].head.weight, resumed["lifting"].head.weight)  # as it was after ten steps
    for a, b in zip(whole["lifting"].parameters(), resumed["lifting"].parameters(), strict=True):
        assert torch.equal(a, b)


def test_hidden_keypoints_stay_targets():
    batches = Batches(VIEWS, 32, Corruption(Hiding(seldom=1.0, some=1.0)))
    view = batches.draw(0).first
    shown = view.features[:, 34:51]
    assert shown.mean() < 0.8
    assert view.seen.mean() > 0.95


def test_what_is_like_a_real_clip_is_shown_as_an_estimator_says_it():
    """Its targets stay clean; the rest stays as it was."""
    real = np.zeros(240)
    real[:120] = 1.0
    views = replace(VIEWS, like_real=real)
    batches, plain = (Batches(views, 240, Corruption(estimator=said)) for said in (lambda rng, rays: rays + 0.05, None))
    shown, before = next(batches.in_order()).first, next(plain.in_order()).first
    moved = (shown.features - before.features).abs().amax(1) > 1e-4
    moved |= (shown.R_turned_lifted - before.R_turned_lifted).abs().amax((1, 2)) > 1e-4
    np.testing.assert_array_equal(moved, real > 0)
    assert torch.equal(shown.rays, before.rays)
    nothing = Batches(views, 240, Corruption(estimator=lambda rng, rays: np.full_like(rays, np.nan)))
    weights = next(nothing.in_order()).first.weights
    assert (weights[:120] == 0).all() and (weights[120:] > 0).all()  # too little seen: no target either


def test_a_run_begins_where_another_ended(tmp_path):
    short = replace(SMALL, steps=40, validate_every=40)
    run(short, VIEWS, VIEWS, tmp_path / "first", quiet=True)
    scores = {}
    for name, start in (("further", tmp_path / "first"), ("anew", None)):
        run(
            replace(short, steps=5, validate_every=5, average=0.0, learning_rate=1e-5),
            VIEWS,
            VIEWS,
            tmp_path / name,
            start=start,
            quiet=True,
        )
        scores[name] = curves.read(tmp_path / name / "curves.csv")["validation_loss"][-1]
    assert scores["further"] < 0.7 * scores["anew"]
    parts.split(tmp_path / "first" / "last.pt", tmp_path / "carried")
    carried = run(
        replace(short, steps=1, validate_every=1), VIEWS, VIEWS, tmp_path / "on", start=tmp_path / "carried", quiet=True
    )
    assert set(carried) == {"lifting"}
    with pytest.raises(ModelError, match="no run to begin from"):
        run(replace(short, width=32), VIEWS, VIEWS, tmp_path / "other", start=tmp_path / "first", quiet=True)


def test_views_without_extrinsics_cannot_teach_reprojection():
    blind = MultiView2D(VIEWS.joints, VIEWS.rays, VIEWS.confidence)
    with pytest.raises(PosewireError, match="no extrinsics"):
        Batches(blind, 8, Corruption()).draw(0).first_to_second()


def test_a_pair_agrees_on_where_a_joint_is():
    """Triangulated from the first camera's true depth, a joint is seen by the second where it was seen."""
    pair = Batches(VIEWS, 16, Corruption()).draw(0)
    R, t = pair.first_to_second()
    lines = torch.cat([pair.first.rays, torch.ones(16, 17, 1)], -1)
    there = torch.cat([pair.second.rays, torch.ones(16, 17, 1)], -1)
    normals = torch.linalg.cross((R @ t[..., None])[:, None, :, 0].expand(-1, 17, -1), lines @ R.mT)
    np.testing.assert_allclose((normals * there).sum(-1), 0.0, atol=2e-4)  # epipolar constraint


def truly_placed(pair, view):
    """Placed of the body that both views have seen, in the axes of one of them."""
    both = (pair.first, pair.second)
    rays = np.stack([one.rays.numpy() for one in both], axis=2)  # (B, J, V, 2)
    R, centres = (np.stack([getattr(one, name).numpy() for one in both], axis=1) for name in ("R_camera_world", "centre_m"))
    world_m = np.stack([triangulated(*row) for row in zip(rays, R, centres, strict=True)])
    joints_m = torch.from_numpy(world_m).float() - view.centre_m[:, None]
    joints_m = joints_m @ view.R_camera_world.mT
    return Placed(joints_m - joints_m[:, :1], joints_m[:, :1])


def test_a_root_at_a_wrong_depth_costs_the_other_view_much_and_the_pose_alone_little():
    batches = Batches(VIEWS, 32, Corruption())
    pair, task = batches.draw(0), ReprojectionTask(replace(SMALL, pose_weight=2.0), batches, batches)
    first, second = truly_placed(pair, pair.first), truly_placed(pair, pair.second)
    task.placed = lambda view: first if view is pair.first else second
    right = task.losses(pair, pretraining=False)
    assert max(right.values()) < 0.002
    first = replace(first, root_m=1.1 * first.root_m)
    wrong = task.losses(pair, pretraining=False)
    assert wrong["cross_view"] > 5 * wrong["pose_alone"] > 0
    assert wrong["loss"] == wrong["reprojection"] + wrong["cross_view"] + 2.0 * wrong["pose_alone"]


def test_the_factorization_sees_people_from_all_around(tmp_path):
    """Not from one side, with flat bodies turned by a few degrees: the minimum that it falls into without NRSfM's viewpoints."""
    settings = replace(SMALL, teacher="factorization", steps=100, dictionary_steps=120, imitation_share=0.5)
    networks = run(settings, VIEWS, VIEWS, tmp_path, quiet=True)
    with torch.inference_mode():
        code, R = networks["factors"](Batches(VIEWS, 200, Corruption()).draw(0).first.features)
        bodies = networks["dictionary"](code)[0]
    assert torch.linalg.matrix_norm(R.mean(0)) / 3**0.5 < 0.75  # 1: all the same
    thickness = torch.linalg.svdvals(bodies - bodies.mean(1, keepdim=True)).mean(0)
    assert thickness[2] > 0.1 * thickness[0]
    np.testing.assert_allclose(torch.linalg.det(R), 1.0, atol=1e-3)


def test_imitation_brings_pose_and_viewpoint_to_what_nrsfm_says():
    torch.manual_seed(0)
    batches = Batches(VIEWS, 48, Corruption())
    task = FactorizationTask(replace(SMALL, imitation_share=1.0), batches, batches, new_nrsfm("factorization"))
    differences = [task.step(number, 0.5)["loss"] for number in range(60)]
    assert np.mean(differences[-5:]) < 0.6 * np.mean(differences[:5])
    later = task.losses(batches.draw(0), imitating=False)
    assert later["loss"] == later["reprojection"] + later["consistency"]


def test_the_camera_of_nrsfm_is_orthonormal():
    torch.manual_seed(0)
    _, view, code = DeepNrsfm(17, (20, 10, 5))(torch.randn(6, 17, 2))
    np.testing.assert_allclose((view.mT @ view).detach(), np.broadcast_to(np.eye(2), (6, 2, 2)), atol=1e-3)
    assert (code >= 0).all()


def test_settings_say_what_is_allowed():
    with pytest.raises(SettingsError, match="teacher"):
        SelfsupSettings(teacher="nobody")
    with pytest.raises(SettingsError, match="share"):
        SelfsupSettings(pretraining_share=1.5)
    with pytest.raises(SettingsError, match="error"):
        SelfsupSettings(error="cubed")


def test_settings_are_read_by_the_names_that_they_had_too():
    assert SelfsupSettings.from_json({"real": 0.25, "width": 384}) == SelfsupSettings(real_share=0.25, width=384)
    with pytest.raises(ModelError, match="another version"):
        SelfsupSettings.from_json({"unreal": 0.25})
