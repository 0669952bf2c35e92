#!/usr/bin/python3
"""compare.py CAMLENS [NAME ...]: torchvision's networks against PyTorch

Each network gets random weights, BatchNorm statistics that are not trivial,
and is exported by torch.onnx.export with an embedding and a middle activation
as outputs of its graph, and with its BatchNorms as nodes of their own, which
the exporter would otherwise fold.  `camlens run` must give both within 1e-4 of their
largest element, and `camlens gradient` the gradient of a random seed of the
embedding at the activation within 1e-3 of its largest element.

At a kink (a ReLU's input that is 0 but for rounding) two correct programs
differ, so the picture is chosen before, by PyTorch alone, as kinks.py says:
the first at which rounding decides nothing.  There is one try at it.

Without names: all of them.  --small: those that take a few seconds.
Prints TAP, one point a network, with the three errors.
"""
import argparse
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import numpy as np
    import torch
    import torchvision
    import kinks
except ImportError as missing:
    print(f'1..0 # SKIP {missing.name} is not installed')
    sys.exit(0)

# name: (constructor, layer whose output is the middle activation, side of the
# picture, opset).  Of VGG, GoogLeNet and Inception a late one: with more gates
# behind it, no picture in 200 has a gradient that does not hang on rounding.
NETWORKS = {
    'resnet18': ('resnet18', 'layer2', 224, 13),
    'resnet50': ('resnet50', 'layer3', 224, 13),
    'resnext50': ('resnext50_32x4d', 'layer3', 224, 14),
    'vgg16_bn': ('vgg16_bn', 'features.33', 224, 13),
    'densenet121': ('densenet121', 'features.denseblock3', 224, 13),
    'googlenet': ('googlenet', 'inception4e', 224, 13),
    'inception_v3': ('inception_v3', 'Mixed_7a', 299, 14),
    'squeezenet1_1': ('squeezenet1_1', 'features.7', 224, 13),
    'shufflenet_v2': ('shufflenet_v2_x1_0', 'stage3', 224, 13),
    'mobilenet_v2': ('mobilenet_v2', 'features.10', 224, 13),
    'mobilenet_v3': ('mobilenet_v3_large', 'features.10', 224, 14),
    'mnasnet': ('mnasnet1_0', 'layers.10', 224, 13),
    'efficientnet_b0': ('efficientnet_b0', 'features.5', 224, 14),
    'regnet_y': ('regnet_y_400mf', 'trunk_output.block3', 224, 15),
    'convnext_tiny': ('convnext_tiny', 'features.5', 224, 16),
    'vit_b_16': ('vit_b_16', 'encoder.layers.encoder_layer_6', 224, 17),
    'swin_t': ('swin_t', 'features.5', 224, 17),
}
SMALL = {'squeezenet1_1': 96, 'shufflenet_v2': 96, 'mobilenet_v2': 96,
         'mobilenet_v3': 96, 'resnet18': 64, 'googlenet': 96}
# their own random weights let the picture fade away on its way
FADING = ('googlenet', 'inception_v3', 'shufflenet_v2_x1_0')


class Tapped(torch.nn.Module):
    """The network, with the output of one layer as a second output."""

    def __init__(self, network, layer):
        super().__init__()
        self.network = network
        self.middle = None
        self.wide = False  # go on in double precision, as kinks.py wants it
        network.get_submodule(layer).register_forward_hook(self.keep)

    def keep(self, module, inputs, output):
        if self.wide:
            output = output.detach().double().requires_grad_()
        self.middle = output
        return output

    def forward(self, picture):
        self.middle = None
        return self.network(picture), self.middle


def build(constructor):
    torch.manual_seed(7)
    network = getattr(torchvision.models, constructor)().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.6, 1.6)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.uniform_(-0.2, 0.2)
        if (isinstance(module, torch.nn.Conv2d)
                and constructor in FADING):
            torch.nn.init.kaiming_normal_(module.weight, mode='fan_in',
                                          nonlinearity='relu')
        if isinstance(module, torch.nn.Linear) and not module.weight.any():
            torch.nn.init.normal_(module.weight, std=0.05)
        if isinstance(module, torchvision.models.convnext.CNBlock):
            module.layer_scale.data.uniform_(0.1, 0.5)
    return network


def expect(model, picture, seed):
    """embedding, activation and the gradient of <seed, embedding> at it"""
    picture = picture.clone().requires_grad_()
    embedding, middle = model(picture)
    gradient, = torch.autograd.grad((embedding * seed).sum(), middle)
    return [t.detach().numpy() for t in (embedding, middle, gradient)]


def error(got, wanted):
    if got.shape != wanted.shape:
        return float('inf')
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


def camlens(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


def run(program, folder, threads, picture, seed):
    """embedding, activation and gradient of one picture, by camlens"""
    def path(file):
        return os.path.join(folder, file)
    np.save(path('x.npy'), picture.numpy())
    np.save(path('seed.npy'), seed.numpy())
    camlens(program, 'run', path('model.onnx'), '--threads', threads,
            '--input', f'picture={path("x.npy")}',
            '--fetch', f'embedding={path("e.npy")}',
            '--fetch', f'middle={path("m.npy")}')
    camlens(program, 'gradient', path('model.onnx'), '--threads', threads,
            '--input', f'picture={path("x.npy")}', '--of', 'embedding',
            '--seed', path('seed.npy'), '--at', 'middle',
            '-o', path('g.npy'))
    return [np.load(path(f)) for f in ('e.npy', 'm.npy', 'g.npy')]


def within(errors):
    return errors[0] <= 1e-4 and errors[1] <= 1e-4 and errors[2] <= 1e-3


def compare(program, name, side, threads):
    """the three errors, and how many pictures were passed over before"""
    constructor, layer, full, opset = NETWORKS[name]
    model = Tapped(build(constructor), layer).eval()
    side = side or full
    with tempfile.TemporaryDirectory() as folder:
        torch.onnx.export(model, torch.randn(1, 3, side, side),
                          os.path.join(folder, 'model.onnx'),
                          opset_version=opset, input_names=['picture'],
                          training=torch.onnx.TrainingMode.PRESERVE,
                          output_names=['embedding', 'middle'])
        picture, seed, passed_over = kinks.settled_picture(
            model, (1, 3, side, side))
        wanted = expect(model, picture, seed)
        got = run(program, folder, threads, picture, seed)
    return [error(g, w) for g, w in zip(got, wanted)], passed_over


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('camlens')
    parser.add_argument('names', nargs='*')
    parser.add_argument('--small', action='store_true')
    parser.add_argument('--threads', default='2')
    options = parser.parse_args()
    torch.set_num_threads(1)
    tap = Tap()
    names = options.names or (SMALL if options.small else NETWORKS)
    for name in names:
        try:
            errors, passed_over = compare(options.camlens, name,
                                     SMALL[name] if options.small else 0,
                                     options.threads)
        except subprocess.CalledProcessError as failed:
            tap.check(False, name, failed.stderr.strip())
            continue
        except kinks.NoSettledPicture as failed:
            tap.check(False, name, str(failed))
            continue
        text = (f'{name}: embedding {errors[0]:.1e}, activation '
                f'{errors[1]:.1e}, gradient {errors[2]:.1e}; '
                f'{passed_over} pictures passed over')
        tap.check(within(errors), text)
        sys.stdout.flush()
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
