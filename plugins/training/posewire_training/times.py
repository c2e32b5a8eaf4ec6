"""`python -m posewire_training.times FILE.onnx [FILE.onnx ...]`: how long exported networks take, beside each other in one run.

    python -m posewire_training.times xnect_stage1.onnx half.onnx --size 512x320 --device gpu

The files take turns, and the fastest of all runs counts, so that other programs disturb all alike and little. The input goes to
the device and every output comes back, as live.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from posewire.errors import SettingsError
from posewire.methods import DEVICES, Device
from posewire.runtime import Session, open_session
from posewire_training.command import command, parser_of

Arrays: TypeAlias = Mapping[str, NDArray[np.float32]]
RUNS = 30
SIZE = (512, 320)


def fastest_ms(
    paths: Sequence[Path], inputs: Sequence[Arrays], threads: int, device: Device = "cpu", runs: int = RUNS
) -> list[float]:
    """Of each file, milliseconds a run on its inputs.

    Raises:
        ModelError, DeviceError: as `posewire.runtime.open_session`.
    """
    sessions = [open_session(path, device, threads) for path in paths]
    fastest = [float("inf")] * len(paths)
    for _ in range(runs + 1):  # the first may be far slower on a GPU, and is never the fastest
        for number, session in enumerate(sessions):
            start = time.perf_counter()
            session.run(inputs[number])
            fastest[number] = min(fastest[number], 1e3 * (time.perf_counter() - start))
    for session in sessions:
        session.close()
    return fastest


def example(session: Session, size: tuple[int, int]) -> Arrays:
    """One of each input, noise 0..1; free sides of a picture are `size` (width, height), every other free length is 1."""
    rng, sides = np.random.default_rng(0), {2: size[1], 3: size[0]}
    made: dict[str, NDArray[np.float32]] = {}
    for tensor in session.inputs:
        free = sides if len(tensor.shape) == 4 else {}
        shape = [free.get(axis, 1) if length is None else length for axis, length in enumerate(tensor.shape)]
        made[tensor.name] = rng.random(shape, dtype=np.float32)
    return made


def size_of(text: str) -> tuple[int, int]:
    """Of --size.

    Raises:
        SettingsError: it says something else.
    """
    told = re.fullmatch(r"(\d+)x(\d+)", text)
    if told is None or not all(map(int, told.groups())):
        raise SettingsError("--size is a picture's width and height.", got=text, allowed="WIDTHxHEIGHT", hint="--size 512x320")
    return int(told[1]), int(told[2])


def table_of(paths: Sequence[Path], size: tuple[int, int], threads: Sequence[int], device: Device) -> Table:
    """A row a file; the ratio is that of the first file's time."""
    table = Table("network", "MB", box=None)
    sessions = [open_session(path, threads=1) for path in paths]
    inputs = [example(session, size) for session in sessions]
    for session in sessions:
        session.close()
    columns: list[list[float]] = []
    for count in threads:
        name = f"ms, {count} thread{'s' * (count > 1)}" if device == "cpu" else "ms, gpu"
        table.add_column(name, justify="right")
        table.add_column("times", justify="right")
        columns.append(fastest_ms(paths, inputs, count, device))
    for row, path in enumerate(paths):
        cells = [text for column in columns for text in (f"{column[row]:.2f}", f"{column[0] / column[row]:.2f}")]
        table.add_row(path.stem, f"{path.stat().st_size / 1e6:.1f}", *cells)
    return table


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = parser_of("posewire_training.times", __doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.onnx")
    parser.add_argument("--size", default="x".join(map(str, SIZE)), metavar="WxH", help="of a picture where it is free")
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="of the CPU")
    flags = parser.parse_args(arguments)
    threads = flags.threads if flags.device == "cpu" else flags.threads[:1]
    Console(width=None if sys.stdout.isatty() else 160).print(table_of(flags.files, size_of(flags.size), threads, flags.device))


if __name__ == "__main__":
    sys.exit(main())
