"""OSC: python-osc reads what we write, nothing exceeds a packet, nothing changes places."""

from __future__ import annotations

import numpy as np
import pytest
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from posewire_gateway.osc import LARGEST_BUNDLE, Template, bundles, fill_rows, message


@pytest.mark.parametrize("name", ["a", "abc", "abcd", "Héad"])
def test_a_filled_template_is_the_message_that_python_osc_builds(name: str) -> None:
    builder = OscMessageBuilder("/x/y")
    for value in (name, 7, 0.5, -2.0):
        builder.add_arg(value)
    (filled,) = fill_rows([Template("/x/y", name, 7, floats=2)], [[0.5, -2.0]])
    assert filled == builder.build().dgram


def test_rows_go_to_their_templates() -> None:
    rows = np.arange(6.0).reshape(3, 2)
    filled = fill_rows([Template(f"/{n}", floats=2) for n in "abc"], rows)
    read = [(m.message.address, m.message.params) for data in bundles(filled) for m in OscPacket(data).messages]
    assert read == [("/a", [0, 1]), ("/b", [2, 3]), ("/c", [4, 5])]


@pytest.mark.parametrize("count", [0, 1, 20, 200])
def test_bundles_keep_the_order_and_fit_a_packet(count: int) -> None:
    packed = bundles(message(f"/number/{n}", n, 0.5, "text" * (n % 5)) for n in range(count))
    assert all(len(data) <= LARGEST_BUNDLE for data in packed)
    assert [m.message.params[0] for data in packed for m in OscPacket(data).messages] == list(range(count))
    if count == 200:
        fullest = LARGEST_BUNDLE - 60
        assert all(len(data) > fullest for data in packed[:-1]), "few bundles"


def test_a_message_larger_than_a_packet_goes_alone() -> None:
    packed = bundles([message("/a"), message("/b", "x" * 2000), message("/c")])
    assert [[m.message.address for m in OscPacket(data).messages] for data in packed] == [["/a"], ["/b"], ["/c"]]
