"""Opens an ONNX network on the asked device: checks the file, says what is missing, never falls back silently.

Threads: one thread runs a Session; several sessions may run at once. `close` is called when no `run` is under way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors  # pyright: ignore[reportAttributeAccessIssue] - has no stub

import posewire_models
from posewire.cores import usable_cores
from posewire.errors import DeviceError, ModelError
from posewire.methods import DEVICES, Device

GPU_COMMAND = "pip install --force-reinstall --no-deps onnxruntime-gpu"
"""Repairs an environment that holds onnxruntime and onnxruntime-gpu: together they lose CUDA without a word."""

REINSTALL_COMMAND = "pip install --force-reinstall --no-deps posewire"

_PROVIDERS: Mapping[Device, str] = {"cpu": "CPUExecutionProvider", "gpu": "CUDAExecutionProvider"}

_FAILURES = (
    *(ort_errors.EPFail, ort_errors.EngineError, ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.InvalidGraph),
    *(ort_errors.InvalidProtobuf, ort_errors.NoModel, ort_errors.NoSuchFile, ort_errors.NotImplemented),
    *(ort_errors.RuntimeException, RuntimeError, ValueError),
)
"""What onnxruntime raises; the classes have no common base but Exception. An input of a wrong type is a RuntimeError."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a network."""

    name: str
    shape: tuple[int | None, ...]
    """None where the length is free."""
    dtype: str
    """As ONNX says it: tensor(float), tensor(uint8), ..."""

    def __str__(self) -> str:
        lengths = ", ".join("any" if length is None else str(length) for length in self.shape)
        return f"{self.name} {self.dtype} ({lengths})"


class Session:
    """An open network. Made by `open_session`."""

    def __init__(self, session: onnxruntime.InferenceSession, name: str) -> None:
        self._session: onnxruntime.InferenceSession | None = session
        self.name = name
        """Of the file, without its ending."""
        self.inputs = tuple(_tensor(value) for value in session.get_inputs())
        self.outputs = tuple(_tensor(value) for value in session.get_outputs())
        self.metadata: Mapping[str, str] = MappingProxyType(dict(session.get_modelmeta().custom_metadata_map))
        """What the file says of itself: ONNX metadata_props."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Runs the network once: arrays by input name to arrays by output name.

        Intermediate results stay on the device, every output leaves it once.

        Raises:
            ModelError: an input is missing, unknown or of a wrong shape or type; or the session is closed.
        """
        if self._session is None:
            raise ModelError(f"The network {self.name} is closed.")
        if set(inputs) != {tensor.name for tensor in self.inputs}:
            raise ModelError(
                f"The network {self.name} has other inputs.", got=", ".join(sorted(inputs)) or "none", allowed=self.inputs
            )
        try:
            found = cast("list[NDArray[Any]]", self._session.run(None, dict(inputs)))
        except _FAILURES as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"The network {self.name} cannot run.", got=reason, allowed=self.inputs) from error
        return {tensor.name: array for tensor, array in zip(self.outputs, found, strict=True)}

    def close(self) -> None:
        """Frees the network; may be called twice."""
        self._session = None


def _tensor(value: Any) -> Tensor:
    return Tensor(value.name, tuple(length if isinstance(length, int) else None for length in value.shape), value.type)


def open_session(model: Path | str, device: Device = "cpu", threads: int = 0) -> Session:
    """Opens a network.

    Args:
        model: The name of a bundled model (`posewire_models.cards()`), or the path of an ONNX file.
        device: "cpu" or "gpu" (CUDA).
        threads: CPU threads for one operator; 0 = all cores.

    Raises:
        ModelError: the file is missing, is no ONNX file, or is bundled and not the one that was measured.
        DeviceError: the device is not there.
    """
    path = checked_file(model, device)
    session = _create(path, device, threads)
    if session.get_providers()[0] != _PROVIDERS[device]:
        raise DeviceError(
            "CUDA is built in and does not start: a driver, CUDA or cuDNN library is missing.",
            got=", ".join(session.get_providers()),
            allowed=[_PROVIDERS[device]],
            hint='pip install "onnxruntime-gpu[cuda,cudnn]", or --device cpu',
        )
    return Session(session, path.stem)


def checked_file(model: Path | str, device: Device = "cpu") -> Path:
    """The file of a network that could be opened: all that `open_session` asks of it, short of opening it.

    For a network that may never be needed: whoever opens it late still learns at the start that it is missing or changed.

    Raises:
        ModelError, DeviceError: as `open_session`.
    """
    _refuse_absent_device(device)
    path = _bundled_file(model) if isinstance(model, str) else model
    if not path.is_file():
        raise ModelError(f"The model file {path} is missing.")
    _refuse_changed_file(path.resolve())
    return path


def _refuse_absent_device(device: Device) -> None:
    if device not in DEVICES:
        raise DeviceError(f"There is no device '{device}'.", got=device, allowed=DEVICES)
    available = onnxruntime.get_available_providers()
    if _PROVIDERS[device] not in available:
        raise DeviceError(
            "The GPU was asked for and ONNX Runtime has no CUDA here.",
            got=", ".join(available),
            allowed=[_PROVIDERS[device]],
            hint=GPU_COMMAND,
        )


def _bundled_file(name: str) -> Path:
    cards = posewire_models.cards()
    if name not in cards:
        raise ModelError(f"There is no bundled model '{name}'.", got=name, allowed=sorted(cards))
    path = posewire_models.model_path(name)
    if not path.is_file():
        hint = REINSTALL_COMMAND if cards[name].bundled else "models/convert in Posewire's repository makes it"
        raise ModelError(f"The model file {path} is missing.", hint=hint)
    return path


@cache
def _refuse_changed_file(path: Path) -> None:
    """Compares a bundled file with the manifest, once per process; any other file is its owner's business."""
    bundled = [card for card in posewire_models.cards().values() if card.bundled]
    expected = {posewire_models.model_path(card.name).resolve(): card.sha256 for card in bundled}
    if path not in expected:
        return
    sha256 = posewire_models.sha256_of(path)
    if sha256 != expected[path]:
        raise ModelError(
            f"The model file {path} is not the one that belongs to this version.",
            got=f"sha256 {sha256}",
            allowed=f"sha256 {expected[path]}",
            hint=REINSTALL_COMMAND,
        )


def _create(path: Path, device: Device, threads: int) -> onnxruntime.InferenceSession:
    providers = list(dict.fromkeys([_PROVIDERS[device], _PROVIDERS["cpu"]]))  # CUDA leaves shape arithmetic to the CPU
    if device == "gpu" and hasattr(onnxruntime, "preload_dlls"):
        with redirect_stdout(sys.stderr):  # it prints; standard output may be a program's JSON
            onnxruntime.preload_dlls()
    try:
        return onnxruntime.InferenceSession(path, _options(threads), providers=providers, enable_fallback=0)
    except _FAILURES as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"The model file {path} cannot be opened.", got=reason, allowed="an ONNX file") from error


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _fewer_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only; a fallback is found by asking for the provider, not by reading warnings
    # Idle workers sleep instead of spinning: between two runs the decoder and the fit need the cores, and on few cores shared
    # with other work a spinning worker takes the time slice of the one that it waits for.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _fewer_cores() -> int:
    """Cores that this process may use where that is less than all (taskset, containers), else 0: ONNX Runtime's own choice."""
    cores = usable_cores()
    return cores if cores < (os.cpu_count() or cores) else 0
