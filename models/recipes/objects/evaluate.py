#!/usr/bin/python3
"""Recall@1 of the embedding beside the raw ImageNet features.

On held-out composites (write-composites.py) and, zero-shot, on folders of
labelled pictures.  --shares tries several averages of the trained weights
and the ImageNet start; --weights what rounding them in the file costs.
"""
import argparse
import glob
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

from embedding import embed, read_all, recall_at_1  # noqa: E402
from mobilenet import MobileNetV2, average, load_imagenet  # noqa: E402
from onnx_writer import rounded  # noqa: E402


def folder(path, size, limit):
    """(pictures, labels) of PATH/LABEL/NAME; `limit` of each label."""
    files, labels = [], []
    for number, where in enumerate(sorted(glob.glob(f"{path}/*/"))):
        chosen = sorted(glob.glob(where + "*"))[:limit or None]
        files += chosen
        labels += [number] * len(chosen)
    return read_all(files, size), labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--imagenet", required=True)
    parser.add_argument("--trained", required=True)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.5])
    parser.add_argument("--weights", nargs="+", default=["float32"],
                        choices=["float32", "float16", "int8"])
    parser.add_argument("--limit", type=int, default=0,
                        help="pictures of a label (0: all)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    start, trained = load_imagenet(args.imagenet), MobileNetV2()
    trained.load_state_dict(torch.load(args.trained))
    networks = {"raw ImageNet features": start}
    for share in args.shares:
        network = average(start, trained, share)
        for kind in args.weights:
            networks[f"share {share}, {kind}"] = rounded(network, kind)
    for path in args.folders:
        pictures, labels = folder(path, args.size, args.limit)
        for name, network in networks.items():
            value = recall_at_1(embed(network, pictures), labels)
            print(f"{path} ({len(labels)}): {name}: Recall@1 {value:.4f}",
                  flush=True)


if __name__ == "__main__":
    main()
