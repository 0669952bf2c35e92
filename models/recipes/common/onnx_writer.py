"""Writes a MobileNetV2 (mobilenet.py) as an ONNX file with its model.ini.

Weights go in as float32, as float16 behind a Cast, or as 8-bit integers with
one scale per output channel behind a DequantizeLinear; biases stay float32.
Every tensor keeps its readable name, and the batch is symbolic.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mobilenet import pads

OPSET = 13


def quantise(weight):
    """Symmetric 8-bit per output channel: (int8 values, float32 scales)."""
    flat = np.abs(weight.reshape(len(weight), -1)).max(1)
    scale = (np.maximum(flat, 1e-12) / 127).astype(np.float32)
    shape = (-1,) + (1,) * (weight.ndim - 1)
    values = np.round(weight / scale.reshape(shape)).clip(-127, 127)
    return values.astype(np.int8), scale


class _Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.initializers = weights, [], []

    def add(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output],
                                           name=output, **attributes))

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, name, array):
        if self.weights == "float16":
            self.constant(f"{name}.half", array.astype(np.float16))
            self.add("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)
        elif self.weights == "int8":
            values, scale = quantise(array)
            self.constant(f"{name}.int8", values)
            self.constant(f"{name}.scale", scale)
            self.constant(f"{name}.zero", np.zeros(len(scale), np.int8))
            self.add("DequantizeLinear", [f"{name}.int8", f"{name}.scale",
                                          f"{name}.zero"], name, axis=0)
        else:
            self.constant(name, array)
        return name


def _add_step(graph, network, step):
    name = step.name
    if step.kind in ("conv", "linear"):
        op = network.ops[name]
        inputs = [step.inputs[0],
                  graph.weight(f"{name}.weight", op.weight.detach().numpy()),
                  graph.constant(f"{name}.bias", op.bias.detach().numpy())]
    if step.kind == "conv":
        graph.add("Conv", inputs, name, group=step.groups,
                  kernel_shape=[step.kernel] * 2, strides=[step.stride] * 2,
                  pads=pads(step.kernel, step.stride))
    elif step.kind == "linear":
        graph.add("Gemm", inputs, name, transB=1)
    elif step.kind == "relu6":
        graph.add("Clip", [step.inputs[0], "relu6.min", "relu6.max"], name)
    elif step.kind == "add":
        graph.add("Add", step.inputs, name)
    elif step.kind == "pool":
        graph.add("GlobalAveragePool", step.inputs, f"{name}_pool")
        graph.add("Flatten", [f"{name}_pool"], name, axis=1)


def write_onnx(network, path, size, weights="float32", description=""):
    """Writes `network` for inputs of size x size pixels to `path`."""
    graph = _Graph(weights)
    graph.constant("relu6.min", np.float32(0).reshape(()))
    graph.constant("relu6.max", np.float32(6).reshape(()))
    for step in network.steps:
        _add_step(graph, network, step)
    width = network.embedding_dim or 1280
    model = helper.make_model(helper.make_graph(
        graph.nodes, "mobilenet_v2_embedding",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT,
                                       ["N", 3, size, size])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT,
                                       ["N", width])],
        graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="camlens-recipes", doc_string=description)
    model.ir_version = 7
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return os.path.getsize(path)


def write_ini(path, keys):
    """Writes model.ini: a GKeyFile with one group."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("[camlens]\n")
        for key, value in keys.items():
            f.write(f"{key}={value}\n")


def mobilenet_ini(name, size, layer, licence, description):
    """The keys of a MobileNetV2 of ours: pixels go in as (v - 128) / 128."""
    return {"name": name, "licence": licence, "description": description,
            "input.size": size, "input.resize": "stretch",
            "input.channels": "rgb", "input.scale": 1,
            "input.mean": "128,128,128", "input.std": "128,128,128",
            "embedding": "embedding", "layer": layer, "layer.layout": "nchw"}
