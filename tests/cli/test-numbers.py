#!/usr/bin/python3
"""test-numbers.py CAMLENS: numbers that cannot be are refused by every command

Before any file is looked at: the status is 2, and the option, what it may be
and what it was are named.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(HERE, '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
CAMLENS = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
HUGE = '9999999999999999999999'

# of files that are not there: a number is refused before they are missed
COMMANDS = {
    'bench': ('bench', 'no.onnx'),
    'build': ('build', '-m', 'no.onnx', '-o', 'no.camdb', 'no'),
    'db recluster': ('db', 'recluster', 'no.camdb', '--clusters', '2'),
    'embed': ('embed', '-m', 'no.onnx', 'no.png', '-o', 'no.npy'),
    'evaluate': ('evaluate', '-m', 'no.onnx', '--images', 'no'),
    'explain': ('explain', '-m', 'no.onnx', 'no.jpg', '-o', 'no.png'),
    'gradient': ('gradient', 'no.onnx', '--input', 'x.npy', '--of', 'y',
                 '--at', 'a', '--seed', 's.npy', '-o', 'g.npy'),
    'run': ('run', 'no.onnx', '--input', 'x.npy', '--fetch', 'y=y.npy'),
}
THREADS = ('-1', '257', HUGE, 'two')
MANY = ('-1', '1000001', '1e3')  # 0 is another matter
REFUSED = [
    ('run', '--threads', ('2147483647', '-' + HUGE, '1.5', '', ' ')),
    *((command, option, THREADS) for command, option in (
        ('bench', '--threads'), ('build', '--jobs'), ('embed', '--threads'),
        ('evaluate', '--threads'), ('explain', '--threads'),
        ('gradient', '--threads'), ('run', '--threads'))),
    ('explain', '--top-k', MANY),
    ('evaluate', '--faithfulness', MANY),
    *((command, option, ('0', *MANY)) for command, option in (
        ('evaluate', '--top-k'), ('evaluate', '--triplets'),
        ('build', '--triplets'), ('build', '--clusters'),
        ('build', '--restarts'), ('db recluster', '--clusters'),
        ('db recluster', '--restarts'), ('bench', '--batch'),
        ('bench', '--repeat'))),
    ('bench', '--size', ('-1', '65537', HUGE, 'wide')),
    ('build', '--seed', ('-1', HUGE, 'seed', '')),
    ('evaluate', '--seed', ('-1', HUGE, 'seed', '')),
    ('explain', '--opacity', ('-0.1', '1.1', 'nan', 'inf', 'half', '0,5')),
    ('explain', '--threshold', ('-0.1', '1', 'nan', 'inf', 'half', '0,5')),
    ('build', '--margin', ('-0.1', '5', 'nan', 'inf', 'wide', '0,5')),
    ('build', '--eps', ('-0.1', '2', 'nan', 'inf', 'small')),
    ('build', '--cache', ('-1', 'nan', 'inf', 'much', '5Q', '1 G', '')),
]


def camlens(*arguments):
    return subprocess.run([CAMLENS, *arguments], text=True, timeout=60,
                          capture_output=True, cwd=folder.name, check=False,
                          env=dict(os.environ, LC_ALL='C.UTF-8', LANGUAGE=''))


def main():
    for command, option, values in REFUSED:
        wrong = []
        for value in values:
            done = camlens(*COMMANDS[command], f'{option}={value}')
            if (done.returncode != 2 or option not in done.stderr
                    or f'camlens {command}:' not in done.stderr
                    or 'no.' in done.stderr or done.stdout):
                wrong.append(f'{value}: {done.returncode} {done.stderr}')
        tap.check(not wrong, f'{command}: {option}, not any number', *wrong)
    for command, option, values in (('explain', '--top-k', '0'),
                                    ('evaluate', '--faithfulness', '0'),
                                    ('bench', '--size', '0'),
                                    *((c, o, v) for c, o, all in REFUSED[1:8]
                                      for v in '01' if all is THREADS)):
        done = camlens(*COMMANDS[command], f'{option}={values}')
        tap.check(done.returncode == 1 and option not in done.stderr,
                  f'{command}: {option}={values} is one', done.stderr)
    tap.check(os.listdir(folder.name) == [], 'and nothing is left behind',
              os.listdir(folder.name))


main()
sys.exit(tap.done())
