#!/usr/bin/python3
"""test-kinks.py CAMLENS: gradients at corners and ties beside PyTorch's

Every activation with every alpha, on both sides of its corners and at them,
alone and where it is fused into a convolution; max pooling of pictures of few
different numbers, with NaN, both zeros and infinities: values, places of every
picture of a batch, and where the gradient goes.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f'1..0 # SKIP {missing.name} is not installed')
    sys.exit(0)

CAMLENS = os.path.abspath(sys.argv[1])
ALPHAS = [-40.0, -1.0, -0.3, 0.0, 0.3, 1.0, 2.5, 40.0]
CORNERS = np.array([-40, -6, -1, -0.5, -1e-30, -0.0, 0, 1e-30, 0.3, 1, 2.5, 5,
                    6, 41], np.float32)

# operator, its attributes, PyTorch's function
ACTIVATIONS = [
    ('Relu', {}, F.relu),
    ('Abs', {}, torch.abs),
    ('HardSigmoid', {'alpha': 1 / 6, 'beta': 0.5}, F.hardsigmoid),
    ('Selu', {}, F.selu),
    ('Clip', {}, F.relu6)]
for a in ALPHAS:
    ACTIVATIONS += [
        ('LeakyRelu', {'alpha': a}, lambda x, a=a: F.leaky_relu(x, a)),
        ('Elu', {'alpha': a}, lambda x, a=a: F.elu(x, a)),
        ('ThresholdedRelu', {'alpha': a},
         lambda x, a=a: F.threshold(x, a, 0.0)),
        ('PRelu', {}, lambda x, a=a: F.prelu(x, torch.tensor([a])))]
    if a > 0:
        ACTIVATIONS.append(('Celu', {'alpha': a},
                            lambda x, a=a: F.celu(x, a)))


def tensors(names):
    return [helper.make_tensor_value_info(n, k, None) for n, k in names]


def write(name, nodes, shape, outputs, constants):
    graph = helper.make_graph(
        nodes, 'kinks',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
        tensors(outputs), [numpy_helper.from_array(np.array(v, np.float32), k)
                           for k, v in constants.items()])
    save(helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid('', 16)]), name)


def camlens(*arguments):
    result = subprocess.run([CAMLENS, *arguments], capture_output=True,
                            text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr)


def gradient(shape):
    seed = np.random.default_rng(3).normal(0, 1, shape).astype(np.float32)
    np.save('seed.npy', seed)
    camlens('gradient', 'model.onnx', '-i', 'x.npy', '--of', 'y', '-s',
            'seed.npy', '--at', 'x', '-o', 'gradient.npy')
    return torch.from_numpy(seed), np.load('gradient.npy')


def same(got, wanted):
    return np.isclose(got, wanted, rtol=1e-5, atol=1e-6, equal_nan=True)


def activations(fused):
    """a channel each, split, and put together again"""
    n = len(ACTIVATIONS)
    x = np.tile(CORNERS, (1, n, 2, 1)).astype(np.float32)
    np.save('x.npy', x)
    parts = [f'x{i}' for i in range(n)]
    nodes = [helper.make_node('Split', ['x'], parts, axis=1)]
    constants = {'one': np.ones((1, 1, 1, 1)), 'low': 0.0, 'high': 6.0}
    for i, (op, attributes, function) in enumerate(ACTIVATIONS):
        inputs = [parts[i]]
        if fused:
            inputs = [f'c{i}']
            nodes.append(helper.make_node('Conv', [parts[i], 'one'], inputs))
        if op == 'Clip':
            inputs += ['low', 'high']
        if op == 'PRelu':
            constants[f'slope{i}'] = [function.__defaults__[0]]
            inputs.append(f'slope{i}')
        nodes.append(helper.make_node(op, inputs, [f'y{i}'], **attributes))
    nodes.append(helper.make_node('Concat', [f'y{i}' for i in range(n)],
                                  ['y'], axis=1))
    write('model.onnx', nodes, x.shape, [('y', TensorProto.FLOAT)], constants)
    seed, got = gradient(x.shape)
    t = torch.from_numpy(x).requires_grad_()
    torch.cat([a[2](t[:, i:i + 1]) for i, a in enumerate(ACTIVATIONS)],
              1).backward(seed)
    wrong = ~same(got, t.grad.numpy())
    for i, (op, attributes, _) in enumerate(ACTIVATIONS):
        if wrong[0, i].any():
            at = sorted({float(v) for v in x[0, i][wrong[0, i]]})
            print(f'# {op} {attributes} at {at}')
    return not wrong.any()


def pool(number):
    rng = np.random.default_rng(number)
    shape = [int(rng.integers(1, 4)), int(rng.integers(1, 20)),
             *[int(v) for v in rng.integers(4, 12, 2)]]
    values = [-1, -0.0, 0, 0, 1] + number % 3 // 2 * [np.nan, -np.inf, np.inf]
    x = rng.choice(values, shape).astype(np.float32)
    np.save('x.npy', x)
    kernel, stride, dilation = (int(rng.integers(1, n)) for n in (4, 4, 3))
    pad, ceil_mode = int(rng.integers(0, kernel // 2 + 1)), number % 2
    attributes = {'kernel_shape': [kernel] * 2, 'strides': [stride] * 2,
                  'pads': [pad] * 4, 'dilations': [dilation] * 2,
                  'ceil_mode': ceil_mode}
    write('model.onnx', [helper.make_node('MaxPool', ['x'], ['p', 'i'],
                                          **attributes),
                         helper.make_node('MaxPool', ['x'], ['y'],
                                          **attributes)], shape,
          [('p', TensorProto.FLOAT), ('i', TensorProto.INT64),
           ('y', TensorProto.FLOAT)], {})
    t = torch.from_numpy(x).requires_grad_()
    y, places = F.max_pool2d(t, kernel, stride, pad, dilation,
                             bool(ceil_mode), True)
    camlens('run', 'model.onnx', '-i', 'x.npy', '-f', 'p=p.npy', '-f',
            'i=i.npy', '-f', 'y=y.npy')
    channels = np.arange(shape[0] * shape[1]).reshape(*shape[:2], 1, 1)
    seed, got = gradient(y.shape)
    y.backward(seed)
    wanted = y.detach().numpy()
    return (np.array_equal(np.load('i.npy'), places.numpy()
                           + channels * shape[2] * shape[3])
            and same(np.load('p.npy'), wanted).all()
            and same(np.load('y.npy'), wanted).all()
            and same(got, t.grad.numpy()).all())


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tap.check(activations(False), 'activations alone')
        tap.check(activations(True), 'activations behind a convolution')
        for number in range(12):
            tap.check(pool(number), f'max pooling {number}')
        os.chdir('/')
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
