"""method-numbers.py -- a database's numbers against PyTorch's and NumPy's

Every build is of the same pictures; every expected number comes from oracle.py:
seeds by autograd of the score's definition, channel weights by one backward
pass for each triplet.  So Grad-CAM's single pass of the mean seed is held
against 50 passes here.
"""
import json
import subprocess
import sys

import numpy as np

from building import at, build, camlens, explain, folder, run, tap
import oracle
import toy

probe = sys.argv[2]
names = toy.make_pictures(at('pictures'), 4, 11)
network = oracle.Network(toy.make_weights())
labels = [name.split('/')[0] for name in names]
inputs = [oracle.torch.tensor(toy.load_input(at('pictures', name)))
          for name in names]
embeddings = np.array([network.embed(x) for x in inputs])
unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def is_built(name, layer, *options):
    done = build(name, 'pictures', *options, layer=layer, clusters=5)
    export = run(camlens, 'db', 'export', at(name), '--npy',
                 at(name + '.arrays'))
    good = done.returncode == export.returncode == 0
    if not good:
        tap.check(False, f'{name}: built', done.stderr, export.stderr)
    return good


def arrays(name, what):
    return np.load(at(name + '.arrays', what + '.npy'))


def relative(got, expected):
    """largest error of a row, over the row's largest entry"""
    scale = np.abs(expected).max(1) + 1e-30
    return (np.abs(got - expected).max(1) / scale).max()


def expected_weights(layer, method, score, mining, n, margin=0.2, eps=1e-6,
                     pools=None):
    rows = []
    for i in range(len(names)):
        positives, negatives = (pools or oracle.pools)(labels, i)
        triplets = oracle.draw(
            positives, negatives, n, 1, i, score != 'dot',
            (unit.astype('f4') @ unit[i].astype('f4'))
            if mining == 'semi-hard' else None, margin)
        seeds = oracle.seeds(score, embeddings, i, triplets, margin)
        g, a = network.gradients(layer, inputs[i], seeds)
        rows.append(np.mean([oracle.gradcam(x) if method == 'gradcam'
                             else oracle.gradcampp(x, a, eps) for x in g], 0))
    return np.array(rows)


def check_build(layer, method, score, mining, n=50, options=(), pools=None,
                **settings):
    extra = [option for option in options if not option.startswith('/')]
    name = f'{layer}-{method}-{score}-{mining}-{n}{"".join(extra)}'
    if not is_built(name, layer, '--method', method, '--score', score,
                    '--triplets', str(n), *options,
                    *(['--mining', mining] if mining else [])):
        return
    got = arrays(name, 'picture_weights')
    expected = expected_weights(layer, method, score, mining, n, pools=pools,
                                **settings)
    error = relative(got, expected)
    tap.check(error < 1e-4, f'{name}: weights of PyTorch, {error:.1e}',
              f'error {error}')


def check_embeddings():
    is_built('first.camdb', 'relu4')
    error = relative(arrays('first.camdb', 'embeddings'), embeddings)
    tap.check(error < 1e-5, f'embeddings of PyTorch, {error:.1e}')


def check_clusters():
    name = 'first.camdb'
    clusters = arrays(name, 'clusters')
    w = arrays(name, 'picture_weights')
    centroids = arrays(name, 'centroids')
    nearest = (unit @ centroids.T).argmax(1)
    tap.check(np.array_equal(nearest, clusters),
              'every picture is in its nearest cluster')
    means = np.array([w[clusters == c].mean(0) for c in range(5)])
    tap.check(relative(arrays(name, 'weights'), means) < 1e-5,
              "clusters' weights are their members' mean")
    sums = np.array([unit[clusters == c].sum(0) for c in range(5)])
    sums /= np.linalg.norm(sums, axis=1, keepdims=True)
    tap.check(np.abs(sums - centroids).max() < 1e-5,
              "centroids are the unit vectors of their members' sums")
    with open(at(name + '.arrays', 'labels.json'), encoding='utf-8') as text:
        told = json.load(text)
    counted = [{label: sum(1 for i in range(len(names)) if labels[i] == label
                           and clusters[i] == c)
                for label in {labels[i] for i in range(len(names))
                              if clusters[i] == c}} for c in range(5)]
    tap.check(told == counted, "clusters' labels are counted")


def check_kmeans():
    rng = np.random.default_rng(4)
    points = rng.standard_normal((700, 24)) + 2 * np.eye(24)[
        rng.integers(0, 6, 700)]
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points = points.astype('f4')
    initial = points[:9]
    np.save(at('points.npy'), points)
    np.save(at('initial.npy'), initial)
    subprocess.run([probe, at('points.npy'), at('initial.npy'),
                    at('centroids.npy'), at('assignment.npy')], check=True)
    centroids, assignment = oracle.kmeans(points.astype('f8'),
                                          initial.astype('f8'), 100)
    tap.check(np.array_equal(np.load(at('assignment.npy')), assignment),
              'k-means from given centroids: the assignment of NumPy')
    error = np.abs(np.load(at('centroids.npy')) - centroids).max()
    tap.check(error < 1e-5, f'k-means: the centroids of NumPy, {error:.1e}')


def check_transfer():
    """a picture that the database has not seen"""
    path = at('new.png')
    toy.Image.fromarray(toy.make_picture(2, 77)).save(path)
    e = network.embed(oracle.torch.tensor(toy.load_input(path)))
    e /= np.linalg.norm(e)
    for transfer, rows, weights_of in (
            ('cluster', arrays('first.camdb', 'centroids'), 'weights'),
            ('neighbour', unit, 'picture_weights')):
        told, _ = explain('first.camdb', 'new.png', '--transfer', transfer,
                          '--top-k', '4')
        cosines = rows @ e
        alpha = arrays('first.camdb', weights_of)[cosines.argmax()]
        channels = np.argsort(-alpha, kind='stable')[:4]
        tap.check(abs(told['similarity'] - cosines.max()) < 1e-5,
                  f'{transfer} transfer: similarity of NumPy')
        tap.check([c['channel'] for c in told['channels']]
                  == channels.tolist(), f'{transfer} transfer: top channels',
                  told['channels'], channels)
        got = [c['weight'] for c in told['channels']]
        tap.check(np.allclose(got, alpha[channels], rtol=1e-5),
                  f'{transfer} transfer: their weights')


def check_continuous():
    values = {name: round(float(embeddings[i, 0]) * 8) / 8
              for i, name in enumerate(names)}
    with open(at('values.csv'), 'w', encoding='utf-8') as csv:
        csv.write('path,value\n')
        for name, value in values.items():
            csv.write(f'{name},{value}\n')
    numbers = [values[name] for name in names]
    check_build('relu4', 'gradcam', 'cosine', 'random',
                options=('--continuous', '--labels', at('values.csv')),
                pools=lambda _, i: oracle.value_pools(numbers, i))


check_embeddings()
check_clusters()
for layer in 'relu4', 'relu2':
    check_build(layer, 'gradcam', 'cosine', 'random')
    check_build(layer, 'gradcam++', 'cosine', 'random')
check_build('relu4', 'gradcam', 'cosine', 'random', n=1)
check_build('relu4', 'gradcam', 'triplet', 'semi-hard')
check_build('relu2', 'gradcam++', 'triplet', 'semi-hard', n=20)
check_build('relu4', 'gradcam', 'cosine', 'semi-hard', n=300)
check_build('relu4', 'gradcam', 'dot', None)
check_build('relu4', 'gradcam', 'dot-difference', 'random')
check_build('relu4', 'gradcam++', 'cosine', 'random', n=10,
            options=('--eps', '1e-9'), eps=1e-9)
check_continuous()
check_kmeans()
check_transfer()
folder.cleanup()
sys.exit(tap.done())
