#!/usr/bin/python3
"""against-onnxruntime.py CAMLENS [--count N] [--first N] [--scratch FOLDER]

Random small networks of one to three nodes, with attributes drawn from below
0, 0, 1 and above where the operator permits them, batches of one to three
pictures, and pictures with ties and both zeros.  Every output, MaxPool's
indices among them, of optimised plans and of the plain operators beside what
ONNX Runtime makes of the file.  No part of the suite: it wants Node.js, and npm
to reach its registry once (see tests/bench/compare.py); without them it says so
and skips.  A number draws its network again.
"""
import argparse
import collections
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'bench'))
from compare import install_onnx_runtime  # noqa: E402

TOLERANCE = 2e-5  # of the largest element
NUMBERS = [-2.5, -1.0, -0.3, 0.0, 0.2, 0.7, 1.0, 3.0]


class Maker:
    """Draws one network: nodes, constants, outputs and a picture"""

    def __init__(self, number):
        self.rng = np.random.default_rng(number)
        self.nodes, self.constants, self.outputs = [], [], []
        self.shape = [int(self.rng.integers(1, 4)),
                      int(self.rng.choice([1, 2, 3, 8, 16, 17])),
                      int(self.rng.integers(3, 14)),
                      int(self.rng.integers(3, 14))]
        self.now = 'x'

    def upto(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def number(self):
        return float(self.rng.choice(NUMBERS))

    def constant(self, array):
        name = f'k{len(self.constants)}'
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, *shape):
        scale = 1 / np.sqrt(max(1, np.prod(shape[1:])))
        return self.constant(
            self.rng.normal(0, scale, shape).astype(np.float32))

    def node(self, kind, inputs, n_outputs=1, **attributes):
        names = [f't{len(self.nodes)}{"abc"[i]}' for i in range(n_outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        self.outputs += names
        self.now = names[0]

    def window(self, dilated=True):
        """One that sees a pixel everywhere"""
        kernel, strides, dilations, begin, end = [], [], [], [], []
        for size in self.shape[2:]:
            k = self.upto(1, min(4, size))
            d = self.upto(1, 2) if dilated and (k - 1) * 2 < size else 1
            p = 0 if d > 1 else self.upto(0, k - 1)
            kernel.append(k)
            strides.append(self.upto(1, 3))
            dilations.append(d)
            begin.append(p)
            end.append(0 if d > 1 else self.upto(0, k - 1))
        window = {'kernel_shape': kernel, 'strides': strides,
                  'pads': begin + end}
        if dilated:
            window['dilations'] = dilations
        return window

    def conv(self):
        group = 1 if self.upto(0, 1) else self.shape[1]
        out = self.shape[1] * (1 if group > 1 else self.upto(1, 2))
        window = self.window()
        inputs = [self.now, self.weights(out, self.shape[1] // group,
                                         *window['kernel_shape'])]
        if self.upto(0, 1):
            inputs.append(self.weights(out))
        self.node('Conv', inputs, group=group, **window)

    def activation(self):
        a, b = self.number(), self.number()
        kind, attributes = [
            ('LeakyRelu', {'alpha': a}), ('Elu', {'alpha': a}),
            ('Selu', {'alpha': a, 'gamma': abs(b) + 0.5}),
            ('Celu', {'alpha': abs(a) + 0.5}),
            ('HardSigmoid', {'alpha': a, 'beta': b}), ('Relu', {}),
            ('ThresholdedRelu', {'alpha': 0.0}), ('HardSwish', {}),
            ('Sigmoid', {}), ('Tanh', {}), ('Softplus', {}),
            ('Softsign', {}), ('Abs', {}), ('Clip', {}), ('PRelu', {})
        ][self.upto(0, 14)]
        inputs = [self.now]
        if kind == 'Clip':
            inputs += [self.constant(np.float32(min(a, b))),
                       self.constant(np.float32(max(a, b)))]
        if kind == 'PRelu':
            inputs.append(self.constant(np.full(1, a, np.float32)))
        self.node(kind, inputs, **attributes)

    def pool(self):
        kind = ['MaxPool', 'AveragePool', 'LpPool'][self.upto(0, 2)]
        if kind == 'MaxPool':
            self.node(kind, [self.now], self.upto(1, 2),
                      storage_order=self.upto(0, 1),
                      ceil_mode=self.upto(0, 1), **self.window())
        elif kind == 'AveragePool':
            self.node(kind, [self.now], ceil_mode=self.upto(0, 1),
                      count_include_pad=self.upto(0, 1), **self.window(False))
        else:
            self.node(kind, [self.now], p=self.upto(1, 3),
                      **self.window(False))

    def other(self):
        choice = self.upto(0, 6)
        if choice < 3:
            kind = ['ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceL2',
                    'ReduceSum'][self.upto(0, 4)]
            axes = sorted({self.upto(-3, -1) for _ in range(2)})
            keep = self.upto(0, 1)
            if kind == 'ReduceSum':
                self.node(kind, [self.now, self.constant(
                    np.array(axes, np.int64))], keepdims=keep)
            else:
                self.node(kind, [self.now], axes=axes, keepdims=keep)
        elif choice == 3:
            self.node('Softmax', [self.now], axis=self.upto(-3, 3))
        elif choice == 4:
            self.node('Pad', [self.now, self.constant(np.array(
                [0, 0] + [self.upto(0, 2) for _ in range(2)] + [0, 0]
                + [self.upto(0, 2) for _ in range(2)], np.int64))],
                      mode=['constant', 'reflect', 'edge'][self.upto(0, 2)])
        elif choice == 5:
            self.node('LRN', [self.now], size=self.upto(0, 2) * 2 + 1,
                      alpha=abs(self.number()), beta=abs(self.number()),
                      bias=1.0)
        else:
            self.node(['GlobalMaxPool', 'GlobalAveragePool'][self.upto(0, 1)],
                      [self.now])

    def make(self):
        """ONNX's bytes, and the picture"""
        if self.upto(0, 1):
            self.conv()
        elif self.upto(0, 1):
            self.activation()
        if self.nodes and self.upto(0, 2):
            self.activation()
        if not self.nodes or self.nodes[0].op_type != 'Conv':
            [self.pool, self.other][self.upto(0, 1)]()
        graph = helper.make_graph(
            self.nodes, 'g', [helper.make_tensor_value_info(
                'x', TensorProto.FLOAT, ['N'] + self.shape[1:])],
            [helper.make_tensor_value_info(
                name, TensorProto.INT64 if name[-1] == 'b'
                else TensorProto.FLOAT, None) for name in self.outputs],
            self.constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid('', 17)])
        model.ir_version = 8
        x = self.rng.normal(0, 1, self.shape).astype(np.float32)
        if self.upto(0, 1):
            hard = np.array([0, -0.0, 1, -1], np.float32)
            x = np.where(self.rng.random(self.shape) < 0.7,
                         self.rng.choice(hard, self.shape), x)
        return model, np.ascontiguousarray(x, np.float32)


def ours(camlens, folder, outputs, options):
    """The arrays by name; or camlens's words"""
    command = [camlens, 'run', f'{folder}/model.onnx', '--input',
               f'{folder}/x.npy', *options]
    for name in outputs:
        command += ['--fetch', f'{name}={folder}/{name}.npy']
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    return {name: np.load(f'{folder}/{name}.npy') for name in outputs}


def difference(got, wanted):
    """Of the largest element; integers must be equal"""
    if got.size != wanted.size:
        return np.inf
    if got.dtype.kind == 'i':
        return 0 if np.array_equal(got.ravel(), wanted) else np.inf
    got, wanted = got.ravel().astype(float), wanted.astype(float)
    same = got == wanted
    off = np.abs(np.where(same, 0, got) - np.where(same, 0, wanted))
    finite = np.abs(wanted[np.isfinite(wanted)])
    return off.max() / max(finite.max() if finite.size else 0, 1e-6)


def compare(worker, number, options, counts):
    maker = Maker(number)
    model, x = maker.make()
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, f'{folder}/model.onnx')
        np.save(f'{folder}/x.npy', x)
        x.tofile(f'{folder}/x.f32')
        worker.stdin.write(f'{folder}/model.onnx {folder}/x.f32 '
                           f'{",".join(map(str, x.shape))} {folder}\n')
        worker.stdin.flush()
        answer = worker.stdout.readline().strip()
        kinds = ' '.join(node.op_type for node in model.graph.node)
        if answer != 'ok':
            counts['refused by ONNX Runtime'] += 1
            return
        for way in ([], ['--reference']):
            got = ours(options.camlens, folder, maker.outputs, way)
            if isinstance(got, str):
                counts['refused by camlens'] += 1
                print(f'{number} ({kinds}): {got}')
                return
            for name in maker.outputs:
                wanted = np.fromfile(
                    f'{folder}/{name}.bin',
                    np.int64 if name[-1] == 'b' else np.float32)
                off = difference(got[name], wanted)
                good = off <= TOLERANCE
                counts['outputs that agree' if good else 'that differ'] += 1
                if not good:
                    print(f'{number} ({kinds}) {name} {" ".join(way)}: off by '
                          f'{off:.3g}')
        counts['networks'] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('camlens')
    parser.add_argument('--count', type=int, default=500)
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--scratch', default=os.path.join(
        tempfile.gettempdir(), 'camlens-bench'))
    options = parser.parse_args()
    try:
        modules = install_onnx_runtime(options.scratch)
        worker = subprocess.Popen(
            ['node', os.path.join(HERE, 'worker-onnxruntime.js')], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, 'NODE_PATH': modules})
    except (OSError, subprocess.CalledProcessError) as error:
        print(f'1..0 # SKIP ONNX Runtime is not to be had: {error}')
        return 0
    counts = collections.Counter()
    for number in range(options.first, options.first + options.count):
        compare(worker, number, options, counts)
    worker.stdin.close()
    worker.wait()
    print(', '.join(f'{n} {what}' for what, n in sorted(counts.items())))
    return 1 if counts['that differ'] else 0


if __name__ == '__main__':
    sys.exit(main())
