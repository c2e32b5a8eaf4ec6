"""Without torch the whole folder is skipped, and says so."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="VNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="VNect's networks need onnx: pip install 'posewire[train]'")

import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
