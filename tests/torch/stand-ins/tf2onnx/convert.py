"""A stand-in for tf2onnx.convert, with the signature of tf2onnx 1.16.

Graphs have the shape that tf2onnx gives them: one Transpose behind the input,
channels first after it, and a Transpose of its own before each result that has
places.  Results are in the order of the alphabet, as TensorFlow flattens a
dictionary; with TF2ONNX_STAND_IN=unnamed they have lost their names.
"""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HEAD = 'StatefulPartitionedCall/model/'


class _Graph:
    def __init__(self):
        self.nodes, self.constants, self.made = [], [], {}

    def add(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output],
                                           **attributes))
        return output

    def constant(self, array, name):
        self.constants.append(numpy_helper.from_array(np.asarray(array),
                                                         name))
        return name

    def tensor(self, t):
        """the name of what `t` is, channels first; `input` has none"""
        if t.layer is None:
            return 'transposed'
        if t not in self.made:
            self.made[t] = getattr(self, type(t.layer).__name__)(
                t, self.tensor(t.source), HEAD + t.layer.name)
        return self.made[t]

    def Rescaling(self, t, x, name):
        for kind, value in (('Mul', t.layer.scale), ('Add', t.layer.offset)):
            x = self.add(kind, [x, self.constant(np.float32(value),
                                                 f'{name}/{kind}/y')],
                         f'{name}/{kind}:0')
        return x

    def Conv2D(self, t, x, name):
        pads = [t.layer.padding(side) for side in t.source.shape[1:3]]
        x = self.add('Conv', [x, self.constant(
            t.layer.kernel.transpose(3, 2, 0, 1).copy(), f'{name}/kernel')],
            f'{name}/Conv2D:0', strides=[t.layer.strides] * 2,
            kernel_shape=t.layer.kernel.shape[:2],
            pads=[p[0] for p in pads] + [p[1] for p in pads])
        return self.add('Relu', [x], f'{name}/Relu:0')

    def GlobalAveragePooling2D(self, t, x, name):
        return self.add('ReduceMean', [x], f'{name}/Mean:0', axes=[2, 3],
                        keepdims=0)

    def Dense(self, t, x, name):
        return self.add('MatMul', [x, self.constant(
            t.layer.kernel, f'{name}/kernel')], f'{name}/MatMul:0')


def from_function(function, input_signature=None, opset=None, custom_ops=None,
                  custom_op_handlers=None, custom_rewriter=None,
                  inputs_as_nchw=None, outputs_as_nchw=None, extra_opset=None,
                  shape_override=None, target=None, large_model=False,
                  output_path=None):
    results = function.get_concrete_function(*input_signature)
    graph, outputs = _Graph(), []
    spec, = input_signature
    graph.add('Transpose', [spec.name], 'transposed', perm=[0, 3, 1, 2])
    unnamed = os.environ.get('TF2ONNX_STAND_IN') == 'unnamed'
    for i, key in enumerate(sorted(results)):
        name = (f'Identity_{i}:0' if i else 'Identity:0') if unnamed else key
        source, shape = graph.tensor(results[key]), results[key].shape
        if len(shape) == 4:
            graph.add('Transpose', [source], name, perm=[0, 2, 3, 1])
        else:
            graph.add('Identity', [source], name)
        outputs.append(helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ['N', *shape[1:]]))
    made = helper.make_graph(graph.nodes, 'tf2onnx', [
        helper.make_tensor_value_info(spec.name, TensorProto.FLOAT,
                                      ['N', *spec.shape[1:]])],
        outputs, graph.constants)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid('', opset)])
    model.ir_version = 8
    return model, None
