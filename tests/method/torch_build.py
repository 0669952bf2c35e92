"""torch_build.py -- what a build computes, as PyTorch's users would compute it

The same network (models/recipes), pictures decoded by Pillow ahead of it in a
thread of its own, batches of 8 (of 1 to 32 those of 4 and 8 were fastest on two
cores, and two threads that decode no faster), no gradient before the target
layer, whose activations are kept so that what is before it runs once.  Neither
clusters nor a database are made.
"""
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch.nn import functional as F

sys.path.append(os.path.join(os.path.dirname(__file__), '..', '..', 'models',
                             'recipes', 'common'))
from cam import random_triplets, seeds  # noqa: E402
from embedding import read, to_input  # noqa: E402
from mobilenet import MobileNetV2  # noqa: E402

LAYER, SIZE, BATCH, TRIPLETS = 'block_16_expand_relu', 160, 8, 50


def load(folder):
    weights = torch.load(os.path.join(folder, 'weights.pt'))
    network = MobileNetV2(len(weights['ops.embedding.bias']))
    network.load_state_dict(weights)
    network.to(memory_format=torch.channels_last).eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network


def batches(paths):
    """[N, S, S, 3] arrays; the next ones are decoded meanwhile"""
    with ThreadPoolExecutor(1) as pool:
        pictures = pool.map(lambda path: read(path, SIZE), paths)
        for start in range(0, len(paths), BATCH):
            yield np.stack([next(pictures)
                            for _ in paths[start:start + BATCH]])


def activations(network, paths):
    """(A, e) of all pictures: the first pass"""
    kept, embeddings = [], []
    with torch.no_grad():
        for pictures in batches(paths):
            e, values = network(to_input(pictures), keep=[LAYER])
            kept.append(values[LAYER])
            embeddings.append(e)
    return torch.cat(kept), torch.cat(embeddings)


def after_layer(network, layer):
    """The embedding of activations; nothing behind needs what is before."""
    values = {LAYER: layer}
    names = [step.name for step in network.steps]
    for step in network.steps[names.index(LAYER) + 1:]:
        values[step.name] = network._run(step, values)
    return values['embedding']


def triplet_seeds(embeddings, labels):
    """[N, T, D]: dy/de of every triplet, cosine score"""
    triplets = torch.as_tensor(random_triplets(labels, TRIPLETS))
    return [seeds(e, embeddings, rows, 'cosine')
            for e, rows in zip(embeddings, triplets)]


def by_mean_seed(network, paths, labels):
    """[N, K] channel weights: one backward pass of the mean seed"""
    layer, embeddings = activations(network, paths)
    mean = torch.stack([rows.mean(0)
                        for rows in triplet_seeds(embeddings, labels)])
    weights = []
    for i in range(0, len(layer), BATCH):
        part = layer[i:i + BATCH].detach().requires_grad_()
        gradient, = torch.autograd.grad(after_layer(network, part), part,
                                        mean[i:i + BATCH])
        weights.append(gradient.mean((2, 3)))
    return torch.cat(weights)


def by_every_triplet(network, paths, labels):
    """[N, K], the same by a backward pass to the layer for each triplet"""
    layer, embeddings = activations(network, paths)
    weights = []
    for i, rows in enumerate(triplet_seeds(embeddings, labels)):
        part = layer[i:i + 1].detach().requires_grad_()
        e = after_layer(network, part)
        gradients = [torch.autograd.grad(e, part, seed[None],
                                         retain_graph=True)[0]
                     for seed in rows]
        weights.append(torch.cat(gradients).mean((0, 2, 3)))
    return torch.stack(weights)


def explain(network, paths, centroids, weights, k=50):
    """The map of each picture by the weights of its nearest centroid"""
    maps = []
    with torch.no_grad():
        for pictures in batches(paths):
            e, values = network(to_input(pictures), keep=[LAYER])
            nearest = (F.normalize(e) @ centroids.T).argmax(1)
            for layer, alpha in zip(values[LAYER], weights[nearest]):
                top = alpha.topk(k)
                maps.append(F.relu(torch.einsum('k,khw->hw', top.values,
                                                layer[top.indices])))
    return maps
