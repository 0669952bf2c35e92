"""claims.py -- what a database claims, and what is said of it

A number that nobody could have written is named by `camlens db verify`; lent
weights, a bound that is unknown, a metric that was judged are told.
"""
import json
import os
import sqlite3
import sys

import numpy as np
from PIL import Image

from building import at, build, camlens, contents, explain, folder, model, run
from building import tap
import toy

VALUES = (-1, 2**31 - 1, 2**62, float('nan'), 1e300, b'', 'text')
COLUMNS = {'cluster': ('size',), 'cluster_label': ('cluster', 'count'),
           'exemplar': ('cluster', 'picture', 'similarity'),
           'picture': ('value', 'cluster', 'similarity', 'triplets',
                       'semi_hard', 'active'),
           'lent': ('cluster', 'source')}
NUMBERS = ('clusters', 'embedding_dim', 'channels', 'pictures', 'margin',
           'triplets', 'eps', 'clusters_wanted', 'restarts', 'far_distance')
# what may well be so: labels are any numbers, and a count may be large
FREE = {('picture', 'value', -1), ('picture', 'value', 2**31 - 1),
        ('picture', 'value', 2**62), ('picture', 'value', 1e300),
        ('picture', 'value', 'nan'),  # SQLite's NULL: no value
        ('exemplar', 'picture', 'nan'),
        ('cluster', 'size', 2**31 - 1), ('exemplar', 'picture', 2**31 - 1)}


def changed(name, *statements):
    with open(at(name), 'rb') as whole:
        data = whole.read()
    with open(at('changed'), 'wb') as copy:
        copy.write(data)
    with sqlite3.connect(at('changed')) as opened:
        for text, *values in statements:
            opened.execute(text, values)
    opened.close()


def verify(name='changed'):
    return run(camlens, 'db', 'verify', at(name))


def harmless():
    """every command answers, with JSON that is JSON"""
    for words in (('db', 'info', at('changed')),
                  ('db', 'info', '--json', at('changed')),
                  ('explain', '-m', model, '-d', at('changed'), '--json',
                   at('pictures/label0/0000.png')),
                  ('db', 'export', at('changed'), '--npy', at('out')),
                  ('db', 'recluster', at('changed'), '--clusters', '2', '-o',
                   at('again'))):
        done = run(camlens, *words)
        if done.returncode not in (0, 1):
            return f'{words[:2]}: status {done.returncode} {done.stderr}'
        if '--json' in words and done.returncode == 0:
            json.loads(done.stdout, parse_constant=lambda word: 1 / 0)
    return None


def key(value):
    return 'nan' if isinstance(value, float) and value != value else value


def check_columns(name, tables, free=frozenset()):
    wrong = []
    for table in tables:
        for column in COLUMNS[table]:
            for value in VALUES:
                try:
                    changed(name, (f'UPDATE {table} SET {column} = ? WHERE rowid'
                                   f' = (SELECT min (rowid) FROM {table})',
                                   value))
                except sqlite3.IntegrityError:
                    continue  # the table does not take it
                done = verify()
                if done.returncode == 1 and 'changed' in done.stderr:
                    continue
                if (table, column, key(value)) not in FREE | free:
                    wrong.append((table, column, value, done.returncode))
                elif (bad := harmless()) is not None:
                    wrong.append((table, column, value, bad))
    tap.check(not wrong, f'{name}: verify names a number that cannot be',
              *wrong)


def check_numbers(name):
    wrong = []
    for field in NUMBERS:
        for value in '-1', str(2**62), 'nan', '1e300', 'text', '3 ':
            changed(name, ('UPDATE info SET value = ? WHERE key = ?', value,
                           field))
            done = verify()
            if done.returncode != 1 or 'changed' not in done.stderr:
                wrong.append((field, value, done.stdout))
    tap.check(not wrong, f'{name}: verify names what it cannot say of itself',
              *wrong)


def check_sums():
    changed('one.camdb', ('UPDATE cluster_label SET count = 2000000000',),
            ('UPDATE cluster_label SET cluster = 0',))
    done = verify()
    tap.check(done.returncode == 1 and 'labels' in done.stderr,
              'labels whose sum is beyond 32 bits are too many', done.stderr)
    changed('one.camdb', ('UPDATE info SET value = 2.5 WHERE key ='
                          ' \'far_distance\'',))
    done = verify()
    tap.check(done.returncode == 1 and 'far_distance' in done.stderr,
              'no cosine is 2.5 away', done.stderr)


def check_lent():
    """a label with one picture, and a cluster of its own"""
    info = json.loads(run(camlens, 'db', 'info', '--json',
                          at('one.camdb')).stdout)
    lent = {i: c['lent_from'] for i, c in enumerate(info['members'])
            if 'lent_from' in c}
    text = run(camlens, 'db', 'info', at('one.camdb')).stdout
    tap.check(len(lent) == 1 and 'lonely (1); weights lent by cluster '
              f'{list(lent.values())[0]}' in text,
              'db info says whose weights a cluster uses', lent, text)
    contents('one.camdb')
    weights = np.load(at('one.camdb.arrays', 'weights.npy'))
    tap.check(all((weights[i] == weights[j]).all() for i, j in lent.items()),
              'and they are that one\'s')
    for name in 'one.camdb', 'compact.camdb':
        said, _ = explain(name, 'pictures/lonely/q.png')
        told = run(camlens, 'explain', '-m', model, '-d', at(name),
                   at('pictures/lonely/q.png'), '-o', at('q.png')).stdout
        tap.check(said.get('cluster') in lent
                  and said['lent_from'] == lent[said['cluster']]
                  and 'weights lent by cluster' in told,
                  f'{name}: explain says so, too', said.get('lent_from'), told)
        other, _ = explain(name, 'pictures/label0/0000.png')
        tap.check('lent_from' not in other, 'and not of others')
    for statement in ('UPDATE lent SET source = cluster',
                      'UPDATE lent SET source = (SELECT id FROM cluster WHERE'
                      ' id NOT IN (SELECT cluster FROM lent UNION SELECT source'
                      ' FROM lent) LIMIT 1)'):
        changed('one.camdb', (statement,))
        tap.check('is said to use' in verify().stderr,
                  'verify finds a lender that is none', verify().stderr)


def check_old():
    """as written before the bound was measured out of sample"""
    for name in 'one.camdb', 'compact.camdb':
        changed(name, ('DROP TABLE lent',),
                ("DELETE FROM info WHERE key = 'far_way'",))
        said, told = explain('changed', 'pictures/label0/0000.png')
        info = json.loads(run(camlens, 'db', 'info', '--json',
                              at('changed')).stdout)
        tap.check(verify().returncode == 0 and said.get('far', 0) is None
                  and 'unknown' in told and info['far_distance'] is None,
                  f'{name}: the bound of an old, small database is unknown',
                  verify().stderr, said.get('far'), told)
    run(camlens, 'db', 'recluster', at('changed'), '--clusters', '5')
    changed('one.camdb', ("DELETE FROM info WHERE key = 'far_way'",))
    run(camlens, 'db', 'recluster', at('changed'), '--clusters', '5')
    said, told = explain('changed', 'pictures/label0/0000.png')
    tap.check(said.get('far') is False, 'until it is clustered anew', told)


def check_few():
    done = build('few.camdb', 'few', clusters=3)
    said, told = explain('few.camdb', 'few/label0/0000.png')
    text = run(camlens, 'db', 'info', at('few.camdb')).stdout
    tap.check(done.returncode == 0 and said.get('far', 0) is None
              and 'unknown' in told and 'unknown' in text,
              '19 pictures do not tell what is far', done.stderr, told, text)


def write_arrays(name, centroids, lookup=None):
    os.makedirs(at(name), exist_ok=True)
    np.save(at(name, 'centroids.npy'), centroids.astype('f4'))
    np.save(at(name, 'weights.npy'), np.ones((len(centroids), 10), 'f4'))
    if lookup is not None:
        with open(at(name, 'lookup.json'), 'w', encoding='utf-8') as file:
            file.write(lookup)


def bring(name, *options):
    done = run(camlens, 'db', 'import', '--npy', at(name), '-m', model,
               '--layer', 'relu4', '-o', at(name + '.camdb'), *options)
    if done.returncode:
        return {}, done.stderr
    return json.loads(run(camlens, 'db', 'info', '--json',
                          at(name + '.camdb')).stdout), done.stderr


def check_import():
    rng = np.random.default_rng(3)
    rows = rng.normal(0, 1, (4, toy.DIM))
    write_arrays('plain', rows)
    info, told = bring('plain')
    tap.check(info.get('metric') == 'euclidean' and '--metric' in told,
              'centroids of any length are looked up by distance, and it is '
              'said', told)
    info, told = bring('plain', '--metric', 'cosine')
    tap.check(info.get('metric') == 'cosine' and '--metric' not in told,
              'but by cosine where that is asked for', told)
    write_arrays('unit', rows / np.linalg.norm(rows, axis=1, keepdims=True))
    info, told = bring('unit')
    tap.check(info.get('metric') == 'cosine' and '--metric' in told
              and info['far_distance'] is None,
              'those of length 1 by cosine', told)
    write_arrays('told', rows, '{"metric": "euclidean", "far_distance": 0.25}')
    info, told = bring('told')
    tap.check(info.get('metric') == 'euclidean' and '--metric' not in told
              and info['far_distance'] == 0.25 and info['far_way'] == 'given',
              'lookup.json says it, and the bound', info, told)
    info, told = bring('told', '--metric', 'cosine')
    tap.check(info.get('metric') == 'cosine' and info['far_distance'] is None,
              'which is none of another metric', info, told)
    run(camlens, 'db', 'export', at('told.camdb'), '--npy', at('back'))
    for wrong in ('[]', '{"metric": "l1"}', '{"metric": 3}', '{"far_distance":'
                  ' 1}', '{"metric": "cosine", "far_distance": -1}',
                  '{"metric": "cosine", "far_distance": "0.3"}',
                  '{"metric": "euclidean", "far_distance": 1.5}',
                  '{"metric": "cosine", "far_distance": 1e999}', 'x'):
        write_arrays('told', rows, wrong)
        info, told = bring('told')
        tap.check(not info and 'lookup.json' in told,
                  f'refused: {wrong}', told)


toy.make_pictures(at('pictures'), 4, 12)
toy.make_pictures(at('few'), 2, 9)
toy.make_pictures(at('few'), 1, 10)
os.makedirs(at('pictures', 'lonely'))
Image.fromarray(np.indices((toy.SIDE, toy.SIDE)).sum(0)[..., None].repeat(3, 2)
                .astype('u1') % 7 * 40).save(at('pictures/lonely/q.png'))
build('one.camdb', clusters=12)
build('compact.camdb', 'pictures', '--compact', clusters=12)
check_columns('one.camdb', COLUMNS)
check_columns('compact.camdb', ('cluster', 'cluster_label', 'exemplar', 'lent'),
              {('exemplar', 'similarity', -1)})
check_numbers('one.camdb')
check_numbers('compact.camdb')
check_sums()
check_lent()
check_old()
check_few()
check_import()
folder.cleanup()
sys.exit(tap.done())
