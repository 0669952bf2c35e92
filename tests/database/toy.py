"""toy.py -- a small network and small pictures, made on the spot

The network has a residual block, so that a target layer inside of it can only
be cut off together with the block's shortcut.  Pictures have the size of its
input, so that what goes in is known to the last digit.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIDE = 32
DIM = 16
LAYERS = {'relu4': 10, 'relu2': 12}

SETTINGS = """[camlens]
input.size = {side}
input.resize = stretch
input.scale = 0.0078125
input.mean = 1
input.std = 1
embedding = embedding
"""


def make_weights(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {'conv1': (8, 3, 3, 3), 'conv2': (12, 8, 3, 3),
              'conv3': (8, 12, 3, 3), 'conv4': (10, 8, 3, 3),
              'gemm': (DIM, 10)}
    weights = {}
    for name, shape in shapes.items():
        scale = np.sqrt(2 / np.prod(shape[1:]))
        weights[name + '.w'] = (scale * rng.standard_normal(shape)).astype('f4')
        weights[name + '.b'] = (0.1 * rng.standard_normal(shape[0])).astype('f4')
    return weights


def conv(name, source, target, stride=1):
    return helper.make_node('Conv', [source, f'{name}.w', f'{name}.b'],
                            [target], pads=[1] * 4, strides=[stride] * 2,
                            name=name)


def make_model(folder, weights, side=SIDE):
    """folder/model.onnx and model.ini; the path of the model"""
    node = helper.make_node
    nodes = [
        conv('conv1', 'input', 'c1', 2), node('Relu', ['c1'], ['relu1']),
        conv('conv2', 'relu1', 'c2'), node('Relu', ['c2'], ['relu2']),
        conv('conv3', 'relu2', 'c3'), node('Add', ['c3', 'relu1'], ['sum']),
        conv('conv4', 'sum', 'c4', 2), node('Relu', ['c4'], ['relu4']),
        node('GlobalAveragePool', ['relu4'], ['pool']),
        node('Flatten', ['pool'], ['flat']),
        node('Gemm', ['flat', 'gemm.w', 'gemm.b'], ['embedding'], transB=1)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, 'toy', [value('input', TensorProto.FLOAT, [1, 3, side, side])],
        [value('embedding', TensorProto.FLOAT, [1, DIM])],
        [numpy_helper.from_array(array, name)
         for name, array in weights.items()])
    model = helper.make_model(graph,
                              opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 7
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, 'model.onnx')
    onnx.save(model, path)
    with open(os.path.join(folder, 'model.ini'), 'w', encoding='utf-8') as ini:
        ini.write(SETTINGS.format(side=side))
    return path


def make_picture(label, number):
    """[SIDE, SIDE, 3] bytes: a label's pictures are alike"""
    kind = np.random.default_rng(1000 + label)
    own = np.random.default_rng([label, number])
    coarse = kind.uniform(0, 255, (4, 4, 3)) + own.uniform(-90, 90, (4, 4, 3))
    picture = np.kron(coarse, np.ones((SIDE // 4, SIDE // 4, 1)))
    picture += own.uniform(-20, 20, picture.shape)
    return np.clip(picture, 0, 255).astype('u1')


def make_pictures(folder, labels, each):
    """folder/LABEL/NUMBER.png; the names in the order of a build"""
    names = []
    for label in range(labels):
        os.makedirs(os.path.join(folder, f'label{label}'), exist_ok=True)
        for number in range(each):
            name = f'label{label}/{number:04d}.png'
            Image.fromarray(make_picture(label, number)).save(
                os.path.join(folder, name))
            names.append(name)
    return sorted(names)


def load_input(path):
    """as the network sees it, [1, 3, SIDE, SIDE]"""
    pixels = np.asarray(Image.open(path).convert('RGB')).astype('f4')
    return (pixels / 128 - 1).transpose(2, 0, 1)[None]
