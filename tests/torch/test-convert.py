#!/usr/bin/python3
"""test-convert.py CAMLENS SOURCE: networks of PyTorch, brought to CamLens

models/convert turns a small network and one of torchvision into folders, and
compares them with PyTorch by the program; a database is built and a picture
explained with the small one.  The readers of preprocessing are checked by
themselves, and so is that the comparisons can fail.  What needs timm or Keras
is in test-stand-ins.py.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import numpy as np
    import onnx  # noqa: F401
    import torch
    import torchvision
    from PIL import Image  # noqa: F401
except ImportError as missing:
    print(f'1..0 # SKIP {missing.name} is not installed')
    sys.exit(0)

from conversion import (CAMLENS, SCRATCH, check_explained,  # noqa: E402
                        colours, path, said, settings, stops)
from conversion import convert as convert_by  # noqa: E402
import check  # noqa: E402
import preprocessing  # noqa: E402

NETWORK = '''
import torch
from torch import nn
from torchvision import transforms as T

stretched = T.Compose([T.Resize((48, 48)), T.ToTensor(),
                       T.Normalize([0.5, 0.4, 0.3], [0.2, 0.25, 0.3])])
cropped = T.Compose([T.Resize(60, T.InterpolationMode.BICUBIC),
                     T.CenterCrop(48), T.ToTensor()])
drawn = T.Compose([T.RandomResizedCrop(48), T.ToTensor()])


def make():
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(),
                         nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(32, 24))
'''

tap = Tap()


def convert(*arguments):
    return convert_by('torch-to-camlens.py', *arguments)


def small_network():
    with open(path('net.py'), 'w', encoding='utf-8') as file:
        file.write(NETWORK)
    done = convert('module', path('net.py:make'), path('small'),
                   '--transforms', path('net.py:stretched'), '--layer', '3')
    tap.check(done.returncode == 0
              and 'preprocessing: differs by at most' in done.stdout
              and 'layer_3: differs by at most' in done.stdout,
              'a network of a file, compared with PyTorch', *said(done))
    ini = settings('small')
    tap.check(ini['input.size'] == '48' and ini['input.resize'] == 'stretch'
              and ini['input.mean'] == '0.5,0.4,0.3'
              and ini['input.std'] == '0.2,0.25,0.3'
              and ini['layer'] == 'layer_3' and ini['layer.layout'] == 'nchw',
              'its settings, read from the transform', ini)
    done = convert('module', path('net.py:make'), path('cropped'),
                   '--transforms', path('net.py:cropped'),
                   '--embedding', '4')
    ini = settings('cropped')
    tap.check(done.returncode == 0 and ini['input.resize'] == 'crop'
              and float(ini['input.crop']) == 0.8
              and ini['input.filter'] == 'bicubic' and 'layer' not in ini,
              'a crop, a bicubic filter, an embedding by name', *said(done),
              ini)
    done = convert('module', path('net.py:make'), path('none'),
                   '--transforms', path('net.py:drawn'))
    tap.check(done.returncode == 1 and 'RandomResizedCrop' in done.stderr
              and not os.path.exists(path('none')),
              'a random crop is refused, with a word', *said(done))
    done = convert('module', path('net.py:make'), path('none'), '--size',
                   '48', '--embedding', 'head')
    tap.check(done.returncode == 1 and 'no submodule “head”' in done.stderr,
              'a submodule that is not there', *said(done))


def of_torchvision():
    torch.manual_seed(1)
    network = torchvision.models.resnet18(weights=None)
    torch.save({'state_dict': network.state_dict()}, path('r18.pt'))
    done = convert('torchvision', 'resnet18', path('r18'), '--state',
                   path('r18.pt'), '--layer', 'layer4')
    ini = settings('r18')
    tap.check(done.returncode == 0 and 'what goes into fc' in done.stdout
              and 'preprocessing: differs' in done.stdout
              and ini['input.resize'] == 'crop' and ini['layer'] == 'layer4'
              and float(ini['input.crop']) == 0.875
              and ini['input.mean'] == '0.485,0.456,0.406',
              'torchvision: classifier removed, preset read', *said(done), ini)
    done = convert('torchvision', 'squeezenet1_1', path('sq'), '--state',
                   path('r18.pt'))
    tap.check(done.returncode == 1 and not os.path.exists(path('sq')),
              'weights of another network are refused', *said(done))


def comparisons_fail():
    """the same checks, where something is wrong"""
    x = np.random.default_rng(1).standard_normal((1, 3, 48, 48))
    wrong = {'embedding': np.ones((1, 24), np.float32)}
    tap.check(stops(check.compare, CAMLENS, path('small', 'model.onnx'), x,
                    wrong) == 'camlens and the source disagree',
              'another embedding is noticed')
    sys.path.insert(0, SCRATCH)
    import net
    ini = path('small', 'model.ini')
    with open(ini, encoding='utf-8') as file:
        text = file.read()
    with open(ini, 'w', encoding='utf-8') as file:
        file.write(text.replace('mean=0.5,', 'mean=0.49,'))
    why = stops(check.check_preprocessing, CAMLENS,
                path('small', 'model.onnx'), net.stretched, [0.2, 0.25, 0.3])
    tap.check(why and 'differently' in why, 'another mean is noticed', why)


def functions():
    """keras.applications.imagenet_utils: its modes caffe, tf and torch"""
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    caffe = [103.939, 116.779, 123.68]
    cases = {'caffe': (lambda x: x[..., ::-1] - caffe, 'bgr',
                       np.divide(caffe, 255), [1 / 255] * 3),
             'tf': (lambda x: x / 127.5 - 1, 'rgb', [0.5] * 3, [0.5] * 3),
             'torch': (lambda x: (x / 255 - mean) / std, 'rgb', mean, std)}
    for name, (function, order, want_mean, want_std) in cases.items():
        keys = preprocessing.from_function(function)
        got = [[float(v) for v in keys[k].split(',')]
               for k in ('input.mean', 'input.std')]
        tap.check(keys['input.channels'] == order
                  and np.allclose(got, [want_mean, want_std], rtol=1e-5),
                  f'a preprocessing function like {name}', keys)
    for name, function in (('mixes', lambda x: x - x.mean(-1, keepdims=True)),
                           ('curves', lambda x: x ** 2 / 255)):
        why = stops(preprocessing.from_function, function)
        tap.check(why and why.startswith('preprocessing: the function'),
                  f'a function that {name} channels is refused', why)


def configurations():
    config = {'input_size': (3, 224, 224), 'interpolation': 'bicubic',
              'mean': (0.5, 0.5, 0.5), 'std': (0.5, 0.5, 0.5),
              'crop_pct': 0.9, 'crop_mode': 'center'}
    keys = preprocessing.from_timm(config)
    tap.check(keys['input.resize'] == 'crop'
              and keys['input.filter'] == 'bicubic'
              and round(224 / float(keys['input.crop'])) == 248,
              'a configuration of timm: a crop of 224 from 248', keys)
    keys = preprocessing.from_timm(dict(config, crop_pct=1,
                                        crop_mode='squash'))
    tap.check(keys['input.resize'] == 'stretch', 'timm: squash', keys)
    why = stops(preprocessing.from_timm, dict(config,
                                              input_size=(3, 224, 192)))
    tap.check(why and 'only squares' in why, 'no square', why)


small_network()
colours()
check_explained(tap, 'small', 'layer_3')
of_torchvision()
comparisons_fail()
functions()
configurations()
sys.exit(tap.done())
