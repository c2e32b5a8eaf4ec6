"""What a bug report needs: versions, devices, models with sha256 and licence, cameras, ports, plugins; opens no camera."""

from __future__ import annotations

import platform
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

import onnxruntime

import posewire_models
from posewire import __version__, capture, plugins
from posewire.errors import PosewireError
from posewire.runtime import GPU_COMMAND, REINSTALL_COMMAND
from posewire.settings import DEFAULT_ADDRESS, Settings, chosen_path

_LIBRARIES = ("numpy", "scipy", "opencv-python-headless", "av", "onnxruntime", "onnxruntime-gpu", "numba", "pyzmq", "msgpack")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    topic: str
    name: str
    value: str
    good: bool = True
    hint: str = ""
    """What to type when it is not good."""


def examine() -> list[Finding]:
    """Looks at everything that a run depends on."""
    checks: tuple[Callable[[], list[Finding]], ...] = (_versions, _devices, _models, _plugins, _cameras, _ports, _settings)
    return [finding for check in checks for finding in check()]


def as_json(findings: list[Finding]) -> list[dict[str, Any]]:
    """The report for a program."""
    return [asdict(finding) for finding in findings]


def _versions() -> list[Finding]:
    rows = [
        Finding("version", "posewire", __version__),
        Finding("version", "python", f"{platform.python_version()} ({sys.executable})"),
        Finding("version", "system", platform.platform()),
    ]
    installed = {name: _version(name) for name in _LIBRARIES}
    rows += [Finding("version", name, version) for name, version in installed.items() if version]
    if installed["onnxruntime"] and installed["onnxruntime-gpu"]:
        rows.append(
            Finding(
                "version",
                "onnxruntime twice",
                "onnxruntime and onnxruntime-gpu lie in one environment: the GPU may be lost",
                "CUDAExecutionProvider" in onnxruntime.get_available_providers(),
                GPU_COMMAND,
            )
        )
    return rows


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[Finding]:
    providers = onnxruntime.get_available_providers()
    gpu = "CUDAExecutionProvider" in providers
    return [
        Finding("device", "cpu", platform.processor() or platform.machine()),
        Finding("device", "gpu", "CUDA" if gpu else 'not available (pip install "posewire[gpu]" on a machine with CUDA)'),
    ]


def _models() -> list[Finding]:
    return [_model(name) for name, card in posewire_models.cards().items() if card.bundled]


def _model(name: str) -> Finding:
    card = posewire_models.cards()[name]
    path = posewire_models.model_path(name)
    if not path.is_file():
        return Finding("model", name, f"{path} is missing", False, REINSTALL_COMMAND)
    sha256 = posewire_models.sha256_of(path)
    good = sha256 == card.sha256
    value = f"{card.licence}, sha256 {sha256}" + ("" if good else f", expected {card.sha256}")
    return Finding("model", name, value, good, "" if good else REINSTALL_COMMAND)


def _plugins() -> list[Finding]:
    registry = plugins.load()
    rows = [Finding("method", name, f"{card.kind}: {card.summary}") for name, card in registry.methods.items()]
    broken = [
        Finding("plugin", plugin.name, plugin.reason, False, f"pip uninstall {plugin.distribution}") for plugin in registry.broken
    ]
    return rows + broken


def _cameras() -> list[Finding]:
    found = [Finding("camera", str(camera.number), camera.name) for camera in capture.find_cameras()]
    return found or [Finding("camera", "none", "no webcam found")]


def _ports() -> list[Finding]:
    host, port = urlsplit(DEFAULT_ADDRESS).hostname, urlsplit(DEFAULT_ADDRESS).port
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return [Finding("port", DEFAULT_ADDRESS, f"in use ({error.strerror}); fine if Posewire is streaming now")]
    return [Finding("port", DEFAULT_ADDRESS, "free")]


def _settings() -> list[Finding]:
    path = chosen_path()
    try:
        Settings.load()
    except PosewireError as error:
        return [Finding("settings", str(path), error.problem, False, error.hint or "posewire settings")]
    return [Finding("settings", str(path), "read" if path.exists() else "not there: the defaults hold")]
