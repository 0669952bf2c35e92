#!/usr/bin/python3
"""test-left-out.py CAMLENS: exit statuses of commands over many pictures

0 done, 3 done without pictures that could not be used, 1 failed: a result that
is whole is told from one that is not, whatever the command.
"""
import os
import re
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
except ImportError as error:
    tap.skip('left out', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
MODEL = ('-m', os.path.join(folder.name, 'model.onnx'))
SET = 'good', 'some', 'none'  # how many of its pictures can be read


def path(*names):
    return os.path.join(folder.name, *names)


def camlens(*arguments):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=60,
                          env=dict(os.environ, LC_ALL='C.UTF-8'))


def make_pictures():
    rng = np.random.default_rng(3)
    for name in SET:
        for label in 'ab':
            os.makedirs(path(name, label))
            for i in range(6):
                to = path(name, label, f'{i}.png')
                if name == 'none' or name == 'some' and (label, i) == ('a', 1):
                    with open(to, 'wb') as file:
                        file.write(b'\x89PNG\r\n\x1a\nno')
                    continue
                pixels = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
                Image.fromarray(pixels).resize((40, 40)).save(to)


def commands(pictures):
    """name -> its command line over a folder of pictures"""
    return {
        'embed': ('embed', *MODEL, '-o', path('e.npy'), pictures),
        'build': ('build', '-q', *MODEL, '--clusters', 2, '--triplets', 3,
                  '--restart', '-o', path('new.camdb'), pictures),
        'explain': ('explain', *MODEL, '-d', path('db.camdb'), '--json',
                    pictures),
        'explain by example': ('explain', *MODEL, '--positive',
                               path('good', 'a', '0.png'), '--layer',
                               'features', '-o', path('out'), pictures),
        'evaluate': ('evaluate', *MODEL, '-d', path('db.camdb'), '--images',
                     pictures, '--faithfulness', 0, '--json'),
        'evaluate --train': ('evaluate', *MODEL, '--images', path('good'),
                             '--train', pictures, '--faithfulness', 0),
        'evaluate --sweep': ('evaluate', *MODEL, '--images', pictures,
                             '--sweep', '--triplets', 2, '--faithfulness', 6),
    }


def check(name):
    done = [camlens(*commands(path(of))[name]) for of in SET]
    okay = camlens(*commands(path('some'))[name], '--skips-ok')
    told = [d.stderr[-300:] for d in done]
    named = re.findall(r'(\w)/(\d)\.png.*cannot be decoded', done[1].stderr)
    tap.check(done[0].returncode == 0, f'{name}: 0 where all was done', told)
    tap.check(done[1].returncode == 3
              and set(named) == {('a', '1')},
              f'{name}: 3 where one was left out, and it is named',
              done[1].returncode, told[1])
    tap.check(okay.returncode == 0 and re.search(r'a.1\.png', okay.stderr),
              f'{name}: 0 with --skips-ok, and still named', okay.returncode,
              okay.stderr[-300:])
    if name != 'evaluate --train':  # its other rows need no triplets
        tap.check(done[2].returncode == 1,
                  f'{name}: 1 where none could be used', done[2].returncode,
                  told[2])


def check_progress():
    """who did not start the build can read how it ended, too"""
    for of, status in zip(SET, (0, 3, 1)):
        done = camlens('build', '--progress', *MODEL, '--clusters', 2,
                       '--restart', '-o', path('p.camdb'), path(of))
        said = re.findall(r'^status (\d)$', done.stdout, re.M)
        tap.check(said == [str(status)] and done.returncode == status,
                  f'build --progress says status {status}', said,
                  done.returncode)


small.write_model(folder.name)
make_pictures()
camlens('build', '-q', *MODEL, '--clusters', 2, '-o', path('db.camdb'),
        path('good'))
for command in commands(''):
    check(command)
check_progress()
sys.exit(tap.done())
