#!/usr/bin/python3
"""Writes composites to folders, for camlens build and camlens evaluate.

OUT/train/OBJECT/NN.jpg                 objects the network was trained on,
                                        as large as in training
OUT/choose/OBJECT/NN.jpg, choose-masks  objects it never saw, off-centre
OUT/report/OBJECT/NN.jpg, report-masks  others it never saw, off-centre
Masks have the pictures' names and end in .png; 255 is the object.
"""
import argparse
import os

import numpy as np
from PIL import Image

from composites import any_scale, composite
from stamps import label, load, split

SCALE = (0.3, 0.7)
PARTS = ("train", "choose", "report")


def write(part, out, size, views, seed, off_centre):
    files = split()[part]
    stamps = [load(p) for p in files]
    rng = np.random.default_rng([seed, size])
    for path, stamp in zip(files, stamps):
        for number in range(views):
            scale = SCALE if off_centre else any_scale(rng)
            picture, mask = composite(rng, stamp, stamps, size, scale,
                                      off_centre)
            name = os.path.join(label(path), f"{number:02d}")
            save(Image.fromarray(picture), out, part, name + ".jpg")
            if off_centre:
                save(Image.fromarray((mask > 0.5).astype(np.uint8) * 255),
                     out, f"{part}-masks", name + ".png")


def save(picture, *parts):
    path = os.path.join(*parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    picture.save(path, **({"quality": 92} if path.endswith("jpg") else {}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--views", type=int, default=3,
                        help="composites of each held-out object")
    parser.add_argument("--train-views", type=int, default=4)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--parts", nargs="+", default=list(PARTS),
                        choices=PARTS)
    args = parser.parse_args()
    for part in args.parts:
        held_out = part != "train"
        write(part, args.out, args.size,
              args.views if held_out else args.train_views,
              args.seed + PARTS.index(part), held_out)


if __name__ == "__main__":
    main()
