#!/usr/bin/python3
"""refusals.py ROOT: tools/demo and tools/packages.sh say what is missing, and
the demo how far a map can be trusted

Nothing is built or installed: all ends before that.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

PROGRAMS = ('awk', 'sort', 'bash', 'cat')
# a user without any package of ours
SCRIPTS = {'id': 'echo 1000', 'dpkg-query': 'exit 1'}


def run(folder, *command, **environment):
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, **environment),
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def demo(tap, root, folder):
    program = f'{root}/tools/demo'
    for argument, words in ((folder, 'is a folder'),
                            ('none.jpg', "cannot read 'none.jpg'"),
                            ('--quick', 'demo [PICTURE]')):
        status, out, errors = run(folder, program, argument)
        tap.check(status == 2 and words in errors and not out,
                  f'demo: {words}', status, out, errors)
    status, out, _ = run(folder, program, '--help')
    tap.check(status == 0 and out.startswith('demo [PICTURE]'), 'demo: --help',
              status, out)
    tap.check(os.listdir(folder) == [], 'and leaves nothing behind',
              os.listdir(folder))


def trust(tap, root):
    near = {'cluster': 14, 'similarity': 0.7331, 'far': False,
            'labels': ['camel', 'nut', 'gnu', 'frog'], 'second_cluster': 35,
            'second_similarity': 0.7320, 'top_k': 50}
    plain = dict(near, labels=['bee'], second_similarity=0.5)
    alone = {key: value for key, value in plain.items()
             if not key.startswith('second')}
    words = 'nearest cluster 14 (bee), similarity 0.733\n'
    for record, want in (
            (near, 'nearest cluster 14 (camel, nut, gnu, ...), similarity '
             '0.733\n    cluster 35 is about as near (0.732): it may give '
             'another map\n'),
            (plain, words), (alone, words),
            (dict(plain, far=True), words + '    unlike everything in the '
             'database: do not trust this map\n')):
        text = json.dumps(record, indent=2, separators=(',', ' : '))
        done = subprocess.run(['awk', '-f', f'{root}/tools/demo.awk'],
                              input='OK\n' + text, capture_output=True,
                              text=True, check=False)
        tap.check(done.stdout == want, f'demo: {want.splitlines()[-1].strip()}',
                  done.stdout, done.stderr)


def packages(tap, root, folder):
    for name in PROGRAMS:
        for place in os.defpath.split(':'):
            if place and os.path.exists(f'{place}/{name}'):
                os.symlink(f'{place}/{name}', f'{folder}/{name}')
                break
    scripts = dict(SCRIPTS)
    script = f'top={root}; . $top/tools/packages.sh; packages_install demo'
    for words in ('no apt-get here; install these by hand: palapeli-data',
                  'apt-get install --no-install-recommends palapeli-data'):
        for name, text in scripts.items():
            with open(f'{folder}/{name}', 'w', encoding='utf-8') as file:
                file.write(f'#!/bin/sh\n{text}\n')
            os.chmod(f'{folder}/{name}', 0o755)
        status, out, errors = run(folder, '/bin/bash', '-c', script,
                                  PATH=folder)
        tap.check(status == 1 and words in errors and not out,
                  f'packages: {words.partition(" palapeli")[0]}', status, out,
                  errors)
        scripts['apt-get'] = 'echo apt-get was called; exit 1'


def main(root):
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        demo(tap, root, folder)
    trust(tap, root)
    with tempfile.TemporaryDirectory() as folder:
        packages(tap, root, folder)
    return tap.done()


sys.exit(main(sys.argv[1]))
