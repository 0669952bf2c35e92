"""Measures of heat maps against masks, and maps to compare with."""
import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional as F


def enlarge(heat, height, width):
    """Bilinear, half-pixel centres, never below zero: numpy [H, W]."""
    heat = torch.as_tensor(np.asarray(heat), dtype=torch.float32)
    big = F.interpolate(heat[None, None], size=(height, width),
                        mode="bilinear", align_corners=False)
    return big[0, 0].clamp(min=0).numpy()


def energy(heat, mask):
    """Share of the map's sum inside the mask; 0 for an all-zero map."""
    total = heat.sum()
    return float((heat * mask).sum() / total) if total > 0 else 0.0


def iou(heat, mask, threshold):
    if heat.max() <= 0:
        return 0.0
    hot, mask = heat >= threshold * heat.max(), mask > 0.5
    return float((hot & mask).sum() / max((hot | mask).sum(), 1))


def box_of(binary):
    rows, columns = (np.flatnonzero(binary.any(i)) for i in (1, 0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def box_iou(a, b):
    h = min(a[2], b[2]) - max(a[0], b[0])
    w = min(a[3], b[3]) - max(a[1], b[1])
    both = max(h, 0) * max(w, 0)
    area = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return both / (sum(area) - both)


def localised(heat, mask, threshold=0.2):
    """1 if the box of the largest 8-connected hot part has IoU >= 0.5."""
    if heat.max() <= 0 or not (mask > 0.5).any():
        return 0.0
    parts, count = ndimage.label(heat >= threshold * heat.max(),
                                 np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    largest = parts == 1 + int(sizes.argmax())
    return float(box_iou(box_of(largest), box_of(mask > 0.5)) >= 0.5)


def measure(heat, mask):
    """(energy, IoU at 0.2, 0.4 and 0.6, box hit) at the mask's size."""
    big = enlarge(heat, *mask.shape)
    return (energy(big, mask), *(iou(big, mask, t) for t in (0.2, 0.4, 0.6)),
            localised(big, mask))


def centre_gaussian(size):
    """sigma = size / 4, [size, size]."""
    y = (np.arange(size) + 0.5 - size / 2) / (size / 4)
    row = np.exp(-y * y / 2)
    return np.outer(row, row)


def interval(values, seed=1, draws=1000):
    """Mean and its 95 % bootstrap interval."""
    values = np.asarray(values, float)
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(draws, len(values)))]
    low, high = np.percentile(means.mean(1), [2.5, 97.5])
    return float(values.mean()), float(low), float(high)
