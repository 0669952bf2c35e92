"""unusual.py -- camlens build and explain on pictures that are all the same,
far away, or made thumbnails of by many threads
"""
import json
import os
import shutil
import subprocess
import sys

import numpy as np
from PIL import Image

from building import at, build, camlens, explain, folder, run, tap
import toy


def sql(name, query):
    done = subprocess.run(['sqlite3', at(name), query], capture_output=True,
                          text=True, check=True)
    return [row.split('|') for row in done.stdout.splitlines()]


def check_identical():
    """two labels of one picture, many times over"""
    toy.make_pictures(at('one'), 1, 1)
    for label in 'a', 'b':
        os.makedirs(at('same', label))
        for i in range(10):
            shutil.copy(at('one', 'label0', '0000.png'),
                        at('same', label, f'{i}.png'))
    for mining in 'random', 'semi-hard':
        done = build(f'same-{mining}', 'same', '--mining', mining, clusters=5)
        rows = sql(f'same-{mining}',
                   'SELECT size FROM cluster') if not done.returncode else []
        tap.check(rows == [['20']] and '1' in done.stdout + done.stderr,
                  f'identical pictures are one cluster, {mining}', rows,
                  done.stderr)
        drawn = sql(f'same-{mining}',
                    'SELECT DISTINCT triplets, semi_hard, active FROM picture')
        tap.check(drawn == [['50', '0', '50']],
                  'whose triplets are all inside the margin, none semi-hard',
                  drawn)
        said, error = explain(f'same-{mining}', 'same/a/0.png')
        tap.check(said.get('cluster') == 0 and said['similarity'] > 0.999999
                  and not said['far'], 'and which finds itself', said, error)
        weights = np.array([c['weight'] for c in said.get('channels', [])])
        tap.check(len(weights) and np.isfinite(weights).all()
                  and np.abs(weights).max() < 1e-5,
                  'with weights of nothing to tell', weights)
        neighbour, error = explain(f'same-{mining}', 'same/b/3.png',
                                   '--transfer', 'neighbour')
        tap.check(neighbour.get('similarity', 0) > 0.999999,
                  'the nearest of equals is one of them', error)


def check_far():
    """the flag is set beyond the bound that held-out pictures gave"""
    toy.make_pictures(at('near'), 4, 60)
    build('near.camdb', 'near', clusters=4)
    rows = np.array(sql('near.camdb', 'SELECT similarity FROM picture'), float)
    info = json.loads(run(camlens, 'db', 'info', '--json',
                          at('near.camdb')).stdout)
    limit = info['far_distance']
    tap.check(info['far_way'] == 'folds' and limit > 1 - np.median(rows),
              'it is measured by folds', info['far_way'], limit)
    flags = []
    for label in range(4):
        for i in range(0, 60, 4):
            said, _ = explain('near.camdb', f'near/label{label}/{i:04d}.png')
            flags.append((1 - said['similarity'] > limit + 1e-6, said['far'],
                          abs(1 - said['similarity'] - limit) < 1e-6))
    tap.check(all(a == b or edge for a, b, edge in flags)
              and sum(b for _, b, _ in flags) <= 0.05 * len(flags),
              'a database\'s own pictures are not far, but for the farthest')
    odd, told = 0, ''
    for i, pixels in enumerate((
            np.zeros((32, 32, 3)), np.full((32, 32, 3), 255),
            np.indices((32, 32)).sum(0)[..., None].repeat(3, 2) % 2 * 255)):
        Image.fromarray(pixels.astype('u1')).save(at(f'odd{i}.png'))
        said, told = explain('near.camdb', f'odd{i}.png')
        beyond = 1 - said['similarity'] > limit
        tap.check(said['far'] == beyond
                  and ('may not hold' in told) == beyond,
                  f'far is said as measured, picture {i}',
                  said['similarity'], limit, told)
        odd += beyond
    tap.check(odd > 0, 'and one of the odd ones is far')


def check_thumbnails():
    """many thumbnails by many threads, where a build once crashed"""
    rng = np.random.default_rng(5)
    for i in range(240):
        os.makedirs(at('large', f'label{i % 40}'), exist_ok=True)
        coarse = rng.integers(0, 256, (9, 11, 3)).astype('u1')
        alpha = i % 5 == 0
        image = Image.fromarray(coarse).resize((310 + i, 250 + i % 31))
        if alpha:
            image.putalpha(200)
        image.save(at('large', f'label{i % 40}', f'{i}.png' if alpha
                      else f'{i}.jpg'))
    for attempt in range(3):
        done = build('large.camdb', 'large', '--jobs', '8', '--restart',
                     clusters=40)
        rows = sql('large.camdb', 'SELECT count (*), count (thumbnail),'
                   ' sum (hex (substr (thumbnail, 1, 3)) = "FFD8FF")'
                   ' FROM exemplar') if done.returncode == 0 else [[]]
        tap.check(len(set(rows[0])) == 1 and int(rows[0][0]) > 100,
                  f'a thumbnail for each exemplar, time {attempt + 1}',
                  done.returncode, rows, done.stderr)


check_identical()
check_far()
check_thumbnails()
folder.cleanup()
sys.exit(tap.done())
