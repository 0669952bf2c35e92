#!/usr/bin/python3
"""fail-memory.py CAMLENS LIBRARY [all [COMMAND...]]: what comes of allocations
that fail, and of threads that do not start

LIBRARY (fail-memory.c) is preloaded and fails the n-th allocation of 4 KiB and
more, or all from it on: over a whole run of each command, with "all" for every
n, else for a few.  A run may succeed with the same result, or end with status 1
and a message; a signal, a hang, a message without its status, and a file under
a final name that is not whole are faults.
"""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(__file__)
for name in 'style', 'database':
    sys.path.insert(0, os.path.join(HERE, '..', name))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    import toy
except ImportError as error:
    tap.skip('allocations that fail', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS, LIBRARY = (os.path.abspath(p) for p in sys.argv[1:3])
ALL = sys.argv[3:4] == ['all']
ONLY = sys.argv[4:]
FEW = 5  # places of a run, where not all are tried
LONGEST = 60
folder = tempfile.TemporaryDirectory(prefix='camlens-memory-')
MODEL = ('-m', 'model/model.onnx')
COMMANDS = {
    'inspect': ('inspect', 'model/model.onnx'),
    'build': ('build', '-q', *MODEL, '--jobs=1', '--clusters=3',
              '--triplets=5', '-o', 'out/x.camdb', 'pictures'),
    'build, two jobs': ('build', '-q', *MODEL, '--jobs=2', '--clusters=3',
                        '--triplets=5', '-o', 'out/x.camdb', 'pictures'),
    'explain': ('explain', *MODEL, '-d', 'db.camdb', 'photo.png', '-o',
                'out/x.png', '--heatmap', 'out/x.npy', '--threads=1'),
    'explain by example': ('explain', *MODEL, '--layer', 'relu4',
                           '--positive', 'photo.png', 'other.png', '-o',
                           'out/x.png', '--json', '--threads=2'),
    'embed': ('embed', *MODEL, 'pictures', '-o', 'out/e.npy', '--threads=1'),
    'db info': ('db', 'info', 'db.camdb', '--json'),
    'db verify': ('db', 'verify', 'db.camdb'),
    'db recluster': ('db', 'recluster', 'db.camdb', '--clusters=2', '-o',
                     'out/x.camdb'),
    'db export': ('db', 'export', 'db.camdb', '--npy', 'out/arrays'),
    'db import': ('db', 'import', '--npy', 'arrays', *MODEL, '--layer',
                  'relu4', '--metric', 'cosine', '-o', 'out/x.camdb'),
}


def at(*names):
    return os.path.join(folder.name, *names)


def run(words, **settings):
    """status ("hang" where it does not end), output, messages"""
    shutil.rmtree(at('out'), ignore_errors=True)
    os.mkdir(at('out'))
    clean = {k: v for k, v in os.environ.items() if not k.startswith('FAIL_')}
    try:
        done = subprocess.run([CAMLENS, *words], cwd=folder.name, text=True,
                              capture_output=True, timeout=LONGEST,
                              errors='replace',
                              env=dict(clean, LC_ALL='C.UTF-8',
                                       OPENBLAS_NUM_THREADS='1', **settings))
    except subprocess.TimeoutExpired:
        return 'hang', '', ''
    return done.returncode, done.stdout, done.stderr


def prepare():
    toy.make_model(at('model'), toy.make_weights())
    toy.make_pictures(at('pictures'), 3, 4)
    shutil.copy(at('pictures', 'label0', '0000.png'), at('photo.png'))
    shutil.copy(at('pictures', 'label1', '0001.png'), at('other.png'))
    for words in (('build', '-q', *MODEL, '--layer=relu4', '--clusters=3',
                   '--triplets=5', '-o', 'db.camdb', 'pictures'),
                  ('db', 'export', 'db.camdb', '--npy', 'arrays')):
        done = run(words)
        assert done[0] == 0, done


def results():
    """what lies under final names: path -> bytes"""
    found = {}
    for where, _, names in os.walk(at('out')):
        for file in names:
            with open(os.path.join(where, file), 'rb') as opened:
                found[os.path.relpath(os.path.join(where, file),
                                      at('out'))] = opened.read()
    return found


def close(name):
    """Without memory for a packed copy of weights the plain way is taken,
    which rounds otherwise."""
    if name.endswith('.camdb'):
        done = subprocess.run([CAMLENS, 'db', 'export', at('out', name),
                               '--npy', at('again')], capture_output=True)
        was = at('good', name + '.arrays')
        return done.returncode == 0 and all(
            np.allclose(np.load(at('again', array + '.npy')),
                        np.load(os.path.join(was, array + '.npy')), atol=1e-4)
            for array in ('centroids', 'weights', 'embeddings')
            if os.path.exists(os.path.join(was, array + '.npy')))
    return name.endswith('.npy') and np.allclose(
        np.load(at('out', name)), np.load(at('good', name)), atol=1e-4)


def keep_good():
    shutil.rmtree(at('good'), ignore_errors=True)
    shutil.copytree(at('out'), at('good'))
    for name in os.listdir(at('good')):
        if name.endswith('.camdb'):
            subprocess.run([CAMLENS, 'db', 'export', at('good', name), '--npy',
                            at('good', name + '.arrays')], check=True)


def judge(done, good, output):
    """(word, is it right?)"""
    status, said, told = done
    now = results()
    wrong = [n for n in now if n in good and now[n] != good[n]]
    if status == 0 and said.count('\n') >= output.count('\n'):
        if set(good) <= set(now) and not wrong:
            return 'same result', True
        return ('same result but for rounding',
                set(good) <= set(now) and all(map(close, wrong)))
    if status == 1:
        return ('error', told.strip() != '' and not wrong)
    if status == 3:
        return ('pictures left out, named', 'left out' in told)
    if status == 127 and 'memory' in told:
        return ('the loader of libraries gave up', True)
    return (f'status {status}', False)


def places(n):
    return range(1, n + 1) if ALL else sorted({
        1 + (n - 1) * i // (FEW - 1) for i in range(FEW)})


def check(name, **settings):
    count = at('count')
    done = run(COMMANDS[name], LD_PRELOAD=LIBRARY, FAIL_COUNT=count, **settings)
    good = results()
    keep_good()
    with open(count) as file:
        n = int(file.read())
    words, bad = collections.Counter(), []
    for place in places(n):
        got = run(COMMANDS[name], LD_PRELOAD=LIBRARY, FAIL_AT=str(place),
                  **settings)
        word, right = judge(got, good, done[1])
        words[word] += 1
        if not right:
            bad.append((place, word, got[2].strip()[-200:]))
    what = 'thread' if 'FAIL_THREADS' in settings else 'allocation'
    which = 'all from one on' if 'FAIL_ALL' in settings else 'one'
    tap.check(done[0] == 0 and n > 1 and not bad,
              f'{name}: {what}s, {which} of {n} fails, {sum(words.values())} '
              'runs: ' + ', '.join(f'{k} {v}' for k, v in words.items()),
              *bad[:20])
    return words


prepare()
total = collections.Counter()
for command in ONLY or COMMANDS:
    total += check(command)
for command in ONLY or (COMMANDS if ALL else ('explain', 'db recluster')):
    total += check(command, FAIL_ALL='1')
for command in ONLY or (COMMANDS if ALL else ('build, two jobs', 'explain')):
    total += check(command, FAIL_THREADS='1')
    total += check(command, FAIL_THREADS='1', FAIL_ALL='1')
print('#', json.dumps(total))
sys.exit(tap.done())
