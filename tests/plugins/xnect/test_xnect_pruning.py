"""What is done to a trained network before export: batch norm folded, silent filters taken out; the output stays."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")

from xnect_nets import silenced, tiny  # noqa: E402

from posewire.errors import ModelError  # noqa: E402
from posewire_xnect import sparsity  # noqa: E402
from posewire_xnect.cost import parameters  # noqa: E402
from posewire_xnect.export import folded  # noqa: E402
from posewire_xnect.stage_one import StageOne  # noqa: E402

VARIANTS = [("CS", "first"), ("CS", "prev"), ("AS", "first"), ("AS", "prev")]


@pytest.mark.parametrize(("module", "skip"), VARIANTS)
def test_folded_batch_norm_says_the_same(module: str, skip: str) -> None:
    net, image = tiny(module, skip), torch.rand(1, 3, 64, 96)
    small = folded(net)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in _blocks(small))
    with torch.inference_mode():
        for before, after in zip(net(image), small(image), strict=True):
            torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def _blocks(net: StageOne) -> list[object]:
    """Batch norms that stand behind a convolution."""
    return [block[1] for block in net.modules() if isinstance(block, torch.nn.Sequential)]


@pytest.mark.parametrize(("module", "skip"), VARIANTS)
def test_pruning_removes_filters_and_leaves_the_output(module: str, skip: str) -> None:
    net, image = silenced(tiny(module, skip), 0.4), torch.rand(2, 3, 64, 96)
    smaller = copy.deepcopy(net)
    report = sparsity.prune(smaller)
    with torch.inference_mode():
        for before, after in zip(net(image), smaller(image), strict=True):
            torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    total = report.total()
    assert 0.25 * total.filters < total.removed <= total.inactive
    assert report.parameters_after == parameters(smaller) < 0.7 * report.parameters_before
    assert f"{report.parameters_before} -> {report.parameters_after}" in str(report)


def test_grouped_convolutions_stay_even_when_pruned() -> None:
    net = silenced(StageOne().eval(), 0.5)
    smaller, image = copy.deepcopy(net), torch.rand(1, 3, 32, 32)
    report = sparsity.prune(smaller)
    convs = [layer for layer in smaller.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert {conv.groups for conv in convs} == {1, 2, 4}
    assert all(conv.in_channels % conv.groups == conv.out_channels % conv.groups == 0 for conv in convs)
    assert 0 < report.total().removed < report.total().inactive
    with torch.inference_mode():
        for before, after in zip(net(image), smaller(image), strict=True):
            torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def test_a_filter_that_still_says_something_constant_stays() -> None:
    net = tiny()
    norm = net.core.stem[1]
    norm.weight.data[:4] = 0.0
    norm.bias.data[:4] = torch.tensor([0.5, 0.5, -0.5, -0.5])
    stem = sparsity.prune(net).layers[0]
    assert (stem.inactive, stem.removed) == (4, 2)


def test_nothing_inactive_nothing_removed() -> None:
    report = sparsity.prune(tiny())
    assert report.total().removed == 0 and report.parameters_after == report.parameters_before


def test_a_folded_network_is_not_pruned() -> None:
    with pytest.raises(ModelError, match="folded"):
        sparsity.prune(folded(tiny()))
