#!/usr/bin/python3
"""Measures explanations on composites: layers, scores, sizes, top-k.

A database of training composites (clusters of channel weights) explains
off-centre composites of unseen objects, against their exact masks.
"""
import argparse
import os
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

import cam  # noqa: E402
from composites import composite  # noqa: E402
from measures import centre_gaussian, interval, measure  # noqa: E402
from mobilenet import MobileNetV2, average, load_imagenet  # noqa: E402
from stamps import load, split  # noqa: E402

SCALE = (0.25, 0.6)


def draw(part, size, views, seed, off_centre):
    """(pictures, masks, labels) of `views` composites of each object."""
    stamps = [load(p) for p in split()[part]]
    rng = np.random.default_rng([seed, size])
    pictures, masks, labels = [], [], []
    for number, stamp in enumerate(stamps):
        for _ in range(views):
            picture, mask = composite(rng, stamp, stamps, size, SCALE,
                                      off_centre)
            pictures.append(picture)
            masks.append(mask)
            labels.append(number)
    return np.stack(pictures), np.stack(masks), np.array(labels)


def network_of(args):
    start = load_imagenet(args.imagenet)
    if not args.trained:
        return start
    trained = MobileNetV2()
    trained.load_state_dict(torch.load(args.trained))
    return average(start, trained, args.share)


def row(name, maps, masks):
    values = np.array([measure(h, m) for h, m in zip(maps, masks)])
    cells = []
    for column in (0, 1, 4):
        mean, low, high = interval(values[:, column])
        cells.append(f"{mean:.3f} [{low:.3f}, {high:.3f}]")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--imagenet", required=True)
    parser.add_argument("--trained", help="train.py's weights")
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--part", default="choose",
                        choices=["choose", "report"])
    parser.add_argument("--layers", nargs="+", default=[
        "block_13_expand_relu", "block_14_expand_relu",
        "block_15_expand_relu", "block_16_expand_relu", "last_conv"])
    parser.add_argument("--scores", nargs="+", default=["cosine", "dot"])
    parser.add_argument("--top-k", type=int, nargs="+", default=[0, 50])
    parser.add_argument("--clusters", type=int, default=50)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--train-views", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    network = network_of(args)
    train = draw("train", args.size, args.train_views, 7, False)
    pictures, masks, _ = draw(args.part, args.size, args.views, 8, True)
    print(f"{len(pictures)} composites, {len(train[0])} in the database, "
          f"mask area {masks.mean():.3f}")
    print("| map | energy | IoU at 0.2 | boxes |\n| --- | --- | --- | --- |")
    row("uniform", [np.ones((1, 1))] * len(masks), masks)
    row("centre Gaussian", [centre_gaussian(args.size)] * len(masks), masks)
    for layer in args.layers:
        a, e = cam.activations(network, pictures, layer)
        row(f"{layer}, mean activation", a.mean(1), masks)
        for score in args.scores:
            _, te, alphas = cam.channel_weights(network, train[0], train[2],
                                                layer, score)
            centres, assigned = cam.kmeans(te, args.clusters)
            means = cam.cluster_means(alphas, assigned, len(centres))
            nearest = (torch.nn.functional.normalize(e)
                       @ centres.T).argmax(1)
            for k in args.top_k:
                maps = [cam.heat_map(a[i], means[nearest[i]], k)
                        for i in range(len(a))]
                row(f"{layer}, {score}, top {k or 'all'}", maps, masks)


if __name__ == "__main__":
    main()
