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



def semi_hard(e, labels, margin=0.2):
    """Schroff et al. 2015: each pair of a label with the nearest negative
    that is farther than the positive, or the farthest where none is.

    Unlike the hardest negatives these cannot be escaped by moving everything
    to one point, which batch_hard() does to a network that starts well.
    """
    d = squared_distances(e)
    same = labels[:, None] == labels[None, :]
    pairs = same & ~torch.eye(len(e), dtype=torch.bool)
    anchor, positive = pairs.nonzero(as_tuple=True)
    to_positive, to_all = d[anchor, positive], d[anchor]
    beyond = ~same[anchor] & (to_all > to_positive[:, None])
    nearest = torch.where(beyond, to_all, torch.full_like(to_all, 9)).min(1)
    farthest = torch.where(~same[anchor], to_all,
                           torch.zeros_like(to_all)).max(1)
    negative = torch.where(beyond.any(1), nearest.values, farthest.values)
    return F.relu(to_positive - negative + margin).mean()


LOSSES = {"batch-hard": batch_hard, "semi-hard": semi_hard}
