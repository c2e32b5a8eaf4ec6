"""Each teacher learns from 2D alone, resumes exactly, and leaves a lifter that takes what the live half gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from walking_person import walking  # noqa: E402

from posewire.errors import PosewireError, SettingsError  # noqa: E402
from posewire.metrics.position import pa_mpjpe_m  # noqa: E402
from posewire_selfsup_lifter import studio  # noqa: E402
from posewire_selfsup_lifter.batches import Batches, Corruption  # noqa: E402
from posewire_selfsup_lifter.nrsfm import DeepNrsfm  # noqa: E402
from posewire_selfsup_lifter.settings import SelfsupSettings  # noqa: E402
from posewire_selfsup_lifter.students import new_networks, student  # noqa: E402
from posewire_selfsup_lifter.training import run  # noqa: E402
from posewire_selfsup_lifter.views import MultiView2D  # noqa: E402
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
    resumed = run(settings, VIEWS, VIEWS, tmp_path / "stopped", quiet=True)
    for a, b in zip(whole["lifting"].parameters(), resumed["lifting"].parameters(), strict=True):
        assert torch.equal(a, b)


def test_hidden_keypoints_stay_targets():
    batches = Batches(VIEWS, 32, Corruption(Hiding(seldom=1.0, some=1.0)))
    view = batches.draw(0).first
    shown = view.features[:, 34:51]
    assert shown.mean() < 0.8
    assert view.seen.mean() > 0.95


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


@pytest.mark.parametrize("camera", ["exponential", "orthonormal"])
def test_the_camera_of_nrsfm_is_orthonormal(camera):
    torch.manual_seed(0)
    _, view, code = DeepNrsfm(17, (20, 10, 5), camera)(torch.randn(6, 17, 2))
    np.testing.assert_allclose((view.mT @ view).detach(), np.broadcast_to(np.eye(2), (6, 2, 2)), atol=1e-3)
    assert (code >= 0).all()


def test_settings_say_what_is_allowed():
    with pytest.raises(SettingsError, match="teacher"):
        SelfsupSettings(teacher="nobody")
    with pytest.raises(SettingsError, match="share"):
        SelfsupSettings(pretraining_share=1.5)
