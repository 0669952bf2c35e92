#!/usr/bin/python3
"""gradient.py CAMLENS [--rounds N]: gradients beside PyTorch's

Torchvision's networks at 224 x 224, batch 1, random weights: a forward pass that
keeps what a gradient needs, and the way back from the embedding to one layer.
`camlens bench --gradient-at` and eager PyTorch, which cuts its graph there, in
turn, with one thread and two.  Prints medians over the rounds, in milliseconds,
and of the ratios of a round.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import networks

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..',
                             'torch'))
from threads import use_threads  # noqa: E402

LAYERS = (('mobilenet_v2', 'features.7'), ('resnet18', 'layer1'),
          ('resnet50', 'layer3'), ('efficientnet_b0', 'features.4'))
REPEAT = 8


class Tapped(torch.nn.Module):
    """The embedding, and what the layer @name gives, where a gradient ends."""

    def __init__(self, network, name):
        super().__init__()
        self.network = network
        network.get_submodule(name).register_forward_hook(self.keep)

    def keep(self, module, inputs, output):
        self.middle = output.detach().requires_grad_()
        return self.middle

    def forward(self, picture):
        return self.network(picture), self.middle


def torch_times(model, picture, seed):
    rows = []
    for _ in range(REPEAT):
        start = time.perf_counter()
        embedding, middle = model(picture)
        between = time.perf_counter()
        torch.autograd.grad(embedding, middle, seed)
        end = time.perf_counter()
        rows.append(((between - start) * 1e3, (end - between) * 1e3))
    return [statistics.median(column) for column in zip(*rows)]


def camlens_times(program, path, threads):
    done = subprocess.run([program, 'bench', path, '--json', '--threads',
                           str(threads), '--repeat', str(REPEAT),
                           '--gradient-at', 'middle'],
                          check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    return [told['forward_ms_median'], told['backward_ms_median']]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('camlens')
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    picture = torch.randn(1, 3, 224, 224)
    print('| network, layer | threads | forward | back | / PyTorch: forward '
          '| back |\n| --- | --- | --- | --- | --- | --- |')
    for name, layer in LAYERS:
        model = Tapped(networks.build(name), layer).eval()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        seed = torch.ones_like(model(picture)[0])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'model.onnx')
            torch.onnx.export(model, picture, path, opset_version=13,
                              input_names=['picture'],
                              output_names=['embedding', 'middle'])
            for threads in (1, 2):
                use_threads(threads)
                rows = [(*camlens_times(options.camlens, path, threads),
                         *torch_times(model, picture, seed))
                        for _ in range(options.rounds)]
                forward, back, forward_ratio, back_ratio = [
                    statistics.median(column) for column in zip(*(
                        (f, b, f / tf, b / tb) for f, b, tf, tb in rows))]
                print(f'| {name}, {layer} | {threads} | {forward:.1f} | '
                      f'{back:.1f} | {forward_ratio:.2f} | '
                      f'{back_ratio:.2f} |', flush=True)


main()
