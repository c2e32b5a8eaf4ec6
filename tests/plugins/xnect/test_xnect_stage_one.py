"""Stage I: what learns from what, targets of whole batches, and read-out on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from xnect_scenes import SHAPE, inside, row

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")

from xnect_nets import tiny  # noqa: E402

from posewire.errors import SettingsError  # noqa: E402
from posewire_data.joints import JOINTS  # noqa: E402
from posewire_synth import pack as packs  # noqa: E402
from posewire_synth.points import POINTS  # noqa: E402
from posewire_synth.studio import Studio  # noqa: E402
from posewire_xnect import association, encodings, stage_one, targets, truth  # noqa: E402
from posewire_xnect.readout import ReadOut  # noqa: E402
from posewire_xnect.skeleton import LINKS, J, Scheme, supervised  # noqa: E402
from posewire_xnect.targets import BoolArray, FloatArray  # noqa: E402

TINY_PACK = Path(__file__).parents[1] / "synth" / "tiny_pack.npz"


def test_stage_one_speaks_at_an_eighth() -> None:
    with torch.inference_mode():
        maps = tiny()(torch.rand(2, 3, 64, 96))
    assert maps.heatmaps.shape == (2, J, 8, 12)
    assert maps.fields.shape == (2, len(LINKS), 2, 8, 12)
    assert maps.encodings.shape == (2, 3 * J, 8, 12)


def test_a_picture_of_odd_size_is_refused() -> None:
    with pytest.raises(SettingsError, match="multiples of 16"):
        tiny()(torch.rand(1, 3, 64, 100))


@pytest.mark.parametrize("scheme", ["sparse", "dense", "orpm"])
def test_gradients_flow_only_through_supervised_channels(scheme: Scheme) -> None:
    points, joints_m = row(0, 1)
    joint = 12
    only = np.zeros((1, J), bool)
    only[0, joint] = True
    due, weights = (torch.from_numpy(part)[None] for part in encodings.encode(points, joints_m, only, SHAPE, scheme))
    said = torch.zeros(1, 3 * J, *SHAPE, requires_grad=True)
    stage_one.encoding_loss(said, due, weights).backward()
    assert said.grad is not None
    moved = said.grad[0].abs().amax((1, 2)).reshape(J, 3).amax(1) > 0
    np.testing.assert_array_equal(moved.numpy(), supervised(scheme)[joint])
    x, y = np.rint(points[0, joint]).astype(int)
    away = torch.ones(SHAPE, dtype=torch.bool)
    away[max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5] = False
    assert said.grad[0][:, away].abs().max() == 0


def written(points: FloatArray, joints_m: FloatArray, visible: BoolArray, scheme: Scheme = "sparse") -> stage_one.Truth:
    """What numpy writes of a picture."""
    maps = targets.heatmaps(points, visible, SHAPE), targets.affinity_fields(points, visible, SHAPE)
    code = encodings.encode(points, joints_m, visible, SHAPE, scheme)
    return stage_one.Truth(*(torch.from_numpy(part)[None] for part in (*maps, *code)))


def test_all_losses_vanish_at_the_truth_and_nowhere_else() -> None:
    points, joints_m = row(0, 2)
    visible = inside(points)
    due = written(points, joints_m, visible)
    assert max(stage_one.losses(stage_one.Maps(*due[:3]), due)) == 0
    assert min(stage_one.losses(stage_one.Maps(*(part + 0.1 for part in due[:3])), due)) > 0


def test_the_read_out_on_the_device_says_what_numpy_says() -> None:
    points, joints_m = row(4, 4)
    visible = inside(points)
    heat, fields = targets.heatmaps(points, visible, SHAPE), targets.affinity_fields(points, visible, SHAPE)
    code, _ = encodings.encode(points, joints_m, visible, SHAPE)
    said = ReadOut()(*(torch.from_numpy(part)[None] for part in (heat, fields, code)))
    peaks = association.find_peaks(heat)
    there = peaks.scores > 0
    np.testing.assert_allclose(said.peaks[0, ..., 2], peaks.scores, atol=1e-6)
    np.testing.assert_allclose(said.peaks[0, ..., :2].numpy()[there], peaks.points[there], atol=1e-4)
    host = association.assemble(peaks, association.line_integrals(fields, peaks.points))
    device_peaks = association.Peaks(said.peaks[0, ..., :2].numpy(), said.peaks[0, ..., 2].numpy())
    device = association.assemble(device_peaks, said.integrals[0].numpy())
    np.testing.assert_array_equal(device.candidate, host.candidate)
    read = said.encodings[0].numpy()[np.arange(J), device.candidate]
    seen = device.candidate >= 0
    np.testing.assert_allclose(read[seen], encodings.read(code, host.points)[seen], atol=1e-6)


def test_targets_of_a_batch_are_those_of_numpy() -> None:
    scenes = [row(seed, 3) for seed in range(4)]
    points, joints_m = (np.stack(parts) for parts in zip(*scenes, strict=True))
    points[1, 2], joints_m[1, 2] = np.nan, np.nan  # nobody there
    joints_m[2, 0, 12] = np.nan
    visible = np.stack([inside(part) for part in points])
    tensors = [torch.from_numpy(part).float() for part in (points, joints_m)]
    for scheme in ("sparse", "dense", "orpm"):
        batch = truth.write(*tensors, torch.from_numpy(visible), SHAPE, scheme)
        for number in range(4):
            alone = written(points[number], joints_m[number], visible[number], scheme)
            for name in ("heatmaps", "encodings", "weights"):
                torch.testing.assert_close(getattr(batch, name)[number], getattr(alone, name)[0], atol=1e-4, rtol=0)
            differ = (batch.fields[number] - alone.fields[0]).abs() > 1e-4
            assert differ.float().mean() < 1e-3, "but for cells on the very edge of a strip, which rounding decides"


def test_everybody_becomes_as_tall_as_the_universal_skeleton_and_stays_where_they_are() -> None:
    joints_m = torch.from_numpy(row(0, 3)[1])
    grown = joints_m * torch.tensor([0.6, 1.0, 1.4])[:, None, None]
    made = truth.universal(grown)
    bones_m = torch.from_numpy(encodings.bones(made.numpy())).norm(dim=-1)
    height = bones_m[:, [JOINTS.index("left_knee"), JOINTS.index("right_knee")]].mean(1)
    height += bones_m[:, [JOINTS.index("chest"), JOINTS.index("neck")]].sum(1)
    torch.testing.assert_close(height, torch.full_like(height, 0.93))
    torch.testing.assert_close(made[:, 0], grown[:, 0])
    torch.testing.assert_close(made - made[:, :1], truth.universal(joints_m) - joints_m[:, :1])


def test_rendered_groups_become_targets_and_people_again() -> None:
    studio = Studio(packs.load(TINY_PACK), "test", clean=True, procedural=2)
    batch = studio.groups(1, 2, (128, 192))
    maps = truth.of_batch(batch)
    assert maps.heatmaps.shape == (2, J, 16, 24) and maps.weights.max() > 0.5
    neck = JOINTS.index("neck")
    for picture in range(2):
        shown = int(((batch.visibility[picture, :, POINTS.index("neck")] - 1.5).abs() < 1).sum())
        people = association.people_of(maps.heatmaps[picture].numpy(), maps.fields[picture].numpy())
        assert 1 <= len(people.points) <= shown and np.isfinite(people.points[:, neck]).all()
