#!/usr/bin/env python3
"""Turns a Keras network into a folder that CamLens understands.

  keras-to-camlens.py applications:MobileNetV2 OUT
  keras-to-camlens.py my-network.keras OUT --preprocess my_network.py:scale

OUT gets model.onnx and model.ini.  Of keras.applications the embedding is the
pooled last layer, at the size that the architecture was made for; of a file it
is what the network returns, or what the layer --embedding does.  Scale, mean,
std and order of the channels are read from the preprocessing function by
asking it: the architecture's preprocess_input, or --preprocess, a function of
[N, H, W, 3] values from 0 to 255.  Its file is run before the network is read,
so layers of your own can be registered there; for Lambda layers it has to call
keras.config.enable_unsafe_deserialization().

Keras' functions do not resize: pictures are stretched to the input's size
with a bilinear filter unless --resize and --filter say otherwise.

Needs tensorflow and tf2onnx (pip install tensorflow tf2onnx), which Debian
does not have: docs/BRING-YOUR-OWN.md says what of this script was tried.
"""
import argparse
import os
import sys

import numpy as np
from PIL import Image

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from check import compare, compare_inputs  # noqa: E402
from layers import rename, settle  # noqa: E402
from objects import load_object  # noqa: E402
from preprocessing import from_function  # noqa: E402
from settings import write_ini  # noqa: E402

NAMES = ("embedding", "layer")  # in the order of the alphabet, as TensorFlow's


def load_keras():
    try:
        import tensorflow
        import tf2onnx.convert
    except ImportError as error:
        raise SystemExit(f"{error}; pip install tensorflow tf2onnx")
    return tensorflow, tf2onnx.convert


def application(keras, name, size):
    """(network without its classifier, its preprocess_input)"""
    builder = getattr(keras.applications, name, None)
    if not callable(builder):
        raise SystemExit(f"keras.applications has no network “{name}”")
    size = size or builder(weights=None).input_shape[1]
    network = builder(include_top=False, pooling="avg",
                      input_shape=(size, size, 3))
    return network, sys.modules[builder.__module__].preprocess_input


def layer_of(network, name):
    try:
        return network.get_layer(name)
    except ValueError:
        raise SystemExit(f"no layer “{name}”; there are: "
                         + ", ".join(made.name for made in network.layers))


def with_layers(keras, network, embedding, layer, size):
    """A network of a fixed input that returns the embedding and the layer."""
    x = keras.Input((size, size, 3), name="input")
    inner = keras.Model(network.input, [
        layer_of(network, embedding).output if embedding else network.output,
        *([layer_of(network, layer).output] if layer else [])])
    return keras.Model(x, inner(x))


def results_of(network, x):
    """{name: what the network makes of x}"""
    made = network(x, training=False)
    return dict(zip(NAMES, made if isinstance(made, (list, tuple))
                    else [made]))


def convert(tensorflow, converter, network, size, opset):
    """The ONNX model.

    Not by from_keras(), which looks for the names that Keras 2 gave outputs.
    """
    signature = [tensorflow.TensorSpec((None, size, size, 3),
                                       tensorflow.float32, name="input")]

    @tensorflow.function(input_signature=signature)
    def function(x):
        return results_of(network, x)

    model, _ = converter.from_function(function, input_signature=signature,
                                       opset=opset)
    names = [output.name for output in model.graph.output]
    if set(names) - set(NAMES):
        for name, new in zip(names, NAMES):
            rename(model.graph, name, new)
    return model


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
    """(network, preprocessing function)"""
    if args.source.startswith("applications:"):
        return application(keras, args.source.partition(":")[2], args.size)
    if not args.preprocess:
        raise SystemExit("nothing says how pictures go in: give --preprocess")
    preprocess = load_object(args.preprocess)
    # what it was trained with, a loss of one's own perhaps, is not needed
    return keras.models.load_model(args.source, compile=False), preprocess


def target_layer(model, layer, value):
    """(keys of model.ini, `value` as the ONNX file orders its axes)"""
    name, layout = settle(model.graph, "embedding", layer, "layer",
                          value.shape)
    if layout == "nchw":
        value = value.transpose(0, 3, 1, 2)
    return {"layer": name, "layer.layout": layout}, {name: value}


def check_preprocessing(camlens, path, settings, preprocess):
    """What camlens feeds the network beside what `preprocess` makes."""
    if settings["input.resize"] != "stretch":
        print("preprocessing: resized by your options, not compared")
        return
    size, kernel = settings["input.size"], settings["input.filter"].upper()

    def expected(picture):
        small = picture.resize((size, size),
                               getattr(Image.Resampling, kernel))
        return np.asarray(preprocess(np.float32(small)[None]))[0]

    std = [float(v) for v in settings["input.std"].split(",")]
    compare_inputs(camlens, path, expected, std)


def main():
    args = parser_of().parse_args()
    tensorflow, converter = load_keras()
    keras = tensorflow.keras
    network, preprocess = load(keras, args)
    size = args.size or network.input_shape[1] or 224
    settings = {"name": args.name or os.path.basename(args.source),
                "licence": args.licence, "input.size": size,
                "input.resize": args.resize, "input.filter": args.filter,
                **from_function(preprocess), "embedding": "embedding"}
    network = with_layers(keras, network, args.embedding, args.layer, size)
    model = convert(tensorflow, converter, network, size, args.opset)
    x = np.random.default_rng(1).standard_normal((1, size, size, 3))
    x = x.astype(np.float32)
    values = {k: np.asarray(v) for k, v in results_of(network, x).items()}
    if args.layer:
        keys, value = target_layer(model, args.layer, values.pop("layer"))
        settings.update(keys)
        values.update(value)
    os.makedirs(args.out, exist_ok=True)
    path = os.path.join(args.out, "model.onnx")
    with open(path, "wb") as f:
        f.write(model.SerializeToString())
    write_ini(os.path.join(args.out, "model.ini"), settings)
    compare(args.camlens, path, x, values)
    check_preprocessing(args.camlens, path, settings, preprocess)
    print(f"{args.out}: ready; next: camlens build -m {path} -o "
          f"{os.path.join(args.out, 'my.camdb')} PICTURES/")


if __name__ == "__main__":
    main()
