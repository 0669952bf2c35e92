"""Grad-CAM of embedding networks in PyTorch: the reference to compare with.

Seeds, channel weights, top-k, cluster transfer and maps as the program
defines them; every function states its formula.
"""
import numpy as np
import torch
from torch.nn import functional as F

from embedding import to_input


def activations(network, pictures, layer, batch=32):
    """(A [N, K, h, w], e [N, D]) of pictures, without gradients."""
    kept, embeddings = [], []
    network.eval()
    with torch.no_grad():
        for i in range(0, len(pictures), batch):
            e, values = network(to_input(pictures[i:i + batch]), keep=[layer])
            kept.append(values[layer].contiguous())
            embeddings.append(e)
    return torch.cat(kept), torch.cat(embeddings)


def random_triplets(labels, count, seed=1):
    """[N, T, 2] rows of a positive and a negative for every anchor.

    An anchor without a positive gets itself, which has no gradient.
    """
    rng, labels = np.random.default_rng(seed), np.asarray(labels)
    rows = np.arange(len(labels))
    triplets = np.zeros((len(labels), count, 2), np.int64)
    for i in rows:
        same = rows[(labels == labels[i]) & (rows != i)]
        other = rows[labels != labels[i]]
        triplets[i, :, 0] = rng.choice(same if len(same) else [i], count)
        triplets[i, :, 1] = rng.choice(other, count)
    return triplets


def seeds(embedding, embeddings, triplets, score):
    """dy/de for every triplet of one anchor: [T, D].

    cosine: y = cos(a, p) - cos(a, n), with dê/de = (I - ê êᵀ) / ||e||;
    dot: y = e_a.e_p; dot-difference: y = e_a.e_p - e_a.e_n.
    """
    positive, negative = (embeddings[triplets[:, i]] for i in (0, 1))
    if score == "dot":
        return positive
    if score == "dot-difference":
        return positive - negative
    unit = F.normalize(embedding, dim=0)
    direction = F.normalize(positive) - F.normalize(negative)
    along = direction @ unit
    return (direction - along[:, None] * unit) / embedding.norm()


def gradcam_weights(gradient):
    """alpha_k = (1 / hw) sum_ij dy/dA_kij, for [T, K, h, w]: [T, K]."""
    return gradient.mean((2, 3))


def gradcam_pp_weights(gradient, activation, eps=1e-6):
    """a = g^2 / (2 g^2 + (sum A) g^3 + eps), alpha = sum a ReLU(g)."""
    total = activation.sum((1, 2))[None, :, None, None]
    square = gradient ** 2
    below = 2 * square + total * square * gradient + eps
    a = torch.where((gradient != 0) & (below > 0), square / below,
                    torch.zeros(()))
    return (a * F.relu(gradient)).sum((2, 3))


def channel_weights(network, pictures, labels, layer, score="cosine",
                    method="gradcam", triplets=50, seed=1, batch=32):
    """(A, e, alpha [N, K]) of training pictures, mean over T triplets.

    Grad-CAM takes one backward pass of the mean seed, because alpha is
    linear in it; Grad-CAM++ one pass per triplet.
    """
    a, e = activations(network, pictures, layer)
    rows = random_triplets(labels, triplets, seed)
    every = [seeds(e[i], e, rows[i], score) for i in range(len(e))]
    if method == "gradcam":
        mean = torch.stack([s.mean(0) for s in every])
        alphas = []
        for i in range(0, len(e), batch):
            x = to_input(pictures[i:i + batch])
            out, kept = _with_gradient(network, x, layer)
            g, = torch.autograd.grad(out, kept, mean[i:i + batch])
            alphas.append(gradcam_weights(g))
        return a, e, torch.cat(alphas)
    alphas = [gradcam_pp_weights(_backward(network, pictures[i], layer,
                                           every[i]), a[i]).mean(0)
              for i in range(len(e))]
    return a, e, torch.stack(alphas)


def _with_gradient(network, x, layer):
    """(e, A) with the graph from A to e; earlier layers keep nothing."""
    values, started = {"input": x}, False
    with torch.no_grad():
        for step in network.steps:
            values[step.name] = network._run(step, values)
            if step.name == layer:
                break
    values[layer].requires_grad_(True)
    for step in network.steps:
        if started:
            values[step.name] = network._run(step, values)
        started = started or step.name == layer
    return values["embedding"], values[layer]


def _backward(network, picture, layer, seed_rows):
    x = to_input(picture[None].repeat(len(seed_rows), 0))
    e, kept = _with_gradient(network, x, layer)
    return torch.autograd.grad(e, kept, seed_rows)[0]


def kmeans(embeddings, clusters, seed=1, restarts=4, rounds=50):
    """Spherical k-means on normalised rows: (centroids, assignment)."""
    e = F.normalize(embeddings)
    rng, best = np.random.default_rng(seed), None
    for _ in range(restarts):
        centres = e[_plus_plus(e, min(clusters, len(e)), rng)].clone()
        for _ in range(rounds):
            similarity = e @ centres.T
            nearest = similarity.argmax(1)
            total = torch.zeros_like(centres).index_add_(0, nearest, e)
            empty = total.norm(dim=1) < 1e-9
            total[empty] = e[similarity.max(1).values.argsort()[
                :int(empty.sum())]]
            new = F.normalize(total)
            if torch.equal(new, centres):
                break
            centres = new
        value = (e @ centres.T).max(1).values.sum().item()
        if best is None or value > best[0]:
            best = value, centres, (e @ centres.T).argmax(1)
    return best[1], best[2]


def _plus_plus(e, clusters, rng):
    chosen = [int(rng.integers(len(e)))]
    while len(chosen) < clusters:
        d = (1 - (e @ e[chosen].T).max(1).values).clamp(min=0).numpy()
        d = d.astype(np.float64) + 1e-12
        chosen.append(int(rng.choice(len(e), p=d / d.sum())))
    return chosen


def cluster_means(alphas, assignment, clusters):
    total = torch.zeros(clusters, alphas.shape[1]).index_add_(
        0, assignment, alphas)
    members = torch.bincount(assignment, minlength=clusters).clamp(min=1)
    return total / members[:, None]


def heat_map(activation, alpha, top_k=0):
    """M = ReLU(sum over the k largest alpha of alpha_k A_k), [h, w]."""
    if top_k and top_k < len(alpha):
        order = torch.sort(alpha, descending=True, stable=True).indices
        mask = torch.zeros_like(alpha)
        mask[order[:top_k]] = 1
        alpha = alpha * mask
    return F.relu(torch.einsum("k,khw->hw", alpha, activation))
