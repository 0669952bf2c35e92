"""build.py -- camlens build as a person treats it

Any number of jobs gives the same database, and what is wrong is said.
"""
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys

import numpy as np

from building import (at, build, camlens, command, contents, folder, leftovers,
                      model, same, tap)
import toy

toy.make_pictures(at('pictures'), 5, 12)


def check_jobs():
    build('one', 'pictures', '--jobs', '1')
    for n in 2, 3, 7:
        build(f'jobs{n}', 'pictures', '--jobs', str(n))
        tap.check(same('one', f'jobs{n}'),
                  f'{n} jobs give the same bytes as one')
    for cache in '0', '20K':
        build('cache', 'pictures', '--cache', cache)
        tap.check(same('one', 'cache'), f'--cache {cache} gives the same bytes')
    build('mined1', 'pictures', '--jobs', '1', '--mining', 'semi-hard')
    build('mined3', 'pictures', '--jobs', '3', '--mining', 'semi-hard')
    tap.check(same('mined1', 'mined3'), 'semi-hard: 3 jobs as one')
    build('seed2', 'pictures', '--seed', '2')
    tap.check(not same('one', 'seed2'), 'another seed gives another database')
    tap.check(leftovers('one') == [], 'nothing lies about')


def check_bad_pictures():
    shutil.copytree(at('pictures'), at('bad'))
    with open(at('bad', 'label1', 'broken.png'), 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\nno')
    with open(at('bad', 'label2', 'empty.jpg'), 'wb') as file:
        file.write(b'')
    os.mkdir(at('bad', 'lonely'))
    shutil.copy(at('pictures', 'label0', '0001.png'), at('bad', 'lonely'))
    done = build('bad.camdb', 'bad')
    tap.check(done.returncode == 3 and 'broken.png' in done.stderr
              and 'empty.jpg' in done.stderr,
              'unreadable pictures are named, the exit status tells of them',
              done.stderr)
    tap.check('1 picture has no other of its label' in done.stderr,
              'a label with one picture is told of', done.stderr)
    tap.check(subprocess.run([camlens, 'db', 'verify', at('bad.camdb')],
                             check=False, capture_output=True).returncode == 0,
              'the database of the others is whole')
    contents('bad.camdb')
    weights = np.load(at('bad.camdb.arrays', 'picture_weights.npy'))
    tap.check(np.isnan(weights).any(1).sum() == 1 and len(weights) == 61,
              'the lonely picture is kept without weights')
    os.mkdir(at('unread'))
    for label in 'a', 'b':
        os.mkdir(at('unread', label))
        for i in range(2):
            with open(at('unread', label, f'{i}.png'), 'wb') as file:
                file.write(b'nothing')
    done = build('unread.camdb', 'unread')
    tap.check(done.returncode == 1 and not os.path.exists(at('unread.camdb'))
              and 'a/0.png' in done.stderr, 'none readable: says so',
              done.stderr)


def check_labels():
    done = build('none', 'pictures/label0')
    tap.check(done.returncode == 1 and 'same label' in done.stderr,
              'one label for all is refused', done.stderr)
    tap.check(build('none', 'pictures/label0', '--score', 'dot').returncode
              == 0, 'but does for the score dot')
    with open(at('labels.csv'), 'w', encoding='utf-8') as csv:
        csv.write('path,label\r\n"label0/0000.png","a ""b"", c"\r\n'
                  'label0/0001.png,"a ""b"", c"\r\nlabel1/0000.png, d\r\n')
    done = build('csv', 'pictures', '--labels', at('labels.csv'))
    told = subprocess.run([camlens, 'db', 'info', at('csv'), '--json'],
                          check=True, capture_output=True, text=True).stdout
    tap.check('a \\"b\\", c' in told and done.returncode == 0,
              'labels of a CSV file', done.stderr)
    tap.check('of no picture' not in done.stderr,
              'nothing is said of names that have their pictures', done.stderr)
    with open(at('labels.csv'), 'a', encoding='utf-8') as csv:
        csv.write('gone/1.png,d\ngone/1.png,d\n')
    one = build('csv', 'pictures', '--labels', at('labels.csv'), '--json')
    with open(at('labels.csv'), 'a', encoding='utf-8') as csv:
        csv.write('gone/0.png,d\n')
    two = build('csv', 'pictures', '--labels', at('labels.csv'), '--json')
    tap.check('1 name in' in one.stderr and '“gone/1.png”' in one.stderr
              and '2 names in' in two.stderr and '“gone/1.png”' in two.stderr
              and [json.loads(d.stdout)['labels_without_picture']
                   for d in (one, two)] == [1, 2],
              'names in it of no picture are counted, the first is named',
              one.stderr, two.stderr)
    with open(at('there.csv'), 'w', encoding='utf-8') as csv:
        csv.writelines(f'pictures/{name}.png,d\n' for name in
                       ('label0/0000', 'label0/0001', 'label1/0000'))
    done = build('there', 'pictures/label0', '--score', 'dot', '--labels',
                 at('there.csv'))
    tap.check(done.returncode == 0 and 'of no picture' not in done.stderr,
              'a picture that is there and not asked for does not count',
              done.stderr)
    with open(at('labels.csv'), 'a', encoding='utf-8') as csv:
        csv.write('lost\n')
    done = build('csv2', 'pictures', '--labels', at('labels.csv'))
    tap.check(done.returncode == 1 and 'line 8' in done.stderr,
              'a broken line of it is named', done.stderr)


def check_one():
    """one cluster is no “1 clusters”"""
    os.makedirs(at('same', 'a'))
    for i in range(2):
        shutil.copy(at('pictures', 'label0', '0000.png'),
                    at('same', 'a', f'{i}.png'))
    done = build('same.camdb', 'same', '--score', 'dot', '--triplets', '1',
                 clusters=4)
    told = subprocess.run([camlens, 'db', 'info', at('same.camdb')],
                          check=True, capture_output=True, text=True).stdout
    tap.check('1 cluster instead of 4' in done.stderr
              and ': 2 pictures, 1 cluster, layer' in done.stdout
              and ', 1 triplet, ' in told and ', 2 pictures' in told,
              'one is said as one', done.stdout, done.stderr, told)


def labels_of(name, csv):
    """what a CSV file of these bytes makes of them: {path: label}"""
    with open(at('odd.csv'), 'wb') as file:
        file.write(csv)
    done = subprocess.run(
        command(name, 'pictures', '--restart', '--labels', at('odd.csv')),
        capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    with sqlite3.connect(at(name)) as file:
        return dict(file.execute('SELECT path, label FROM picture'
                                 ' WHERE label IS NOT NULL').fetchall())


def check_odd_labels():
    wanted = {f'label{i}/000{j}.png': 'ab'[i] for i in (0, 1) for j in (0, 1)}
    plain = ''.join(f'{path},{label}\r\n' for path, label in wanted.items())
    for what, csv in (
            ('a byte order mark', '\ufeff' + plain),
            ('blanks around quotes', plain.replace(',b', ' , "b" ')),
            ('paths beside the file', plain.replace('label', 'pictures/label')),
            ('absolute paths', plain.replace('label', at('pictures', 'label'))),
            ('the same line twice', plain + plain),
            ('an empty label', plain + 'label2/0000.png,\r\n')):
        found = labels_of('odd', csv.encode())
        tap.check(found == wanted, f'labels: {what}', found)
    for what, line in (('two labels of a picture', 'label0/0000.png,b'),
                       ('a quote that is not closed', '"label2/0000.png,a')):
        told = labels_of('odd2', (plain + line).encode())
        tap.check('line 5' in told, f'labels: {what}: named', told)
    build('twice', 'pictures', at('pictures'), at('pictures', 'label0'))
    with sqlite3.connect(at('twice')) as file:
        n = file.execute('SELECT count(*) FROM picture').fetchone()[0]
    tap.check(n == 60, 'a picture given twice is in it once', n)


def check_no_harm():
    """what is there and is no database stays; a pipe is not waited for"""
    shutil.copy(at('pictures', 'label0', '0000.png'), at('mine.png'))
    os.mkfifo(at('pipe'))
    for name in 'mine.png', 'pipe':
        done = build(name, 'pictures')
        tap.check('not written over' in done.stderr and not leftovers(name)
                  and done.returncode, f'{name} is not written over', done)
    with open(at('mine.png'), 'rb') as file:
        tap.check(file.read(4) == b'\x89PNG', 'and is as it was')
    done = subprocess.run([camlens, 'embed', '-m', model, at('pictures'), '-o',
                           at('pipe')], capture_output=True, text=True,
                          check=False)
    mode = os.stat(at('pipe')).st_mode
    tap.check(done.returncode == 1 and stat.S_ISFIFO(mode),
              'nor is a pipe by embed', done.stderr)
    shutil.copytree(at('pictures'), at('piped'))
    os.mkfifo(at('piped', 'label0', 'pipe.png'))
    done = build('piped.camdb', 'piped', timeout=60)
    tap.check(done.returncode == 0, 'a pipe among pictures is passed over')


def check_recluster():
    build('base', 'pictures', '--no-thumbnails')
    subprocess.run([camlens, 'db', 'recluster', at('base'), '--clusters', '3',
                    '-o', at('three')], check=True)
    build('direct', 'pictures', '--no-thumbnails', '--clusters', '3')
    tap.check(same('three', 'direct'),
              'reclustered: as if it had been built so')
    build('few', 'pictures', '--clusters', '500')
    contents('few')
    tap.check(len(np.load(at('few.arrays', 'centroids.npy'))) == 60,
              'more clusters than pictures: one each')
    build('compact', 'pictures', '--compact')
    done = subprocess.run([camlens, 'db', 'recluster', at('compact'),
                           '--clusters', '3'], capture_output=True, text=True,
                          check=False)
    tap.check(done.returncode == 1 and 'compact' in done.stderr,
              'a compact one cannot be', done.stderr)
    done = subprocess.run([camlens, 'explain', '-m', model, '-d',
                           at('compact'), '--transfer', 'neighbour',
                           at('pictures', 'label0', '0001.png'), '--json'],
                          capture_output=True, text=True, check=False)
    tap.check(done.returncode == 1 and 'compact' in done.stderr,
              'and has no neighbours', done.stderr)


def check_import():
    contents('one')
    for metric in 'cosine', 'euclidean':
        done = subprocess.run(
            [camlens, 'db', 'import', '--npy', at('one.arrays'), '-m', model,
             '--layer', 'relu4', '--metric', metric, '-o', at(metric)],
            capture_output=True, text=True, check=False)
        tap.check(done.returncode == 0, f'arrays come in: {metric}',
                  done.stderr)
        contents(metric)
        for array in 'centroids', 'weights', 'sizes':
            a, b = (np.load(at(name + '.arrays', array + '.npy'))
                    for name in ('one', metric))
            tap.check(np.allclose(a, b, rtol=1e-6), f'{array} as they went out')
    done = subprocess.run(
        [camlens, 'db', 'import', '--npy', at('one.arrays'), '-m', model,
         '--layer', 'relu2', '-o', at('wrong')],
        capture_output=True, text=True, check=False)
    tap.check(done.returncode == 1 and 'weights.npy' in done.stderr
              and not os.path.exists(at('wrong')),
              'arrays of another layer are refused', done.stderr)


def check_places():
    done = build('no/such/folder/x', 'pictures')
    tap.check(done.returncode == 1 and 'there is no folder' in done.stderr,
              'a folder that is not there', done.stderr)
    os.mkdir(at('closed'))
    os.chmod(at('closed'), 0o555)
    os.chmod(folder.name, 0o755)
    options = {'user': 'nobody'} if os.getuid() == 0 else {}
    done = build('closed/x', 'pictures', **options)
    tap.check(done.returncode == 1 and 'cannot be written' in done.stderr,
              'a folder that is read-only, as an ordinary user', done.stderr)


def check_begin():
    """what is refused is refused before any work"""
    os.mkdir(at('folder.camdb'))
    done = build('folder.camdb', 'pictures')
    tap.check(done.returncode == 1 and 'is a folder' in done.stderr
              and leftovers('folder.camdb') == [],
              'a database named as a folder is', done.stderr)


def check_progress():
    done = build('progress', 'pictures', '--progress', '--json')
    lines = done.stdout.splitlines()
    parts = [line.split() for line in lines if line.startswith('progress ')]
    tap.check(parts and all(len(p) == 6 and p[5].isalpha()
                            and 0 <= int(p[1]) <= int(p[2])
                            and float(p[3]) >= 0 and float(p[4]) >= -1
                            for p in parts)
              and {p[5] for p in parts} >= {'embedding', 'weighing',
                                            'clustering'},
              'progress for programs', *lines[:5])
    tap.check(lines[-1].startswith('{"database"'), 'and JSON at the end',
              lines[-1])


def check_usage():
    for wrong in (['--triplets', '0'], ['--clusters', '-1'],
                  ['--margin', 'nan'], ['--cache', '5X'], ['--score', 'no'],
                  ['--method', 'x'], ['--resume', '--restart'],
                  ['--score', 'dot', '--mining', 'semi-hard']):
        done = build('usage', 'pictures', *wrong)
        tap.check(done.returncode == 2 and wrong[0] in done.stderr,
                  f'{" ".join(wrong)} is refused', done.stderr)


check_jobs()
check_bad_pictures()
check_labels()
check_one()
check_odd_labels()
check_no_harm()
check_recluster()
check_import()
check_places()
check_begin()
check_progress()
check_usage()
folder.cleanup()
sys.exit(tap.done())
