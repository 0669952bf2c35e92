"""oracle.py -- the method in NumPy and PyTorch, told once more and apart from
the C code: random numbers, triplets, seeds, channel weights, k-means"""
import numpy as np
import torch
import torch.nn.functional as F

MASK = (1 << 64) - 1
GAMMA = 0x9e3779b97f4a7c15
STREAM_TRIPLETS = 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
    return z ^ (z >> 31)


class Random:
    """SplitMix64 over a state that seed, stream and index give"""

    def __init__(self, seed, stream, index):
        state = mix((seed + GAMMA) & MASK)
        state = mix(state ^ ((stream * GAMMA + 1) & MASK))
        self.state = mix((state + index * GAMMA) & MASK)

    def below(self, n):
        self.state = (self.state + GAMMA) & MASK
        return (mix(self.state) * n) >> 64


def pools(labels, anchor):
    """positives and negatives in the order of (label, number)"""
    order = sorted(range(len(labels)), key=lambda i: (labels[i], i))
    return ([i for i in order if labels[i] == labels[anchor] and i != anchor],
            [i for i in order if labels[i] != labels[anchor]])


def value_pools(values, anchor):
    """the nearest 5 % and the farthest 50 % of the others, by value"""
    others = len(values) - 1
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    n_near = max(1, int(0.05 * others + 0.5))
    n_half = others - int(0.5 * others)

    def nearest(n):
        place = order.index(anchor)
        best = None
        for first in range(max(0, place - n), min(place, others - n) + 1):
            run = order[first:first + n + 1]
            reach = sum(abs(values[i] - values[anchor]) for i in run)
            if best is None or reach < best[0] - 1e-12:
                best = reach, run
        return best[1]

    near, half = nearest(n_near), set(nearest(n_half))
    return ([i for i in near if i != anchor],
            [i for i in order if i not in half])


def draw_different(random, total, n):
    taken = []
    for i in range(n):
        top = total - n + i
        number = random.below(top + 1)
        taken.append(top if number in taken else number)
    return sorted(taken)


def draw(positives, negatives, n, seed, key, with_negative=True, cosines=None,
         margin=0.2):
    """cosines: of the anchor to all, with semi-hard mining"""
    random = Random(seed, STREAM_TRIPLETS, key)
    triplets = []
    if cosines is not None:
        d = 2 - 2 * cosines.astype('f8')
        far = sorted(negatives, key=lambda i: (d[i], i))
        semi = [(p, i) for p in positives for i in far
                if d[p] < d[i] < d[p] + margin]
        hard = [(p, i) for p in positives for i in far
                if d[i] <= d[p] and d[i] < d[p] + margin]
        for pairs in semi, hard:
            wanted = min(n - len(triplets), len(pairs))
            triplets += [pairs[j]
                         for j in draw_different(random, len(pairs), wanted)]
    while len(triplets) < n:
        p = positives[random.below(len(positives))]
        triplets.append((p, negatives[random.below(len(negatives))]
                         if with_negative else None))
    return triplets


def seeds(score, embeddings, anchor, triplets, margin=0.2):
    """dy/de of every triplet by autograd of the score's definition"""
    result = []
    for p, n in triplets:
        a = torch.tensor(embeddings[anchor], dtype=torch.float64,
                         requires_grad=True)
        e_p = torch.tensor(embeddings[p], dtype=torch.float64)
        e_n = None if n is None else torch.tensor(embeddings[n],
                                                  dtype=torch.float64)
        unit = [None if v is None else v / v.norm() for v in (a, e_p, e_n)]
        if score == 'cosine':
            y = unit[0] @ unit[1] - unit[0] @ unit[2]
        elif score == 'triplet':
            y = -((unit[0] - unit[1]).square().sum()
                  - (unit[0] - unit[2]).square().sum() + margin)
        elif score == 'dot':
            y = a @ e_p
        else:
            y = a @ e_p - a @ e_n
        y.backward()
        result.append(a.grad.numpy())
    return np.array(result)


class Network:
    def __init__(self, weights):
        self.weights = {name: torch.tensor(w) for name, w in weights.items()}

    def conv(self, x, name, stride=1):
        return F.conv2d(x, self.weights[name + '.w'], self.weights[name + '.b'],
                        stride=stride, padding=1)

    def tail(self, layer, kept):
        """embedding from the layer on (relu1 too where it crosses)"""
        if layer == 'relu2':
            relu2, relu1 = kept
            relu4 = F.relu(self.conv(self.conv(relu2, 'conv3') + relu1,
                                     'conv4', 2))
        else:
            relu4, = kept
        return F.linear(relu4.mean((2, 3)), self.weights['gemm.w'],
                        self.weights['gemm.b'])

    def head(self, layer, x):
        relu1 = F.relu(self.conv(x, 'conv1', 2))
        relu2 = F.relu(self.conv(relu1, 'conv2'))
        if layer == 'relu2':
            return relu2, relu1
        return F.relu(self.conv(self.conv(relu2, 'conv3') + relu1, 'conv4',
                                2)),

    def embed(self, x):
        with torch.no_grad():
            return self.tail('relu4', self.head('relu4', x))[0].numpy()

    def gradients(self, layer, x, seed_rows):
        """one backward pass for every seed: [seeds, K, h, w], and A"""
        with torch.no_grad():
            kept = self.head(layer, x)
        a = kept[0].clone().requires_grad_(True)
        e = self.tail(layer, (a,) + tuple(kept[1:]))[0]
        result = [torch.autograd.grad(e, a, torch.tensor(s).to(e.dtype),
                                      retain_graph=True)[0][0].numpy()
                  for s in seed_rows]
        return np.array(result), kept[0][0].numpy()


def gradcam(g):
    return g.mean((1, 2))


def gradcampp(g, a, eps):
    g = g.astype('f8')
    below = 2 * g ** 2 + a.sum((1, 2), keepdims=True) * g ** 3 + eps
    with np.errstate(divide='ignore', invalid='ignore'):
        share = np.where((g == 0) | (below <= 0), 0, g ** 2 / below)
    return (share * np.maximum(g, 0)).sum((1, 2))


def kmeans(points, centroids, iterations):
    """Lloyd's iterations on unit vectors from given centroids"""
    for _ in range(iterations):
        assignment = (points @ centroids.T).argmax(1)
        sums = np.array([points[assignment == c].sum(0)
                         for c in range(len(centroids))])
        new = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        if np.array_equal(new, centroids):
            break
        centroids = new
    return centroids, (points @ centroids.T).argmax(1)
