"""Triplet losses on normalised embeddings, mined inside the batch."""
import torch
from torch.nn import functional as F


def squared_distances(e):
    """[N, N] squared Euclidean distances of the normalised rows of e."""
    e = F.normalize(e)
    return (2 - 2 * e @ e.T).clamp(min=0)


def batch_hard(e, labels, margin=0.2):
    """Hermans et al. 2017: the farthest positive, the nearest negative."""
    d = squared_distances(e)
    same = labels[:, None] == labels[None, :]
    positive = (d - 9 * (~same)).max(1).values
    negative = (d + 9 * same).min(1).values
    return F.relu(positive - negative + margin).mean()

