"""The noise model does what its numbers say, and the fit finds the numbers of a noise that it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posewire_data import fit_noise
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS, MIRROR, SELDOM_SEEN
from posewire_data.noise import Events, JointNoise, NoiseModel, markov

NEVER = Events(0.0, 0.1)
QUIET = NoiseModel.load()
QUIET = replace(QUIET, slips=NEVER, exchanges=dict.fromkeys(QUIET.exchanges, NEVER), missing=NEVER)
SEEN = [j for j in range(len(JOINTS)) if j not in SELDOM_SEEN]


@pytest.fixture
def clean(waving_m: np.ndarray) -> np.ndarray:
    """(300, 30, 17, 2) a person whose box is about 1.75 high."""
    return np.tile(waving_m[None, :30, :, :2], (300, 1, 1, 1))


def test_bundled_numbers_come_with_the_command_that_made_them() -> None:
    assert NoiseModel.load().source.startswith("python -m posewire_data.fit_noise walking_side.mp4 pedestrians.avi")
    assert set(NoiseModel.load().joints) == {JOINTS[j] for j in SEEN}


def test_errors_scale_with_the_person_and_have_the_models_size(clean: np.ndarray) -> None:
    small, _ = QUIET.said(np.random.default_rng(0), clean)
    large, _ = QUIET.said(np.random.default_rng(0), 100 * clean)
    np.testing.assert_allclose(large, 100 * small, rtol=1e-9, equal_nan=True)
    nose = JOINTS.index("nose")
    row = QUIET.joints["nose"]
    expected = 1.75 * np.hypot(row.steady, row.quick)
    assert np.nanstd((small - clean)[:, :, nose]) == pytest.approx(expected, rel=0.1)


def test_a_point_errs_more_the_less_sure_the_estimator_is(clean: np.ndarray) -> None:
    def error(confidence: float) -> float:
        logit = float(np.log(confidence / (1 - confidence)))
        rows = {
            name: replace(row, steady=0.0, logit=logit, logit_between=0.0, logit_within=0.0) for name, row in QUIET.joints.items()
        }
        said, sure = replace(QUIET, joints=rows, worse=(3.0, 2.0, 1.7, 1.3, 1.0)).said(np.random.default_rng(6), clean)
        np.testing.assert_allclose(sure[:, :, SEEN], confidence)
        return float(np.nanstd(said - clean))

    assert [error(c) / error(0.97) for c in (0.1, 0.3, 0.6, 0.9)] == pytest.approx([3.0, 2.0, 1.7, 1.3])


def test_neighbouring_frames_err_alike(clean: np.ndarray) -> None:
    steadfast = replace(QUIET, joints={name: replace(row, steady=0.0, memory_s=0.1) for name, row in QUIET.joints.items()})
    errors = (steadfast.said(np.random.default_rng(1), clean, 30.0)[0] - clean)[:, :, JOINTS.index("nose")]
    r1 = (errors[:, 1:] * errors[:, :-1]).mean() / (errors**2).mean()
    assert r1 == pytest.approx(np.exp(-1 / 3), abs=0.03)


def test_what_blazepose_does_not_give_is_missing_unless_asked_for(clean: np.ndarray) -> None:
    said, confidence = QUIET.said(np.random.default_rng(2), clean)
    assert np.isnan(said[:, :, list(SELDOM_SEEN)]).all() and (confidence[:, :, list(SELDOM_SEEN)] == 0).all()
    assert np.isfinite(said[:, :, SEEN]).all() and (confidence[:, :, SEEN] > 0).all()
    assert np.isfinite(QUIET(np.random.default_rng(2), clean)).all()


def test_an_unseen_point_stays_unseen(clean: np.ndarray) -> None:
    clean[:, :, 3] = np.nan
    said, confidence = QUIET.said(np.random.default_rng(3), clean)
    assert np.isnan(said[:, :, 3]).all() and (confidence[:, :, 3] == 0).all() and np.isfinite(said[:, :, 2]).all()
    nothing, sure = QUIET.said(np.random.default_rng(3), np.full_like(clean, np.nan))
    assert np.isnan(nothing).all() and (sure == 0).all()


def test_limbs_are_exchanged_as_often_as_the_model_says(clean: np.ndarray) -> None:
    exchanging = replace(QUIET, exchanges={"arms": NEVER, "legs": Events(0.2, 0.2)})
    said, _ = exchanging.said(np.random.default_rng(4), clean)
    ankle = JOINTS.index("left_ankle")
    crossed = np.linalg.norm(said[:, :, ankle] - clean[:, :, MIRROR[ankle]], axis=-1) < np.linalg.norm(
        said[:, :, ankle] - clean[:, :, ankle], axis=-1
    )
    assert crossed.mean() == pytest.approx(0.2, abs=0.04)


def test_the_fit_finds_the_noise_that_it_is_shown() -> None:
    rng = np.random.default_rng(5)
    truth = JointNoise(0.004, 0.01, 0.1, 3.0, 0.0, 0.0, 0.1)
    opinions: list[fit_noise.Opinion] = []
    for _ in range(20):
        errors = markov(rng, (1, 200, 17, 2), np.full((17, 1), truth.memory_s), 1 / 30)[0] * truth.quick
        errors += rng.normal(0, truth.steady, (1, 17, 2))
        errors[:, list(SELDOM_SEEN)] = np.nan
        confidence = np.full((200, 17), 0.97)
        given = np.ones((200, 17))
        given[50:60, 3] = 0.0
        exchanged = {"arms": np.zeros(200), "legs": np.r_[np.ones(20), np.zeros(180)]}
        opinions.append(fit_noise.Opinion(errors, confidence, given, exchanged, 30.0))
    model = fit_noise.fit(opinions, "test")
    row = model.joints["left_elbow"]
    assert row.quick == pytest.approx(truth.quick, rel=0.1)
    assert row.memory_s == pytest.approx(truth.memory_s, rel=0.15)
    assert row.steady == pytest.approx(truth.steady, rel=0.3)
    assert model.exchanges["legs"].share == pytest.approx(0.05)  # half of the tenth: one of two opinions is wrong
    assert model.exchanges["legs"].mean_s == pytest.approx(20 / 30, abs=1e-3)
    assert model.missing.share == pytest.approx(10 / 200 / 13, rel=0.01)
    assert model.slips.share < 0.002


def test_exchanged_sides_are_told_from_crossed_ones() -> None:
    apart = np.array([[0.0, 0.0], [0.0, 0.1], [0.3, 0.0], [0.3, 0.1]])[None]
    other = apart[:, [2, 3, 0, 1]]
    assert fit_noise._exchanged(apart, other, other)[0] == 1.0
    assert fit_noise._exchanged(apart, apart, other)[0] == 0.0
    together = apart * 0.01
    assert np.isnan(fit_noise._exchanged(together, together, together[:, [2, 3, 0, 1]])[0])


def test_a_model_comes_back_from_its_file_and_a_broken_one_does_not(tmp_path: Path) -> None:
    QUIET.save(tmp_path / "noise.json")
    assert NoiseModel.load(tmp_path / "noise.json") == QUIET
    (tmp_path / "broken.json").write_text('{"joints": {}}')
    for name in ("broken.json", "absent.json"):
        with pytest.raises(DatasetError, match="no noise model"):
            NoiseModel.load(tmp_path / name)
    with pytest.raises(DatasetError, match="Nobody was followed"):
        fit_noise.fit([], "test")
