"""bench-paired.py -- the method's cost beside PyTorch's, in one run

    bench-paired.py BENCH-EXPLAIN FOLDER DB [ROUNDS]

FOLDER is what models/recipes/butterflies wrote (model.onnx, weights.pt), DB a
database of it at block_16_expand_relu.  One thread each, round by round in
turn: ours as bench-explain.c tells, PyTorch's forward pass, and PyTorch's
forward pass with one backward pass of the mean seed to the layer.  Prints
medians in milliseconds, and medians of the ratios of a round.
"""
import os
import subprocess
import sys
import time

import numpy as np
import torch

sys.path.append(os.path.join(os.path.dirname(__file__), '..', '..', 'models',
                             'recipes', 'common'))
from mobilenet import MobileNetV2  # noqa: E402

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..',
                             'torch'))
from threads import use_threads  # noqa: E402

LAYER, SIZE = 'block_16_expand_relu', 160
WARM_UP = 10

bench, folder, database = sys.argv[1:4]
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 100
use_threads(1)
weights = torch.load(os.path.join(folder, 'weights.pt'))
network = MobileNetV2(len(weights['ops.embedding.bias']))
network.load_state_dict(weights)
network.eval()
for parameter in network.parameters():
    parameter.requires_grad_(False)
picture = torch.randn(1, 3, SIZE, SIZE)
seed = torch.randn(1, network.embedding_dim)


def torch_forward():
    with torch.no_grad():
        network(picture)


def torch_weights():
    """Gradients from the layer on only: what is before it keeps none."""
    hold = {}

    def cut(step, values):
        value = run(step, values)
        if step.name == LAYER:
            value = hold['layer'] = value.requires_grad_()
        return value

    run, network._run = network._run, cut
    try:
        embedding = network(picture)
    finally:
        network._run = run
    gradient, = torch.autograd.grad(embedding, hold['layer'], seed)
    return gradient.mean((0, 2, 3))


def timed(function):
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1e3


child = subprocess.Popen(
    [bench, os.path.join(folder, 'model.onnx'), database], text=True,
    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    env={**os.environ, 'OPENBLAS_NUM_THREADS': '1'})
rows = []
for i in range(-WARM_UP, rounds):
    child.stdin.write('go\n')
    child.stdin.flush()
    ours = [float(word) for word in child.stdout.readline().split()]
    row = ours + [timed(torch_forward), timed(torch_weights)]
    if i >= 0:
        rows.append(row)
child.stdin.close()
child.wait()
times = np.array(rows)
forward, whole, split, explain, torch_bare, torch_mean = times.T
for name, column in (('forward', forward), ('forward + backward', whole),
                     ('the same, as the builder does', split),
                     ('explanation', explain), ('PyTorch: forward', torch_bare),
                     ('PyTorch: forward + backward', torch_mean)):
    print(f'{name:32}{np.median(column):8.2f} ms')
for name, ratio in (('forward + backward / forward', whole / forward),
                    ('as the builder does / forward', split / forward),
                    ('explanation / forward', explain / forward),
                    ('forward + backward / PyTorch\'s', whole / torch_mean),
                    ('forward / PyTorch\'s', forward / torch_bare)):
    low, middle, high = np.percentile(ratio, (10, 50, 90))
    print(f'{name:32}{middle:8.3f}   ({low:.3f} to {high:.3f})')
