"""networks.py -- tiny ONNX networks by the line, for tests of what is said of
them"""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

SIDE = 32
KINDS = {'float': TensorProto.FLOAT, 'half': TensorProto.FLOAT16,
         'int': TensorProto.INT64, 'bool': TensorProto.BOOL,
         'byte': TensorProto.UINT8}


class Network:
    """inputs and nodes are added, weights are drawn; save () writes it"""

    def __init__(self, *pictures, seed=5):
        self.rng = np.random.default_rng(seed)
        self.inputs, self.outputs, self.nodes = [], [], []
        self.weights, self.as_inputs = {}, False
        for name in pictures or ('x',):
            self.input(name, 'float', ['N', 3, SIDE, SIDE])

    def input(self, name, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(
            name, KINDS[kind], shape))
        return name

    def output(self, *names, kind='float'):
        self.outputs += [helper.make_tensor_value_info(n, KINDS[kind], None)
                         for n in names]
        return self

    def weight(self, *shape):
        name = f'w{len(self.weights)}'
        self.weights[name] = self.rng.normal(0, .2, shape).astype(np.float32)
        return name

    def constant(self, array):
        name = f'w{len(self.weights)}'
        self.weights[name] = np.asarray(array)
        return name

    def node(self, op, inputs, out, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [out], out,
                                           **attributes))
        return out

    def tower(self, x='x', end='flat', n=16):
        """[N, 3, SIDE, SIDE] to [N, n]"""
        conv = self.node('Conv', [x, self.weight(n, 3, 3, 3)], end + '.conv',
                         strides=[4, 4], pads=[1] * 4)
        relu = self.node('Relu', [conv], end + '.map')
        pool = self.node('GlobalAveragePool', [relu], end + '.pool')
        return self.node('Flatten', [pool], end)

    def linear(self, x, out, n_in=16, n=16, bias=True):
        return self.node('Gemm', [x, self.weight(n_in, n)]
                         + ([self.weight(n)] if bias else []), out)

    def save(self, folder, settings='input.mean=0.5\ninput.std=0.25\n',
             metadata=None, opset=13):
        inputs = list(self.inputs)
        if self.as_inputs:  # as files before IR version 4 have them
            inputs += [helper.make_tensor_value_info(
                k, NP_TYPE_TO_TENSOR_TYPE[v.dtype], v.shape)
                for k, v in self.weights.items()]
        graph = helper.make_graph(
            self.nodes, 'g', inputs, self.outputs,
            [numpy_helper.from_array(v, k) for k, v in self.weights.items()])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid('', opset)])
        model.ir_version = 3 if self.as_inputs else 7
        if metadata:
            helper.set_model_props(model, metadata)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, 'model.onnx')
        save(model, path)
        if settings is not None:
            with open(os.path.join(folder, 'model.ini'), 'w',
                      encoding='utf-8') as file:
                file.write('[camlens]\n' + settings)
        return path
