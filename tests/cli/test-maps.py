#!/usr/bin/python3
"""test-maps.py CAMLENS: numbers end to end, as a user sees them

Weights and activations of any size, pictures that are their own examples,
channels that have nothing to say: the map, the overlay, the raw numbers and the
JSON are sound, and where the map is empty the reason that is given is the true
one.
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(HERE, '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    import onnx
    from onnx import helper, numpy_helper
    from PIL import Image
    import small
except ImportError as error:
    tap.skip('maps', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
K = 24


def path(*names):
    return os.path.join(folder.name, *names)


def camlens(*arguments):
    return subprocess.run(
        [CAMLENS, *map(str, arguments)], text=True, timeout=60,
        capture_output=True, cwd=folder.name, check=False,
        env=dict(os.environ, LC_ALL='C.UTF-8', LANGUAGE='',
                 XDG_DATA_HOME=path('none'), CAMLENS_MODEL_PATH=path('none')))


def no_constant(name):
    raise ValueError(f'{name} is no JSON')


def strict(text):
    return json.loads(text, parse_constant=no_constant)


def make_pictures():
    rng = np.random.default_rng(5)
    for name in 'abc':
        coarse = rng.integers(0, 256, (6, 5, 3)).astype(np.uint8)
        picture = Image.fromarray(coarse).resize(
            (70, 50), Image.Resampling.BICUBIC)
        picture.save(path(f'{name}.png'))
    picture = Image.open(path('a.png'))
    picture.save(path('copy.tif'))
    picture.save(path('copy.jpg'), quality=95)
    pixels = np.array(picture)
    pixels[20:23, 30:33, 1] ^= 1
    Image.fromarray(pixels).save(path('few-pixels.png'))


def make_model(name, change=None, settings=small.SETTINGS):
    """the small network with other weights or nodes"""
    os.makedirs(path(name), exist_ok=True)
    small.write_model(path(name), settings)
    if change:
        model = onnx.load(path(name, 'model.onnx'))
        change(model.graph)
        onnx.save(model, path(name, 'model.onnx'))
    return path(name, 'model.onnx')


def bias(value, *channels, name='b3'):
    def change(graph):
        for tensor in graph.initializer:
            if tensor.name == name:
                array = numpy_helper.to_array(tensor).copy()
                array[list(channels) or slice(None)] = value
                tensor.CopyFrom(numpy_helper.from_array(array, name))
    return change


def scale(values):
    """all weights of these tensors times a number"""
    def change(graph):
        for tensor in graph.initializer:
            if tensor.name in values:
                array = numpy_helper.to_array(tensor) * np.float32(
                    values[tensor.name])
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return change


def with_norm(graph):
    """the layer before is normalised over its places"""
    graph.initializer.extend([
        numpy_helper.from_array(np.linspace(.5, 2, K).astype(np.float32), 's'),
        numpy_helper.from_array(np.ones(K, np.float32), 't')])
    at = next(i for i, n in enumerate(graph.node) if n.input[0] == 'c3')
    graph.node[at].input[0] = 'normal'
    graph.node.insert(at, helper.make_node('InstanceNormalization',
                                           ['c3', 's', 't'], ['normal']))


def database(name, weights, model, clusters=1):
    os.makedirs(path('arrays'), exist_ok=True)
    rng = np.random.default_rng(1)
    np.save(path('arrays', 'centroids.npy'),
            rng.normal(0, 1, (clusters, small.DIM)).astype(np.float32))
    np.save(path('arrays', 'weights.npy'), np.broadcast_to(
        np.asarray(weights, np.float32), (clusters, K)).copy())
    done = camlens('db', 'import', '--npy', path('arrays'), '-m', model,
                   '--layer', 'features', '--metric', 'cosine', '-o',
                   path(name))
    assert done.returncode == 0, done.stderr
    return path(name)


def explain(*arguments):
    for name in ('over.png', 'why.png', 'm.npy'):
        if os.path.exists(path(name)):
            os.remove(path(name))
    done = camlens('explain', *arguments, '--overlay', 'over.png', '-o', 'why.png',
                   '--heatmap', 'm.npy', '--json')
    return done, strict(done.stdout) if done.stdout else None


WORDS = {'divide by': 'tiny', 'against the': 'against', '--top-k': 'against',
         'weights are zero': 'weightless', 'activations': 'silent',
         'picture and its positive': 'same-positive',
         'positive and negative': 'same-examples',
         'no direction': 'no-direction', 'gradient is zero': 'no-gradient',
         'only rounding': 'rounding'}


def says_empty(name, words, never, *arguments):
    done, said = explain(*arguments)
    clear = done.returncode == 0 and (
        np.asarray(Image.open(path('over.png')))[..., 3] == 0).all()
    same = clear and np.array_equal(
        np.asarray(Image.open(path('why.png')).convert('RGB')),
        np.asarray(Image.open(path(arguments[-1])).convert('RGB')))
    tap.check(done.returncode == 0 and said['empty'] is True
              and said['maximum'] == 0 and said['box'] is None and clear
              and same and (np.load(path('m.npy')) == 0).all(),
              f'{name}: an empty map', done.returncode, done.stdout[-300:])
    tap.check(any(said['empty_reason'] == word for part, word in WORDS.items()
                  if part in done.stderr),
              f'{name}: the reason in a word', said['empty_reason'],
              done.stderr)
    tap.check('the map is empty' in done.stderr and words in done.stderr
              and not any(n in done.stderr for n in never),
              f'{name}: the true reason, and no advice that cannot help',
              done.stderr)


def says_something(name, *arguments):
    done, said = explain(*arguments)
    good = done.returncode == 0 and 'empty_reason' not in said
    good = good and not said['empty'] and said['maximum'] > 0
    tap.check(good and 'empty' not in done.stderr
              and (np.asarray(Image.open(path('over.png')))[..., 3] > 0).any(),
              f'{name}: a map', done.returncode, done.stderr)
    return said if good else None


VERIFY, MORE = 'db verify', '--top-k'


def test_databases(model):
    rng = np.random.default_rng(4)
    plain = np.abs(rng.normal(0, 1, K)) + .1
    ways = ('-m', model, '-d')
    says_something('plain weights', *ways, database('p.camdb', plain, model),
                   'a.png')
    for size, kind in ((1e-45, 'denormal'), (1e-40, 'tiny')):
        says_empty(f'{kind} weights', 'too small to divide by', (VERIFY, MORE),
                   *ways, database('t.camdb', np.full(K, size), model), 'a.png')
    for size in (1e-36, 1e36):
        said = says_something(f'weights of {size}', *ways, database(
            's.camdb', plain * size, model), 'a.png')
        tap.check(said and (strict(json.dumps(said))['box'] is not None),
                  f'weights of {size}: and its box')
    for k in (0, 10):
        says_empty(f'against, top-k {k}', 'against the picture', (VERIFY, MORE),
                   *ways, database('n.camdb', -plain, model), '--top-k', k,
                   'a.png')
    says_empty('no weights', 'weights are zero', (VERIFY, MORE), *ways,
               database('z.camdb', np.zeros(K), model), 'a.png')
    huge = database('huge.camdb', np.full(K, 3e38), model)
    done, said = explain(*ways, huge, 'a.png')
    tap.check(done.returncode == 1 and 'huge.camdb' in done.stderr
              and 'a.png' in done.stderr and 'not finite' in done.stderr
              and 'not finite' in said['error']
              and not os.path.exists(path('over.png')),
              'weights whose sum is no float32: an error that names the '
              'database, sound JSON, no files', done.stderr, said)
    done = camlens('explain', *ways, huge, 'a.png', 'b.png', '-o', 'out/',
                   '--json')
    tap.check(done.returncode == 1 and len(strict(done.stdout)) == 2
              and not os.listdir(path('out')), 'the same of several pictures')
    os.makedirs(path('set'), exist_ok=True)
    os.replace(path('b.png'), path('set', 'b.png'))
    done = camlens('evaluate', '-m', model, '-d', huge, '--images', 'set',
                   '--faithfulness', 1)
    os.replace(path('set', 'b.png'), path('b.png'))
    tap.check(done.returncode == 1 and 'left out: b.png: ' in done.stderr
              and 'not finite' in done.stderr,
              'evaluate: the picture is named, and why', done.stderr)
    with sqlite3.connect(huge) as opened:
        opened.execute('UPDATE cluster SET weights = ?',
                       (np.full(K, np.nan, np.float32).tobytes(),))
    opened.close()
    done, said = explain(*ways, huge, 'a.png')
    tap.check(done.returncode == 1 and said is None
              and 'finite' in done.stderr, 'NaN in a database is refused',
              done.stderr)


def test_channels():
    dead = make_model('dead', bias(-100, 3))
    one = np.full(K, .5)
    one[3] = 1
    data = database('one.camdb', one, dead)
    says_empty('one channel that is silent', '--top-k 0', (VERIFY,), '-m', dead,
               '-d', data, '--top-k', 1, 'a.png')
    says_something('with all channels', '-m', dead, '-d', data, '--top-k', 0,
                   'a.png')
    one[:] = -1
    one[3] = 1
    says_empty('where all would not help', 'against the picture',
               (VERIFY, MORE), '-m', dead, '-d',
               database('two.camdb', one, dead), '--top-k', 1, 'a.png')
    silent = make_model('silent', bias(-100))
    says_empty('a silent layer', 'activations of the layer are zero',
               (VERIFY, MORE), '-m', silent, '-d',
               database('three.camdb', np.ones(K), silent), 'a.png')


def test_examples(model):
    same = 'the picture and its positive are the same, or their embeddings are'
    both = 'positive and negative are the same'
    m = ('-m', model, '--positive')
    says_empty('its own positive', same, (VERIFY, MORE), *m, 'a.png', 'a.png')
    says_empty('a copy of another type', same, (VERIFY, MORE), *m, 'copy.tif',
               'a.png')
    says_empty('positive and negative the same', both, (VERIFY, MORE), *m,
               'b.png', '--negative', 'b.png', 'a.png')
    says_empty('all three the same', both, (VERIFY, MORE), *m, 'copy.tif',
               '--negative', 'a.png', 'a.png')
    says_something('a JPEG of it', *m, 'copy.jpg', 'a.png')
    says_something('nine pixels of it 1 of 255 off', *m, 'few-pixels.png',
                   'a.png')
    says_something('its own positive, away from another', *m, 'a.png',
                   '--negative', 'b.png', 'a.png')
    says_something('its own negative', *m, 'b.png', '--negative', 'a.png',
                   'a.png')
    zero = make_model('zero', scale({'w4': 0, 'b4': 0}))
    says_empty('embeddings of zeros', 'no direction', (VERIFY, MORE), '-m',
               zero, '--positive', 'b.png', 'a.png')
    norm = make_model('norm', with_norm)
    says_empty('a layer that is normalised', 'cancels out', (VERIFY, MORE),
               '-m', norm, '--positive', 'b.png', '--layer', 'c3', '--top-k',
               0, 'a.png')
    says_something('and the one behind it', '-m', norm, '--positive', 'b.png',
                   'a.png')


def test_sizes():
    """embeddings and activations of any size: the same cluster, or words"""
    plain = make_model('plain')
    rng = np.random.default_rng(6)
    weights = np.abs(rng.normal(0, 1, (5, K))) + .1
    wanted = {}
    for size in (1, 1e18, 1e22, 1e-18, 1e-22):
        model = make_model('sized', scale({'w4': size, 'b4': size}))
        data = database('sized.camdb', weights, model, 5)
        found = [explain('-m', model, '-d', data, p)[1]['cluster']
                 for p in ('a.png', 'b.png', 'c.png')]
        wanted = wanted or found
        tap.check(found == wanted, f'embeddings of {size}: the same clusters',
                  found, wanted)
        done, said = explain('-m', model, '--positive', 'b.png', 'a.png')
        tap.check(done.returncode in (0, 1) and said
                  and (done.returncode == 1) == ('error' in said),
                  f'embeddings of {size}: own gradient', done.stderr)
    for std in ('1e38', '1e-38', '1e30', '1e-30'):
        model = make_model('std', settings=small.SETTINGS.replace(
            'std=0.25', f'std={std}'))
        for more in (('-d', database('plain.camdb', weights[0], plain)),
                     ('--positive', 'b.png')):
            done, said = explain('-m', model, *more, 'a.png')
            tap.check(done.returncode in (0, 1) and (said or done.stderr),
                      f'input.std={std}, {more[0]}: words or a map',
                      done.returncode, done.stderr)


def test_json(model):
    data = database('json.camdb', np.full(K, 3e38), model)
    for command in (('inspect', model), ('db', 'info', data),
                    ('evaluate', '-m', model, '--images', 'set2', '--train',
                     'set2', '--faithfulness', 2)):
        done = camlens(*command, '--json')
        try:
            said = strict(done.stdout)
        except ValueError as error:
            said = None
            done.stderr += str(error)
        tap.check(done.returncode == 0 and said, f'{command[0]}: sound JSON',
                  done.stderr)


def main():
    make_pictures()
    model = make_model('small')
    test_databases(model)
    test_channels()
    test_examples(model)
    test_sizes()
    for label, names in (('x', 'ab'), ('y', 'c')):
        os.makedirs(path('set2', label))
        for name in names:
            Image.open(path(f'{name}.png')).save(path('set2', label,
                                                      f'{name}.png'))
    test_json(model)


main()
sys.exit(tap.done())
