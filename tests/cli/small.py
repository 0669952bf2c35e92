"""small.py -- a small network as an ONNX file, and what PyTorch makes of it"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import torch
import torch.nn.functional as F

SIZE = 32
DIM = 12
LAYER = 'features'


def weights(seed=3):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, scale, shape).astype(np.float32)
            for name, scale, shape in (
                ('w1', 0.25, (8, 3, 3, 3)), ('b1', 0.1, (8,)),
                ('w2', 0.15, (16, 8, 3, 3)), ('b2', 0.1, (16,)),
                ('w3', 0.15, (24, 16, 3, 3)), ('b3', 0.1, (24,)),
                ('w4', 0.3, (DIM, 24)), ('b4', 0.1, (DIM,)))}


SETTINGS = """[camlens]
name=A small network
licence=CC0
input.size=32
input.resize=stretch
input.scale=0.00392156862745098
input.mean=0.5
input.std=0.25
layer=features
"""


def write_model(folder, settings=SETTINGS, seed=3, metadata=None,
                name='model.onnx', channels=3, outputs=('embedding',)):
    w = weights(seed)
    nodes = [
        helper.make_node('Conv', ['input', 'w1', 'b1'], ['c1'], strides=[2, 2],
                         pads=[1] * 4),
        helper.make_node('Relu', ['c1'], ['block1']),
        helper.make_node('Conv', ['block1', 'w2', 'b2'], ['c2'],
                         strides=[2, 2], pads=[1] * 4),
        helper.make_node('Relu', ['c2'], ['block2']),
        helper.make_node('Conv', ['block2', 'w3', 'b3'], ['c3'], pads=[1] * 4),
        helper.make_node('Relu', ['c3'], ['features']),
        helper.make_node('GlobalAveragePool', ['features'], ['pooled']),
        helper.make_node('Flatten', ['pooled'], ['flat']),
        helper.make_node('Gemm', ['flat', 'w4', 'b4'], ['embedding'],
                         transB=1)]
    shapes = {'embedding': [1, DIM], 'features': [1, 24, 8, 8]}
    graph = helper.make_graph(
        nodes, 'small',
        [helper.make_tensor_value_info('input', TensorProto.FLOAT,
                                       [1, channels, SIZE, SIZE])],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, shapes[o])
         for o in outputs],
        [numpy_helper.from_array(v, k) for k, v in w.items()])
    model = helper.make_model(graph,
                              opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 7
    if metadata:
        helper.set_model_props(model, metadata)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    onnx.save(model, path)
    if settings is not None:
        with open(os.path.join(folder, 'model.ini'), 'w') as file:
            file.write(settings)
    return path


def run(x, seed=3):
    """(activations [24, 8, 8], embedding [12]) with their graph kept"""
    w = {k: torch.from_numpy(v) for k, v in weights(seed).items()}
    h = F.relu(F.conv2d(torch.from_numpy(x)[None], w['w1'], w['b1'], 2, 1))
    h = F.relu(F.conv2d(h, w['w2'], w['b2'], 2, 1))
    a = F.relu(F.conv2d(h, w['w3'], w['b3'], 1, 1))
    a.requires_grad_()
    a.retain_grad()
    e = a.mean((2, 3)) @ w['w4'].T + w['b4']
    return a, e[0]


def unit(v):
    return v / v.norm()
