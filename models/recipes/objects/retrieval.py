#!/usr/bin/python3
"""Recall@1 of models as shipped, computed by the camlens program.

Every FOLDER holds LABEL/PICTURE files; every MODEL is an .onnx file beside
its model.ini.  The nearest other picture, by cosine, should have the same
label.  In brackets: 95 % bootstrap intervals over the pictures.  --reference
names the model whose embeddings the others should keep (rounded weights).
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

from measures import interval  # noqa: E402


def folders_of(path, half):
    """The label folders of PATH; one half takes every other one."""
    every = sorted(d for d in os.listdir(path)
                   if os.path.isdir(os.path.join(path, d)))
    if half:
        every = every[0 if half == "even" else 1::2]
    return [os.path.join(path, d) for d in every]


def embeddings(camlens, model, folders):
    """([N, D] unit rows, [N] labels) of all pictures in `folders`."""
    with tempfile.TemporaryDirectory() as scratch:
        array, names = (os.path.join(scratch, n) for n in ("e.npy", "n.txt"))
        subprocess.run([camlens, "embed", "--threads", "1", "-m", model, "-o", array,
                        "--names", names, *folders], check=True,
                       stdout=subprocess.DEVNULL)
        rows = np.load(array)
        with open(names, encoding="utf-8") as f:
            labels = [os.path.dirname(line.strip()) for line in f]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def hits(rows, labels):
    """[N] of 0 and 1: is the nearest other picture of the same label?"""
    labels = np.unique(labels, return_inverse=True)[1]
    found = []
    for start in range(0, len(rows), 1024):
        similarity = rows[start:start + 1024] @ rows.T
        own = np.arange(len(similarity))
        similarity[own, own + start] = -9
        found.append(labels[similarity.argmax(1)] == labels[start + own])
    return np.concatenate(found).astype(float)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--camlens", default="camlens", help="the program")
    parser.add_argument("--models", nargs="+", required=True,
                        help=".onnx files or installed models")
    parser.add_argument("--reference", help="print the cosines to its "
                        "embeddings")
    parser.add_argument("--half", choices=["even", "odd"],
                        help="take only every other label")
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    args = parser.parse_args()
    for path in args.folders:
        folders = folders_of(path, args.half)
        if args.reference:
            kept = embeddings(args.camlens, args.reference, folders)[0]
        for model in args.models:
            rows, labels = embeddings(args.camlens, model, folders)
            mean, low, high = interval(hits(rows, labels))
            print(f"{path} ({len(labels)} pictures): {model}: Recall@1 "
                  f"{mean:.4f} ({low:.4f}-{high:.4f})", flush=True)
            if args.reference:
                cosines = (rows * kept).sum(1)
                print(f"    cosine to {args.reference}: mean "
                      f"{cosines.mean():.6f}, least {cosines.min():.6f}")


if __name__ == "__main__":
    main()
