#!/usr/bin/python3
"""test-surroundings.py CAMLENS: where models are found, what is guessed of
them, how progress shows on a terminal and in a log, and too little memory
"""
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(HERE, '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image
    import small
except ImportError as error:
    tap.skip('surroundings', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()


def path(*names):
    return os.path.join(folder.name, *names)


def environment(**more):
    env = {k: v for k, v in os.environ.items()
           if k not in ('CAMLENS_MODEL_PATH', 'XDG_DATA_HOME',
                        'XDG_DATA_DIRS')}
    return dict(env, LC_ALL='C.UTF-8', **more)


def camlens(*arguments, env=None, **more):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=60,
                          env=env or environment(), **more)


def install(where, title, name='net'):
    place = path(where, name)
    os.makedirs(place, exist_ok=True)
    small.write_model(place, small.SETTINGS.replace('A small network', title))


def test_order():
    """CAMLENS_MODEL_PATH, then the user's folder, then the system's"""
    places = [('first', 'of the path'), ('second', 'of its second part'),
              ('user/camlens/models', 'of the user'),
              ('a/camlens/models', 'of the system'),
              ('b/camlens/models', 'of its second folder')]
    for where, title in places:
        install(where, title)
        install(where, f'only {title}', where.split('/')[0])
    env = environment(CAMLENS_MODEL_PATH=f'{path("first")}:{path("second")}',
                      XDG_DATA_HOME=path('user'),
                      XDG_DATA_DIRS=f'{path("a")}:{path("b")}')
    for i, (where, title) in enumerate(places):
        listed = camlens('models', 'list', env=env).stdout
        row = [line for line in listed.splitlines()
               if line.startswith('net\t')]
        tap.check(len(row) == 1 and title in row[0],
                  f'the one {title} comes before the rest', listed)
        found = all(f'only {other}' in listed for _, other in places[i:])
        tap.check(found, 'and the others are there by their own names', listed)
        os.remove(path(where, 'net', 'model.onnx'))
        os.remove(path(where, where.split('/')[0], 'model.onnx'))


def test_guesses():
    os.makedirs(path('bare'))
    small.write_model(path('bare'), None)
    text = camlens('inspect', path('bare', 'model.onnx')).stdout
    tap.check(all(word in text for word in ('input.resize: stretch',
                                            'input.mean, input.std')),
              'inspect names what is guessed', text)
    small.write_model(path('bare'))
    text = camlens('inspect', path('bare', 'model.onnx')).stdout
    tap.check('input.resize: stretch' not in text
              and 'input.mean, input.std' not in text,
              'and not what is said', text)
    customs = ('input.channels: rgb', 'input.filter: bilinear',
               'layer.layout: nchw (by the shape of “features”)')
    tap.check(all(word in text for word in customs),
              'what is taken as usual is named, too', text)
    small.write_model(path('bare'), small.SETTINGS + 'input.channels=rgb\n'
                      'input.filter=bilinear\nlayer.layout=nchw\n')
    text = camlens('inspect', path('bare', 'model.onnx')).stdout
    tap.check('Guessed' not in text, 'and nothing where all is said', text)


def test_unknown_keys():
    """a misspelt setting is named, with the file and what is meant"""
    Image.new('RGB', (40, 40), 'red').save(path('red.png'))
    model = small.write_model(
        path('misspelt'), small.SETTINGS + 'input.sise=64\nname[de]=Klein\n'
        'qqqqq=1\n', metadata={'camlens.input.fliter': 'bicubic',
                              'camlens.layer': 'features', 'other': '1'})
    for arguments in (('inspect', model), ('inspect', model, '--json'),
                      ('embed', '-m', model, path('red.png'), '-o',
                       path('red.npy')),
                      ('models', 'add', model, '--name', 'misspelt')):
        done = camlens(*arguments,
                       env=environment(XDG_DATA_HOME=path('misspelt')))
        notes = done.stderr.splitlines()
        tap.check(
            len(notes) == 3 and done.returncode == 0
            and 'model.ini' in notes[0] and '“input.sise”' in notes[0]
            and '“input.size” meant' in notes[0] and '“qqqqq”' in notes[1]
            and 'meant' not in notes[1] and 'model.onnx' in notes[2]
            and '“camlens.input.filter” meant' in notes[2],
            f'{arguments[0]} names settings that are not known', done.stderr)


def make_pictures(n):
    rng = np.random.default_rng(4)
    for i in range(n):
        place = path('pictures', f'label{i % 4}')
        os.makedirs(place, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (400, 400, 3)).astype(
            np.uint8)).save(os.path.join(place, f'{i}.png'), compress_level=1)


def build(name):
    return [CAMLENS, 'build', '-m', path('first', 'net', 'model.onnx'), '-o',
            path(name), '--layer', 'features', '--clusters', '4', '--restart',
            '--no-thumbnails', path('pictures')]


def on_terminal(command):
    """(status, what a terminal of standard error gets)"""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs,
                             env=environment(TERM='xterm'))
    os.close(theirs)
    seen, until = b'', time.monotonic() + 60
    while time.monotonic() < until:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return child.wait(10), seen.decode()


def test_progress():
    small.write_model(path('first', 'net'))
    make_pictures(200)
    status, seen = on_terminal(build('bar.camdb'))
    bars = [bar for bar in seen.split('\r') if bar.startswith('embedding')]
    tap.check(status == 0 and len(bars) > 2
              and all(re.match(r'embedding +\[#*\.*\] \d+/200', bar)
                      for bar in bars), 'a bar that is drawn over itself',
              seen[:300])
    tap.check(any(re.search(r'\d/s  \d+:\d\d left', bar) for bar in bars),
              'with rate and time left', *bars[:4])
    tap.check(re.search(r'embedding +\[#{24}\] 200/200[^\r\n]*\r\n', seen)
              and 'clustering' in seen, 'full at the end, and then a new line',
              repr(bars[-1]))
    done = subprocess.run(build('log.camdb'), capture_output=True, text=True,
                          env=environment(), timeout=60, check=False)
    lines = done.stderr.splitlines()
    tap.check(done.returncode == 0 and '\r' not in done.stderr
              and '\033' not in done.stderr
              and all(re.match(r'\w+: \d+ of \d+, [\d.]+/s$', line)
                      for line in lines) and 3 <= len(lines) < 20,
              'plain lines in a log, few of them', *lines[:5])
    done = subprocess.run(build('quiet.camdb') + ['-q'], capture_output=True,
                          text=True, env=environment(), timeout=60,
                          check=False)
    tap.check(done.returncode == 0 and done.stderr == '',
              'nothing with --quiet', done.stderr)


def test_little_memory():
    """ends with a sentence, soon, instead of waiting for memory for ever"""
    picture = path('pictures', 'label0', '0.png')
    arguments = [CAMLENS, 'embed', '-m', path('first', 'net', 'model.onnx'),
                 picture, '-o', path('e.npy')]
    statuses, told, slowest = set(), [], 0
    for megabytes in (40, 60, 80, 100, 130, 160, 200):
        started = time.monotonic()
        try:
            done = subprocess.run(
                ['prlimit', f'--as={megabytes << 20}', *arguments],
                capture_output=True, text=True, timeout=20,
                env=environment(), check=False)
        except subprocess.TimeoutExpired:
            told.append(f'{megabytes} MB: did not end')
            continue
        slowest = max(slowest, time.monotonic() - started)
        if done.returncode == 1 and 'memory' in done.stderr:
            statuses.add(1)
        elif done.returncode == 0:
            statuses.add(0)
        elif 'shared librar' not in done.stderr:  # the loader's, not ours
            told.append(f'{megabytes} MB: {done.returncode} {done.stderr}')
    tap.check(not told and 1 in statuses,
              'with too little memory it says so', *told)
    tap.check(slowest < 10, 'within seconds', slowest)
    done = camlens(*arguments[1:])
    tap.check(done.returncode == 0, 'and goes on with enough', done.stderr)


def has_sanitizer():
    """whose shadow needs an address space of its own"""
    with open(CAMLENS, 'rb') as file:
        return b'__asan_init' in file.read()


test_order()
test_guesses()
test_unknown_keys()
test_progress()
if has_sanitizer():
    tap.skip('too little memory', 'the sanitizer needs more')
else:
    test_little_memory()
sys.exit(tap.done())
