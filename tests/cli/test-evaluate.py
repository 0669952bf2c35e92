#!/usr/bin/python3
"""test-evaluate.py CAMLENS: the measures, rows and controls of evaluate

What it says of a small set of pictures is computed again from the raw maps,
the masks and PyTorch's embeddings.
"""
import json
import os
import re
import shutil
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
    tap.skip('evaluate', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
LABELS = ('cat', 'dog', 'owl')
K = 24


def path(*names):
    return os.path.join(folder.name, *names)


def camlens(*arguments):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=100,
                          env=dict(os.environ, LC_ALL='C.UTF-8'))


def make_pictures():
    """coloured blobs on noise, with their masks; wider than high"""
    rng = np.random.default_rng(8)
    for part, n in (('images', 3), ('train', 4)):
        for number, label in enumerate(LABELS):
            os.makedirs(path(part, label), exist_ok=True)
            os.makedirs(path('masks', label), exist_ok=True)
            for i in range(n):
                h, w = rng.integers(40, 70, 2)
                y, x = np.mgrid[:h, :w]
                cy, cx = rng.uniform(0.3, 0.7, 2) * (h, w)
                mask = np.hypot(y - cy, x - cx) < rng.uniform(8, 14)
                image = rng.integers(60, 120, (h, w, 3))
                image[mask, number] = 230
                name = f'{i}.png'
                Image.fromarray(image.astype(np.uint8)).save(
                    path(part, label, name))
                if part == 'images':
                    Image.fromarray((mask * 255).astype(np.uint8)).save(
                        path('masks', label, name))


def pictures(part='images'):
    return [f'{label}/{i}.png' for label in LABELS
            for i in range(3 if part == 'images' else 4)]


def fed(part):
    camlens('embed', '-m', path('model.onnx'), path(part), '-o',
            path('e.npy'), '--inputs', path('x.npy'))
    return np.load(path('x.npy')), np.load(path('e.npy'))


def make_database():
    rng = np.random.default_rng(2)
    _, e = fed('train')
    centroids = e.reshape(3, 4, -1).mean(1)
    weights = rng.normal(0, 1, (3, K))
    np.save(path('centroids.npy'), centroids.astype(np.float32))
    np.save(path('weights.npy'), weights.astype(np.float32))
    np.save(path('sizes.npy'), np.array([4, 4, 4], np.int64))
    with open(path('labels.json'), 'w') as file:
        json.dump([{label: 4} for label in LABELS], file)
    done = camlens('db', 'import', '--npy', folder.name, '-m',
                   path('model.onnx'), '--layer', 'features', '-o',
                   path('db.camdb'))
    assert done.returncode == 0, done.stderr
    return centroids, weights


def evaluate(*more):
    return camlens('evaluate', '-m', path('model.onnx'), '--images',
                   path('images'), *more)


def enlarge(values, height, width):
    return torch.nn.functional.interpolate(
        torch.from_numpy(values.astype(np.float32))[None, None],
        (height, width), mode='bilinear', align_corners=False)[0, 0].numpy()


def weighted(a, alpha, k):
    order = np.argsort(-alpha, kind='stable')[:k or K]
    return np.maximum(np.einsum('k,khw->hw', alpha[order], a[order]), 0)


def areas(x, m, steps=10):
    """insertion and deletion of one picture, by PyTorch"""
    def embed(v):
        return small.unit(small.run(v.astype(np.float32))[1].detach())
    order = np.argsort(-enlarge(m, 32, 32).ravel(), kind='stable')
    mean = np.broadcast_to(x.mean((1, 2), keepdims=True, dtype=np.float64),
                           x.shape)
    own, curves = embed(x), []
    for bottom, top in ((mean, x), (x, mean)):
        curve = []
        for i in range(steps + 1):
            chosen = np.zeros(1024, bool)
            chosen[order[:1024 * i // steps]] = True
            curve.append(float(embed(np.where(chosen.reshape(32, 32), top,
                                              bottom)) @ own))
        curves.append(np.trapz(curve, dx=1 / steps))
    return curves[0] - curves[1]


def test_rows(centroids, weights):
    done = evaluate('--masks', path('masks'), '--train', path('train'), '-d',
                    path('db.camdb'), '--top-k', 6, '--triplets', 4, '--json',
                    '--faithfulness', 9)
    tap.check(done.returncode == 0, 'evaluate', done.stderr)
    said = json.loads(done.stdout)
    rows = {(r['row'], r['method'], r['top_k']): r for r in said['rows']}
    x, e = fed('images')
    unit = e / np.linalg.norm(e, axis=1)[:, None]
    sims = unit @ unit.T - 2 * np.eye(9)
    label = np.arange(9) // 3
    tap.check(np.isclose(said['recall_at_1'],
                         (label[sims.argmax(1)] == label).mean()),
              'Recall@1 by NumPy')
    nearest = (unit @ (centroids / np.linalg.norm(
        centroids, axis=1)[:, None]).T).argmax(1)
    cases = {('cluster transfer', 'k'): lambda i: weights[nearest[i]],
             ('control: one global mean', 'k'): lambda i: weights.mean(0),
             ('control: mean activation', ''): lambda i: np.ones(K) / K}
    for (name, kind), alpha in cases.items():
        for k in (0, 6) if kind else (0,):
            energy, iou, faith = [], [], []
            for i, picture in enumerate(pictures()):
                mask = np.asarray(Image.open(path('masks', picture))) > 127
                a = small.run(x[i])[0][0].detach().numpy()
                m = weighted(a, alpha(i).astype(np.float32), k)
                big = enlarge(m, *mask.shape)
                energy.append(big[mask].sum() / big.sum() if m.any() else 0)
                hot = big >= 0.4 * big.max()
                iou.append((hot & mask).sum() / (hot | mask).sum()
                           if m.any() else 0)
                faith.append(areas(x[i], m) if m.any() else 0)
            row = rows[name, 'imported' if kind else '', k]
            tap.check(np.isclose(row['energy']['mean'], np.mean(energy),
                                 atol=2e-4), f'energy of {name}, top {k}',
                      row['energy'], np.mean(energy))
            tap.check(np.isclose(row['iou_40']['mean'], np.mean(iou),
                                 atol=5e-3), f'IoU of {name}, top {k}',
                      row['iou_40'], np.mean(iou))
            tap.check(np.isclose(row['faithfulness']['mean'], np.mean(faith),
                                 atol=5e-3), f'faithfulness of {name}, top {k}',
                      row['faithfulness'], np.mean(faith))
    share = np.mean([(np.asarray(Image.open(path('masks', p))) > 127).mean()
                     for p in pictures()])
    row = rows['control: uniform', '', 0]
    tap.check(np.isclose(row['energy']['mean'], share, atol=1e-6)
              and np.isclose(said['mask_area'], share, atol=1e-6),
              'a uniform map has the mask\'s share of the energy')
    tap.check(all(r[m]['low'] <= r[m]['mean'] + 1e-9
                  and r[m]['mean'] <= r[m]['high'] + 1e-9
                  for r in said['rows'] for m in ('energy', 'box') if m in r),
              'means lie within their intervals')
    for name in ('one triplet', '4 triplets'):
        for method in ('gradcam', 'gradcam++'):
            tap.check('energy' in rows[name, method, 6],
                      f'{name}, {method} from --train')
    tap.check('energy' in rows['control: cluster of another label', 'imported',
                               0], 'a cluster of another label')
    tap.check('compact' in rows['nearest neighbour transfer', 'imported', 6]
              ['not_computed'], 'a row that cannot be says why')
    tap.check('gradcam++' in rows['cluster transfer', 'gradcam++', 6]
              ['not_computed'], 'Grad-CAM++ transfer needs its database')
    return said


def test_other_labels():
    """pictures whose labels were not trained on have no triplets"""
    os.rename(path('train'), path('other'))
    for label in LABELS:
        shutil.copytree(path('other', label), path('train', f'young {label}'))
    done = evaluate('--masks', path('masks'), '--train', path('train'),
                    '--faithfulness', 0, '--json')
    rows = json.loads(done.stdout)['rows']
    tap.check(all('label' in r['not_computed'] for r in rows
                  if 'triplet' in r['row'])
              and any('triplet' in r['row'] for r in rows),
              'rows without any triplet say why', rows[0], done.stderr)
    tap.check(json.loads(done.stdout)['recall_at_1_train'] is None,
              'and there is no Recall@1 among labels that do not occur')
    shutil.rmtree(path('train'))
    os.rename(path('other'), path('train'))


def test_again(said):
    again = json.loads(evaluate(
        '--masks', path('masks'), '--train', path('train'), '-d',
        path('db.camdb'), '--top-k', 6, '--triplets', 4, '--json',
        '--faithfulness', 9, '--threads', 1).stdout)
    tap.check(again == said, 'the same numbers with one thread')


def test_without_masks():
    done = evaluate('--faithfulness', 4)
    tap.check(done.returncode == 0 and 'needs the training pictures'
              in done.stdout and 'camlens build' not in done.stdout,
              'without masks and databases: faithfulness of the controls',
              done.stderr)
    with open(path('boxes.csv'), 'w') as file:
        file.write('path,x,y,width,height\n')
        for picture in pictures():
            mask = np.asarray(Image.open(path('masks', picture))) > 127
            ys, xs = np.where(mask)
            file.write(f'"{picture}",{xs.min()},{ys.min()},'
                       f'{xs.max() + 1 - xs.min()},{ys.max() + 1 - ys.min()}\n')
    ours = json.loads(evaluate('--boxes', path('boxes.csv'), '--faithfulness',
                               0, '--json').stdout)
    masks = json.loads(evaluate('--masks', path('masks'), '--faithfulness', 0,
                                '--json').stdout)
    a, b = (next(r['box'] for r in s['rows']
                 if r['row'] == 'control: mean activation')
            for s in (ours, masks))
    tap.check(a == b, 'boxes of a file are as good as those of masks', a, b)


def test_views():
    """what a crop leaves out counts neither for the map nor for the mask"""
    for resize in 'crop', 'pad':
        os.makedirs(path(resize), exist_ok=True)
        small.write_model(path(resize), small.SETTINGS.replace(
            'input.resize=stretch', f'input.resize={resize}'))
        done = camlens('evaluate', '-m', path(resize, 'model.onnx'),
                       '--images', path('images'), '--masks', path('masks'),
                       '--faithfulness', 0, '--json')
        said = json.loads(done.stdout)
        shares = []
        for picture in pictures():
            mask = np.asarray(Image.open(path('masks', picture))) > 127
            side = min(mask.shape) if resize == 'crop' else max(mask.shape)
            y, x = ((n - side) / 2 for n in mask.shape)
            ys, xs = (np.arange(n) + 0.5 for n in mask.shape)
            mask = mask[(ys >= y) & (ys < y + side)][
                :, (xs >= x) & (xs < x + side)]
            shares.append(mask.mean())
        tap.check(np.isclose(said['mask_area'], np.mean(shares), atol=0.01),
                  f'{resize}: the mask\'s share is of what is seen',
                  said['mask_area'], np.mean(shares))


def test_report():
    done = evaluate('--masks', path('masks'), '-d', path('db.camdb'),
                    '--faithfulness', 2, '--report', path('report'))
    page = open(path('report', 'index.html'), encoding='utf-8').read()
    tap.check(done.returncode == 0 and page.count('data:image/jpeg') > 30
              and page.count('<svg') >= 4
              and 'stroke-dasharray' in page and '</html>' in page
              and '@media print' in page and '<thead>' in page,
              'a page with plots and pictures', done.stderr)
    tap.check(not re.search(r'(src|href)=.(http|/|file)', page),
              'which is all in one file')
    tap.check(not re.search(r"[>' ,]-?nan[<' ,]", page),
              'and without not-a-number')


def test_sweep():
    with open(path('two.csv'), 'w', encoding='utf-8') as file:
        file.writelines(f'{name},{"ab"[i % 2]}\n'
                        for i, name in enumerate(pictures()))
    done = camlens('evaluate', '-m', path('model.onnx'), '--images',
                   path('train'), '--sweep', '--faithfulness', 6,
                   '--triplets', 3, '--json')
    said = json.loads(done.stdout) if done.returncode == 0 else {}
    tap.check(said.get('layer') in ('block1', 'block2', 'features')
              and said['chosen_on'] and said['reported_on'],
              'a sweep chooses a layer', done.stderr)
    again = camlens('evaluate', '-m', path('model.onnx'), '--images',
                    path('train'), '--sweep', '--faithfulness', 6,
                    '--triplets', 3, '--json', '--report', path('swept'))
    with open(path('swept', 'index.html'), encoding='utf-8') as file:
        page = file.read()
    rows = re.findall(r"<tr( class='best')?><td>(\w+)</td><td>([\w-]+)</td>"
                      r"<td>(\d+)</td><td class='bar'[^>]*>(-?[\d.]+)</td>",
                      page)
    wanted = [(t['layer'], t['score'], str(t['pictures']),
               f'{t["faithfulness"]:.3f}')
              for half in ('reported_on', 'chosen_on')
              for t in said.get(half, [])]
    tap.check(again.stdout == done.stdout and '</html>' in page
              and [row[1:] for row in rows] == wanted
              and [row[1:3] for row in rows if row[0]]
              == 2 * [(said['layer'], said['score'])],
              'its report has the same numbers, the best marked in both halves',
              again.stderr, rows, wanted)
    masked = evaluate('--masks', path('masks'), '--labels', path('two.csv'),
                      '--sweep', '--triplets', 3, '--report', path('swept'))
    with open(path('swept', 'index.html'), encoding='utf-8') as file:
        page = file.read()
    tap.check(masked.returncode == 0 and 'IoU.4' in page
              and not re.search(r"[>' ,]-?nan[<' ,]", page),
              'and the measures of the masks', masked.stderr)
    for option in '-d', '--boxes', '--train':
        refused = evaluate('--sweep', option, path('train'))
        tap.check(refused.returncode == 2 and option in refused.stderr,
                  f'a sweep does not pass over {option}', refused.stderr)
    for label in LABELS + ('hen',):
        os.makedirs(path('pairs', label), exist_ok=True)
        for i in range(2):
            source = label if label in LABELS else 'cat'
            shutil.copy(path('train', source, f'{i + 2 * (label == "hen")}.png'),
                        path('pairs', label, f'{i}.png'))
    done = camlens('evaluate', '-m', path('model.onnx'), '--images',
                   path('pairs'), '--sweep', '--triplets', 3, '--json')
    said = json.loads(done.stdout) if done.returncode == 0 else {}
    tap.check(said and all(t['pictures'] == 4 for half in
                           ('chosen_on', 'reported_on')
                           for t in said[half][:1]),
              'a sweep over labels of two pictures each', done.stderr)
    shutil.rmtree(path('pairs', 'hen'))
    done = camlens('evaluate', '-m', path('model.onnx'), '--images',
                   path('pairs'), '--sweep')
    tap.check(done.returncode == 1 and 'four' in done.stderr,
              'three labels of two are too few for two halves', done.stderr)


def test_lost_labels():
    """names in --labels of no picture are counted, and the first is said"""
    with open(path('lost.csv'), 'w') as file:
        file.write('path,label\n')
        file.writelines(f'{p},{p.split("/")[0]}\n' for p in pictures())
        file.write('images/cat/0.png,cat\nlost/1.png,cat\nlost/0.png,dog\n')
    told = {}
    for keep in (-3, None):
        with open(path('lost.csv')) as file:
            lines = file.readlines()[:keep]
        with open(path('some.csv'), 'w') as file:
            file.writelines(lines)
        done = camlens('evaluate', '-m', path('model.onnx'), '-d',
                       path('db.camdb'), '--images', path('images'),
                       '--labels', path('some.csv'), '--faithfulness', 0,
                       '--json')
        told[keep] = (json.loads(done.stdout)['labels_without_picture'],
                      [line for line in done.stderr.splitlines()
                       if 'of no picture' in line])
    tap.check(told[-3] == (0, []), 'every name has its picture', told[-3])
    tap.check(told[None][0] == 2 and len(told[None][1]) == 1
              and '2 names in' in told[None][1][0]
              and '“lost/1.png”' in told[None][1][0],
              'two names have none, and are counted', told[None])


def test_refusals():
    cases = [('no pictures named', 2, ['--images'], ('evaluate',)),
             ('no such folder', 1, ['nowhere'],
              ('evaluate', '-m', path('model.onnx'), '--images',
               path('nowhere'))),
             ('masks of other pictures', 1, ['MASKS/a/b.png'],
              ('evaluate', '-m', path('model.onnx'), '--images',
               path('images'), '--masks', path('train', 'cat'))),
             ('labels of other pictures', 1, ['wrong.csv'],
              ('evaluate', '-m', path('model.onnx'), '--images',
               path('images'), '--labels', path('wrong.csv'))),
             ('a box that is none', 1, ['cat/0.png'],
              ('evaluate', '-m', path('model.onnx'), '--images',
               path('images'), '--boxes', path('box.csv')))]
    with open(path('wrong.csv'), 'w') as file:
        file.write('a.png,cat\n')
    with open(path('box.csv'), 'w') as file:
        file.write('cat/0.png,1,2,wide,4\n')
    for name, status, words, arguments in cases:
        done = camlens(*arguments)
        tap.check(done.returncode == status
                  and all(w in done.stderr for w in words), name, done.stderr)


small.write_model(folder.name)
make_pictures()
arrays = make_database()
test_again(test_rows(*arrays))
test_other_labels()
test_without_masks()
test_views()
test_report()
test_sweep()
test_lost_labels()
test_refusals()
sys.exit(tap.done())
