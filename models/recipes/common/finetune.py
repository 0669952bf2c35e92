"""Fine-tunes MobileNetV2 on folders of pictures, one folder a label.

What the butterflies and birds recipes share: a seeded split of the pictures
into training, choosing and reporting, a triplet loss on all layers
to a learned embedding, the export, and Recall@1 on what was held out.
"""
import argparse
import os
import random
import time

import numpy as np
import torch

from embedding import embed, read_all, recall_at_1, to_input
from mobilenet import load_imagenet
from onnx_writer import mobilenet_ini, write_ini, write_onnx
from triplet import LOSSES

MARGIN_PIXELS = 1.15  # pictures are kept this much larger, for random crops
PARTS = ("train", "choose", "report")


def split(folder, seed=1, shares=(0.6, 0.2)):
    """{part: [(path, label), ...]}, stratified by label."""
    parts = {part: [] for part in PARTS}
    for label in sorted(os.listdir(folder)):
        where = os.path.join(folder, label)
        if not os.path.isdir(where):
            continue
        names = sorted(os.listdir(where))
        random.Random(f"{seed} {label}").shuffle(names)
        a = round(len(names) * shares[0])
        b = round(len(names) * (shares[0] + shares[1]))
        for part, chosen in zip(PARTS, (names[:a], names[a:b], names[b:])):
            parts[part] += [(os.path.join(where, n), label)
                            for n in sorted(chosen)]
    return parts


def link(parts, out, masks=None):
    """Folders of symlinks out/PART/LABEL/NAME, masks in out/PART-masks."""
    for part, rows in parts.items():
        for path, label in rows:
            targets = [(path, os.path.join(out, part))]
            if masks:
                name = os.path.splitext(os.path.basename(path))[0]
                for ending in (".png", os.path.splitext(path)[1]):
                    mask = os.path.join(masks, label, name + ending)
                    if os.path.exists(mask):
                        targets.append((mask,
                                        os.path.join(out, f"{part}-masks")))
                        break
            for source, where in targets:
                os.makedirs(os.path.join(where, label), exist_ok=True)
                to = os.path.join(where, label, os.path.basename(source))
                if not os.path.lexists(to):
                    os.symlink(os.path.abspath(source), to)
        with open(os.path.join(out, f"{part}.csv"), "w") as f:
            f.writelines(f"{path},{label}\n" for path, label in rows)


def augment(rng, picture, size):
    """A random crop, flipped half of the time, under another light."""
    room = len(picture) - size
    y, x = rng.integers(0, room + 1, 2)
    picture = picture[y:y + size, x:x + size].astype(np.float32)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    picture = picture * np.exp(rng.normal(0, 0.12)) * np.exp(
        rng.normal(0, 0.05, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def batches(pictures, labels, size, n_labels, views, rng):
    labels = np.asarray(labels)
    while True:
        chosen = rng.permutation(np.unique(labels))[:n_labels]
        rows = np.concatenate([rng.choice(np.flatnonzero(labels == c), views,
                                          replace=False) for c in chosen])
        yield (np.stack([augment(rng, pictures[r], size) for r in rows]),
               torch.as_tensor(labels[rows]))


def train(network, pictures, labels, args):
    rng = np.random.default_rng(args.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=args.rate,
                                  weight_decay=1e-4)
    network.train()
    network.to(memory_format=torch.channels_last)
    started = time.time()
    source = batches(pictures, labels, args.size, args.batch_labels,
                     args.views, rng)
    for step, (x, y) in zip(range(args.steps), source):
        slope = min(1, (step + 1) / 10) * (
            1 + np.cos(np.pi * step / args.steps)) / 2
        for group in optimiser.param_groups:
            group["lr"] = args.rate * slope
        loss = LOSSES[args.loss](network(to_input(x)), y, args.margin)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        if (step + 1) % 20 == 0:
            print(f"step {step + 1}/{args.steps} loss {loss.item():.4f} "
                  f"{time.time() - started:.0f} s", flush=True)


def recall(network, rows, size):
    names = sorted({label for _, label in rows})
    e = embed(network, read_all([path for path, _ in rows], size))
    return recall_at_1(e, [names.index(label) for _, label in rows])


def parser_of(description, **defaults):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--imagenet", required=True,
                        help="mobilenet_v2_1.0_224_imagenet.onnx")
    parser.add_argument("--data", required=True, help="the data set's folder")
    parser.add_argument("--out", required=True, help="scratch folder")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--loss", default="batch-hard", choices=LOSSES)
    parser.add_argument("--margin", type=float, default=0.2)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--views", type=int, help="pictures of a label "
                        "in a batch")
    parser.add_argument("--batch-labels", type=int)
    parser.set_defaults(**defaults)
    return parser


def run(args, name, licence, images, masks=None):
    """The whole recipe; prints Recall@1 before and after."""
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(args.seed)
    parts = split(images, args.seed)
    os.makedirs(args.out, exist_ok=True)
    link(parts, args.out, masks)
    print({part: len(rows) for part, rows in parts.items()}, flush=True)
    raw = load_imagenet(args.imagenet)
    network = load_imagenet(args.imagenet, args.dim, args.seed)
    names = sorted({label for _, label in parts["train"]})
    large = round(args.size * MARGIN_PIXELS)
    pictures = read_all([path for path, _ in parts["train"]], large)
    train(network, pictures, [names.index(label) for _, label
                              in parts["train"]], args)
    for kind, net in (("raw ImageNet features", raw), ("trained", network)):
        print(kind, {part: round(recall(net, parts[part], args.size), 4)
                     for part in ("choose", "report")}, flush=True)
    torch.save(network.state_dict(), os.path.join(args.out, "weights.pt"))
    write_onnx(network, os.path.join(args.out, "model.onnx"), args.size)
    write_ini(os.path.join(args.out, "model.ini"), mobilenet_ini(
        name, args.size, "block_16_expand_relu", licence,
        "MobileNetV2 fine-tuned by triplet loss; for measuring only"))
