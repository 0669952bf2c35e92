#!/usr/bin/python3
"""man-page.py ROOT CAMLENS: docs/camlens.1 says what "camlens ... --help" says

Every command has its section, every option of --help is in it under the same
argument, no section has an option that the program lacks, and man is content.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

WITH_COMMANDS = ('db',)


def help_of(program, *words):
    return subprocess.run([program, *words, '--help'], text=True, check=True,
                          capture_output=True,
                          env=dict(os.environ, LC_ALL='C.UTF-8',
                                   LANGUAGE='')).stdout


def commands(program):
    """["explain", ...] and ["db info", ...]"""
    found = []
    for name in re.findall(r'^  (\w+) {2,}', help_of(program), re.M):
        if name in WITH_COMMANDS:
            found += [f'{name} {sub}' for sub in re.findall(
                r'^  (\w+) {2,}', help_of(program, name), re.M)]
        else:
            found.append(name)
    return found


def options_of_help(text):
    own = text.partition('Application Options:')[2]
    return set(re.findall(r'^  (?:-\w, )?(--[\w-]+(?:=\S+)?)', own, re.M))


def sections(page):
    """"camlens explain" -> its options as --help writes them"""
    plain = re.sub(r'\\f[BIR]', '', page).replace('\\-', '-')
    plain = plain.replace('\\&', '')
    found = {}
    for part in re.split(r'^\.SS ', plain, flags=re.M)[1:]:
        name, _, rest = part.partition('\n')
        rest = re.split(r'^\.SH ', rest, flags=re.M)[0]
        found[name] = set(re.findall(
            r'^\.TP\n(?:-\w, )?(--[\w-]+(?:=\S+)?)', rest, re.M))
    return found


def main(root, program):
    tap = Tap()
    path = f'{root}/docs/camlens.1'
    with open(path, encoding='utf-8') as text:
        have = sections(text.read())
    names = commands(program)
    tap.check(len(names) > 8, f'{len(names)} commands')
    for name in names:
        wanted = options_of_help(help_of(program, *name.split()))
        written = have.pop(f'camlens {name}', None)
        tap.check(written == wanted, f'camlens {name}',
                  'no section' if written is None else
                  f'only in one: {sorted(written ^ wanted)}')
    tap.check(not have, 'no section of a command that is not there', *have)
    if shutil.which('man'):
        done = subprocess.run(['man', '--warnings', '-l', path], text=True,
                              capture_output=True, check=False,
                              env=dict(os.environ, LC_ALL='C.UTF-8',
                                       MANWIDTH='80'))
        tap.check(done.returncode == 0 and not done.stderr,
                  'man is content', *done.stderr.splitlines())
    else:
        tap.skip('man is content', 'no man here')
    return tap.done()


sys.exit(main(sys.argv[1], sys.argv[2]))
