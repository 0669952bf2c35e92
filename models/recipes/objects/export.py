#!/usr/bin/python3
"""Averages trained weights with their starting point and writes the model.

The model folder gets model.onnx and model.ini.
"""
import argparse
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

from mobilenet import MobileNetV2, average, load_imagenet  # noqa: E402
from onnx_writer import mobilenet_ini, write_ini, write_onnx  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--imagenet", required=True,
                        help="mobilenet_v2_1.0_224_imagenet.onnx")
    parser.add_argument("--trained", required=True, help="train.py's weights")
    parser.add_argument("--share", type=float, default=0.5,
                        help="of the trained weights in the average")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--layer", default="block_16_expand_relu")
    parser.add_argument("--weights", default="float16",
                        choices=["float32", "float16", "int8"])
    parser.add_argument("--out", required=True, help="model folder")
    args = parser.parse_args()
    trained = MobileNetV2()
    trained.load_state_dict(torch.load(args.trained))
    network = average(load_imagenet(args.imagenet), trained, args.share)
    os.makedirs(args.out, exist_ok=True)
    size = write_onnx(network, os.path.join(args.out, "model.onnx"),
                      args.size, args.weights,
                      "CamLens objects: MobileNetV2 fine-tuned by triplet "
                      "loss; GPL-3.0-or-later, from Apache-2.0 weights and "
                      "GPL-2+ cut-outs")
    write_ini(os.path.join(args.out, "model.ini"), mobilenet_ini(
        "Objects (animals, plants, food)", args.size, args.layer,
        "GPL-3.0-or-later",
        "A general embedding of objects: MobileNetV2, started from ImageNet "
        "and fine-tuned by triplet loss on composites of cut-out animals, "
        "plants and food"))
    print(f"{args.out}/model.onnx: {size / 1e6:.2f} MB ({args.weights})")


if __name__ == "__main__":
    main()
