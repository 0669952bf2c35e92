#!/usr/bin/python3
"""Fine-tunes MobileNetV2 on composites of cut-out objects by triplet loss.

All layers learn.  Every batch holds a few objects, several composites each;
the loss is a triplet loss on normalised embeddings.  At the end the weights are
averaged with the starting point; make.sh measures how much of each.
"""
import argparse
import os
import sys
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

from backgrounds import PLAIN  # noqa: E402
from composites import any_scale, composite  # noqa: E402
from embedding import to_input  # noqa: E402
from mobilenet import load_imagenet, release  # noqa: E402
from stamps import load, split  # noqa: E402
from triplet import LOSSES  # noqa: E402


class Batches(torch.utils.data.IterableDataset):
    """Endless (pictures, labels); batch b is a function of seed and b."""

    def __init__(self, stamps, sizes, objects, views, seed, scenes):
        super().__init__()
        self.scenes = scenes
        self.stamps, self.sizes = stamps, sizes
        self.objects, self.views, self.seed = objects, views, seed

    def batch(self, number):
        rng = np.random.default_rng([self.seed, number])
        several = len(self.sizes) > 1
        size = int(rng.choice(self.sizes)) if several else self.sizes[0]
        chosen = rng.permutation(len(self.stamps))[:self.objects]
        labels = np.repeat(chosen, self.views)
        pictures = [self.composite(rng, self.stamps[i], size) for i in labels]
        return np.stack(pictures), labels

    def composite(self, rng, stamp, size):
        if self.scenes:
            return composite(rng, stamp, self.stamps, size, any_scale(rng))[0]
        return composite(rng, stamp, self.stamps, size, kinds=PLAIN)[0]

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        number, step = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            yield self.batch(number)
            number += step


def schedule(step, steps, warm_up=20):
    """Warm-up, then half a cosine down to a hundredth."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.01 + 0.99 * (1 + np.cos(np.pi * step / steps)) / 2


def train(network, loader, loss_of, steps, rate, margin, save):
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate,
                                  weight_decay=1e-4)
    network.train()
    network.to(memory_format=torch.channels_last)
    started, losses = time.time(), []
    for step, (pictures, labels) in zip(range(steps), loader):
        for group in optimiser.param_groups:
            group["lr"] = rate * schedule(step, steps)
        loss = loss_of(network(to_input(pictures)), torch.as_tensor(labels),
                       margin)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        losses.append(loss.item())
        if (step + 1) % 25 == 0:
            print(f"step {step + 1}/{steps} loss {np.mean(losses[-25:]):.4f} "
                  f"{time.time() - started:.0f} s", flush=True)
        if (step + 1) % 50 == 0 or step + 1 == steps:
            save()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--imagenet", required=True,
                        help="mobilenet_v2_1.0_224_quant.tflite, or its "
                        "weights in ONNX")
    parser.add_argument("--any-start", action="store_true",
                        help="also weights that are neither of these")
    parser.add_argument("--out", required=True, help="weights to write (.pt)")
    parser.add_argument("--sizes", type=int, nargs="+",
                        default=[160],
                        help="picture sizes, one drawn for every batch")
    parser.add_argument("--steps", type=int, default=110)
    parser.add_argument("--objects", type=int, default=16,
                        help="objects in a batch")
    parser.add_argument("--views", type=int, default=3,
                        help="composites of each object in a batch")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--margin", type=float, default=0.2)
    parser.add_argument("--loss", default="batch-hard", choices=LOSSES)
    parser.add_argument("--scenes", action="store_true", help="also "
                        "backgrounds like places, and objects that fill the "
                        "picture")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    name, digest = release(args.imagenet)
    if not name and not args.any_start:
        parser.error(f"{args.imagenet} (SHA-256 {digest}) is not what the "
                     "bundled model was started from; --any-start takes it")
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(args.seed)
    stamps = [load(p) for p in split()["train"]]
    loader = torch.utils.data.DataLoader(
        Batches(stamps, args.sizes, args.objects, args.views, args.seed,
                args.scenes),
        batch_size=None, num_workers=1, prefetch_factor=4)
    network = load_imagenet(args.imagenet)
    train(network, iter(loader), LOSSES[args.loss], args.steps, args.rate,
          args.margin, lambda: torch.save(network.state_dict(), args.out))


if __name__ == "__main__":
    main()
