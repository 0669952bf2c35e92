#!/usr/bin/python3
"""against-onnxruntime.py CAMLENS [--first N] [--count N] [--scratch FOLDER]

Single operators with attributes drawn from negative, 0, 1, above 1 and large,
behind a convolution that CamLens fuses them into or not, on batches of one to
four pictures of few different numbers, so that many are equal: every output,
optimised, beside ONNX Runtime's without its optimisations.  No test of the
suite, as ONNX Runtime comes from npm (the pinned version of
tests/bench/compare.py, kept in the scratch folder).

Numbers agree to 1e-5 of 1 or of the number where that is more, places
exactly.  A model that either program refuses is counted, not compared.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'bench'))
from compare import install_onnx_runtime  # noqa: E402

DRAWN = [-40.0, -1.7, -1.0, -0.3, 0.0, 0.3, 1.0, 1.7, 40.0]
PLACES = 'i'  # a second output's name


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.array(values, kind), name)


def draw_pool(rng, op):
    kernel = [int(k) for k in rng.integers(1, 5, 2)]
    attributes = {
        'kernel_shape': kernel,
        'strides': [int(s) for s in rng.choice([1, 2, 3, 17], 2)],
        'pads': [int(rng.integers(0, k)) for k in kernel * 2],
        'ceil_mode': int(rng.integers(0, 2))}
    if op == 'MaxPool':
        attributes['dilations'] = [int(d) for d in rng.integers(1, 3, 2)]
        attributes['storage_order'] = int(rng.integers(0, 2))
    if op == 'AveragePool':
        attributes['count_include_pad'] = int(rng.integers(0, 2))
    if op == 'LpPool':
        del attributes['ceil_mode']
        attributes['p'] = int(rng.integers(1, 4))
    return attributes


UNARY = {'Relu': (), 'LeakyRelu': ('alpha',), 'Elu': ('alpha',),
         'Celu': ('alpha',), 'Selu': ('alpha', 'gamma'),
         'ThresholdedRelu': ('alpha',), 'HardSigmoid': ('alpha', 'beta'),
         'HardSwish': (), 'Sigmoid': (), 'Softplus': (), 'Abs': (),
         'Tanh': (), 'Sign': (), 'Round': (), 'Neg': ()}
POOLS = ['MaxPool', 'AveragePool', 'LpPool']
REDUCTIONS = ['ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceL1', 'ReduceL2',
              'ReduceSumSquare']
OTHERS = ['Clip', 'PRelu', 'Softmax', 'LogSoftmax', 'LRN', 'GlobalMaxPool',
          'GlobalAveragePool', 'Max', 'Min', 'Pad', 'Slice', 'Split',
          'DepthToSpace', 'SpaceToDepth', 'Resize', 'LpNormalization',
          'Transpose', 'Concat', 'Gather']
OPERATORS = [*UNARY, *POOLS * 4, *REDUCTIONS, *OTHERS]


def draw_other(rng, op, shape, more):
    """inputs, attributes, number of outputs; constants are put into @more"""
    axis = int(rng.integers(-4, 4))
    size = shape[axis]
    any_of = rng.choice(DRAWN, 2)
    inputs, attributes, outputs = [], {}, 1

    def put(name, values, kind=np.int64):
        more.append(constant(name, values, kind))
        inputs.append(name)

    if op == 'Clip':
        put('low', any_of[0], np.float32)
        put('high', any_of[1], np.float32)
    elif op == 'PRelu':
        put('slope', rng.choice(DRAWN, (shape[1], 1, 1)), np.float32)
    elif op in ('Softmax', 'LogSoftmax', 'LpNormalization'):
        attributes = {'axis': axis}
        if op == 'LpNormalization':
            attributes['p'] = int(rng.integers(1, 3))
    elif op == 'LRN':
        attributes = {'size': int(rng.choice([1, 3, 5, 41])),
                      'alpha': float(abs(any_of[0])), 'beta': 0.75,
                      'bias': 1.0}
    elif op in ('Max', 'Min'):
        put('other', rng.integers(-2, 3, shape[1:]), np.float32)
    elif op == 'Pad':
        put('pads', rng.integers(-1, 3, 8))
        attributes = {'mode': str(rng.choice(['constant', 'edge']))}
    elif op == 'Slice':
        step = int(rng.choice([-3, -1, 1, 2, 40]))
        put('starts', [int(rng.integers(-size, size))])
        put('ends', [int(rng.choice([-1000, 1000]))])
        put('axes', [axis])
        put('steps', [step])
    elif op == 'Split':
        attributes, outputs = {'axis': axis}, 1 if size % 2 else 2
    elif op in ('DepthToSpace', 'SpaceToDepth'):
        attributes = {'blocksize': int(rng.integers(1, 4))}
    elif op == 'Resize':
        inputs += ['', 'scales']
        more.append(constant('scales', [1, 1, *rng.choice(
            [0.4, 0.5, 1, 2, 3.3], 2)]))
        attributes = {'mode': str(rng.choice(['nearest', 'linear', 'cubic'])),
                      'coordinate_transformation_mode': str(rng.choice(
                          ['half_pixel', 'asymmetric', 'align_corners']))}
    elif op == 'Transpose':
        attributes = {'perm': [int(p) for p in rng.permutation(4)]}
    elif op == 'Concat':
        inputs, attributes = ['c'], {'axis': axis}
    elif op == 'Gather':
        put('places', rng.integers(-size, size, 3))
        attributes = {'axis': axis}
    return inputs, attributes, outputs


def draw(rng, op):
    """model, picture and names of what it makes"""
    shape = [int(rng.integers(1, 5)), int(rng.integers(1, 9)),
             *[int(v) for v in rng.integers(1, 10, 2)]]
    more, inputs, attributes, outputs = [], [], {}, 1
    if op in UNARY:
        attributes = {n: float(rng.choice(DRAWN)) for n in UNARY[op]}
    elif op in POOLS:
        attributes = draw_pool(rng, op)
        outputs = 2 if op == 'MaxPool' and rng.integers(0, 2) else 1
    elif op in REDUCTIONS:
        attributes = {'axes': sorted({int(a) for a in rng.integers(0, 4, 2)}),
                      'keepdims': int(rng.integers(0, 2))}
    else:
        inputs, attributes, outputs = draw_other(rng, op, shape, more)
    # a power of two for each channel: nothing is rounded, ties stay ties
    weights = 2.0 ** rng.integers(-1, 2, (shape[1], 1, 1, 1))
    more.append(constant('w', weights * rng.choice([-1, 1])))
    names = ['y', PLACES][:outputs]
    nodes = [helper.make_node('Conv', ['x', 'w'], ['c'], group=shape[1]),
             helper.make_node(op, ['c', *inputs], names, **attributes)]
    graph = helper.make_graph(
        nodes, op,
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(n, kind_of(op, n), None)
         for n in names], more)
    values = [-2, -1, -0.5, -0.0, 0, 0, 0.5, 1, 2, 3]
    model = helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid('', 14)])
    return model, rng.choice(values, shape).astype(np.float32), names


def kind_of(op, name):
    whole = op == 'MaxPool' and name == PLACES
    return TensorProto.INT64 if whole else TensorProto.FLOAT


def run_camlens(camlens, base, names):
    command = [camlens, 'run', base + '.onnx', '-i', 'x=' + base + '.npy']
    for name in names:
        command += ['-f', f'{name}={base}.{name}.npy']
    result = subprocess.run(command, capture_output=True, text=True,
                            check=False)
    if result.returncode < 0:
        sys.exit(f'{base}: {camlens} died of signal {-result.returncode}')
    return result.stderr if result.returncode else None


def differs(base, op, name):
    got = np.load(f'{base}.{name}.npy')
    whole = kind_of(op, name) == TensorProto.INT64
    wanted = np.fromfile(f'{base}.ort.{name}',
                         np.int64 if whole else np.float32)
    if got.size != wanted.size:
        return f'{got.size} numbers instead of {wanted.size}'
    with np.errstate(invalid='ignore'):
        same = ((got.ravel() == wanted) | (np.isnan(got.ravel())
                                           & np.isnan(wanted)))
        if not whole:
            same |= np.abs(got.ravel() - wanted) <= 1e-5 * np.maximum(
                1, np.abs(wanted))
    if same.all():
        return None
    i = int(np.argmin(same))
    return f'number {i} is {got.ravel()[i]} instead of {wanted[i]}'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('camlens')
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--count', type=int, default=500)
    parser.add_argument('--scratch', default=os.path.join(
        tempfile.gettempdir(), 'camlens-bench'))
    options = parser.parse_args()
    modules = install_onnx_runtime(options.scratch)
    counts, jobs, drawn = collections.Counter(), [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.first, options.first + options.count):
            rng = np.random.default_rng(number)
            op = str(rng.choice(OPERATORS))
            model, x, names = draw(rng, op)
            base = os.path.join(folder, str(number))
            with open(base + '.onnx', 'wb') as file:
                file.write(model.SerializeToString())
            x.tofile(base + '.raw')
            np.save(base + '.npy', x)
            jobs.append({'model': base + '.onnx', 'shape': list(x.shape),
                         'x': base + '.raw', 'to': base + '.ort'})
            drawn.append((number, op, base, names, model))
        with open(os.path.join(folder, 'jobs.json'), 'w') as file:
            json.dump(jobs, file)
        lines = subprocess.run(
            ['node', os.path.join(HERE, 'run-onnxruntime.js'), file.name],
            env={**os.environ, 'NODE_PATH': modules}, check=True,
            stdout=subprocess.PIPE, text=True).stdout.splitlines()
        for (number, op, base, names, model), line in zip(drawn, lines):
            why = run_camlens(options.camlens, base, names)
            if why or not line.startswith('ok'):
                counts['refused by both' if why and line[0] == 'r' else
                       'refused by CamLens' if why
                       else 'refused by ONNX Runtime'] += 1
                if why and line[0] == 'o':
                    print(f'{number} {op} refused: {why.strip()}')
                continue
            found = [f'{n}: {d}' for n in names
                     if (d := differs(base, op, n))]
            counts['different' if found else 'the same'] += 1
            counts['outputs'] += len(names)
            if found:
                print(f'{number} {op} {found}\n'
                      f'{helper.printable_node(model.graph.node[1])}')
    print(', '.join(f'{n} {what}' for what, n in sorted(counts.items())))
    return 1 if counts['different'] else 0


if __name__ == '__main__':
    sys.exit(main())
