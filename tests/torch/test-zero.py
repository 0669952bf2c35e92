#!/usr/bin/python3
"""test-zero.py CAMLENS: slopes at kinks and of odd parameters, as PyTorch has
them

Each activation by itself and behind a convolution that changes nothing, at a
picture of zeros of both signs, small and large numbers, and NaN; on optimised
plans and on the plain operators.  NaN has to stay what it is.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f'1..0 # SKIP {missing.name} is not installed')
    sys.exit(0)

SHAPE = (1, 2, 4, 4)
CASES = [('Relu', {}, F.relu), ('Abs', {}, torch.abs)]
for slope in (-2.0, -0.3, 0.0, 0.3, 1.0, 4.0):
    CASES += [
        ('LeakyRelu', {'alpha': slope},
         lambda x, a=slope: F.leaky_relu(x, a)),
        ('Elu', {'alpha': slope}, lambda x, a=slope: F.elu(x, a)),
        ('ThresholdedRelu', {'alpha': slope},
         lambda x, a=slope: F.threshold(x, a, 0))]
    if slope > 0:
        CASES.append(('Celu', {'alpha': slope},
                      lambda x, a=slope: F.celu(x, a)))
CASES += [('Selu', {}, F.selu), ('Softsign', {}, F.softsign),
          ('HardSigmoid', {'alpha': 1 / 6, 'beta': 0.5}, F.hardsigmoid)]


def write(folder, case, conv):
    kind, attributes, _ = case
    identity = np.eye(2, dtype=np.float32).reshape(2, 2, 1, 1)
    nodes = [helper.make_node('Conv', ['x', 'w'], ['c'])] if conv else []
    nodes.append(helper.make_node(kind, ['c' if conv else 'x'], ['y'],
                                  **attributes))
    graph = helper.make_graph(
        nodes, 'g',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, SHAPE)],
        [numpy_helper.from_array(identity, 'w')] if conv else [])
    model = helper.make_model(graph,
                              opset_imports=[helper.make_opsetid('', 17)])
    model.ir_version = 8
    onnx.save(model, f'{folder}/model.onnx')


def camlens(program, folder, command, *words):
    done = subprocess.run(
        [program, command, f'{folder}/model.onnx', '--input',
         f'{folder}/x.npy', *words], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    return np.load(f'{folder}/out.npy')


def picture(nan):
    x = np.array([0, -0.0, 1, -1, 0.3, -0.3, 4, -4, 3, -3, -2, 1e-20, -1e-20,
                  50, -50, np.nan if nan else 2], np.float32)
    return np.stack([x, x[::-1]]).reshape(SHAPE)


def check(program, case, conv):
    with tempfile.TemporaryDirectory() as folder:
        write(folder, case, conv)
        for nan in ((False, True) if not conv else (False,)):
            x = picture(nan)
            seed = np.linspace(0.5, 2, x.size, dtype=np.float32)
            seed = seed.reshape(SHAPE)
            np.save(f'{folder}/x.npy', x)
            np.save(f'{folder}/seed.npy', seed)
            t = torch.from_numpy(x).requires_grad_()
            y = case[2](t)
            y.backward(torch.from_numpy(seed))
            for way in ([], ['--reference']):
                got = camlens(program, folder, 'run', '--fetch',
                              f'y={folder}/out.npy', *way)
                np.testing.assert_allclose(got, y.detach().numpy(), 1e-5,
                                           1e-6)
                if nan:
                    continue
                got = camlens(program, folder, 'gradient', '--of', 'y',
                              '--at', 'x', '--seed', f'{folder}/seed.npy',
                              '-o', f'{folder}/out.npy', *way)
                np.testing.assert_allclose(got, t.grad.numpy(), 1e-5, 1e-6)


def main():
    tap = Tap()
    for case in CASES:
        for conv in (False, True):
            words = f'{case[0]} {case[1]}{" fused" if conv else ""}'
            try:
                check(sys.argv[1], case, conv)
                tap.check(True, words)
            except AssertionError as error:
                tap.check(False, words, *str(error).splitlines())
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
