"""Looking into the latent space: interpolation goes from pose to pose, hypotheses lie around the mode, plots can be drawn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mover import moving  # noqa: E402

from posewire.errors import ModelError, PosewireError  # noqa: E402
from posewire_data.joints import JOINTS  # noqa: E402
from posewire_data.motion import save  # noqa: E402
from posewire_training import weights  # noqa: E402
from posewire_vae_lifter import latent, latent_map  # noqa: E402
from posewire_vae_lifter.live import LiveVae, Spread  # noqa: E402
from posewire_vae_lifter.model import Baseline, Vae  # noqa: E402
from posewire_vae_lifter.settings import VaeSettings  # noqa: E402

SETTINGS = VaeSettings(hidden=32, blocks=2, latent=5)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with weights that were never trained, and a test motion."""
    torch.manual_seed(0)
    live = LiveVae(Vae(SETTINGS), Spread(SETTINGS))
    weights.save(tmp_path / "live.pt", "vae-live", JOINTS, SETTINGS.to_json(), {"live": live})
    save(tmp_path / "motion.npz", [moving("2", 60, split="test")])
    return tmp_path


def test_interpolation_begins_and_ends_at_the_two_poses(run: Path) -> None:
    net, frames = latent.open_vae(run)
    samples = latent.samples_of(moving(), frames, [0, 150])
    between = latent.interpolated(net, samples, 5)
    with torch.inference_mode():
        ends = net.vae(*samples.inputs).numpy()
    np.testing.assert_allclose(between[[0, -1]], ends, atol=1e-5)


def test_hypotheses_lie_around_the_mode(run: Path) -> None:
    net, frames = latent.open_vae(run)
    poses = latent.hypotheses(net, latent.samples_of(moving(), frames, [3]), 7)
    assert poses.shape == (8, 17, 3)
    assert (np.abs(poses[1:] - poses[0]).max(axis=(1, 2)) > 0).all()


@pytest.mark.parametrize("what", ["interpolate", "sample"])
def test_the_command_draws_a_picture(run: Path, what: str) -> None:
    out = run / "out.png"
    arguments = [what, "--run", str(run), "--motion", str(run / "motion.npz"), "--out", str(out), "--frames", "0", "50"]
    assert latent.main(arguments) == 0
    picture = cv2.imdecode(np.frombuffer(out.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert picture.std() > 5


def test_without_umap_the_error_says_what_to_install(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    arguments = ["umap", "--run", str(run), "--motion", str(run / "motion.npz"), "--out", str(run / "out.png")]
    assert latent.main(arguments) == 2
    assert "pip install umap-learn" in capsys.readouterr().err


class _FirstTwo:
    """Stands in for UMAP, which no test needs: its two dimensions are the first two of the latent space."""

    def __init__(self, **options: object) -> None:
        self.options = options

    def fit_transform(self, latents: np.ndarray) -> np.ndarray:
        return latents[:, :2]


def _map(run: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=_FirstTwo))
    arguments = ["umap", "--run", str(run), "--motion", str(run / "motion.npz"), "--out", str(run / "out.png")]
    return latent.main([*arguments, *more])


def test_the_map_shows_both_colourings_of_as_many_frames_as_asked(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, int]] = []
    scatter = latent_map.scatter
    monkeypatch.setattr(latent_map, "scatter", lambda p, *named: drawn.append((len(p), len(named[1]))) or scatter(p, *named))
    assert _map(run, monkeypatch, "--points", "20") == 0
    assert drawn == [(20, 1), (20, len(latent_map.SIDES))]
    assert cv2.imdecode(np.frombuffer((run / "out.png").read_bytes(), np.uint8), cv2.IMREAD_COLOR).std() > 5


def test_more_neighbours_than_points_are_refused(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _map(run, monkeypatch, "--points", "15") == 2
    assert "below --points" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hip", "side"), [((0.1, 0.0), "front"), ((0.0, -0.1), "left"), ((-0.1, 0.0), "back"), ((0.07, 0.07), "front right")]
)
def test_the_side_seen_is_that_of_the_hip_in_front(hip: tuple[float, float], side: str) -> None:
    pose_m = np.zeros((1, len(JOINTS), 3))
    pose_m[0, JOINTS.index("left_hip"), [0, 2]] = hip
    pose_m[0, JOINTS.index("right_hip"), [0, 2]] = -np.array(hip)
    assert latent_map.sides_seen(pose_m) == [side]


def test_a_scatter_has_a_colour_for_each_label() -> None:
    names = ["run", "sit", "walk"]
    picture = latent_map.scatter(np.random.default_rng(0).normal(size=(60, 2)), names * 20, names)
    packed = picture[:, : latent_map._PLOT_PX].astype(np.int64) @ [1, 256, 65536]
    assert len(np.unique(packed)) == 4


def test_a_vae_without_its_spread_is_no_baseline_and_the_next_command_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights.save(tmp_path / "weights.pt", "vae", JOINTS, SETTINGS.to_json(), {"net": Vae(SETTINGS)})
    arguments = ["sample", "--run", str(tmp_path), "--motion", "motion.npz", "--out", str(tmp_path / "out.png")]
    assert latent.main(arguments) == 2
    said = capsys.readouterr().err
    assert "not taught its spread yet" in said and f"posewire_vae_lifter.spread --motion FILE.npz --run {tmp_path}" in said
    assert "baseline" not in said and "no latent space" not in said


def test_a_cross_modal_run_is_told_that_only_a_vae_is_taught_a_spread(tmp_path: Path) -> None:
    settings = replace(SETTINGS, form="cross-modal")
    weights.save(tmp_path / "weights.pt", "cross-modal", JOINTS, settings.to_json(), {"net": Vae(settings)})
    with pytest.raises(ModelError, match=r"cross-modal network .* only a VAE is taught one"):
        latent.open_vae(tmp_path)


def test_a_baseline_has_no_latent_space_and_a_frame_beyond_the_end_is_named(tmp_path: Path) -> None:
    weights.save(tmp_path / "weights.pt", "baseline", JOINTS, SETTINGS.to_json(), {"net": Baseline(SETTINGS)})
    with pytest.raises(ModelError, match="baseline, which has no latent space"):
        latent.open_vae(tmp_path)
    with pytest.raises(PosewireError, match="0 to 199"):
        latent.samples_of(moving(), 1, [200])
