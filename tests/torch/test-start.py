#!/usr/bin/python3
"""test-start.py SOURCE: the reader of the recipes' starting weights

A file of TensorFlow Lite is written by Debian's python3-flatbuffers, after
schema.fbs: a convolution with one scale (uint8, as the upstream release has
them), a depthwise one with a scale for each channel (int8), and operators that
are no convolutions between them.  Then a whole MobileNetV2, uint8 with a scale and
a zero point for each tensor as upstream, which the recipe loads; and training
refuses it, because it is not the release.
"""
import contextlib
import io
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import flatbuffers
    import numpy as np
except ImportError as missing:
    print(f'1..0 # SKIP {missing.name} is not installed')
    sys.exit(0)

sys.path.insert(0, os.path.join(sys.argv[1], 'models', 'recipes', 'common'))
import tflite  # noqa: E402

UINT8, INT8, INT32 = 3, 9, 2


def offsets(b, items):
    b.StartVector(4, len(items), 4)
    for item in reversed(items):
        b.PrependUOffsetTRelative(item)
    return b.EndVector()


def table(b, count, **fields):
    """field_N=("i8" | "u4" | "i4" | "offset", value)"""
    b.StartObject(count)
    for name, (kind, value) in fields.items():
        put = {'i8': b.PrependInt8Slot, 'u4': b.PrependUint32Slot,
               'i4': b.PrependInt32Slot,
               'offset': b.PrependUOffsetTRelativeSlot}[kind]
        put(int(name[1:]), value, 0)
    return b.EndObject()


def tensor(b, buffer, values, kind, scale, zero):
    q = table(b, 7, f2=('offset', b.CreateNumpyVector(
        np.atleast_1d(scale).astype(np.float32))),
        f3=('offset', b.CreateNumpyVector(
            np.atleast_1d(zero).astype(np.int64))))
    shape = b.CreateNumpyVector(np.array(values.shape, np.int32))
    return table(b, 8, f0=('offset', shape), f1=('i8', kind),
                 f2=('u4', buffer), f4=('offset', q))


def operator(b, code, inputs):
    return table(b, 9, f0=('u4', code), f1=('offset', b.CreateNumpyVector(
        np.array(inputs, np.int32))))


def write(path, arrays, codes, operators):
    """arrays: (values, type, scale, zero point); their buffers follow"""
    b = flatbuffers.Builder(0)
    blank = table(b, 1)
    buffers = [blank] + [table(b, 1, f0=('offset', b.CreateNumpyVector(
        np.frombuffer(a[0].tobytes(), np.uint8)))) for a in arrays]
    tensors = [tensor(b, i + 1, *a) for i, a in enumerate(arrays)]
    graph = table(b, 5, f0=('offset', offsets(b, tensors)),
                  f3=('offset', offsets(b, [operator(b, *o)
                                            for o in operators])))
    known = [table(b, 4, f0=('i8', min(c, 127)), f3=('i4', c))
             for c in codes]
    model = table(b, 5, f0=('u4', 3), f1=('offset', offsets(b, known)),
                  f2=('offset', offsets(b, [graph])),
                  f4=('offset', offsets(b, buffers)))
    b.Finish(model, file_identifier=b'TFL3')
    with open(path, 'wb') as file:
        file.write(b.Output())


def whole_network(tap):
    """every layer of the recipe's network has its numbers, in its place"""
    try:
        import torch
        from mobilenet import load_imagenet, plan
    except ImportError as missing:
        tap.skip('a whole MobileNetV2', f'{missing.name} is not installed')
        return
    rng = np.random.default_rng(5)
    arrays, operators, want, width = [], [], {}, {'input': 3}
    for step in plan():
        source = width[step.inputs[0]]
        width[step.name] = step.channels or source
        if step.kind != 'conv':
            operators.append((2, []))
            continue
        depthwise = step.groups > 1
        shape = ((1, step.kernel, step.kernel, step.channels) if depthwise
                 else (step.channels, step.kernel, step.kernel, source))
        scale, zero = rng.uniform(1e-3, 0.05), int(rng.integers(90, 160))
        q = rng.integers(0, 256, shape).astype(np.uint8)
        bias = rng.integers(-9999, 9999, step.channels).astype(np.int32)
        operators.append((int(depthwise),
                          [-1, len(arrays), len(arrays) + 1]))
        arrays += [(q, UINT8, scale, zero), (bias, INT32, scale / 128, 0)]
        real = np.float32(scale) * (q.astype(float) - zero)
        want[step.name] = (real.transpose((3, 0, 1, 2) if depthwise else
                                          (0, 3, 1, 2)),
                           bias * np.float32(scale / 128))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'whole.tflite')
        write(path, arrays, [3, 4, 0], operators)
        with contextlib.redirect_stdout(io.StringIO()) as told:
            network = load_imagenet(path)
        refused = subprocess.run(
            ['/usr/bin/python3', os.path.join(
                sys.argv[1], 'models', 'recipes', 'objects', 'train.py'),
             '--imagenet', path, '--out', os.path.join(folder, 'x.pt')],
            capture_output=True, text=True, check=False)
    with torch.no_grad():
        close = [np.allclose(network.ops[n].weight, w, rtol=1e-6, atol=0)
                 and np.allclose(network.ops[n].bias, b, rtol=1e-6, atol=0)
                 for n, (w, b) in want.items()]
    tap.check(len(close) == 52 and all(close), 'a whole MobileNetV2',
              len(close), [n for n, c in zip(want, close) if not c])
    tap.check('none of the known releases' in told.getvalue(),
              'the way says which release it is', told.getvalue())
    tap.check(refused.returncode == 2 and '--any-start' in refused.stderr,
              'other weights than the release are no start',
              refused.returncode, refused.stderr)


def main():
    tap = Tap()
    rng = np.random.default_rng(3)
    w1 = rng.integers(0, 256, (5, 3, 3, 2)).astype(np.uint8)
    b1 = rng.integers(-9999, 9999, 5).astype(np.int32)
    w2 = rng.integers(-127, 128, (1, 3, 3, 4)).astype(np.int8)
    b2 = rng.integers(-9999, 9999, 4).astype(np.int32)
    scales = np.float32([0.5, 0.25, 0.125, 3])
    arrays = [(w1, UINT8, 0.031, 122), (b1, INT32, 0.00024, 0),
              (w2, INT8, scales, np.zeros(4)), (b2, INT32, scales / 128,
                                                np.zeros(4))]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'start.tflite')
        # 0 is ADD; 200 shows that codes above 127 are told apart
        write(path, arrays, [0, 3, 4, 200],
              [(0, [0, 2]), (1, [-1, 0, 1]), (3, [1]), (2, [-1, 2, 3])])
        found = tflite.convolutions(path)
        with open(path, 'wb') as file:
            file.write(b'no flat buffer at all')
        try:
            tflite.convolutions(path)
            refused = False
        except ValueError as error:
            refused = 'not a TensorFlow Lite file' in str(error)
    tap.check(len(found) == 2, 'two convolutions', len(found))
    want = (w1.astype(float) - 122) * np.float32(0.031)
    tap.check(np.allclose(found[0][0], want.transpose(0, 3, 1, 2), rtol=1e-6)
              and np.allclose(found[0][1], b1 * np.float32(0.00024),
                              rtol=1e-6), 'one scale, uint8')
    tap.check(found[1][0].shape == (4, 1, 3, 3)
              and np.array_equal(found[1][0][:, 0],
                                 (w2[0] * scales).transpose(2, 0, 1))
              and np.array_equal(found[1][1], b2 * scales / 128),
              'depthwise, a scale for each channel, int8')
    tap.check(refused, 'another file is refused')
    whole_network(tap)
    return tap.done()


sys.exit(main())
