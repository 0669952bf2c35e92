#!/usr/bin/python3
"""test-losses.py SOURCE: the recipes' triplet losses, beside plain loops"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f'1..0 # SKIP {missing.name} is not installed')
    sys.exit(0)

sys.path.insert(0, os.path.join(sys.argv[1], 'models', 'recipes', 'common'))
import triplet  # noqa: E402

MARGIN = 0.2


def distances(e):
    unit = e / np.linalg.norm(e, axis=1, keepdims=True)
    return ((unit[:, None] - unit[None]) ** 2).sum(2)


def batch_hard(d, labels):
    losses = []
    for a, label in enumerate(labels):
        farthest = max(d[a, p] for p in range(len(d)) if labels[p] == label)
        nearest = min(d[a, n] for n in range(len(d)) if labels[n] != label)
        losses.append(max(0, farthest - nearest + MARGIN))
    return np.mean(losses)


def semi_hard(d, labels):
    losses, count = [], len(d)
    for a in range(count):
        for p in range(count):
            if p == a or labels[p] != labels[a]:
                continue
            others = [d[a, n] for n in range(count) if labels[n] != labels[a]]
            beyond = [x for x in others if x > d[a, p]]
            n = min(beyond) if beyond else max(others)
            losses.append(max(0, d[a, p] - n + MARGIN))
    return np.mean(losses)


def main():
    tap = Tap()
    for name, plain in (('batch-hard', batch_hard), ('semi-hard', semi_hard)):
        worst = 0
        for seed in range(20):
            rng = np.random.default_rng(seed)
            labels = rng.permutation(np.repeat(np.arange(4), 3))
            e = rng.normal(0, 1, (12, 5)) + 0.7 * labels[:, None]
            got = triplet.LOSSES[name](torch.tensor(e), torch.tensor(labels),
                                       MARGIN).item()
            worst = max(worst, abs(got - plain(distances(e), labels)))
        tap.check(worst < 1e-9, f'{name}, 20 batches', worst)
    return tap.done()


sys.exit(main())
