"""Cut MoveNet MultiPose (Google, Apache-2.0) down to the trunk that XNect is trained on: features and keypoint logits.

    python convert_movenet.py --human-models TGZ --out ../../data/movenet_trunk.onnx [--check VIDEO]

README.md beside this script says how to get the package. The file is no network of Posewire: training reads it, and its weights
travel inside xnect_stage1.onnx. Large kernels are stored as int8 with one scale a filter, so that the heads learn from the very
weights that ship. Any height and width that are multiples of 32; strides stand in the outputs' names.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before onnxruntime is imported, which reports to its maker

import convert_blazepose as convert
import numpy as np
import onnx
import onnx_cleanup as clean
import onnxruntime
import person_detector
from onnx import helper, numpy_helper

convert.SHA256 |= {
    "movenet-multipose.json": "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
    "movenet-multipose.bin": "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
}
_NET = "StatefulPartitionedCall/"
_FPN = f"{_NET}center_net_mobile_net_v2fpn_feature_extractor/model_1/"
OUTPUTS = {
    f"{_FPN}re_lu_2/Relu:0": "fpn_4",
    f"{_FPN}re_lu_1/Relu:0": "fpn_8",
    f"{_FPN}re_lu/Relu:0": "fpn_16",
    f"{_FPN}model/block_5_add/add:0": "block_8",
    f"{_FPN}model/block_12_add/add:0": "block_16",
    f"{_FPN}model/block_16_project_BN/FusedBatchNormV3:0": "block_32",
    f"{_NET}kpt_heatmap_0/conv2d_7/BiasAdd:0": "keypoints_4",
    f"{_NET}center_0/conv2d_4/BiasAdd:0": "centre_4",
    f"{_NET}kpt_regress_0/conv2d_8/BiasAdd:0": "reach_4",
}
"""The narrow pyramid that MoveNet's own heads read, the last blocks of three strides, logits of 17 keypoints and of centres, and
how far down and to the right of somebody's centre each keypoint lies (17 times y and x, cells)."""

LARGE = 30_000
"""Numbers of a kernel that is stored as int8: 94 % of all. The keypoint logits change by 6 % of their spread (rms), by
19 % if the small kernels of the first blocks were int8, too."""


def trunk(model_json: bytes, blob: bytes) -> onnx.ModelProto:
    """image (B, 3, H, W) RGB 0..1 to OUTPUTS, all (B, C, H / stride, W / stride)."""
    model = person_detector.convert_tfjs(model_json, blob, convert.OPSET)
    first = next(node for node in model.graph.node if node.op_type == "Transpose")
    clean.replace_input(model, "image", ["batch", 3, "height", "width"])
    clean.rename(model, first.output[0], "image")
    model.graph.node.remove(first)
    del model.graph.output[:]
    for old, new in OUTPUTS.items():
        clean.rename(model, old, new)
        shape = ["batch", None, "height", "width"]
        model.graph.output.append(helper.make_tensor_value_info(new, clean.FLOAT32, shape))
    double_by_factor(model)
    clean.drop_unused(model)
    pad_explicitly(model)
    clean.scale_input(model, np.full(3, 255 * 2 / 255), np.full(3, -1.0))
    return model


def double_by_factor(model: onnx.ModelProto) -> None:
    """Each Resize to sizes that the graph computes becomes one by a constant factor of two: the graph counts nothing any more."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"))
    for node in model.graph.node:
        if node.op_type == "Resize":
            node.input[:] = [node.input[0], "", "twice"]


def pad_explicitly(model: onnx.ModelProto) -> None:
    """SAME_UPPER as numbers, for sizes that are multiples of 32: a stride of two pads below and to the right only."""
    for node in (node for node in model.graph.node if node.op_type == "Conv"):
        own = {attribute.name: attribute for attribute in node.attribute}
        kernel = clean.initializers(model)[node.input[1]].dims[2]
        total = kernel - (own["strides"].ints[0] if "strides" in own else 1)
        before, after = total // 2, total - total // 2
        for name in {"auto_pad", "pads"} & set(own):
            node.attribute.remove(own[name])
        node.attribute.append(helper.make_attribute("pads", [before, before, after, after]))


def check(path: Path, whole: onnx.ModelProto, video: Path) -> None:
    """Largest difference to the same network as tf2onnx gives it, float32, on frames of a video at 512x320."""
    for old in OUTPUTS:
        whole.graph.output.append(helper.make_tensor_value_info(old, clean.FLOAT32, None))
    original, ours = onnxruntime.InferenceSession(whole.SerializeToString()), onnxruntime.InferenceSession(str(path))
    worst: dict[str, list[float]] = {name: [] for name in OUTPUTS.values()}
    for frame in convert.frames_rgb(video):
        image = convert.cv2.resize(frame, (512, 320), interpolation=convert.cv2.INTER_AREA)
        said = convert.run_onnx(ours, image.astype(np.float32) / 255)
        due = original.run(list(OUTPUTS), {original.get_inputs()[0].name: image[None].astype(np.int32)})
        for name, value in zip(OUTPUTS.values(), due, strict=True):
            worst[name].append(float(np.abs(said[name] - value).max() / np.abs(value).max()))
    print("largest difference as a share of the largest value:", {name: f"{max(parts):.1e}" for name, parts in worst.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--human-models", type=Path, required=True, metavar="TGZ")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--check", type=Path, metavar="VIDEO", help="print differences on frames of this video")
    options = parser.parse_args()
    files = [convert.member(options.human_models, f"package/models/movenet-multipose.{kind}") for kind in ("json", "bin")]
    model = trunk(*files)
    error = max(clean.store_weights_as_bytes(model, LARGE), clean.store_weights_as_half(model))
    convert.write(model, options.out, "Google MoveNet MultiPose Lightning (trunk), Apache-2.0", error)
    if options.check:
        check(options.out, person_detector.convert_tfjs(*files, convert.OPSET), options.check)


if __name__ == "__main__":
    main()
