"""What an ONNX network says inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias, cast

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

Image: TypeAlias = NDArray[np.float32]
"""(1, 3, H, W) as the network takes it."""


def features(model: onnx.ModelProto, names: Sequence[str], images: Iterable[Image]) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Of each picture the results of these names, and the picture itself by the name of the network's only input."""
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    taken = model.graph.input[0].name
    inside = [name for name in names if name != taken]
    known = {value.name for value in model.graph.output}
    opened.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in inside if name not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(opened.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for image in images:
        said = cast("list[NDArray[np.float32]]", session.run(inside, {taken: image}) if inside else [])
        yield {taken: image, **dict(zip(inside, said, strict=True))}
