"""The scripts that make the networks: run apart from Posewire, so each tells onnxruntime by itself to report nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONVERT = Path(__file__).parents[2] / "models" / "convert"
SCRIPTS = sorted(path for path in CONVERT.glob("*.py") if "import onnxruntime" in path.read_text(encoding="utf-8"))
_CODE = """
import os, runpy, sys

class Noted:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            sys.exit(f"told {os.environ.get('ORT_DISABLE_TELEMETRY')}")
        if name.partition(".")[0] in ("tensorflow", "tf2onnx", "flatbuffers"):
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        from unittest.mock import MagicMock
        return MagicMock(__path__=[], __spec__=spec)

    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Noted())
sys.path.insert(0, os.path.dirname(sys.argv[1]))
runpy.run_path(sys.argv[1])
"""
"""Runs a script up to where it imports onnxruntime; what TensorFlow has is made up, as it is not installed here."""


def test_there_are_such_scripts() -> None:
    assert len(SCRIPTS) == 4


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_onnxruntime_is_told_before_it_is_imported(script: Path) -> None:
    pytest.importorskip("onnx", reason="the scripts need onnx")
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run([sys.executable, "-c", _CODE, script], capture_output=True, text=True, env=env, check=False)
    assert done.stderr.splitlines()[-1:] == ["told 1"]
