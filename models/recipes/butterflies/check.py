#!/usr/bin/python3
"""Energy and boxes of cluster transfer, once more, without CamLens.

    check.py FOLDER [--arrays ARRAYS] [--part choose|report]

FOLDER is what train.py wrote.  Pictures go in by Pillow and forward by PyTorch;
triplets, gradients, clusters, maps and measures are those of ../common, which
share nothing with the program.  With ARRAYS, which `camlens db export` wrote,
centroids and weights are the program's: then `camlens evaluate` should give the
same figures; without, they should be alike.
"""
import argparse
import os
import sys

import numpy as np
import torch
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

import cam  # noqa: E402
from embedding import read_all  # noqa: E402
from measures import centre_gaussian, measure  # noqa: E402
from mobilenet import MobileNetV2  # noqa: E402

LAYER, SIZE, TOP, CLUSTERS = "block_16_expand_relu", 160, 50, 50


def load(folder):
    weights = torch.load(os.path.join(folder, "weights.pt"))
    network = MobileNetV2(len(weights["ops.embedding.bias"]))
    network.load_state_dict(weights)
    return network.eval()


def listed(folder, part):
    """Paths and labels, as train.py listed them."""
    with open(os.path.join(folder, f"{part}.csv"), encoding="utf-8") as rows:
        return zip(*[row.rstrip("\n").rsplit(",", 1) for row in rows])


def mask_of(folder, part, path):
    label, name = path.split(os.sep)[-2:]
    stem = os.path.join(folder, f"{part}-masks", label,
                        os.path.splitext(name)[0])
    found = next(stem + end for end in (".png", ".jpg")
                 if os.path.exists(stem + end))
    return (np.asarray(Image.open(found).convert("L")) > 127).astype(float)


def learn(network, folder):
    """Centroids and mean weights of the training pictures, by PyTorch."""
    paths, labels = listed(folder, "train")
    _, e, alphas = cam.channel_weights(network, read_all(paths, SIZE),
                                       np.unique(labels,
                                                 return_inverse=True)[1],
                                       LAYER)
    centroids, nearest = cam.kmeans(e, CLUSTERS)
    return centroids, cam.cluster_means(alphas, nearest, len(centroids))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--arrays")
    parser.add_argument("--part", default="report")
    args = parser.parse_args()
    network = load(args.folder)
    if args.arrays:
        centroids, weights = (torch.tensor(np.load(os.path.join(
            args.arrays, f"{name}.npy"))) for name in ("centroids", "weights"))
    else:
        centroids, weights = learn(network, args.folder)
    paths, _ = listed(args.folder, args.part)
    a, e = cam.activations(network, read_all(paths, SIZE), LAYER)
    rows, gaussian = [], []
    for i, path in enumerate(paths):
        mask = mask_of(args.folder, args.part, path)
        alpha = weights[(centroids @ e[i]).argmax()]
        rows.append(measure(cam.heat_map(a[i], alpha, TOP).numpy(), mask))
        gaussian.append(measure(centre_gaussian(SIZE), mask))
    for name, values in (("cluster transfer", rows),
                         ("centre Gaussian", gaussian)):
        print(f"{name}, {len(rows)} pictures: energy, IoU at 0.2, 0.4, 0.6, "
              "boxes", np.round(np.mean(values, 0), 4))


if __name__ == "__main__":
    main()
