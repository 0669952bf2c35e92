#!/usr/bin/python3
"""test-roles.py CAMLENS: which input of a network is the picture, what the
others are fed, which tensor is the embedding, and what is said of it

What a model gives is compared with `camlens run`, which is told every array.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image
    from networks import SIDE, Network
except ImportError as error:
    tap.skip('roles', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
FOLDER = tempfile.TemporaryDirectory()


def at(*names):
    return os.path.join(FOLDER.name, *names)


PICTURE = at('picture.png')
ENV = dict(os.environ, LC_ALL='C.UTF-8', XDG_DATA_HOME=at('data'))


def call(*arguments):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=60, env=ENV,
                          check=False)


def embed(model):
    """(the embedding or None, what was said)"""
    done = call('embed', '-m', model, PICTURE, '-o', at('e.npy'), '--inputs',
                at('x.npy'))
    return (np.load(at('e.npy')) if done.returncode == 0 else None,
            done.stderr)


def run(model, fetch, **arrays):
    """the tensor, with the input that the last embed () fed"""
    given = []
    for name, array in arrays.items():
        np.save(at(name + '.npy'), array)
        given += ['-i', f'{name}={at(name + ".npy")}']
    done = call('run', model, *given, '-f', f'{fetch}={at("r.npy")}')
    assert done.returncode == 0, done.stderr
    return np.load(at('r.npy'))


def facts(model):
    done = call('inspect', model, '--json')
    return json.loads(done.stdout) if done.returncode == 0 else {}, done


def chosen(found):
    return [c['name'] for c in found.get('candidates', []) if c['chosen']]


def refused(model, name, *words, commands=('embed', 'models')):
    """each command refuses, in the same words; inspect says them, too"""
    _, said = embed(model)
    tap.check(all(word in said for word in words), f'{name}: embed says why',
              said)
    if 'models' in commands:
        done = call('models', 'add', model, '--name', 'refused')
        tap.check(done.returncode == 1 and all(w in done.stderr for w in words)
                  and not os.path.exists(at('data', 'camlens', 'models',
                                            'refused')),
                  f'{name}: so does models add', done.stderr)
    done = call('inspect', model)
    tap.check(all(word in done.stdout + done.stderr for word in words),
              f'{name}: so does inspect', done.stdout, done.stderr)


def close(a, b):
    return a is not None and np.abs(a - b).max() < 1e-5


# ---- inputs ----

def siamese():
    n = Network('a', 'b')
    n.node('Sub', [n.tower('a', 'one'), n.tower('b', 'two')], 'difference')
    n.linear('difference', 'embedding')
    return n.output('embedding')


def test_second_picture():
    model = siamese().save(at('siamese'))
    refused(model, 'a second picture', '“a”', '“b” (float32, [N, 3, 32, 32])',
            'input.b=NUMBER')
    done = call('build', '-m', model, '-o', at('no.camdb'), at())
    tap.check(done.returncode == 1 and 'input.b=NUMBER' in done.stderr,
              'build refuses it', done.stderr)
    done = call('explain', '-m', model, '--positive', PICTURE, PICTURE, '-o',
                at('no.png'))
    tap.check(done.returncode == 1 and 'input.b=NUMBER' in done.stderr,
              'explain refuses it', done.stderr)
    for number in (0, 0.5):
        model = siamese().save(at('siamese'), f'input.std=0.5\n'
                               f'input.b={number}\n')
        got, said = embed(model)
        x = np.load(at('x.npy'))
        want = run(model, 'embedding', a=x, b=np.full_like(x, number))
        tap.check(close(got, want), f'input.b={number} is what it is fed',
                  said, got, want)
    got, done = facts(model)
    tap.check([i.get('value') for i in got['inputs']] == [None, 0.5],
              'inspect has the value', got['inputs'])
    tap.check('input.b=0.5' in call('inspect', model).stdout,
              'and says it in words')
    model = siamese().save(at('siamese'), 'input.std=0.5\ninput.a=0\n')
    got, said = embed(model)
    want = run(model, 'embedding', b=x, a=np.zeros_like(x))
    tap.check(close(got, want), 'the other one can be given as well', said)


def test_open_second_picture():
    """height and width of the other picture follow the picture's"""
    for sizes in ([3, SIDE, SIDE], [3, 'H', 'W']):
        n = Network()
        n.inputs.clear()
        n.input('b', 'float', ['M', 3, 'H2', 'W2'])
        n.input('a', 'float', ['N', *sizes])
        maps = [n.node('Conv', [i, n.weight(4, 3, 8, 8)], 'c' + i,
                       strides=[8, 8]) for i in 'ab']
        n.node('Sub', [n.node('Flatten', [m], 'flat.' + m) for m in maps],
               'embedding')
        model = n.output('embedding').save(
            at('open-second'), ('' if sizes[1] == SIDE else 'input.size=32\n')
            + 'input.b=0.5\n')
        got, said = embed(model)
        x = np.load(at('x.npy'))
        tap.check(close(got, run(model, 'embedding', a=x,
                                 b=np.full_like(x, .5))),
                  f'a second picture is as large as one of {sizes}', said)


def camera(name='camera', kind='int', shape=('N',)):
    n = Network()
    n.input(name, kind, list(shape))
    if kind == 'int':
        n.node('Gather', [n.weight(8, 16), name], 'side')
    else:
        n.node('Mul', [name, n.weight(1, 16)], 'side')
    n.node('Add', [n.linear(n.tower(), 'own'), 'side'], 'embedding')
    return n.output('embedding')


def test_camera():
    model = camera().save(at('camera'))
    refused(model, "a camera's number", '“camera” (int64, [N])',
            'input.camera=NUMBER')
    model = camera().save(at('camera'), 'input.camera=3\n')
    got, said = embed(model)
    want = run(model, 'embedding', x=np.load(at('x.npy')),
               camera=np.array([3], np.int64))
    tap.check(close(got, want), 'the number that is given is fed', said)
    model = camera().save(at('camera'), 'input.std=1\n',
                          {'camlens.input.camera': '3'})
    tap.check(close(embed(model)[0], run(model, 'embedding',
                                         x=np.load(at('x.npy')),
                                         camera=np.array([3]))),
              'as metadata, too')
    model = camera().save(at('camera'), 'input.camera=2.5\n')
    refused(model, 'half a camera', 'input.camera', '2.5', 'whole number')
    model = camera().save(at('camera'), 'input.camera=three\n')
    refused(model, 'a word for a number', 'input.camera', 'three')
    model = camera().save(at('camera'), 'input.camera=1\ninput.sise=48\n'
                          'input.camrea=2\n')
    said = embed(model)[1]
    tap.check('“input.size” meant' in said and '“input.camera” meant' in said
              and '“input.camera”' not in said.splitlines()[0],
              'misspelt keys are still named', said)
    model = camera('a=b[0]').save(at('camera'))
    refused(model, 'a name that no key can have', 'input.a_b_0_=NUMBER')
    got, said = embed(camera('a=b[0]').save(at('camera'),
                                            'input.a_b_0_=3\n'))
    tap.check(got is not None and not said.strip(), 'has one that can be',
              said)
    model = camera('scale', 'float', ('N', 1)).save(at('scale'))
    refused(model, 'an input called scale', 'input.scale.value=NUMBER')
    model = camera('scale', 'float', ('N', 1)).save(
        at('scale'), 'input.scale.value=2\n')
    got, said = embed(model)
    want = run(model, 'embedding', x=np.load(at('x.npy')),
               scale=np.full((1, 1), 2, np.float32))
    tap.check(close(got, want) and 'not known' not in said,
              'takes its own key', said)


def test_training():
    """a flag that must be known before anything can be run"""
    n = head(('Dropout', ['flat', 'r', 'train'], 'y'), outputs=['y'])
    n.weights['r'] = np.float32(.5)
    n.input('train', 'bool', [])
    for settings in ('input.std=1\n', 'input.std=1\nembedding=y\n'):
        model = n.save(at('train'), settings)
        refused(model, 'whether it trains', '“train” (bool, [])',
                'input.train=NUMBER', commands=('inspect', 'embed', 'models'))
    model = n.save(at('train'), 'input.std=1\ninput.train=0\n')
    got, said = embed(model)
    tap.check(got is not None and not said, 'it does not, by input.train=0',
              said)


def test_not_needed():
    n = Network()
    n.input('words', 'int', ['T', 'S'])
    n.node('Gather', [n.weight(9, 16), 'words'], 'word.vectors')
    n.node('ReduceMean', ['word.vectors'], 'text_embeds', axes=[1], keepdims=0)
    n.linear(n.tower(), 'image_embeds', bias=False)
    n.output('text_embeds', 'image_embeds')
    for settings in ('input.std=1\n', 'embedding=image_embeds\n'):
        model = n.save(at('clip'), settings)
        got, said = embed(model)
        want = run(model, 'image_embeds', x=np.load(at('x.npy')))
        tap.check(close(got, want),
                  f'two towers, {settings.strip()}: the picture\'s is taken, '
                  'and needs no words', said)
        found, done = facts(model)
        tap.check(found.get('embedding') == 'image_embeds'
                  and chosen(found) == ['image_embeds'], 'inspect lists it', done.stderr)
    said = embed(n.save(at('clip'), 'input.std=1\ninput.words=3\n'))[1]
    tap.check('input.words has no effect' in said,
              'a value for an input that does not matter is named', said)
    model = n.save(at('clip'), 'embedding=text_embeds\n')
    refused(model, 'words alone', 'text_embeds', 'not made of a picture',
            '“words” (int64, [T, S])')
    done = call('run', model, '-f', f'text_embeds={at("t.npy")}')
    tap.check(done.returncode == 1 and '“words”' in done.stderr,
              'run wants what is fetched made of', done.stderr)


def test_second_is_the_picture():
    n = Network()
    n.inputs.clear()
    n.input('a', 'float', ['N', 3, 16, 16])
    n.input('b', 'float', ['N', 3, SIDE, SIDE])
    n.node('Relu', [n.tower('a', 'other')], 'masks')
    n.linear(n.tower('b'), 'embedding')
    model = n.output('masks', 'embedding').save(at('second'))
    got, said = embed(model)
    tap.check(np.load(at('x.npy')).shape == (1, 3, SIDE, SIDE),
              'the picture goes where the embedding is made of', said)
    want = run(model, 'embedding', b=np.load(at('x.npy')))
    tap.check(close(got, want), 'and gives what run gives', said)


def test_initialisers():
    n = Network()
    n.as_inputs = True
    n.linear(n.tower(), 'embedding')
    model = n.output('embedding').save(at('old'), 'input.std=1\ninput.w0=3\n')
    got, said = embed(model)
    tap.check(got is not None and 'input.w0' in said,
              'weights that are inputs, too, get no value', said)


# ---- the embedding ----

def head(*nodes, outputs, n=None, kind='float'):
    """flat [N, 16] and what @nodes (op, inputs, out, attributes) make"""
    n = n or Network()
    n.tower()
    for op, inputs, out, *attributes in nodes:
        inputs = [n.weight(*i) if isinstance(i, tuple) else i for i in inputs]
        n.node(op, inputs, out, **(attributes[0] if attributes else {}))
    return n.output(*outputs, kind=kind)


def gemm(x, out, n_in, n, bias=True):
    return ('Gemm', [x, (n_in, n)] + ([(n,)] if bias else []), out)


SOFTMAX = ('Softmax', ['logits'], 'prob', {'axis': 1})
CHOICES = [  # outputs, nodes, what is chosen
    (('output', 'emb'), [gemm('flat', 'emb', 16, 12),
                         gemm('emb', 'output', 12, 1000)], 'emb'),
    (('prob', 'out2'), [gemm('flat', 'out2', 16, 12),
                        gemm('out2', 'logits', 12, 40), SOFTMAX], 'out2'),
    (('y', 'z'), [gemm('flat', 'z', 16, 12, False),
                  gemm('z', 'y', 12, 8, False)], 'z'),
    (('pooled', 'embedding'), [('Identity', ['flat'], 'pooled'),
                               gemm('pooled', 'embedding', 16, 8)],
     'embedding'),
    (('boxes', 'y'), [gemm('flat', 'boxes', 16, 4),
                      gemm('flat', 'y', 16, 8, False)], 'y'),
    (('a', 'b'), [('Sigmoid', ['flat'], 'a'), gemm('flat', 'b', 16, 8, False)],
     'b'),
    (('a', 'b'), [('Exp', ['flat'], 'e'),
                  ('ReduceSum', ['e'], 's', {'keepdims': 1}),
                  ('Div', ['e', 's'], 'a'),
                  gemm('flat', 'b', 16, 8, False)], 'b'),
    (('features', 'b'), [('Reshape', ['flat', 'FOUR'], 'features'),
                         gemm('flat', 'b', 16, 8, False)], 'b'),
    (('map', 'b'), [('Identity', ['flat.map'], 'map'),
                    ('Unsqueeze', ['flat', 'AXES'], 'b')], 'b'),
    (('classes', 'features'), [gemm('flat', 'features', 16, 8),
                               gemm('features', 'classes', 8, 12)],
     'features'),
]


def test_choice():
    for outputs, nodes, wanted in CHOICES:
        n = Network()
        axes = n.constant(np.array([1], np.int64))
        four = n.constant(np.array([4, 4], np.int64))
        names = {'AXES': axes, 'FOUR': four}
        nodes = [(op, [names.get(i, i) for i in inputs], *rest)
                 for op, inputs, *rest in nodes]
        model = head(*nodes, outputs=outputs, n=n).save(at('choice'))
        found, done = facts(model)
        tap.check(found.get('embedding') == wanted
                  and found.get('warnings') == [],
                  f'of {", ".join(outputs)} {wanted} is taken',
                  found.get('embedding'), done.stderr)
        shown = call('inspect', model).stdout
        tap.check(sum('<- embedding' in line for line in shown.splitlines())
                  == 1, 'and marked once', shown)


WARNED = [  # what is said of the last of these
    ('a Softmax', [gemm('flat', 'logits', 16, 40), SOFTMAX], 'Softmax',
     'embedding=flat'),
    ('a LogSoftmax behind two layers',
     [gemm('flat', 'h', 16, 12), ('Relu', ['h'], 'r'),
      gemm('r', 'logits', 12, 7), ('LogSoftmax', ['logits'], 'y')],
     'LogSoftmax', 'embedding=r'),
    ('a Sigmoid, flattened', [gemm('flat', 'logits', 16, 40),
                              ('Sigmoid', ['logits'], 's'),
                              ('Flatten', ['s'], 'y')], 'Sigmoid',
     'embedding=flat'),
    ('a Softmax over a MatMul and an Add',
     [('MatMul', ['flat', (16, 40)], 'm'), ('Add', ['m', (40,)], 'logits'),
      SOFTMAX], 'Softmax', 'embedding=flat'),
    ('a Softmax of pooled maps', [('Softmax', ['flat'], 'y')], 'Softmax',
     'without its classifier'),
    ('a last layer to 1000', [gemm('flat', 'output', 16, 1000)],
     'looks like', 'embedding=flat'),
    ('a last layer to 37', [gemm('flat', '495', 16, 37)], 'looks like',
     'embedding=flat'),
    ('a pooled map of each of 1000 classes',
     [('Conv', ['flat.map', (1000, 16, 1, 1), (1000,)], 'c'),
      ('Relu', ['c'], 'r'), ('GlobalAveragePool', ['r'], 'p'),
      ('Flatten', ['p'], 'y')], 'looks like', 'without its classifier'),
    ('a temperature under a Softmax',
     [gemm('flat', 'logits', 16, 40), ('Div', ['logits', (1,)], 't'),
      ('Softmax', ['t'], 'y')], 'Softmax', 'embedding=flat'),
    ('a Softmax in percent',
     [gemm('flat', 'logits', 16, 40), SOFTMAX, ('Mul', ['prob', (1,)], 'y')],
     'Softmax', 'embedding=flat'),
    ('a last layer without bias to 751',
     [gemm('flat', 'y', 16, 751, False)], 'looks like', 'embedding=flat'),
    ('cosines of 1000 classes, scaled',
     [('MatMul', ['flat', (16, 1000)], 'm'), ('Mul', ['m', (1,)], 'y')],
     'looks like', 'embedding=flat'),
    ('logits by name', [gemm('flat', 'class_logits', 16, 40)], 'looks like',
     'embedding=flat'),
]
QUIET = [  # real embeddings end like these
    ('a linear layer with bias', [gemm('flat', 'y', 16, 128)]),
    ('a projection without', [gemm('flat', 'y', 16, 100, False)]),
    ('a linear layer and a length of 1',
     [gemm('flat', 'f', 16, 102),
      ('LpNormalization', ['f'], 'y', {'axis': 1, 'p': 2})]),
    ('a linear layer that is called so', [gemm('flat', 'embedding', 16, 10)]),
    ('features by name', [gemm('flat', 'fc/features:0', 16, 1000)]),
    ('pooled maps', [('Identity', ['flat'], 'y')]),
    ('an embedding that is scaled', [gemm('flat', 'f', 16, 64, False),
                                     ('Mul', ['f', (1,)], 'y')]),
    ('a gate of its own', [('Sigmoid', ['flat'], 's'),
                           ('Mul', ['flat', 's'], 'y')]),
]


def test_warnings():
    for name, nodes, *words in WARNED:
        model = head(*nodes, outputs=[nodes[-1][2]]).save(at('warned'))
        found, done = facts(model)
        said = embed(model)[1]
        tap.check(len(found.get('warnings', [])) == 1
                  and all(w in found['warnings'][0] for w in words)
                  and found['warnings'][0] in said,
                  f'{name} is said', found.get('warnings'), said, done.stderr)
    for name, nodes in QUIET:
        model = head(*nodes, outputs=[nodes[-1][2]]).save(at('quiet'))
        found, done = facts(model)
        tap.check(found.get('warnings') == [], f'{name} is not',
                  found.get('warnings'), done.stderr)


def test_measures():
    """what is neither an embedding nor a classifier's scores"""
    for outputs, n in ((('age', 'gender'), (101, 2)), (('loc', 'conf'), (4, 2)),
                       (('face_boxes',), (40,))):
        nodes = [gemm('flat', o, 16, k, False) for o, k in zip(outputs, n)]
        model = head(*nodes, outputs=outputs).save(at('measure'))
        found, done = facts(model)
        tap.check(len(found.get('warnings', [])) == 1
                  and f'“{outputs[0]}” is taken' in found['warnings'][0],
                  f'{outputs[0]} is said to be no embedding',
                  found.get('warnings'), done.stderr)
    for name, k in (('cls_token', 16), ('embeds', 2), ('features', 3)):
        model = head(gemm('flat', name, 16, k, k == 16), outputs=[name]).save(
            at('measure'))
        tap.check(facts(model)[0].get('warnings') == [],
                  f'nothing is said of {k} {name}')


def test_inner():
    n = head(gemm('flat', 'logits', 16, 40), SOFTMAX, outputs=['prob'])
    model = n.save(at('inner'), 'input.std=1\nembedding=flat\n')
    got, said = embed(model)
    tap.check(close(got, run(model, 'flat', x=np.load(at('x.npy')))) and not
              said, 'an inner tensor can be the embedding, quietly', said)
    shown = call('inspect', model).stdout
    found, _ = facts(model)
    tap.check(any('flat ' in line and '<- embedding' in line
                  for line in shown.splitlines())
              and chosen(found) == ['flat'], 'and inspect marks it', shown)
    for name in ('prob', 'logits'):
        model = n.save(at('inner'), f'input.std=1\nembedding={name}\n')
        tap.check('embedding=flat' in embed(model)[1],
                  f'{name} is warned of where it is named, too')


def test_no_vector():
    n = Network()
    tokens = n.node('Reshape', [n.node('Transpose', [
        n.node('Conv', ['x', n.weight(16, 3, 8, 8)], 'patches',
               strides=[8, 8])], 'last', perm=[0, 2, 3, 1]),
        n.constant(np.array([0, 16, 16], np.int64))], 'tokens')
    n.node('ReduceMean', [tokens], 'mean', axes=[1, 2], keepdims=0)
    n.node('Slice', [tokens] + [n.constant(np.array([v], np.int64))
                                for v in (0, 4, 2)], 'boxes')
    for outputs in (['tokens'], ['patches'], ['boxes'], ['mean']):
        n.outputs.clear()
        model = n.output(*outputs).save(at('tokens'))
        refused(model, f'{outputs[0]} alone', outputs[0],
                'one vector for each picture', commands=())
        model = n.save(at('tokens'), f'embedding={outputs[0]}\n')
        refused(model, f'embedding={outputs[0]}', f'“{outputs[0]}” is no',
                'one float32 vector')


def test_true_reasons():
    n = head(('Dropout', ['flat', 'r', 't'], 'y'), outputs=['y'])
    n.weights['r'], n.weights['t'] = np.float32(.5), np.array(True)
    refused(n.save(at('reason')), 'a Dropout that trains', 'training_mode')
    n = Network()
    n.node('Cast', ['x'], 'half', to=10)
    n.node('Conv', ['half', n.constant(np.ones((8, 3, 3, 3), np.float16))],
           'c')
    n.node('GlobalAveragePool', ['c'], 'p')
    model = n.node('Cast', ['p'], 'y', to=1) and n.output('y').save(
        at('reason'))
    refused(model, 'a network of float16', 'float16')
    n = head(gemm('flat', 'y', 16, 8), outputs=['y'])
    n.node('Dropout', ['flat', 'r', 't'], 'training')
    n.weights['r'], n.weights['t'] = np.float32(.5), np.array(True)
    model = n.output('training').save(at('reason'))
    found, done = facts(model)
    tap.check(embed(model)[0] is not None and found.get('embedding') == 'y'
              and 'training_mode' in str(found['outputs']),
              'an output that cannot be had does not hide another',
              done.stderr)


def test_no_picture():
    for kind, shape in (('byte', ['N', 3, SIDE, SIDE]), ('half', ['N', 3, 8, 8]),
                        ('float', ['N', 64])):
        n = Network()
        n.inputs.clear()
        n.input('x', kind, shape)
        n.node('Cast', ['x'], 'c', to=1)
        n.node('Flatten', ['c'], 'embedding')
        model = n.output('embedding').save(at('none'), 'input.mean=0\n')
        refused(model, f'{kind} {shape}', 'no float32 input of four',
                commands=())


def test_fixed_batch():
    n = Network()
    n.inputs.clear()
    n.input('x', 'float', [8, 3, SIDE, SIDE])
    n.linear(n.tower(), 'embedding')
    refused(n.output('embedding').save(at('eight')), 'a batch of 8',
            '8 pictures at a time')
    n.inputs.clear()
    n.input('x', 'float', [1, 3, SIDE, SIDE])
    tap.check(embed(n.save(at('eight')))[0] is not None, 'one picture is fine')


def test_folders():
    for name, files in (('no network', ()), ('two networks', ('a.onnx', 'b.onnx'))):
        os.makedirs(at(name))
        for file in files:
            shutil.copy(siamese().save(at('siamese')), at(name, file))
        done = call('inspect', at(name))
        tap.check(done.returncode == 1 and f'The folder “{at(name)}” holds'
                  in done.stderr, f'a folder with {name} is said to be so',
                  done.stderr)


def test_open_size():
    """what fits pictures of 32 pixels alone, and does not say so"""
    n = Network()
    n.inputs.clear()
    n.input('x', 'float', ['N', 3, 'H', 'W'])
    conv = n.node('Conv', ['x', n.weight(4, 3, 8, 8)], 'maps', strides=[8, 8])
    n.linear(n.node('Flatten', [conv], 'flat'), 'y', 64, 8)
    model = n.output('y').save(at('open'), 'input.size=32\n')
    tap.check(embed(model)[0] is not None, 'input.size is what it is tried at')
    tap.check(facts(model)[0].get('suggested_layer') == 'maps',
              'the layer is looked for at that size')


Image.fromarray(np.random.default_rng(1).integers(
    0, 256, (40, 48, 3)).astype(np.uint8)).save(PICTURE)
for test in (test_second_picture, test_open_second_picture, test_camera,
             test_training, test_not_needed,
             test_second_is_the_picture, test_initialisers, test_choice,
             test_warnings, test_measures, test_inner, test_no_vector,
             test_true_reasons, test_no_picture, test_fixed_batch,
             test_folders, test_open_size):
    test()
FOLDER.cleanup()
sys.exit(tap.done())
