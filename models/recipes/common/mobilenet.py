"""MobileNetV2 1.0 with readable names, as a torch module and as a plan.

The network is written down once, as a list of steps.  The torch module below
runs the steps, and onnx_writer.py writes the same steps as an ONNX graph, so
that what is trained and what is shipped cannot differ.  Tensor names follow
Keras (block_13_expand_relu, ...), because people know them.

The ImageNet weights are those of mobilenet_v2_1.0_224_quant.tflite
(google-coral/test_data, Apache-2.0), read from that file or from an ONNX file
that it was dequantised to; STARTS has the SHA-256 of both.  Batch normalisation
is folded into the convolutions there, and stays so.
"""
import hashlib
from collections import namedtuple

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

from tflite import convolutions

STARTS = {
    "7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776":
        "mobilenet_v2_1.0_224_quant.tflite, the upstream release",
    "9711db047941f42132e8735234c1132690bb75a9fa862ebde58c186f3fea876d":
        "its weights as float32 in ONNX",
}

# kind: conv, relu6, add, pool or linear; inputs are names of earlier tensors
Step = namedtuple("Step", "kind name inputs channels kernel stride groups")

# expansion, output channels, repeats, first stride (Sandler et al. 2018, tab. 2)
_BLOCKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
           (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
_WIDTH = 1280


def plan(embedding_dim=None):
    """The steps from "input" to "embedding", in order.

    Without embedding_dim the embedding is the pooled last convolution, 1280
    wide; with it, a learned linear map of that.
    """
    steps = []

    def conv(name, source, channels, kernel=1, stride=1, groups=1):
        steps.append(Step("conv", name, [source], channels, kernel, stride,
                          groups))
        return name

    def relu6(name, source):
        steps.append(Step("relu6", name, [source], 0, 0, 0, 0))
        return name

    x = relu6("Conv1_relu", conv("Conv1", "input", 32, 3, 2))
    width, number = 32, 0
    for expansion, channels, repeats, first in _BLOCKS:
        for repeat in range(repeats):
            stride = first if repeat == 0 else 1
            block = f"block_{number}" if number else "expanded_conv"
            source, inner = x, width * expansion
            if expansion > 1:
                x = relu6(f"{block}_expand_relu",
                          conv(f"{block}_expand", x, inner))
            x = relu6(f"{block}_depthwise_relu",
                      conv(f"{block}_depthwise", x, inner, 3, stride, inner))
            x = conv(f"{block}_project", x, channels)
            if stride == 1 and width == channels:
                steps.append(Step("add", f"{block}_add", [x, source],
                                  0, 0, 0, 0))
                x = f"{block}_add"
            width, number = channels, number + 1
    x = relu6("last_conv", conv("Conv_1", x, _WIDTH))
    pooled = "pooled" if embedding_dim else "embedding"
    steps.append(Step("pool", pooled, [x], 0, 0, 0, 0))
    if embedding_dim:
        steps.append(Step("linear", "embedding", [pooled], embedding_dim,
                          0, 0, 0))
    return steps


def layers(steps):
    """Names of the tensors that are likely target layers."""
    return [s.name for s in steps
            if s.name.endswith(("_expand_relu", "_add")) or
            s.name in ("block_16_project", "last_conv")]


def pads(kernel, stride):
    """TensorFlow's SAME padding of even sizes: top, left, bottom, right."""
    if kernel == 1:
        return [0, 0, 0, 0]
    return [1, 1, 1, 1] if stride == 1 else [0, 0, 1, 1]


class MobileNetV2(nn.Module):
    """Runs plan(); forward() gives the embedding as it comes, [N, D]."""

    def __init__(self, embedding_dim=None):
        super().__init__()
        self.steps = plan(embedding_dim)
        self.embedding_dim = embedding_dim
        self.ops = nn.ModuleDict()
        width = {"input": 3}
        for step in self.steps:
            source = width[step.inputs[0]]
            width[step.name] = step.channels or source
            if step.kind == "conv":
                self.ops[step.name] = nn.Conv2d(source, step.channels,
                                                step.kernel, step.stride,
                                                groups=step.groups)
            elif step.kind == "linear":
                self.ops[step.name] = nn.Linear(source, step.channels)

    def _run(self, step, values):
        x = values[step.inputs[0]]
        if step.kind == "conv":
            top, left, bottom, right = pads(step.kernel, step.stride)
            if top != bottom:
                x, padding = F.pad(x, (left, right, top, bottom)), 0
            else:
                padding = top
            op = self.ops[step.name]
            return F.conv2d(x, op.weight, op.bias, step.stride, padding,
                            groups=step.groups)
        if step.kind == "relu6":
            return F.relu6(x)
        if step.kind == "add":
            return x + values[step.inputs[1]]
        if step.kind == "pool":
            return x.mean((2, 3))
        return self.ops[step.name](x)

    def forward(self, x, keep=()):
        """The embedding; with `keep`, also a dict of those tensors."""
        values, kept = {"input": x}, {}
        last_use = {}
        for i, step in enumerate(self.steps):
            for name in step.inputs:
                last_use[name] = i
        for i, step in enumerate(self.steps):
            values[step.name] = self._run(step, values)
            if step.name in keep:
                kept[step.name] = values[step.name]
            for name in step.inputs:
                if last_use[name] == i and name in values:
                    del values[name]
        embedding = values["embedding"]
        return (embedding, kept) if keep else embedding


def _onnx_convolutions(path):
    """The same as tflite.convolutions(), of an ONNX file."""
    graph = onnx.load(path).graph
    weights = {i.name: numpy_helper.to_array(i).astype(np.float32)
               for i in graph.initializer}
    return [(weights[n.input[1]], weights[n.input[2]])
            for n in graph.node if n.op_type == "Conv"]


def release(path):
    """(name of the release that the file at `path` is, or None, SHA-256)"""
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    return STARTS.get(digest), digest


def _named(path):
    """Says on the way which release the file at `path` is."""
    name, digest = release(path)
    print(f"start: {path}: {name or 'none of the known releases'} "
          f"(SHA-256 {digest})", flush=True)
    return path


def load_imagenet(path, embedding_dim=None, seed=1):
    """A MobileNetV2 with the ImageNet backbone of the file at `path`.

    A learned embedding, if asked for, starts as a random orthogonal map.
    """
    read = (convolutions if path.endswith(".tflite")
            else _onnx_convolutions)
    convs = read(_named(path))
    network = MobileNetV2(embedding_dim)
    names = [s.name for s in network.steps if s.kind == "conv"]
    if len(convs) < len(names):
        raise SystemExit(f"{path}: {len(convs)} convolutions, "
                         f"MobileNetV2 has {len(names)}")
    with torch.no_grad():
        for name, arrays in zip(names, convs):
            op = network.ops[name]
            weight, bias = (torch.tensor(a) for a in arrays)
            if weight.shape != op.weight.shape:
                raise SystemExit(f"{path}: no convolution fits {name}")
            op.weight.copy_(weight)
            op.bias.copy_(bias)
        if embedding_dim:
            torch.manual_seed(seed)
            nn.init.orthogonal_(network.ops["embedding"].weight)
            nn.init.zeros_(network.ops["embedding"].bias)
    return network


def average(start, end, share):
    """Weights `share` of the way from network `start` to network `end`."""
    result = MobileNetV2(end.embedding_dim)
    a, b = start.state_dict(), end.state_dict()
    result.load_state_dict({k: a[k] + share * (b[k] - a[k]) for k in a})
    return result
