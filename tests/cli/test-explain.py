#!/usr/bin/python3
"""test-explain.py CAMLENS: explain, embed and models, from the command line

A small network, its maps and embeddings by PyTorch, databases of known arrays,
and every refusal with what it tells to do.
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
    from PIL import Image
    import small
    import torch
except ImportError as error:
    tap.skip('explain', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
ENV = dict(os.environ, CAMLENS_MODEL_PATH=os.path.join(folder.name, 'models'),
           XDG_DATA_HOME=os.path.join(folder.name, 'data'), LC_ALL='C.UTF-8',
           XDG_DATA_DIRS=os.path.join(folder.name, 'none'))
K = 24


def path(*names):
    return os.path.join(folder.name, *names)


def camlens(*arguments, check=None, env=ENV):
    done = subprocess.run([CAMLENS, *map(str, arguments)], env=env,
                          capture_output=True, text=True, timeout=60)
    if check is not None and done.returncode != check:
        print('#', arguments, done.returncode, done.stderr.strip())
    return done


def refused(name, words, *arguments, status=1):
    """fails with this status, says all the words, and leaves nothing"""
    done = camlens(*arguments)
    tap.check(done.returncode == status
              and all(w in done.stderr for w in words), name,
              done.returncode, done.stderr.strip())


def noise(seed, height, width, channels=3):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 5, channels)).astype(np.uint8)
    image = Image.fromarray(coarse[..., 0] if channels == 1 else coarse)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def make_pictures():
    for i in range(6):
        Image.fromarray(noise(i, 60 + i, 80 - i)).save(path(f'p{i}.png'))


def fed(*names):
    camlens('embed', '-m', 'small', *names, '-o', path('e.npy'), '--inputs',
            path('x.npy'), check=0)
    return np.load(path('x.npy')), np.load(path('e.npy'))


def test_embed():
    names = [path(f'p{i}.png') for i in range(6)]
    x, e = fed(*names)
    wanted = np.stack([small.run(v)[1].detach().numpy() for v in x])
    tap.check(e.shape == (6, small.DIM)
              and np.allclose(e, wanted, rtol=1e-4, atol=1e-5),
              'embeddings equal PyTorch\'s')
    pixels = np.asarray(Image.open(names[0]).resize(
        (32, 32), Image.Resampling.BILINEAR)).astype(float)
    tap.check(np.allclose(x[0].transpose(1, 2, 0), (pixels / 255 - .5) / .25,
                          atol=1e-5), 'the network is fed what Pillow would')
    os.makedirs(path('set', 'a'), exist_ok=True)
    Image.fromarray(noise(1, 40, 40)).save(path('set', 'a', 'x.png'))
    Image.fromarray(noise(2, 40, 40)).save(path('set', 'y.jpg'))
    with open(path('set', 'broken.jpg'), 'wb') as file:
        file.write(open(path('set', 'y.jpg'), 'rb').read()[:400])
    done = camlens('embed', '-m', 'small', path('set'), '-o', path('e.npy'),
                   '--names', path('names.txt'))
    rows = open(path('names.txt')).read().split()
    tap.check(done.returncode == 3 and np.load(path('e.npy')).shape[0] == 2
              and [os.path.basename(r) for r in rows] == ['x.png', 'y.jpg']
              and 'broken.jpg' in done.stderr,
              'a broken picture is named and left out', done.stderr)
    refused('embed: nothing named', ['at least one'], 'embed', status=2)
    refused('embed: no output', ['-o'], 'embed', names[0], status=2)
    refused('embed: no such picture', ['nowhere.png'], 'embed', '-m', 'small',
            path('nowhere.png'), '-o', path('e.npy'))


def reference_map(x, seed_of, k):
    a, e = small.run(x)
    seed_of(e).backward()
    alpha = a.grad[0].mean((1, 2))
    top = torch.argsort(alpha, descending=True)[:k or K]
    m = torch.relu((alpha[top, None, None] * a[0][top]).sum(0))
    return alpha.detach().numpy(), m.detach().numpy()


def test_own_gradient():
    names = [path(f'p{i}.png') for i in range(3)]
    x, _ = fed(*names)
    p, n = (small.unit(small.run(v)[1].detach()) for v in x[1:])
    cases = [('a triplet', ['--negative', names[2]],
              lambda e: small.unit(e) @ p - small.unit(e) @ n),
             ('a pair', [], lambda e: small.unit(e) @ p)]
    for name, more, score in cases:
        for k in (0, 5):
            done = camlens('explain', '-m', 'small', '--positive', names[1],
                           *more, names[0], '--heatmap', path('m.npy'),
                           '--top-k', k, '--json', check=0)
            said = json.loads(done.stdout)
            alpha, wanted = reference_map(x[0], score, k)
            got = {c['channel']: c['weight'] for c in said['channels']}
            order = np.argsort(-alpha, kind='stable')[:k or K]
            tap.check(list(got) == order.tolist()
                      and np.allclose(list(got.values()), alpha[order],
                                      rtol=1e-4, atol=1e-7),
                      f'weights of {name} equal PyTorch\'s, top {k}')
            tap.check(np.allclose(np.load(path('m.npy')), wanted, rtol=1e-4,
                                  atol=1e-6),
                      f'the map of {name} equals PyTorch\'s, top {k}')


def make_database(name='small', metric='cosine', seed=3, labels=True):
    rng = np.random.default_rng(seed)
    os.makedirs(path('arrays'), exist_ok=True)
    centroids = rng.normal(0, 1, (4, small.DIM)).astype(np.float32)
    w = rng.normal(0, 1, (4, K)).astype(np.float32)
    np.save(path('arrays', 'centroids.npy'), centroids)
    np.save(path('arrays', 'weights.npy'), w)
    with open(path('arrays', 'labels.json'), 'w') as file:
        json.dump([{'cat': 3, 'dog': 1}, {'dog': 2}, {'bird': 5}, {'fish': 1}],
                  file)
    out = path('models', 'small', f'{name}.camdb')
    if os.path.exists(out):
        os.remove(out)
    camlens('db', 'import', '--npy', path('arrays'), '-m', 'small', '--layer',
            'features', '--metric', metric, '-o', out, check=0)
    return centroids, w, out


KEYS = {'picture', 'model', 'layer', 'database', 'transfer', 'cluster',
        'similarity', 'far', 'labels', 'exemplars', 'top_k', 'channels',
        'empty', 'maximum', 'box', 'seconds', 'files'}


def test_database():
    x, e = fed(*(path(f'p{i}.png') for i in range(6)))
    for metric in ('cosine', 'euclidean'):
        centroids, w, _ = make_database(metric=metric)
        good, keys = True, True
        for i in range(6):
            done = camlens('explain', '-m', 'small', path(f'p{i}.png'),
                           '--heatmap', path('m.npy'), '--top-k', 7, '--json',
                           check=0)
            said = json.loads(done.stdout)
            if metric == 'cosine':
                sims = (centroids / np.linalg.norm(centroids, axis=1)[:, None]
                        @ (e[i] / np.linalg.norm(e[i])))
            else:
                sims = 1 / (1 + np.linalg.norm(centroids - e[i], axis=1))
            c = int(sims.argmax())
            a = small.run(x[i])[0][0].detach().numpy()
            order = np.argsort(-w[c], kind='stable')[:7]
            m = np.maximum(np.einsum('k,khw->hw', w[c][order], a[order]), 0)
            good &= said['cluster'] == c
            good &= abs(said['similarity'] - sims[c]) < 1e-4
            good &= np.allclose(np.load(path('m.npy')), m, rtol=1e-4,
                                atol=1e-5)
            good &= abs(said['maximum'] - m.max()) < 1e-4 * max(m.max(), 1)
            keys &= KEYS <= set(said) and len(said['channels']) == 7
            keys &= set(said['seconds']) == {'decode', 'forward', 'map',
                                             'write'}
        tap.check(good, f'cluster, similarity and map by NumPy, {metric}')
        tap.check(keys, f'the keys of --json, {metric}',
                  sorted(KEYS - set(said)))
    tap.check(said['labels'][0]['label'] in ('cat', 'dog', 'bird', 'fish'),
              'labels of the cluster', said['labels'])


def test_outputs():
    make_database()
    picture = path('p0.png')
    base = np.asarray(Image.open(picture)).astype(float)
    camlens('explain', '-m', 'small', picture, '-o', path('c.png'),
            '--overlay', path('o.png'), '--heatmap', path('m.npy'),
            '--opacity', 0.7, '--colormap', 'viridis', check=0)
    overlay = np.asarray(Image.open(path('o.png')))
    composite = np.asarray(Image.open(path('c.png')).convert('RGB'))
    a = overlay[..., 3:] / 255 * 0.7
    wanted = overlay[..., :3] * a + base * (1 - a)
    tap.check(overlay.shape == (60, 80, 4)
              and np.abs(composite - wanted).max() <= 0.51,
              'the composite is the overlay over the picture')
    camlens('explain', '-m', 'small', picture, '--heatmap', path('m.tif'),
            '--composite', path('c.jpg'), check=0)
    tiff = np.asarray(Image.open(path('m.tif')))
    tap.check(tiff.dtype == np.float32
              and np.array_equal(tiff, np.load(path('m.npy'))),
              'the map as TIFF holds the same numbers')
    tap.check(Image.open(path('c.jpg')).size == (80, 60), 'a JPEG composite')
    camlens('explain', '-m', 'small', picture, '-o', path('l.png'), '--legend',
            check=0)
    tap.check(Image.open(path('l.png')).size[1] > 60, 'a legend below')
    camlens('explain', '-m', 'small', picture, path('p1.png'),
            path('set', 'y.jpg'), '-o', path('many'), '--overlay', 'over.png',
            '--heatmap', 'map.npy', check=0)
    names = sorted(os.listdir(path('many')))
    tap.check(names == sorted(
        f'{s}{t}' for s in ('p0', 'p1', 'y')
        for t in ('.png', '-over.png', '-map.npy')),
        'several pictures go to a folder', names)
    tap.check(not [n for n in os.listdir(folder.name) if n.endswith('.part')],
              'nothing temporary is left')
    done = camlens('explain', '-m', 'small', picture, path('set', 'broken.jpg'),
                   '-o', path('many'), '--json')
    said = json.loads(done.stdout)
    tap.check(done.returncode == 3 and 'error' in said[1]
              and 'channels' in said[0],
              'one broken picture does not stop the others')
    camlens('explain', '-m', 'small', picture, '--threads', 1, '--heatmap',
            path('t1.npy'), check=0)
    camlens('explain', '-m', 'small', picture, '--threads', 2, '--heatmap',
            path('t2.npy'), check=0)
    tap.check(open(path('t1.npy'), 'rb').read()
              == open(path('t2.npy'), 'rb').read(),
              'the same bytes with one thread and two')


def explained_as(how, pictures):
    """What --json says of each picture, but for its name and the times."""
    done = camlens('explain', '-m', 'small', '--json', '--threads', 4, *how,
                   *pictures, check=0)
    said = json.loads(done.stdout)
    said = said if isinstance(said, list) else [said]
    return [{key: value for key, value in one.items()
             if key not in ('picture', 'seconds')} for one in said]


def test_together():
    """Pictures that go side by side are what they are alone."""
    copies = []
    for i in range(30):
        copies.append(path('labelled', 'ab'[i % 2], f'{i}.png'))
        os.makedirs(os.path.dirname(copies[i]), exist_ok=True)
        shutil.copy(path(f'p{i % 6}.png'), copies[i])
    camlens('build', '-q', '-m', 'small', '-o', path('near.camdb'), '--layer',
            'features', '--clusters', 3, path('labelled'), check=0)
    near = ['-d', path('near.camdb')]
    for name, how in (('cluster', near),
                      ('neighbour', [*near, '--transfer', 'neighbour']),
                      ('example', ['--positive', path('p1.png'), '--negative',
                                   path('p2.png')])):
        alone = sum((explained_as(how, [copies[i]]) for i in range(6)), [])
        tap.check(explained_as(how, copies) == alone * 5,
                  f'30 pictures together as each alone, {name}')


# orientation -> what turns the upright picture into the one that is stored
STORED = {1: None, 2: 'FLIP_LEFT_RIGHT', 3: 'ROTATE_180', 4: 'FLIP_TOP_BOTTOM',
          5: 'TRANSPOSE', 6: 'ROTATE_90', 7: 'TRANSVERSE', 8: 'ROTATE_270'}


def explained(picture):
    camlens('explain', '-m', 'small', path(picture), '-o', path('t.png'),
            '--overlay', path('o.png'), '--heatmap', path('m.npy'), '--top-k',
            8, '--threshold', 0.5, check=0)
    return (np.asarray(Image.open(path('t.png')).convert('RGB')).astype(int),
            np.asarray(Image.open(path('o.png'))).astype(int),
            np.load(path('m.npy')))


def test_orientation():
    """a picture that is stored turned, with EXIF to say so, beside the same
    stored upright; what is stored has no loss that the turn could change"""
    make_database()
    upright = Image.fromarray(noise(9, 96, 160))
    upright.save(path('upright.jpg'), quality=100, subsampling=0)
    base, overlay, heat = explained('upright.jpg')
    shown = np.asarray(Image.open(path('upright.jpg'))).astype(int)
    off = np.abs(base - shown).sum(2)[overlay[..., 3] == 0]
    marked = overlay[..., 3] > 0
    tap.check(base.shape == (96, 160, 3) and overlay.shape == (96, 160, 4)
              and off.size > 1000 and off.max() == 0 and marked.sum() > 1000
              and all((marked != turned).mean() > 0.1 for turned in (
                  marked[::-1], marked[:, ::-1], marked[::-1, ::-1])),
              'upright: the overlay covers a part that no turn leaves there',
              off.size, marked.sum())
    for orientation, turn in STORED.items():
        stored = upright
        if turn is not None:
            stored = upright.transpose(getattr(Image.Transpose, turn))
        exif = stored.getexif()
        exif[0x0112] = orientation
        stored.save(path('stored.jpg'), quality=100, subsampling=0, exif=exif)
        now = explained('stored.jpg')
        same = [a.shape == b.shape for a, b in zip(now, (base, overlay, heat))]
        worst = [np.abs(a - b).max() for a, b in zip(now, (base, overlay, heat))
                 ] if all(same) else same
        tap.check(all(same) and worst[0] <= 24 and worst[1] <= 24
                  and worst[2] < 0.02 * heat.max(),
                  f'EXIF orientation {orientation}: composite and overlay are '
                  f'those of the upright picture', *worst)


def test_empty():
    rng = np.random.default_rng(1)
    np.save(path('arrays', 'centroids.npy'),
            rng.normal(0, 1, (1, small.DIM)).astype(np.float32))
    np.save(path('arrays', 'weights.npy'), -np.ones((1, K), np.float32))
    os.remove(path('arrays', 'labels.json'))
    camlens('db', 'import', '--npy', path('arrays'), '-m', 'small', '--layer',
            'features', '-o', path('empty.camdb'), check=0)
    done = camlens('explain', '-m', 'small', '-d', path('empty.camdb'),
                   path('p0.png'), '--overlay', path('o.png'), '--json',
                   check=0)
    said = json.loads(done.stdout)
    overlay = np.asarray(Image.open(path('o.png')))
    tap.check(said['empty'] and said['maximum'] == 0 and said['box'] is None
              and (overlay[..., 3] == 0).all(), 'an empty map is empty')
    tap.check('empty' in done.stderr and '--top-k' not in done.stderr,
              'an empty map is said in words', done.stderr)
    np.save(path('arrays', 'weights.npy'), np.zeros((1, K), np.float32))
    camlens('db', 'import', '--npy', path('arrays'), '-m', 'small', '--layer',
            'features', '-o', path('zeros.camdb'), check=0)
    done = camlens('explain', '-m', 'small', '-d', path('zeros.camdb'),
                   path('p0.png'), '--json', check=0)
    tap.check(json.loads(done.stdout)['empty']
              and 'weights are zero' in done.stderr
              and '--top-k' not in done.stderr,
              'weights that are all zero are said so', done.stderr)
    with sqlite3.connect(path('zeros.camdb')) as opened:
        page = opened.execute("SELECT rootpage FROM sqlite_schema WHERE name ="
                              " 'exemplar_cluster'").fetchone()[0]
        size = opened.execute('PRAGMA page_size').fetchone()[0]
    opened.close()
    with open(path('zeros.camdb'), 'r+b') as file:
        file.seek((page - 1) * size)
        file.write(b'\xff' * size)
    done = camlens('explain', '-m', 'small', '-d', path('zeros.camdb'),
                   path('p0.png'), '--json', check=0)
    tap.check('cluster 0 cannot be read' in done.stderr
              and 'zeros.camdb' in done.stderr,
              'so is a cluster whose pages are damaged', done.stderr)
    refused('neighbour transfer needs pictures', ['compact'], 'explain',
            '-m', 'small', '-d', path('empty.camdb'), path('p0.png'), '-o',
            path('x.png'), '--transfer', 'neighbour')


def test_clamped():
    """more channels than there are: all, with a word"""
    make_database()
    notes = {k: camlens('explain', '-m', 'small', path('p0.png'), '--top-k', k,
                        '-o', path('k.png'), check=0).stderr
             for k in (0, K, K + 1)}
    tap.check([f'{K} channels' in note for note in notes.values()]
              == [False, False, True], 'too many channels are noted',
              str(notes))


def test_refusals():
    p = path('p0.png')
    out = ['-o', path('never.png')]
    small_model = ['explain', '-m', 'small']
    refused('no picture', ['at least one'], *small_model, *out, status=2)
    refused('no output', ['-o'], *small_model, p, status=2)
    refused('an unknown option', ['--frob'], *small_model, p, *out, '--frob',
            status=2)
    refused('an unknown colour map', ['rainbow', 'viridis'], *small_model, p,
            *out, '--colormap', 'rainbow', status=2)
    refused('an opacity of 3', ['opacity'], *small_model, p, *out,
            '--opacity', 3, status=2)
    refused('-3 threads', ['threads'], *small_model, p, *out, '--threads', -3,
            status=2)
    refused('a threshold of 1', ['threshold'], *small_model, p, *out,
            '--threshold', 1, status=2)
    refused('a transfer of nonsense', ['cluster or neighbour'], *small_model,
            p, *out, '--transfer', 'magic', status=2)
    refused('top -1', ['top-k'], *small_model, p, *out, '--top-k', -1,
            status=2)
    refused('negative alone', ['--positive'], *small_model, p, *out,
            '--negative', p, status=2)
    refused('database and example', ['choose'], *small_model, p, *out, '-d',
            'x', '--positive', p, status=2)
    refused('no such model', ['nosuch', 'small'], 'explain', '-m', 'nosuch', p,
            *out)
    refused('no such picture', ['nowhere.png'], *small_model,
            path('nowhere.png'), *out)
    refused('an ending that is not written', ['.png'], *small_model, p, '-o',
            path('never.xyz'))
    refused('an overlay that cannot be transparent', ['transparency'],
            *small_model, p, '--overlay', path('never.jpg'))
    tap.check(not os.path.exists(path('never.jpg')), 'and is not written')
    refused('a heat map of another kind', ['.npy'], *small_model, p,
            '--heatmap', path('m.csv'))
    refused('the picture itself', ['not written over'], *small_model, p, '-o',
            p)
    refused('several pictures to heat maps alone', ['folder'], *small_model, p,
            path('p1.png'), '--heatmap', path('m.npy'))
    refused('several pictures to the name of one', ['one.png', 'folder'],
            *small_model, p, path('p1.png'), '-o', path('one.png'))
    tap.check(not os.path.exists(path('one.png')),
              'and no folder of that name is made')
    refused('a folder that is not there', ['never'], *small_model, p, '-o',
            path('nofolder', 'never.png'))
    with open(path('text.jpg'), 'w') as file:
        file.write('no picture at all')
    refused('no picture inside', ['text.jpg', 'known format'], *small_model,
            path('text.jpg'), *out)
    refused('another layer than the database\'s', ['block2', 'features'],
            *small_model, p, *out, '--layer', 'block2')
    refused('a layer that is not there', ['nolayer', 'camlens inspect'],
            *small_model, p, *out, '--positive', p, '--layer', 'nolayer')
    os.makedirs(path('lonely'), exist_ok=True)
    small.write_model(path('lonely'), seed=4)
    refused('no database beside the model', ['-d', 'camlens build'], 'explain',
            '-m', path('lonely', 'model.onnx'), p, *out)
    refused('a database of another model', ['model', 'camlens build'],
            'explain', '-m', path('lonely', 'model.onnx'), '-d',
            path('models', 'small', 'small.camdb'), p, *out)
    make_database(name='second', seed=5)
    refused('several databases fit', ['-d', 'second'], *small_model, p, *out)
    os.remove(path('models', 'small', 'second.camdb'))
    tap.check(not os.path.exists(path('never.png')), 'nothing was written')


def test_settings():
    def opened(ini, **more):
        small.write_model(path('trial'), ini, **more)
        done = camlens('embed', '-m', path('trial', 'model.onnx'),
                       path('p0.png'), '-o', path('e.npy'), '--inputs',
                       path('x.npy'))
        os.path.exists(path('trial', 'model.ini')) and os.remove(
            path('trial', 'model.ini'))
        return done

    good = small.SETTINGS
    cases = [
        ('size', 'input.size=32', 'input.size=48', ['input.size', '32']),
        ('size no number', 'input.size=32', 'input.size=big', ['input.size']),
        ('resize', 'stretch', 'squash', ['input.resize', 'squash', 'crop']),
        ('std 0', 'std=0.25', 'std=0', ['input.std']),
        ('channels', 'layer=features', 'input.channels=gray',
         ['input.channels']),
        ('crop', 'layer=features', 'input.crop=2', ['input.crop']),
        ('layer', 'layer=features', 'layer=gone', ['gone', 'inspect']),
        ('layout', 'layer=features', 'layer.layout=odd', ['layer.layout']),
        ('embedding', 'layer=features', 'embedding=gone', ['gone']),
        ('group', '[camlens]', '[other]', ['camlens']),
        ('background', 'layer=features', 'input.background=#zz',
         ['input.background'])]
    for name, old, new, words in cases:
        done = opened(good.replace(old, new))
        tap.check(done.returncode == 1
                  and all(w in done.stderr for w in words),
                  f'a wrong setting is named: {name}', done.stderr)
    opened(good)
    by_ini = np.load(path('x.npy'))
    props = {'camlens.' + line.split('=')[0]: line.split('=')[1]
             for line in good.splitlines()[1:]}
    done = opened(None, metadata=props)
    tap.check(done.returncode == 0
              and np.array_equal(np.load(path('x.npy')), by_ini),
              'the same settings from metadata_props', done.stderr)
    done = opened('[camlens]\n')
    x = np.load(path('x.npy'))
    pixels = np.asarray(Image.open(path('p0.png')).resize(
        (32, 32), Image.Resampling.BILINEAR)) / 255
    wanted = ((pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])
    tap.check(np.allclose(x[0].transpose(1, 2, 0), wanted, atol=1e-5),
              'without settings: ImageNet\'s normalisation')


def test_db_help():
    for name in 'info', 'verify', 'export', 'recluster', 'import':
        wrong = camlens('db', name, '--frob')
        none = camlens('db', name)
        usage = camlens('db', name, '--help')
        tap.check(wrong.returncode == 2 and none.returncode == 2
                  and all(f'camlens db {name} --help' in d.stderr
                          for d in (wrong, none))
                  and f'camlens db {name} ' in usage.stdout
                  and f'{name} {name}' not in usage.stdout,
                  f'db {name} names itself in full', wrong.stderr, none.stderr,
                  usage.stdout[:100])


def test_models():
    done = camlens('models', 'list', check=0)
    tap.check('small\tA small network' in done.stdout, 'models list',
              done.stdout)
    small.write_model(path('mine'), seed=4)
    done = camlens('models', 'add', path('mine', 'model.onnx'), '--name',
                   'own', check=0)
    listed = camlens('models', 'list').stdout
    tap.check('own\t' in listed, 'models add', listed)
    refused('a name that is taken', ['own', '--name'], 'models', 'add',
            path('mine', 'model.onnx'), '--name', 'own')
    done = camlens('embed', '-m', 'own', path('p0.png'), '-o', path('e.npy'))
    tap.check(done.returncode == 0, 'an added model is found by name')
    camlens('models', 'remove', 'own', check=0)
    tap.check('own' not in camlens('models', 'list').stdout, 'models remove')
    refused('a model that is not there', ['own'], 'models', 'remove', 'own')
    refused('not outside of the own models', ['small'], 'models', 'remove',
            'small')
    with open(path('bad.onnx'), 'w') as file:
        file.write('nonsense')
    refused('a broken model is not added', ['bad.onnx'], 'models', 'add',
            path('bad.onnx'))
    refused('models: an unknown word', ['list'], 'models', 'sing', status=2)


small.write_model(path('models', 'small'))
make_pictures()
test_embed()
test_own_gradient()
test_database()
test_outputs()
test_together()
test_orientation()
test_empty()
test_clamped()
test_refusals()
test_settings()
test_db_help()
test_models()
sys.exit(tap.done())
