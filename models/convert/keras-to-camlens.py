#!/usr/bin/env python3
"""Turns a Keras network into a folder that CamLens understands.

  keras-to-camlens.py applications:MobileNetV2 OUT
  keras-to-camlens.py my-network.keras OUT --preprocess my_network.py:scale

OUT gets model.onnx and model.ini.  Of keras.applications the embedding is the
pooled last layer; of a file it is what the network returns, or what the layer
--embedding does.  Scale, mean, std and order of the channels are read from the
preprocessing function by asking it: the architecture's preprocess_input, or
--preprocess, a function of [N, H, W, 3] values from 0 to 255.

Keras' functions do not resize: pictures are stretched to the input's size
with a bilinear filter unless --resize and --filter say otherwise.

Needs tensorflow and tf2onnx (pip install tensorflow tf2onnx), which Debian
does not have; so only the reading of preprocessing functions is tested.
"""
import argparse
import os
import sys

import numpy as np

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from check import compare  # noqa: E402
from preprocessing import from_function  # noqa: E402
from settings import write_ini  # noqa: E402
from sources import load_object  # noqa: E402


def load_keras():
    try:
        import tensorflow
        import tf2onnx
    except ImportError as error:
        raise SystemExit(f"{error}; pip install tensorflow tf2onnx")
    return tensorflow, tf2onnx


def application(keras, name):
    """(network without its classifier, its preprocess_input)"""
    builder = getattr(keras.applications, name, None)
    if builder is None:
        raise SystemExit(f"keras.applications has no “{name}”")
    module = sys.modules[builder.__module__]
    return builder(include_top=False, pooling="avg",
                   input_shape=None), module.preprocess_input


def with_layers(keras, network, embedding, layer, size):
    """A network of a fixed input that returns the embedding and the layer."""
    x = keras.Input((size, size, 3), name="input")
    inner = keras.Model(network.input, [
        network.get_layer(embedding).output if embedding else network.output,
        *([network.get_layer(layer).output] if layer else [])])
    made = inner(x)
    return keras.Model(x, made if isinstance(made, list) else [made])


def rename_outputs(model, names):
    """The graph's outputs as CamLens' user shall see them."""
    from onnx import helper
    for output, name in zip(model.graph.output, names):
        model.graph.node.append(helper.make_node("Identity", [output.name],
                                                 [name]))
        output.name = name


def parser_of():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", help="applications:NAME or a saved network")
    parser.add_argument("out", help="folder to write")
    parser.add_argument("--preprocess", metavar="FILE.py:NAME")
    parser.add_argument("--embedding", metavar="LAYER")
    parser.add_argument("--layer", help="target layer (camlens build finds "
                        "one without)")
    parser.add_argument("--size", type=int)
    parser.add_argument("--resize", default="stretch",
                        choices=["stretch", "crop", "pad"])
    parser.add_argument("--filter", default="bilinear",
                        choices=["bilinear", "bicubic"])
    parser.add_argument("--name")
    parser.add_argument("--licence", default="unknown")
    parser.add_argument("--opset", type=int, default=17)
    parser.add_argument("--camlens", default="camlens", help="the program")
    return parser


def load(keras, args):
    if args.source.startswith("applications:"):
        return application(keras, args.source.partition(":")[2])
    if not args.preprocess:
        raise SystemExit("nothing says how pictures go in: give --preprocess")
    return keras.models.load_model(args.source), load_object(args.preprocess)


def main():
    args = parser_of().parse_args()
    tensorflow, tf2onnx = load_keras()
    keras = tensorflow.keras
    network, preprocess = load(keras, args)
    size = args.size or network.input_shape[1] or 224
    names = ["embedding"] + ([args.layer] if args.layer else [])
    network = with_layers(keras, network, args.embedding, args.layer, size)
    signature = [tensorflow.TensorSpec((None, size, size, 3),
                                       tensorflow.float32, name="input")]
    model, _ = tf2onnx.convert.from_keras(network, signature,
                                          opset=args.opset)
    rename_outputs(model, names)
    os.makedirs(args.out, exist_ok=True)
    path = os.path.join(args.out, "model.onnx")
    with open(path, "wb") as f:
        f.write(model.SerializeToString())
    settings = {"name": args.name or os.path.basename(args.source),
                "licence": args.licence, "input.size": size,
                "input.resize": args.resize, "input.filter": args.filter,
                **from_function(preprocess), "embedding": "embedding"}
    if args.layer:
        settings.update({"layer": args.layer, "layer.layout": "nhwc"})
    write_ini(os.path.join(args.out, "model.ini"), settings)
    x = np.random.default_rng(1).standard_normal((1, size, size, 3))
    x = x.astype(np.float32)
    values = [np.asarray(v) for v in network(x)]
    compare(args.camlens, path, x, dict(zip(names, values)))
    print(f"{args.out}: ready; next: camlens build -m {path} -o "
          f"{os.path.join(args.out, 'my.camdb')} PICTURES/")


if __name__ == "__main__":
    main()
