"""Features of a frozen BlazePose trunk on disk, float16: computed once for each view of a crop, seen often by the head.

About 0.3 MB a view. ONNX Runtime computes them, twice as fast as torch here; a test holds it to the torch trunk.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor

from posewire.runtime import Session, open_session
from posewire_training import tensors
from posewire_training.origin import digest
from posewire_vnect.features import Features
from posewire_vnect.rounding import is_large, rounded
from posewire_vnect.shots import Shots, load
from posewire_vnect.trunk_blazepose import TENSORS, arranged, source_path
from posewire_vnect.truth import Truth, of_shots, random_views, seen_again

_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Cached:
    """A file: Features, float16, and Truth of N views."""

    fine: Tensor
    mid: Tensor
    deep: Tensor
    vector: Tensor
    cells: Tensor
    height: Tensor
    joints_m: Tensor


class FrozenTrunk:
    """BlazePoseTrunk, evaluated by ONNX Runtime."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        path = folder / "trunk.onnx"
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(_with_features(onnx.load(source_path())), path)
        self._session: Session = open_session(path, threads=threads)

    def __call__(self, image: Tensor) -> Features:
        """Features of pictures (B, 3, 256, 256)."""
        said = self._session.run({"image": image.numpy()})
        return arranged(*(torch.from_numpy(np.asarray(said[name])) for name in TENSORS.values()))


def _with_features(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network with TENSORS as its outputs and its large weights rounded as the trunk's are."""
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).astype(np.float32)
        if is_large(values.shape):
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(rounded(torch.from_numpy(values)).numpy(), name))
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in TENSORS.values())
    return model


def write(shots: Path, to: Path, trunk: FrozenTrunk, number: int) -> None:
    """Features and truth of one random view of each crop of a shard; view `number` of a shard is the same every time."""
    loaded = load(shots)
    rng = np.random.default_rng([zlib.crc32(shots.name.encode()), number])
    A = random_views(rng, loaded)
    truth = of_shots(loaded, A)
    parts = [trunk(_view(loaded, A, slice(first, first + _BATCH))) for first in range(0, len(loaded), _BATCH)]
    features = {name: torch.cat([getattr(part, name) for part in parts]).half() for name in Features._fields}
    tensors.save(Cached(**features, **tensors.named(truth)), to)


def _view(shots: Shots, A: Tensor, rows: slice) -> Tensor:
    return seen_again(shots.image[rows].float() / 255, A[rows]).clamp(0, 1)


def read(path: Path) -> tuple[Features, Truth]:
    """A file that `write` made; features stay float16."""
    one = tensors.load(Cached, path)
    return Features(one.fine, one.mid, one.deep, one.vector), Truth(one.cells, one.height, one.joints_m)


def vectors(files: list[Path]) -> tuple[Tensor, Tensor]:
    """Vectors (N, V) and joints (N, J, 3) of many files, without the rest."""
    parts: list[tuple[Tensor, Tensor]] = []
    for path in files:
        with np.load(path) as file:
            parts.append((torch.from_numpy(file["vector"]).float(), torch.from_numpy(file["joints_m"])))
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def build(shots: list[Path], folder: Path, views: int, threads: int = 1) -> Iterator[Path]:
    """The cache files of shards, `views` for each; missing ones are made, each is yielded when it is there.

    A file is named after its shard and what is in it: of crops that were replaced nothing is kept.
    """
    trunk = FrozenTrunk(folder, threads)
    digests = {shard: digest(shard) for shard in shots}
    for number in range(views):
        for shard in shots:
            path = folder / f"view_{number}" / f"{shard.stem}-{digests[shard]}.npz"
            if not path.exists():
                _forget(path.parent, shard.stem)
                write(shard, path, trunk, number)
            yield path


def _forget(folder: Path, stem: str) -> None:
    """Removes what was made of other crops of this name."""
    for old in (*folder.glob(f"{stem}-????????.npz"), folder / f"{stem}.npz"):
        old.unlink(missing_ok=True)
