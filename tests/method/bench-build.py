"""bench-build.py -- a build and explanations beside their stages and PyTorch

    bench-build.py CAMLENS BENCH-STAGES OUT FOLDER [JOBS] [ROUNDS] [SAMPLE]

OUT is what models/recipes/butterflies wrote (model.onnx, weights.pt); FOLDER
has a folder of pictures for each label.  In turn, all with JOBS threads:
decoding alone, forward passes alone, both passes of a build alone, `camlens
build` of all pictures (Grad-CAM, 50 triplets, block_16_expand_relu), `camlens explain` of a sample (top-50,
without writing composites), and PyTorch over the same sample: channel weights
by one mean seed, by 50 backward passes (a tenth of the sample), and
explanations.  Prints medians in pictures a second, and medians of the ratios
of a round.

"bound": a core's time for decoding and for both passes are added up, as where
all are on the same cores; with fewer jobs than cores decoding has one of its
own, and the slower of the two is the bound.  `camlens build` is charged with clusters,
thumbnails and the database too, PyTorch with weights alone.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import torch_build

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..',
                             'torch'))
from threads import use_threads  # noqa: E402

camlens, stages, out, folder = sys.argv[1:5]
jobs, rounds, n_sample = (int(sys.argv[i]) if len(sys.argv) > i else default
                          for i, default in ((5, 2), (6, 3), (7, 400)))
model = os.path.join(out, 'model.onnx')
use_threads(jobs)
network = torch_build.load(out)


def list_sample():
    """(paths, labels): evenly over the folder, two of each label or more"""
    paths = sorted(os.path.join(top, name) for top, _, names in
                   os.walk(folder) for name in names)
    step = max(1, len(paths) // n_sample)
    chosen = paths[::step]
    labels = [os.path.basename(os.path.dirname(path)) for path in chosen]
    numbers = {label: i for i, label in enumerate(sorted(set(labels)))}
    return chosen, [numbers[label] for label in labels]


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def run(*words):
    return subprocess.run(list(map(str, words)), check=True,
                          capture_output=True, text=True).stdout


def build(database):
    told = json.loads(run(camlens, 'build', '-q', '--json', '--restart',
                          '--jobs', jobs, '-m', model, '-o', database,
                          '--layer', torch_build.LAYER,
                          folder).splitlines()[-1])
    return told['pictures'] / told['seconds']


def our_explanations(database, paths):
    told, seconds = timed(run, camlens, 'explain', '-m', model, '-d', database,
                          '--threads', jobs, '--json', *paths)
    return told, len(paths) / seconds


def torch_rates(paths, labels):
    few = range(0, len(paths), 10)
    mean, seconds = timed(torch_build.by_mean_seed, network, paths, labels)
    _, seconds_50 = timed(torch_build.by_every_triplet, network,
                          [paths[i] for i in few], [labels[i] for i in few])
    _, seconds_explain = timed(torch_build.explain, network, paths,
                               torch.randn(50, network.embedding_dim),
                               mean[:50])
    return (len(paths) / seconds, len(few) / seconds_50,
            len(paths) / seconds_explain)


def check(paths, labels):
    """Both ways of PyTorch's are one computation."""
    one, many = (way(network, paths, labels) for way in
                 (torch_build.by_mean_seed, torch_build.by_every_triplet))
    assert torch.allclose(one, many, rtol=1e-3, atol=1e-3 * one.abs().max())


NAMES = ('decoding alone', 'forward alone', 'both passes alone', 'bound',
         'build', 'explain',
         'PyTorch: mean seed', 'PyTorch: 50 seeds', 'PyTorch: explain')
RATIOS = (('build', 'forward alone'), ('build', 'both passes alone'),
          ('build', 'bound'),
          ('build', 'PyTorch: mean seed'), ('build', 'PyTorch: 50 seeds'),
          ('explain', 'forward alone'), ('explain', 'PyTorch: explain'))


def measure_round(database, paths, labels):
    decoding, forward, both = map(float, run(
        stages, model, torch_build.LAYER, folder, jobs).split())
    built = build(database)
    _, explained = our_explanations(database, paths)
    return dict(zip(NAMES, (decoding, forward, both,
                            1 / (1 / decoding + 1 / both), built, explained,
                            *torch_rates(paths, labels))))


def main():
    paths, labels = list_sample()
    check(paths[:40], labels[:40])
    with tempfile.TemporaryDirectory() as scratch:
        rows = [measure_round(os.path.join(scratch, 'built.camdb'), paths,
                              labels) for _ in range(rounds)]
    print(f'{jobs} threads, {rounds} rounds, {len(paths)} pictures sampled')
    for name in NAMES:
        column = [row[name] for row in rows]
        middle = statistics.median(column)
        print(f'{name:20}{middle:8.1f} pictures/s {1e3 / middle:8.2f} ms   '
              + ' '.join(f'{value:.1f}' for value in column))
    for name, other in RATIOS:
        ratios = [row[name] / row[other] for row in rows]
        print(f'{name + " / " + other:36}{statistics.median(ratios):8.3f}   '
              + ' '.join(f'{value:.3f}' for value in ratios))


main()
