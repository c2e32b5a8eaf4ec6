"""UDP receivers that close by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gateway_samples import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()
