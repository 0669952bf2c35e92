#!/usr/bin/python3
"""Turns a PyTorch network into a folder that CamLens understands.

  torch-to-camlens.py torchvision resnet50 OUT
  torch-to-camlens.py timm vit_small_patch16_224.dino OUT
  torch-to-camlens.py module my_network.py:make OUT --state weights.pt \\
      --transforms my_network.py:preprocess

OUT gets model.onnx and model.ini.  The preprocessing is read from its source:
torchvision's weights, timm's data configuration, or a torchvision transform
of yours; --size, --resize, --mean and --std overrule it.

The embedding is what goes into the classifier (torchvision, timm), what the
network returns (module), or what the submodule --embedding returns.  Then both
halves are checked against PyTorch with the camlens program: the network on
random numbers, the preprocessing on a picture.  PyTorch's loaders run code
from the files they read: convert only networks that you trust.
"""
import argparse
import os
import sys

import torch

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from check import check_network, check_preprocessing  # noqa: E402
from layers import token_layout  # noqa: E402
from objects import load_object  # noqa: E402
from preprocessing import (from_options, from_timm,  # noqa: E402
                           from_transforms)
from settings import write_ini  # noqa: E402
from sources import (load_module, load_timm,  # noqa: E402
                     load_torchvision)


class Outputs(torch.nn.Module):
    """`network` with the embedding first and then the target layers.

    Submodules are watched by hooks, which tracing follows like any code.
    """

    def __init__(self, network, embedding, layers):
        super().__init__()
        self.network, self.embedding = network, embedding
        self.layers, self.seen = layers, {}
        for name in layers + ([embedding] if embedding else []):
            try:
                module = network.get_submodule(name)
            except AttributeError:
                raise SystemExit(f"no submodule “{name}”; there are: "
                                 + ", ".join(n for n, _ in
                                             network.named_modules() if n))
            module.register_forward_hook(self._keep(name))

    def _keep(self, name):
        def hook(_, inputs, output):
            self.seen[name] = output
        return hook

    def forward(self, x):
        out = self.network(x)
        e = self.seen[self.embedding] if self.embedding else out
        if not torch.is_tensor(e):
            raise SystemExit("the embedding is not one tensor; name a "
                             "submodule that returns it with --embedding")
        return (e.flatten(1), *(self.seen[n] for n in self.layers))


def export(network, names, shape, path, opset):
    """Writes `path` for any number of pictures; names are its outputs."""
    options = {}
    if "dynamo" in torch.onnx.export.__code__.co_varnames:
        options["dynamo"] = False
    axes = {name: {0: "N"} for name in ["input", *names]}
    torch.onnx.export(network, torch.zeros(shape), path, opset_version=opset,
                      input_names=["input"], output_names=names,
                      dynamic_axes=axes, **options)


def output_name(submodule):
    """A name that PyTorch lets an output have: none begins with a digit."""
    return f"layer_{submodule}" if submodule[0].isdigit() else submodule


def layout_of(network, layer, shape):
    """The key layer.layout of a submodule's output, by its shape."""
    with torch.no_grad():
        network(torch.zeros(shape))
    rank = network.seen[layer].dim()
    if rank == 4:
        kept = network.seen[layer].shape
        return "nhwc" if kept[1] == kept[2] != kept[3] else "nchw"
    if rank != 3:
        raise SystemExit(f"{layer}: its output has {rank} dimensions; a "
                         "target layer has places: [N, C, H, W], "
                         "[N, H, W, C] or [N, tokens, C]")
    return token_layout(layer, network.seen[layer].shape[1])


def parser_of():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=["torchvision", "timm", "module"])
    parser.add_argument("source", help="architecture, or FILE.py:NAME of a "
                        "network or a function\nthat returns one")
    parser.add_argument("out", help="folder to write")
    parser.add_argument("--weights", default="DEFAULT",
                        help="torchvision: which weights (DEFAULT)")
    parser.add_argument("--state", help="your own weights (state_dict): "
                        "nothing is downloaded")
    parser.add_argument("--transforms", metavar="FILE.py:NAME",
                        help="module: the torchvision transform of its "
                        "pictures")
    parser.add_argument("--embedding", metavar="SUBMODULE")
    parser.add_argument("--layer", metavar="SUBMODULE",
                        help="target layer (camlens build finds one "
                        "without)")
    parser.add_argument("--size", type=int, help="of the input, in pixels")
    parser.add_argument("--resize", choices=["stretch", "crop", "pad"])
    parser.add_argument("--crop", type=float, help="side of the crop by the "
                        "shorter side, like 0.875")
    parser.add_argument("--filter", choices=["bilinear", "bicubic"])
    parser.add_argument("--mean", help="like 0.485,0.456,0.406: of values "
                        "from 0 to 1")
    parser.add_argument("--std")
    parser.add_argument("--name", help="that GIMP's dialog shows")
    parser.add_argument("--licence", default="unknown")
    parser.add_argument("--opset", type=int, default=17)
    parser.add_argument("--camlens", default="camlens", help="the program")
    return parser


def load(args):
    """(network, preprocessing keys, transform or None)"""
    if args.kind == "torchvision":
        network, transform = load_torchvision(args.source, args.weights,
                                              args.state, args.embedding)
        return network, from_transforms(transform), transform
    if args.kind == "timm":
        network, config, transform = load_timm(args.source, args.state,
                                               args.embedding)
        return network, from_timm(config), transform
    network = load_module(args.source, args.state)
    if args.transforms:
        transform = load_object(args.transforms)
        return network, from_transforms(transform), transform
    return network, {}, None


def main():
    args = parser_of().parse_args()
    network, keys, transform = load(args)
    own = from_options(args)
    keys.update(own)
    if "input.size" not in keys:
        raise SystemExit("nothing says how pictures go in: give --transforms, "
                         "or --size, --mean and --std")
    size = int(keys["input.size"])
    shape = (1, 3, size, size)
    layers = [args.layer] if args.layer else []
    outputs = Outputs(network.eval(), args.embedding, layers).eval()
    os.makedirs(args.out, exist_ok=True)
    path = os.path.join(args.out, "model.onnx")
    settings = {"name": args.name or os.path.basename(args.source),
                "licence": args.licence, **keys, "embedding": "embedding"}
    if args.layer:
        settings["layer"] = output_name(args.layer)
        settings["layer.layout"] = layout_of(outputs, args.layer, shape)
    names = ["embedding", *map(output_name, layers)]
    export(outputs, names, shape, path, args.opset)
    write_ini(os.path.join(args.out, "model.ini"), settings)
    check_network(args.camlens, path, outputs, shape, names)
    if transform and not own:
        std = [float(v) for v in keys["input.std"].split(",")]
        check_preprocessing(args.camlens, path, transform, std)
    else:
        print("preprocessing: by your options, not compared with anything")
    print(f"{args.out}: ready; next: camlens build -m {path} -o "
          f"{os.path.join(args.out, 'my.camdb')} PICTURES/")


if __name__ == "__main__":
    main()
