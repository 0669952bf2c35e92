#!/usr/bin/python3
"""headers.py ROOT BUILD: every header compiles alone

The flags are those of a source in the same folder, or the nearest above it,
taken from the compilation database.  Headers of a part that this build leaves
out are skipped with a word.
"""
import json
import os
import shlex
import subprocess
import sys

from tap import Tap, sources

KEPT = ('-I', '-D', '-std', '-f', '-isystem', '-pthread')


def flags_by_folder(root, build):
    """folder -> (compiler, flags) of one source there"""
    found = {}
    with open(f'{build}/compile_commands.json', encoding='utf-8') as text:
        commands = json.load(text)
    for command in commands:
        path = os.path.join(command['directory'], command['file'])
        folder = os.path.dirname(os.path.relpath(path, root))
        words = shlex.split(command['command'])
        if words[0].endswith('ccache'):
            words.pop(0)
        flags = [w for w in words[1:] if w.startswith(KEPT)
                 and not w.startswith('-fsanitize')]
        found.setdefault(folder, (words[0], flags))
    return found


def flags_for(name, found):
    folder = os.path.dirname(name)
    while folder:
        near = sorted(f for f in found if (f + '/').startswith(folder + '/'))
        if near:
            return found[near[0]]
        folder = os.path.dirname(folder)
    return None


def main(root, build):
    tap = Tap()
    found = flags_by_folder(root, build)
    for name in sources(root, '.h', under=('core', 'ui', 'plugin', 'tools',
                                           'tests')):
        with_flags = flags_for(name, found)
        if with_flags is None:
            tap.skip(name, 'its part is not in this build')
            continue
        compiler, flags = with_flags
        done = subprocess.run(
            [compiler, *flags, '-I', root, '-fsyntax-only', '-Wall',
             '-Werror', '-xc', '-'],
            input=f'#include "{name}"\n', cwd=build, capture_output=True,
            text=True, check=False)
        tap.check(done.returncode == 0, f'{name} compiles alone',
                  *done.stderr.splitlines()[:5])
    return tap.done()


sys.exit(main(os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])))
