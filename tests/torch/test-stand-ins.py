#!/usr/bin/python3
"""test-stand-ins.py CAMLENS SOURCE: networks of timm and Keras, by stand-ins

Neither is in Debian, so the folder stand-ins has small packages with their
names and signatures.  What is tested is all that is CamLens' own: the calls,
the settings to their numbers, the ONNX file that is written, and what the
program makes of it beside the stand-in.  That the real packages behave so is
not tested here.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    import numpy as np
    import onnx
    import torch
    import torchvision  # noqa: F401
    from PIL import Image  # noqa: F401
except ImportError as missing:
    print(f'1..0 # SKIP {missing.name} is not installed')
    sys.exit(0)

from conversion import (CAMLENS, SOURCE, check_explained,  # noqa: E402
                        colours, convert, path, run, said, settings, stops)
import layers  # noqa: E402

STAND_INS = os.path.join(SOURCE, 'tests', 'torch', 'stand-ins')
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
OWN = '''
import tensorflow
from tensorflow import keras


@keras.saving.register_keras_serializable(package='net')
class Own(keras.layers.Layer):
    pass


def scale(x):
    return (x - [10, 20, 30]) / [40, 50, 60]
'''

tap = Tap()


def by_timm(name, folder, *options, **environment):
    return convert('torch-to-camlens.py', 'timm', name, path(folder), *options,
                   PYTHONPATH=STAND_INS, **environment)


def by_keras(source, folder, *options, **environment):
    return convert('keras-to-camlens.py', source, path(folder), *options,
                   PYTHONPATH=os.path.join(STAND_INS, 'without-torch')
                   + os.pathsep + STAND_INS, **environment)


def is_close(ini, key, want, tolerance=1e-6):
    got = [float(v) for v in ini.get(key, 'nan').split(',')]
    return len(got) == len(want) and np.allclose(got, want, rtol=tolerance,
                                                 atol=1e-9)


def embedding_works(folder, width):
    """inspect and embed, as a user would"""
    model = path(folder, 'model.onnx')
    told = run(CAMLENS, 'inspect', model)
    rows = run(CAMLENS, 'embed', '-m', model, path('colours', 'red', '0.png'),
               '-o', path('e.npy'))
    return (told.returncode == 0 and 'embedding' in told.stdout
            and rows.returncode == 0
            and np.load(path('e.npy')).shape == (1, width))


def timm_configurations():
    for version in ('0.6', '1.0'):
        folder = f'center-{version}'
        done = by_timm('small.center', folder, '--layer', 'blocks.3',
                       TIMM_STAND_IN=version)
        ini = settings(folder)
        tap.check(done.returncode == 0 and ini['input.size'] == '64'
                  and ini['input.resize'] == 'crop'
                  and ini['input.filter'] == 'bicubic'
                  and is_close(ini, 'input.crop', [64 / 71])
                  and is_close(ini, 'input.mean', MEAN)
                  and is_close(ini, 'input.std', STD)
                  and 'preprocessing: differs' in done.stdout
                  and embedding_works(folder, 16),
                  f'timm {version}: 64 from 71 pixels, bicubic', *said(done),
                  ini)
    check_explained(tap, 'center-1.0', 'blocks.3')
    done = by_timm('small.border', 'border')
    ini = settings('border')
    tap.check(done.returncode == 0 and ini['input.resize'] == 'pad'
              and is_close(ini, 'input.pad', [124 / 255, 116 / 255, 104 / 255])
              and 'preprocessing: differs' in done.stdout
              and embedding_works('border', 16),
              'timm: a border of the mean', *said(done), ini)
    done = by_timm('small.squash', 'squash')
    ini = settings('squash')
    tap.check(done.returncode == 0 and ini['input.resize'] == 'stretch'
              and is_close(ini, 'input.std', [0.5] * 3)
              and embedding_works('squash', 16), 'timm: squash', *said(done),
              ini)


def timm_weights():
    sys.path.insert(0, STAND_INS)
    import timm
    # a classifier of another size, as after training for other labels
    network = timm.create_model('small.squash', num_classes=5)
    torch.save({'state_dict': network.state_dict()}, path('own.pt'))
    done = by_timm('small.squash', 'own', '--state', path('own.pt'))
    x = torch.linspace(-1, 1, 3 * 48 * 48).reshape(1, 3, 48, 48)
    np.save(path('x.npy'), x.numpy())
    run(CAMLENS, 'run', path('own', 'model.onnx'), '--input', path('x.npy'),
        f'--fetch=embedding={path("got.npy")}')
    with torch.no_grad():
        want = network.eval().blocks(x).mean((2, 3)).numpy()
    tap.check(done.returncode == 0
              and np.allclose(np.load(path('got.npy')), want, rtol=1e-4,
                              atol=1e-6),
              'timm: weights of one\'s own, without their classifier',
              *said(done))
    done = by_timm('small.center', 'none', '--state', path('none.pt'))
    tap.check(done.returncode != 0 and not os.path.exists(path('none')),
              'timm: weights that are not there', *said(done))
    done = by_timm('small.squash', 'classes', '--embedding', 'fc')
    tap.check(done.returncode == 0 and embedding_works('classes', 1000),
              'timm: --embedding keeps the classifier', *said(done))
    done = convert('torch-to-camlens.py', 'timm', 'x', path('none'))
    tap.check(done.returncode == 1 and 'pip install timm' in done.stderr,
              'without timm, a word', *said(done))


def keras_applications():
    caffe = np.divide([103.939, 116.779, 123.68], 255)
    cases = {'Caffe': (56, 'bgr', caffe, [1 / 255] * 3),
             'Tf': (48, 'rgb', [0.5] * 3, [0.5] * 3),
             'Torch': (64, 'rgb', MEAN, STD),
             'Inside': (40, 'rgb', [0] * 3, [1 / 255] * 3)}
    for name, (size, order, mean, std) in cases.items():
        done = by_keras(f'applications:{name}', name)
        ini = settings(name)
        tap.check(done.returncode == 0 and ini['input.size'] == str(size)
                  and ini['input.channels'] == order
                  and is_close(ini, 'input.mean', mean, 1e-5)
                  and is_close(ini, 'input.std', std, 1e-5)
                  and 'preprocessing: differs' in done.stdout
                  and embedding_works(name, 16),
                  f'Keras: {name}, at the size it was made for', *said(done),
                  ini)
    made = onnx.load(path('Tf', 'model.onnx'))
    shape = [d.dim_value for d in
             made.graph.input[0].type.tensor_type.shape.dim]
    tap.check(shape[1:] == [48, 48, 3], 'channels stay last', shape)
    done = by_keras('applications:small', 'none')
    tap.check(done.returncode == 1 and 'has no network' in done.stderr,
              'Keras: a module is no network', *said(done))


def keras_layers():
    for names in ('kept', 'unnamed'):
        folder = f'layer-{names}'
        done = by_keras('applications:Caffe', folder, '--layer', 'conv2',
                        TF2ONNX_STAND_IN=names)
        made = onnx.load(path(folder, 'model.onnx'))
        tap.check(done.returncode == 0
                  and 'conv2: differs by at most' in done.stdout
                  and [o.name for o in made.graph.output] == ['embedding'],
                  f'Keras: a target layer, names {names}', *said(done))
        check_explained(tap, folder, 'conv2')
    done = by_keras('applications:Caffe', 'none', '--layer', 'conv9')
    tap.check(done.returncode == 1 and 'there are: conv1, conv2, pool'
              in done.stderr and not os.path.exists(path('none')),
              'Keras: a layer that is not there', *said(done))


def graph_of(*nodes):
    """`a` to `embedding`, with the output `layer` made by `nodes`"""
    made = [onnx.helper.make_node('Relu', ['input'], ['a']), *nodes,
            onnx.helper.make_node('Relu', ['a'], ['embedding'])]
    return onnx.helper.make_graph(made, 'g', [], [
        onnx.helper.make_tensor_value_info(name, 1, None)
        for name in ('layer', 'embedding')])


def places_of_layers():
    same = onnx.helper.make_node('Identity', ['a'], ['layer'])
    for tokens, layout in ((49, 'tokens'), (50, 'tokens+cls')):
        got = layers.settle(graph_of(same), 'embedding', 'x', 'layer',
                            (1, tokens, 8))
        tap.check(got == ('x', layout), f'{tokens} tokens', got)
    got = layers.settle(graph_of(same), 'embedding', 'x', 'layer',
                        (1, 7, 7, 8))
    tap.check(got == ('x', 'nhwc'), 'a layer with its channels last', got)
    aside = onnx.helper.make_node('Sigmoid', ['a'], ['layer'])
    for node, shape, what in ((aside, (1, 7, 7, 8), 'beside the embedding'),
                              (same, (1, 51, 8), 'of 51 tokens'),
                              (same, (1, 8), 'without places')):
        why = stops(layers.settle, graph_of(node), 'embedding', 'x', 'layer',
                    shape)
        tap.check(why and why.startswith('x: '), f'a layer {what}', why)


def keras_files():
    for name, text in (('own.py', OWN), ('mine.keras', '52')):
        with open(path(name), 'w', encoding='utf-8') as file:
            file.write(text)
    done = by_keras(path('mine.keras'), 'mine', '--preprocess',
                    path('own.py:scale'), '--embedding', 'pool', '--filter',
                    'bicubic')
    ini = settings('mine')
    tap.check(done.returncode == 0 and ini['input.size'] == '52'
              and ini['input.filter'] == 'bicubic'
              and is_close(ini, 'input.mean', np.divide([10, 20, 30], 255),
                           1e-5)
              and is_close(ini, 'input.std', np.divide([40, 50, 60], 255),
                           1e-5)
              and embedding_works('mine', 16),
              'Keras: a file with a loss and a layer of its own', *said(done),
              ini)
    done = by_keras(path('mine.keras'), 'none')
    tap.check(done.returncode == 1 and '--preprocess' in done.stderr,
              'Keras: nothing says how pictures go in', *said(done))
    done = convert('keras-to-camlens.py', 'applications:Tf', path('none'))
    tap.check(done.returncode == 1 and 'pip install' in done.stderr,
              'without TensorFlow, a word', *said(done))


colours()
timm_configurations()
timm_weights()
keras_applications()
keras_layers()
places_of_layers()
keras_files()
sys.exit(tap.done())
