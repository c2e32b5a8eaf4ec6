"""SelecSLS: Table 7.9, and the totals as the document states them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")


from posewire.errors import SettingsError  # noqa: E402
from posewire_xnect.cost import cost  # noqa: E402
from posewire_xnect.selecsls import Classifier, SelecSls, SelecSlsSettings, groups_of  # noqa: E402

VARIANTS = [(module, skip, outputs) for module in ("CS", "AS") for skip in ("first", "prev") for outputs in ("wide", "base")]


@pytest.mark.parametrize(("module", "skip", "outputs"), VARIANTS)
def test_every_variant_has_the_resolutions_and_widths_of_table_7_9(module: str, skip: str, outputs: str) -> None:
    net = SelecSls(SelecSlsSettings(module, skip, outputs)).eval()  # type: ignore[arg-type]
    shapes: list[tuple[int, ...]] = []
    for layer in net.modules_in_order():
        layer.register_forward_hook(lambda _, __, said: shapes.append(tuple(said.shape[1:])))
    with torch.inference_mode():
        image = torch.rand(1, 3, 64, 96)
        assert net.stem(image).shape == (1, 32, 32, 48)
        assert net(image).shape == (1, 416, 4, 6)
    wide = outputs == "wide"
    assert shapes == [
        (64, 16, 24), (128 if wide else 64, 16, 24),
        (128, 8, 12), (128, 8, 12), (288 if wide else 128, 8, 12),
        (288, 4, 6), (288, 4, 6), (288, 4, 6), (416, 4, 6),
    ]  # fmt: skip


def test_the_three_3x3_of_a_module_give_2k_features_and_the_skip_joins_them() -> None:
    ks, skips = (64, 64, 128, 128, 128, 288, 288, 288, 288), (0, 64, 0, 128, 128, 0, 288, 288, 288)
    meeting = [layer.conv6[0].in_channels for layer in SelecSls().modules_in_order()]
    assert meeting == [2 * k + skip for k, skip in zip(ks, skips, strict=True)]
    added = [layer.conv6[0].in_channels for layer in SelecSls(SelecSlsSettings("AS")).modules_in_order()]
    assert added == [2 * k for k in ks]


def test_skips_come_from_the_first_module_of_the_level_or_from_the_one_before() -> None:
    assert SelecSls().sources == [None, 0, None, 2, 2, None, 5, 5, 5]
    assert SelecSls(SelecSlsSettings(skip="prev")).sources == [None, 0, None, 2, 3, None, 5, 6, 7]


def test_only_3x3_convolutions_are_grouped_by_how_many_outputs_they_have() -> None:
    assert [groups_of(outputs) for outputs in (96, 97, 192, 193)] == [1, 2, 2, 4]
    convs = [layer for layer in SelecSls().modules() if isinstance(layer, torch.nn.Conv2d)]
    assert all(conv.groups == (groups_of(conv.out_channels) if conv.kernel_size == (3, 3) else 1) for conv in convs)
    assert {conv.groups for conv in convs} == {1, 2, 4}
    ungrouped = SelecSls(SelecSlsSettings(grouped=False)).modules()
    assert {conv.groups for conv in ungrouped if isinstance(conv, torch.nn.Conv2d)} == {1}


def test_the_totals_are_those_of_table_7_15() -> None:
    spent = cost(Classifier(), 224, 224)
    assert round(spent.parameters / 1e6, 2) == 30.67
    assert spent.multiply_adds == pytest.approx(3.5e9, rel=0.03)


def test_the_totals_keep_the_order_of_table_7_10() -> None:
    base, concatenated, wide, first = (
        cost(SelecSls(SelecSlsSettings(*variant)), 64, 96).multiply_adds  # type: ignore[arg-type]
        for variant in (("AS", "prev", "base"), ("CS", "prev", "base"), ("CS", "prev", "wide"), ("CS", "first", "wide"))
    )
    assert base < concatenated < wide and abs(first - wide) < 0.02 * wide


def test_layers_are_named_as_in_the_published_weights() -> None:
    names = set(SelecSls().state_dict())
    assert {"stem.0.weight", "stem.1.running_mean", "features.0.conv1.0.weight", "features.8.conv6.1.bias"} <= names


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(SettingsError, match="no such skip"):
        SelecSlsSettings(skip="last")  # type: ignore[arg-type]
