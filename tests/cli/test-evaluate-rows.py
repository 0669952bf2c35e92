#!/usr/bin/python3
"""test-evaluate-rows.py CAMLENS: what evaluate says of its rows and pictures

How triplets are drawn, which picture is left out, and a page in which nothing
that a file says is taken for HTML.
"""
import json
import os
import shutil
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
    import torch
except ImportError as error:
    tap.skip('rows of evaluate', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
LABELS = ('cat', 'dog', 'owl')
EVIL = '<img src=x onerror="alert(\'1\')">&amp;'


def path(*names):
    return os.path.join(folder.name, *names)


def camlens(*arguments):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=100, cwd=folder.name,
                          env=dict(os.environ, LC_ALL='C.UTF-8', LANGUAGE=''),
                          check=False)


def make_pictures():
    rng = np.random.default_rng(8)
    for part, n in (('one', 1), ('train', 5)):
        for number, label in enumerate(LABELS[:1] if part == 'one'
                                       else LABELS):
            os.makedirs(path(part, label), exist_ok=True)
            for i in range(n):
                image = rng.integers(60, 120, (40, 50, 3))
                image[10:28, 15:35, number] += rng.integers(0, 120)
                Image.fromarray(image.astype(np.uint8)).save(
                    path(part, label, f'{i}.png'))
    os.makedirs(path('masks', 'cat'))
    mask = np.zeros((40, 50), np.uint8)
    mask[10:28, 15:35] = 255
    Image.fromarray(mask).save(path('masks', 'cat', '0.png'))


def fed(part):
    camlens('embed', '-m', 'model.onnx', part, '-o', 'e.npy', '--inputs',
            'x.npy')
    return np.load(path('x.npy')), np.load(path('e.npy'))


def active_pairs():
    """the picture's input, the hinge's margin that half of all pairs are
    inside, and these"""
    x, e = fed('one')
    _, all_e = fed('train')
    unit = [v / np.linalg.norm(v, axis=1)[:, None] for v in (e, all_e)]
    d = 2 - 2 * unit[1] @ unit[0][0]
    label = np.arange(15) // 5
    pairs = [(p, n) for p in np.where(label == 0)[0]
             for n in np.where(label != 0)[0]]
    margin = max(float(np.median([d[n] - d[p] for p, n in pairs])), 0.01)
    return x[0], unit[1], margin, [(p, n) for p, n in pairs
                                   if d[n] < d[p] + margin]


def energy_of(x, unit, pairs):
    a, e = small.run(x)
    own = small.unit(e)
    torch.stack([own @ torch.from_numpy(unit[p]) - own
                 @ torch.from_numpy(unit[n]) for p, n in pairs]).mean(
                     ).backward()
    alpha = a.grad[0].mean((1, 2), keepdim=True)
    m = torch.relu((alpha * a[0].detach()).sum(0))
    big = torch.nn.functional.interpolate(
        m[None, None], (40, 50), mode='bilinear')[0, 0].numpy()
    return big[10:28, 15:35].sum() / big.sum()


def evaluate(*more):
    return camlens('evaluate', '-m', 'model.onnx', '--images', 'one',
                   '--train', 'train', '--masks', 'masks', '--faithfulness', 0,
                   *more)


def build(name, *more):
    done = camlens('build', '-q', '-m', 'model.onnx', '--layer', 'features',
                   '--clusters', 2, *more, '-o', name, 'train')
    assert done.returncode == 0, done.stderr


def test_mining():
    x, unit, margin, pairs = active_pairs()
    tap.check(3 < len(pairs) < 50, 'some pairs are inside the hinge',
              len(pairs), margin)
    for name in ('random', 'semi-hard'):
        build(f'{name}.camdb', '--mining', name, '--margin', margin)
        ways = ('-d', f'{name}.camdb', '--mining')
        wanted = energy_of(x, unit, pairs)
        for option in ('database', name):
            done = evaluate(*ways, option, '--triplets', len(pairs), '--json')
            rows = [r for r in json.loads(done.stdout)['rows']
                    if 'triplet' in r['row']]
            tap.check(rows and all(r['mining'] == name for r in rows),
                      f'{name} ({option}): JSON says so', done.stderr, rows)
            said = next(r['energy']['mean'] for r in rows if r['top_k'] == 0
                        and r['row'] != 'one triplet'
                        and r['method'] == 'gradcam')
            tap.check(np.isclose(said, wanted, atol=2e-5)
                      == (name == 'semi-hard'),
                      f'{name} ({option}): the map of all pairs inside the '
                      f'hinge, by PyTorch, or not', said, wanted)
            text = evaluate(*ways, option).stdout
            tap.check(f'one triplet ({name})' in text
                      and f'50 triplets ({name})' in text,
                      f'{name} ({option}): the table says so', text)
    tap.check('50 triplets (random)'
              in evaluate('-d', 'semi-hard.camdb').stdout,
              'without the option they are random')
    build('dot.camdb', '--score', 'dot')
    done = evaluate('-d', 'dot.camdb', '--mining', 'semi-hard')
    tap.check('50 triplets (random)' in done.stdout,
              'a score without a negative has nothing to mine', done.stderr)
    for words, arguments in ((['--mining', 'semi-hard'],
                              ('--mining', 'hard')),
                             (['--mining', '-d'], ('--mining', 'database')),
                             (['--mining'], ('--sweep', '--mining',
                                             'random'))):
        done = camlens('evaluate', '-m', 'model.onnx', '--images', 'one',
                       *arguments)
        tap.check(done.returncode == 2 and all(w in done.stderr
                                               for w in words),
                  f'refused: {" ".join(arguments)}', done.stderr)


def nan_of_black(graph):
    """the embedding is divided by the largest number of the input"""
    graph.node[-1].output[0] = 'before'
    graph.initializer.append(numpy_helper.from_array(
        np.array([-1], np.int64), 'shape'))
    graph.node.extend([
        helper.make_node('ReduceMax', ['input'], ['m'], axes=[1, 2, 3],
                         keepdims=0),
        helper.make_node('Div', ['before', 'm'], ['embedding'])])


def test_left_out():
    os.makedirs(path('nan'))
    small.write_model(path('nan'), small.SETTINGS.replace(
        'input.mean=0.5', 'input.mean=0'))
    model = onnx.load(path('nan', 'model.onnx'))
    nan_of_black(model.graph)
    onnx.save(model, path('nan', 'model.onnx'))
    shutil.copytree(path('train'), path('holed'))
    Image.new('RGB', (50, 40)).save(path('holed', 'dog', 'black.png'))
    with open(path('holed', 'owl', 'torn.png'), 'wb') as file:
        file.write(open(path('train', 'owl', '0.png'), 'rb').read()[:300])
    for name, arguments in (
            ('pictures', ('--images', 'holed', '--faithfulness', 2)),
            ('training pictures', ('--images', 'one', '--train', 'holed'))):
        done = camlens('evaluate', '-m', 'nan/model.onnx', *arguments,
                       '--json')
        said = [line for line in done.stderr.splitlines() if 'left out' in line]
        tap.check(done.returncode == 3 and len(said) == 2
                  and any('dog/black.png: ' in s and 'not finite' in s
                          for s in said)
                  and any('owl/torn.png' in s for s in said)
                  and max(s.count('.png') for s in said) == 1,
                  f'{name} that are left out are named, once', done.stderr)
        json.loads(done.stdout, parse_constant=lambda c: 1 / 0)


def change(database, text, *values):
    with sqlite3.connect(path(database)) as opened:
        opened.execute(text, values)
    opened.close()


def test_escaped():
    os.makedirs(path('odd', EVIL.replace('/', '')), exist_ok=True)
    shutil.copy(path('one', 'cat', '0.png'),
                path('odd', EVIL.replace('/', ''), 'a&b.png'))
    shutil.copytree(path('one', 'cat'), path('odd', 'cat'))
    shutil.copytree(path('masks'), path('odd-masks'))
    shutil.copy(path('semi-hard.camdb'), path(f'{EVIL}.camdb'))
    for name in (f'{EVIL}.camdb', 'random.camdb'):
        change(name, "UPDATE info SET value = ? WHERE key = 'method'", EVIL)
    os.makedirs(path(EVIL))
    for name in ('model.onnx', 'model.ini'):
        shutil.copy(path(name), path(EVIL, name))
    with open(path(EVIL, 'model.ini'), 'a', encoding='utf-8') as file:
        file.write(f'title={EVIL}\n')
    for more in (('-d', f'{EVIL}.camdb', '-d', 'random.camdb', '--train',
                  'train'), ('--sweep',)):
        images = 'train' if more == ('--sweep',) else 'odd'
        done = camlens('evaluate', '-m', f'{EVIL}/model.onnx', '--images',
                       images, *(('--masks', 'odd-masks') if images == 'odd'
                                 else ()), *more, '--faithfulness', 6,
                       '--triplets', 3, '--report', 'page')
        page = open(path('page', 'index.html'), encoding='utf-8').read()
        tap.check(done.returncode == 0 and '<img src=x' not in page
                  and 'onerror="' not in page and "alert('" not in page
                  and '&amp;amp;amp;' not in page
                  and (images == 'train' or '&lt;img src=x' in page
                       and 'a&amp;b.png' in page),
                  f'{images}: every field of the page is escaped, once',
                  done.returncode, done.stderr)


def test_without_layer():
    change('semi-hard.camdb', "DELETE FROM info WHERE key = 'layer'")
    done = evaluate('-d', 'semi-hard.camdb', '--report', 'page')
    page = open(path('page', 'index.html'), encoding='utf-8').read()
    tap.check(done.returncode == 0 and 'layer features' in done.stdout
              and '(null)' not in done.stdout + done.stderr + page,
              'a database that names no layer: the one that was taken',
              done.stdout[:200], done.stderr)
    done = camlens('explain', '-m', 'model.onnx', '-d', 'semi-hard.camdb',
                   '--layer', 'features', 'one/cat/0.png', '-o', 'o.png')
    tap.check(done.returncode == 0 and '(null)' not in done.stdout
              + done.stderr, 'explain: the one that is named', done.stderr)


small.write_model(folder.name)
make_pictures()
test_mining()
test_left_out()
test_escaped()
test_without_layer()
sys.exit(tap.done())
