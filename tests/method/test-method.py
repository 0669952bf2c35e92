#!/usr/bin/python3
"""test-method.py PROBE: channel weights, maps, seeds and measures by NumPy"""
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import torch
except ImportError:
    torch = None
try:
    from scipy import ndimage
except ImportError:
    ndimage = None

PROBE = sys.argv[1]
tap = Tap()
folder = tempfile.TemporaryDirectory()
rng = np.random.default_rng(11)


def path(name):
    return os.path.join(folder.name, name)


def save(name, array):
    np.save(path(name), np.ascontiguousarray(array, np.float32))
    return path(name)


def probe(*arguments):
    return subprocess.run([PROBE, *map(str, arguments)], check=True,
                          capture_output=True, text=True).stdout.strip()


def gradcampp(g, a, eps):
    """the formula of method.md section 1, in double precision"""
    g, a = g.astype(np.float64), a.astype(np.float64)
    denominator = (2 * g ** 2 + a.sum((1, 2), keepdims=True) * g ** 3 + eps)
    good = (denominator > 0) & (g != 0)
    ratio = np.where(good, g ** 2 / np.where(good, denominator, 1), 0)
    bad = int(((denominator <= 0) & (g > 0)).sum())  # ReLU drops the others
    return (ratio * np.maximum(g, 0)).sum((1, 2)), bad


def test_weights():
    for name, size, shift in (('positive', 1e-3, 0.0), ('negative', 1.0, -3.0)):
        g = rng.normal(0, size, (40, 7, 6)).astype(np.float32)
        g[:, 0, 0] = 0
        a = np.maximum(rng.normal(shift, 1, (40, 7, 6)), shift * 2)
        a = a.astype(np.float32)
        bad = int(probe('weights', save('g.npy', g), save('a.npy', a), 1e-6,
                        path('out.npy')))
        ours = np.load(path('out.npy'))
        wanted, wanted_bad = gradcampp(g, a, 1e-6)
        tap.check(np.allclose(ours[0], g.astype(float).mean((1, 2)),
                              rtol=1e-4, atol=1e-12),
                  f'Grad-CAM weights, {name} activations')
        tap.check(np.allclose(ours[1], wanted, rtol=1e-4, atol=1e-12),
                  f'Grad-CAM++ weights, {name} activations')
        tap.check(bad == wanted_bad and (name == 'positive' or bad > 0),
                  f'positions without a positive denominator, {name}',
                  (bad, wanted_bad))


def test_map():
    a = rng.normal(0, 1, (30, 5, 4)).astype(np.float32)
    alpha = rng.normal(0, 1, 30).astype(np.float32)
    alpha[[3, 8, 12]] = alpha[3]  # ties go to the lower number
    for k in (0, 1, 5, 30, 99):
        order = np.argsort(-alpha, kind='stable')[:k or 30]
        wanted = np.maximum(np.einsum('k,khw->hw', alpha[order].astype(float),
                                      a[order].astype(float)), 0)
        maximum = float(probe('map', save('a.npy', a), save('w.npy', alpha), k,
                              path('out.npy')).split()[0])
        ours = np.load(path('out.npy'))
        tap.check(np.allclose(ours, wanted, rtol=1e-5, atol=1e-5)
                  and np.isclose(maximum, wanted.max(), rtol=1e-5),
                  f'the map of the top {k} of 30')
    probe('map', save('a.npy', np.ones((3, 2, 2))),
          save('w.npy', [-1, -2, -3]), 0, path('out.npy'))
    tap.check((np.load(path('out.npy')) == 0).all(),
              'weights below zero give an empty map')


def test_seeds():
    if torch is None:
        tap.skip('seeds of all scores', 'no torch')
        return

    def unit(v):
        return v / v.norm()

    scores = {
        'cosine': lambda a, p, n: unit(a) @ unit(p) - unit(a) @ unit(n),
        'triplet': lambda a, p, n: (-(unit(a) - unit(p)).pow(2).sum()
                                    + (unit(a) - unit(n)).pow(2).sum()),
        'dot': lambda a, p, n: a @ p,
        'dot-difference': lambda a, p, n: a @ p - a @ n}
    e = rng.normal(0, 2, (3, 24)).astype(np.float32)
    for name, score in scores.items():
        a, p, n = (torch.tensor(row, dtype=torch.float64) for row in e)
        a.requires_grad_()
        score(a, p, n).backward()
        probe('seed', name, save('e.npy', e), path('out.npy'))
        tap.check(np.allclose(np.load(path('out.npy')), a.grad.numpy(),
                              rtol=1e-4, atol=1e-7), f'seed of {name}')
    a, p = (torch.tensor(row, dtype=torch.float64) for row in e[:2])
    a.requires_grad_()
    (unit(a) @ unit(p)).backward()
    probe('seed', 'cosine', save('e.npy', e[:2]), path('out.npy'))
    tap.check(np.allclose(np.load(path('out.npy')), a.grad.numpy(), rtol=1e-4,
                          atol=1e-7), 'seed of a pair')
    e[0] = 0
    probe('seed', 'cosine', save('e.npy', e), path('out.npy'))
    tap.check((np.load(path('out.npy')) == 0).all(),
              'an embedding without direction has no seed')


def measures(values, mask):
    """method.md section 7, written again"""
    inside = mask >= 0.5
    total = values.astype(float).sum()
    out = [values.astype(float)[inside].sum() / total if total else 0.0]
    hot = [values >= t * values.max() if total else np.zeros_like(inside)
           for t in (0.2, 0.4, 0.6)]
    out += [(h & inside).sum() / max((h | inside).sum(), 1) for h in hot]
    out += [float(total > 0 and inside.flat[values.argmax()])]
    parts, n = ndimage.label(hot[0], np.ones((3, 3)))
    if n == 0:
        return out + [0, 0, 0, 0, 0.0]
    largest = np.bincount(parts.flat)[1:].argmax() + 1
    ys, xs = np.where(parts == largest)
    box = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
    ys, xs = np.where(inside)
    if len(ys) == 0:
        return out + box + [0.0]
    true = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
    both = (max(0, min(box[2], true[2]) - max(box[0], true[0]))
            * max(0, min(box[3], true[3]) - max(box[1], true[1])))
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, true)]
    return out + box + [both / (sum(areas) - both)]


def test_measures():
    if ndimage is None:
        tap.skip('measures', 'no SciPy')
        return
    worst = 0
    for i in range(60):
        h, w = rng.integers(1, 40, 2)
        smooth = ndimage.gaussian_filter(rng.normal(0, 1, (h, w)),
                                         rng.uniform(0, 4))
        values = np.maximum(smooth, 0).astype(np.float32)
        mask = ndimage.gaussian_filter(rng.normal(0, 1, (h, w)), 2) > 0
        if i == 0:
            values[:] = 0
        if i == 1:
            mask[:] = False
        ours = [float(v) for v in probe('measures', save('m.npy', values),
                                        save('mask.npy', mask)).split()]
        worst = max(worst, np.abs(np.subtract(ours, measures(values, mask)))
                    .max())
    tap.check(worst < 1e-9, 'energy, IoU, pointing, boxes', worst)


def test_layouts():
    a = rng.normal(0, 1, (5, 4, 3)).astype(np.float32)  # K, h, w
    square = rng.normal(0, 1, (5, 3, 3)).astype(np.float32)
    tokens = square.reshape(5, 9).T
    cls = np.concatenate([np.full((1, 5), 9, np.float32), tokens])
    cases = [('nchw', 0, a[None], a), ('nhwc', 1, a.transpose(1, 2, 0)[None], a),
             ('nchw without a batch', 0, a, a),
             ('tokens', 2, tokens[None], square),
             ('tokens+cls', 3, cls[None], square)]
    for name, number, given, wanted in cases:
        probe('layout', number, save('a.npy', given), path('out.npy'))
        tap.check(np.array_equal(np.load(path('out.npy')), wanted),
                  f'activations read as {name}')
    said = probe('layout', 2, save('a.npy', np.zeros((1, 8, 5))),
                 path('out.npy'))
    tap.check('square' in said, 'tokens without a square are refused', said)
    said = probe('layout', 0, save('a.npy', np.zeros((8, 5))), path('out.npy'))
    tap.check('error' in said, 'activations of another rank are refused', said)


test_weights()
test_map()
test_seeds()
test_measures()
test_layouts()
sys.exit(tap.done())
