"""The trunk's own heads after its features have moved: they come back to what they said, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
onnx = pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from xnect_trunk import FEATURES, HEADS, tiny_trunk  # noqa: E402

from posewire.errors import ModelError  # noqa: E402
from posewire_training import onnx_graph, tensors  # noqa: E402
from posewire_xnect import album, settle, train, trunk_file  # noqa: E402
from posewire_xnect.album import Album  # noqa: E402
from posewire_xnect.movenet import Trunk  # noqa: E402
from posewire_xnect.settle import OwnHeads, SettleRun, SettleTask  # noqa: E402
from posewire_xnect.skeleton import J  # noqa: E402

FPN_4, LEARNING = 0, ["9", "10", "11", "12", "13", "14"]
"""Convolutions of the stand-in: the one that gives fpn_4, and those of the two heads."""
SETTINGS = SettleRun(steps=150, batch=4, learning_rate=2e-2, validate_every=75)


@pytest.fixture(scope="module")
def trunks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One as it was, and one of which fpn_4 has moved."""
    folder = tmp_path_factory.mktemp("settle")
    before = tiny_trunk(folder / "before.onnx")
    net = Trunk(before)
    kernel = net.graph.get_parameter(f"layers.{FPN_4}.weight")
    kernel.mul_(1.0 + 0.3 * torch.randn(kernel.shape, generator=torch.Generator().manual_seed(0)))
    trunk_file.write(before, net.graph, FPN_4, folder / "moved.onnx")
    return before, folder / "moved.onnx"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("settle_pictures")
    for number in range(3):
        image = (256 * torch.rand(12, 3, 64, 96, generator=torch.Generator().manual_seed(number))).to(torch.uint8)
        nobody = torch.full((12, album.MOST, J, 5), torch.nan)
        left_open = torch.zeros(12, J, 8, 12, dtype=torch.bool)
        known = Album(image, nobody[..., :2], nobody[..., :3], torch.zeros(12, album.MOST, J, dtype=torch.uint8), left_open)
        tensors.save(known, folder / album.file_name(number))
    return folder


def off(trunk: Path, before: Path, pictures: Path) -> dict[str, float]:
    """Errors of a trunk's own heads on the first file, which no run learns from."""
    known = settle.seen(Trunk(trunk), Trunk(before), album.load(album.paths(pictures)[0]).image.float().div(255).split(1))
    with torch.no_grad():
        said, reach = OwnHeads(Trunk(trunk).graph)(known.fine.float())
    sure = known.centre.float().sigmoid()
    losses = settle.centre_loss(said.sigmoid(), sure), settle.reach_loss(reach, known.reach.float(), sure)
    return dict(zip(("centres", "reaches"), map(float, losses), strict=True))


def test_both_heads_come_nearer_to_what_they_said_and_nothing_else_changes(
    trunks: tuple[Path, Path], pictures: Path, tmp_path: Path
) -> None:
    before, moved = trunks
    settled = settle.settle(SETTINGS, moved, before, pictures, tmp_path, pictures, quiet=True)
    first, last = off(moved, before, pictures), off(settled, before, pictures)
    assert last["centres"] < 0.5 * first["centres"] and last["reaches"] < 0.7 * first["reaches"], (first, last)
    states = [Trunk(path).graph.state_dict() for path in (moved, settled)]
    changed = {name.split(".")[1] for name, value in states[0].items() if not torch.equal(value, states[1][name])}
    assert changed == set(LEARNING)
    assert (tmp_path / "curves.csv").exists()


def test_heads_that_have_nothing_to_settle_stay_where_they_are(trunks: tuple[Path, Path], pictures: Path) -> None:
    before, moved = trunks
    assert max(off(before, before, pictures).values()) < 1e-2 < min(off(moved, before, pictures).values())


def test_reaches_count_beside_their_spread_and_only_where_somebody_is() -> None:
    due, sure = torch.full((1, 34, 2, 2), 10.0), torch.tensor([[[[0.9, 0.0], [0.05, 0.5]]]])
    spread = 10.0 * 2**0.5
    said = due + torch.tensor([[1.0, 7.0], [7.0, 1.0]])
    assert float(settle.reach_loss(said, due, sure)) == pytest.approx(1.0 / spread)
    assert float(settle.reach_loss(2 * said, 2 * due, sure)) == pytest.approx(1.0 / spread)
    assert float(settle.reach_loss(0 * due + 1.0, 0 * due, sure)) == pytest.approx(1.0 / settle.SHORTEST)


def test_a_head_is_what_its_output_alone_needs(trunks: tuple[Path, Path]) -> None:
    graph = Trunk(trunks[0]).graph
    assert list(trunk_file.head_of(graph, "centre_4")) == ["centre_4_around", "centre_4_mixed", "centre_4_relu", "centre_4"]
    assert list(trunk_file.head_of(graph, "fpn_4")) == ["fpn_4"]
    assert list(OwnHeads(graph).layers) == LEARNING


def test_heads_that_share_a_layer_are_refused(trunks: tuple[Path, Path], tmp_path: Path) -> None:
    model = onnx.load(trunks[0])
    node = next(node for node in model.graph.node if node.output[0] == "reach_4_mixed")
    node.input[0] = "centre_4_around"
    onnx.save(model, tmp_path / "shared.onnx")
    with pytest.raises(ModelError, match="centre_4_around"):
        OwnHeads(onnx_graph.read(tmp_path / "shared.onnx", (*FEATURES, *HEADS)))


def test_the_command_goes_on_where_it_was_stopped(trunks: tuple[Path, Path], pictures: Path, tmp_path: Path) -> None:
    before, moved = trunks
    given = [f"--trunk={moved}", f"--before={before}", f"--pictures={pictures}", f"--footage={pictures}"]
    flags = ["settle", *given, "--steps=4", "--validate-every=2", "--rendered=8"]
    train.main([*flags, f"--out={tmp_path / 'whole'}"])

    class StopError(Exception):
        pass

    def stopping(task: SettleTask, number: int, progress: float) -> object:
        if number == 3:
            raise StopError
        return step(task, number, progress)

    step = SettleTask.step
    with pytest.MonkeyPatch.context() as patch, pytest.raises(StopError):
        patch.setattr(SettleTask, "step", stopping)
        train.main([*flags, f"--out={tmp_path / 'parts'}"])
    train.main([*flags, f"--out={tmp_path / 'parts'}"])
    whole, again = (Trunk(tmp_path / name / "trunk.onnx").graph.state_dict() for name in ("whole", "parts"))
    for name, value in whole.items():
        assert torch.equal(value, again[name])


def test_one_file_of_pictures_is_refused(
    trunks: tuple[Path, Path], pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / album.file_name(0)).write_bytes(album.paths(pictures)[0].read_bytes())
    given = [f"--trunk={trunks[1]}", f"--before={trunks[0]}", f"--pictures={tmp_path}", f"--out={tmp_path / 'out'}"]
    assert train.main(["settle", *given]) == 2
    assert "two files" in capsys.readouterr().err
