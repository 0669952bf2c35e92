#!/usr/bin/python3
"""format.py ROOT [--report]: C sources are as clang-format would leave them

Its versions differ in small things, so only version 14 (Debian 12) judges.
With --report what differs is named and skipped, not failed.
"""
import difflib
import shutil
import subprocess
import sys

from tap import Tap, sources

VERSION = 14


def formatter():
    for program in (f'clang-format-{VERSION}', 'clang-format'):
        if shutil.which(program):
            text = subprocess.run([program, '--version'], text=True,
                                  capture_output=True, check=True).stdout
            if f'version {VERSION}.' in text:
                return program
    return None


def main(root, report):
    tap = Tap()
    program = formatter()
    for name in sources(root, '.c', '.h'):
        if program is None:
            tap.skip(name, f'no clang-format {VERSION} here')
            continue
        with open(f'{root}/{name}', encoding='utf-8') as text:
            is_now = text.read()
        wanted = subprocess.run([program, f'{root}/{name}'], text=True,
                                capture_output=True, check=True).stdout
        differing = sum(line[0] in '+-' for line in difflib.ndiff(
            is_now.splitlines(), wanted.splitlines()))
        if report and is_now != wanted:
            tap.skip(name, f'{differing} lines differ')
        else:
            tap.check(is_now == wanted, name, f'{differing} lines differ; '
                      f'run clang-format-{VERSION} -i {name}')
    return tap.done()


sys.exit(main(sys.argv[1], '--report' in sys.argv[2:]))
