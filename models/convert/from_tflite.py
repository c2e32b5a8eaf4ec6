"""Read a TensorFlow Lite network: densify its sparse constants, convert it to ONNX, run it as the yardstick."""

import tempfile
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from tensorflow.lite.python import schema_py_generated as schema


def interpreter(network: bytes, **options: Any) -> Any:
    runtime = tf.lite.Interpreter(model_content=network, num_threads=1, **options)
    runtime.allocate_tensors()
    return runtime


def run(network: bytes, image_nhwc: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs by name, as TensorFlow Lite (LiteRT) computes them."""
    runtime = interpreter(network)
    runtime.set_tensor(runtime.get_input_details()[0]["index"], image_nhwc)
    runtime.invoke()
    return {output["name"]: runtime.get_tensor(output["index"]) for output in runtime.get_output_details()}


def operator_code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)  # which of the two counts depends on the file's age


def densify(network: bytes) -> bytes:
    """Write sparse constants out in full and drop their DENSIFY operations, on which tf2onnx 1.16.1 crashes."""
    # The runtime itself expands them: any input will do, and without XNNPACK the expanded tensors can be read.
    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runtime = interpreter(network, experimental_preserve_all_tensors=True, experimental_op_resolver_type=plain)
    runtime.invoke()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(network, 0))
    graph = model.subgraphs[0]
    dense_of: dict[int, int] = {}
    for operator in graph.operators:
        if operator_code(model, operator) == schema.BuiltinOperator.DENSIFY:
            sparse, expanded = int(operator.inputs[0]), int(operator.outputs[0])
            values = runtime.get_tensor(expanded)
            graph.tensors[sparse].sparsity = None
            model.buffers[graph.tensors[sparse].buffer].data = np.frombuffer(values.tobytes(), np.uint8)
            dense_of[expanded] = sparse
    graph.operators = [o for o in graph.operators if int(o.outputs[0]) not in dense_of]
    for operator in graph.operators:
        operator.inputs = np.array([dense_of.get(int(i), int(i)) for i in operator.inputs], np.int32)
    builder = flatbuffers.Builder(len(network))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def to_onnx(network: bytes, opset: int) -> onnx.ModelProto:
    """The network as ONNX, nothing changed (float16 constants come out as float32)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.tflite")
        path.write_bytes(densify(network))
        model, _ = tf2onnx.convert.from_tflite(str(path), opset=opset)
    return model
