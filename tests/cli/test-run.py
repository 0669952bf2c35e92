#!/usr/bin/python3
"""test-run.py CAMLENS: inspect, run and gradient, as a person calls them

What they give is compared with PyTorch; what they refuse must be refused with
status 1 (2 for wrong usage), on standard error, with the words that help.
"""
import json
import os
import re
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

CAMLENS = sys.argv[1]
RNG = np.random.default_rng(8)
WEIGHTS = {'w1': RNG.normal(0, .3, (16, 3, 3, 3)), 'b1': RNG.normal(0, .1, 16),
           'w2': RNG.normal(0, .1, (16, 16, 3, 3)),
           'w3': RNG.normal(0, .3, (10, 16))}
WEIGHTS = {k: v.astype(np.float32) for k, v in WEIGHTS.items()}
TAP = Tap()


def write_model(folder, external=False):
    """any batch, height and width; 'chosen' picks a channel by an int64"""
    nodes = [
        helper.make_node('Conv', ['x', 'w1', 'b1'], ['c1'], strides=[2, 2],
                         pads=[1] * 4),
        helper.make_node('Sigmoid', ['c1'], ['s1']),
        helper.make_node('Mul', ['c1', 's1'], ['a1']),
        helper.make_node('Conv', ['a1', 'w2'], ['c2'], pads=[1] * 4),
        helper.make_node('Add', ['c2', 'a1'], ['sum']),
        helper.make_node('Tanh', ['sum'], ['features']),
        helper.make_node('GlobalAveragePool', ['features'], ['pooled']),
        helper.make_node('Flatten', ['pooled'], ['flat']),
        helper.make_node('Gemm', ['flat', 'w3'], ['embedding'], transB=1),
        helper.make_node('Gather', ['embedding', 'which'], ['chosen'], axis=1),
        helper.make_node('Where', ['flag', 'chosen', 'zero'], ['masked'])]
    shape = ['N', 3, 'H', 'W']
    graph = helper.make_graph(
        nodes, 'g',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape),
         helper.make_tensor_value_info('which', TensorProto.INT64, [2]),
         helper.make_tensor_value_info('flag', TensorProto.BOOL, [1])],
        [helper.make_tensor_value_info('embedding', TensorProto.FLOAT,
                                       ['N', 10]),
         helper.make_tensor_value_info('masked', TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v, k) for k, v in WEIGHTS.items()]
        + [numpy_helper.from_array(np.float32(0), 'zero')])
    model = helper.make_model(graph,
                              opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 7
    path = os.path.join(folder, 'two.onnx' if external else 'net.onnx')
    onnx.save_model(model, path, save_as_external_data=external,
                    location='two.weights', size_threshold=0)
    return path


def by_torch(x):
    w = {k: torch.from_numpy(v) for k, v in WEIGHTS.items()}
    a1 = F.silu(F.conv2d(torch.from_numpy(x), w['w1'], w['b1'], 2, 1))
    features = torch.tanh(F.conv2d(a1, w['w2'], None, 1, 1) + a1)
    features.requires_grad_()
    return a1, features, features.mean((2, 3)) @ w['w3'].T


def call(*words):
    return subprocess.run([CAMLENS, *map(str, words)], capture_output=True,
                          text=True, check=False)


def close(a, b, tolerance=1e-4):
    """within the tolerance that networks are compared at, Winograd's way too"""
    b = b.detach().numpy() if isinstance(b, torch.Tensor) else b
    return (a.shape == b.shape
            and np.abs(a - b).max() <= tolerance * np.abs(b).max())


class Folder:
    def __init__(self, path):
        self.path = path
        self.model = write_model(path)

    def at(self, name):
        return os.path.join(self.path, name)

    def save(self, name, array):
        np.save(self.at(name), array)
        return self.at(name)

    def given(self, x, which=(7, 2), flag=True):
        return ['--input', f'x={self.save("x.npy", x)}',
                '--input', 'which=' + self.save('which.npy',
                                                np.int64(which)),
                '--input', 'flag=' + self.save('flag.npy',
                                               np.array([flag]))]

    def run(self, x, *names, model=None, threads=1, **others):
        words = ['run', model or self.model, *self.given(x, **others),
                 '--threads', threads]
        for name in names:
            words += ['--fetch', f'{name}={self.at(name + ".npy")}']
        done = call(*words)
        assert done.returncode == 0, done.stderr
        return [np.load(self.at(name + '.npy')) for name in names]

    def gradient(self, x, seed, at, threads=1):
        done = call('gradient', self.model, *self.given(x), '--of',
                    'embedding', '--seed', self.save('seed.npy', seed), '--at',
                    at, '-o', self.at('g.npy'), '--threads', threads)
        assert done.returncode == 0, done.stderr
        return np.load(self.at('g.npy'))


def picture(*shape):
    return RNG.normal(0, 1, shape).astype(np.float32)


def test_run(f):
    for n, h, w in ((1, 16, 16), (3, 33, 20), (2, 1, 1)):
        x = picture(n, 3, h, w)
        a1, features, embedding = by_torch(x)
        e, a, m, s = f.run(x, 'embedding', 'features', 'a1', 's1')
        TAP.check(close(e, embedding) and close(a, features)
                  and close(m, a1), f'{n} pictures of {h} x {w}')
        TAP.check(s.shape == m.shape and s.min() > 0,
                  f'a tensor within an activation, {h} x {w}')
    chosen, = f.run(x, 'masked', which=(9, 0))
    TAP.check(close(chosen, embedding[:, [9, 0]]), 'int64 input')
    nothing, = f.run(x, 'masked', flag=False)
    TAP.check(not nothing.any(), 'bool input')
    two = write_model(f.path, True)
    e2, = f.run(x, 'embedding', model=two)
    e, = f.run(x, 'embedding')
    TAP.check(os.path.exists(f.at('two.weights')) and np.array_equal(e, e2),
              'weights in a second file')
    seven = picture(7, 3, 24, 24)
    together, = f.run(seven, 'embedding', threads=2)
    for i in range(7):
        alone, = f.run(seven[i:i + 1], 'embedding')
        TAP.check(close(alone[0], together[i]), f'picture {i} of a batch')


def test_gradient(f):
    x = picture(2, 3, 24, 18)
    _, features, embedding = by_torch(x)
    seeds = picture(3, 2, 10)
    several = f.gradient(x, seeds, 'features')
    for i in range(3):
        wanted, = torch.autograd.grad(
            embedding, features, torch.from_numpy(seeds[i]),
            retain_graph=True)
        one = f.gradient(x, seeds[i], 'features')
        TAP.check(close(several[i], wanted) and close(one, wanted),
                  f'seed {i} of three, and alone')
    for at in ('x', 'c1', 's1', 'pooled', 'embedding'):
        g = f.gradient(x, seeds[0], at)
        size = f.run(x, at)[0].shape if at != 'x' else x.shape
        TAP.check(g.shape == size and np.isfinite(g).all(), f'at {at}')
    TAP.check(np.array_equal(g, seeds[0]), 'at itself it is the seed')


def test_threads(f):
    x = picture(5, 3, 40, 40)
    seed = picture(2, 5, 10)
    first = None
    for n in (1, 2, 3, 7):
        out = f.run(x, 'embedding', 'features', threads=n)
        out.append(f.gradient(x, seed, 'x', threads=n))
        first = first or out
        TAP.check(all(np.array_equal(a, b) for a, b in zip(first, out)),
                  f'the same bytes with {n} threads')


def test_inspect(f):
    done = call('inspect', f.model, '--json')
    facts = json.loads(done.stdout)
    TAP.check(set(facts) == {'inputs', 'outputs', 'layers', 'suggested_layer',
                             'embedding', 'parameters', 'macs', 'candidates',
                             'warnings', 'not_usable'},
              'keys of the JSON', str(set(facts)))
    TAP.check(all({'name', 'op', 'shape'} <= set(layer)
                  for layer in facts['layers']), 'keys of its layers')
    names = [layer['name'] for layer in facts['layers']]
    TAP.check({'c1', 's1', 'a1', 'c2', 'sum', 'features'} <= set(names),
              'every tensor that can be a layer', str(names))
    TAP.check('pooled' not in names and 'flat' not in names,
              'and none that cannot')
    TAP.check(facts['suggested_layer'] == 'features', 'suggested layer')
    TAP.check(facts['embedding'] == 'embedding', 'embedding')
    TAP.check(facts['parameters'] == sum(v.size for v in WEIGHTS.values()) + 1,
              'parameters', str(facts['parameters']))
    small = json.loads(call('inspect', f.model, '--json', '--size',
                            '20x12').stdout)
    macs = 6 * 10 * (16 * 27 + 16 * 144) + 160
    TAP.check(small['macs'] == macs, 'multiply-adds', str(small['macs']))
    layer = next(i for i in small['layers'] if i['name'] == 'features')
    TAP.check(layer['shape'][1:] == [16, 6, 10] and layer['op'] == 'Tanh',
              'shape of a layer', str(layer))
    text = call('inspect', f.model).stdout
    TAP.check('fallback' in next(line for line in text.splitlines()
                                 if line.split()[:1] == ['features']),
              'the fallback is marked')


def write_normed(path, batch):
    """as ConvNeXt ends: pooled, then channels last for a norm, then flat"""
    graph = helper.make_graph(
        [helper.make_node('Conv', ['x', 'w'], ['c']),
         helper.make_node('GlobalAveragePool', ['c'], ['p']),
         helper.make_node('Transpose', ['p'], ['t'], perm=[0, 2, 3, 1]),
         helper.make_node('Tanh', ['t'], ['n']),
         helper.make_node('Flatten', ['n'], ['embedding'])], 'g',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT,
                                       [batch, 3, 8, 8])],
        [helper.make_tensor_value_info('embedding', TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((5, 3, 1, 1), np.float32), 'w')])
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 13)]), path)
    return path


def test_inspect_end(f):
    for batch in ('N', 1, 4):
        model = write_normed(f.at('normed.onnx'), batch)
        facts = json.loads(call('inspect', model, '--json').stdout)
        TAP.check(facts['suggested_layer'] == 'c'
                  and [i['name'] for i in facts['layers']] == ['c'],
                  f'batch {batch}: what is pooled is no layer, wherever its '
                  'channels stand', str(facts))
        TAP.check(facts['macs'] == 15 * 64,
                  f'batch {batch}: multiply-adds are those of one picture',
                  str(facts['macs']))


def write_fixed(path, shape):
    graph = helper.make_graph(
        [helper.make_node('GlobalAveragePool', ['x'], ['y'])], 'g',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)])
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 13)]), path)
    return path


def write_tiny(path):
    """products of two numbers, quicker than a clock's tick"""
    names = ['x'] + [f'y{i}' for i in range(20)]
    nodes = [helper.make_node('MatMul', [a, 'w'], [b])
             for a, b in zip(names, names[1:])]
    graph = helper.make_graph(
        nodes, 'g',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32([[0.5]]), 'w')])
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 13)]), path)
    return path


def test_bench(f):
    fixed = write_fixed(f.at('fixed.onnx'), [4, 3, 8, 8])
    any_batch = write_fixed(f.at('any.onnx'), ['N', 3, 8, 8])
    for model, options, batch in [(fixed, [], 4), (any_batch, [], 1),
                                  (any_batch, ['--batch', '5'], 5)]:
        done = call('bench', model, '--repeat', '2', '--json', *options)
        facts = json.loads(done.stdout or '{}')
        TAP.check({'forward_ms_median', 'forward_ms_min', 'threads', 'batch',
                   'blas_kernel', 'peak_rss_bytes'} <= set(facts)
                  and facts['batch'] == batch, f'bench, batch {batch}',
                  done.stdout + done.stderr)
    tiny = write_tiny(f.at('tiny.onnx'))
    told = [call('bench', tiny, '--repeat', n, '--profile').stdout
            for n in (1, 2, 20, 50, 100)]
    TAP.check(all('MatMul' in text and not re.search(r'\b(inf|-?nan)\b', text)
                  for text in told),
              'the profile of a product that takes no time', *told)


def refusals(f):
    """status, words of the message, arguments"""
    x = f.save('good.npy', picture(1, 3, 8, 8))
    rest = f.given(picture(1, 3, 8, 8))[2:]

    def run(file, *more, model=f.model):
        return ['run', model, '--input', file, *rest, *more, '--fetch',
                f'embedding={f.at("e.npy")}']

    def gradient(seed, at='features', of='embedding'):
        return ['gradient', f.model, '--input', x, *rest, '--of', of,
                '--seed', seed, '--at', at, '-o', f.at('g.npy')]
    open(f.at('text.npy'), 'w', encoding='utf-8').write('no array')
    open(f.at('cut.npy'), 'wb').write(open(x, 'rb').read()[:200])
    model = open(f.model, 'rb').read()
    open(f.at('cut.onnx'), 'wb').write(model[:len(model) // 2])
    good = np.load(x)
    yield 1, ['No such file'], run(f.at('missing.npy'))
    yield 1, ['[1, 4, 8, 8]'], run(f.save('c4.npy', picture(1, 4, 8, 8)))
    yield 1, ['[3, 8, 8]'], run(f.save('d3.npy', picture(3, 8, 8)))
    yield 1, ['empty'], run(f.save('none.npy', good[:0]))
    yield 1, ['int32', 'float32'], run(f.save('i.npy', good.astype('i4')))
    yield 1, ['Fortran'], run(f.save('f.npy', np.asfortranarray(good)))
    yield 1, ['little-endian'], run(f.save('be.npy', good.astype('>f4')))
    yield 1, ['not supported'], run(f.save('c.npy', good.astype('c8')))
    yield 1, ['NumPy'], run(f.at('text.npy'))
    yield 1, ['cut short'], run(f.at('cut.npy'))
    yield 1, ['no tensor', 'nope'], run('nope=' + x)
    yield 1, ['embedding', 'no input'], run('embedding=' + x)
    yield 1, ['twice'], run('x=' + x, '--input', 'x=' + x)
    yield 1, ['more arrays'], run('x=' + x, '--input', x)
    yield 1, ['no model'], run(x, model=f.at('nowhere.onnx'))
    yield 1, ['cut short'], run(x, model=f.at('cut.onnx'))
    yield 1, ['no ONNX'], run(x, model=x)
    yield 1, ['has no array', 'which'], [
        'run', f.model, '--input', x, '--fetch', 'chosen=' + f.at('e.npy')]
    yield 1, ['nope'], run(x, '--fetch', 'nope=' + f.at('e.npy'))
    yield 1, ['cannot be written'], run(x, '--fetch',
                                        'flat=/nonexistent/e.npy')
    yield 2, ['--fetch'], ['run', f.model, '--input', x]
    yield 2, ['--threads', 'not -1'], run(x, '--threads', '-1')
    yield 2, ['--threads'], run(x, '--threads', 'two')
    yield 2, ['--bogus'], run(x, '--bogus')
    yield 2, ['one model'], ['run', '--fetch', 'a=b']
    yield 1, ['wants float32 [1, 10]'], gradient(
        f.save('s.npy', picture(10)))
    yield 1, ['[0, 1, 10]'], gradient(f.save('s0.npy', picture(0, 1, 10)))
    s = f.save('s1.npy', picture(1, 10))
    yield 1, ["'nope'"], gradient(s, at='nope')
    yield 1, ["'nope'"], gradient(s, of='nope')
    yield 1, ['does not depend'], gradient(s, at='chosen')
    yield 2, ['--output'], gradient(s)[:-2]
    yield 1, ['no model'], ['inspect', f.at('nowhere.onnx')]
    yield 1, ['no ONNX'], ['inspect', x]
    yield 2, ['no size'], ['inspect', f.model, '--size', '0']
    yield 2, ['one model'], ['inspect']


def test_refusals(f):
    for status, words, arguments in refusals(f):
        done = call(*arguments)
        TAP.check(done.returncode == status and not done.stdout
                  and all(word in done.stderr for word in words),
                  f'status {status}, says {" ".join(words)}',
                  f'{done.returncode}: {done.stderr}')


def main():
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(path)
        test_run(folder)
        test_gradient(folder)
        test_threads(folder)
        test_inspect(folder)
        test_inspect_end(folder)
        test_bench(folder)
        test_refusals(folder)
    return TAP.done()


sys.exit(main())
