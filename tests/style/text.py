#!/usr/bin/python3
"""text.py ROOT: no endless file, no open mark, no path of one machine"""
import re
import subprocess
import sys

from tap import Tap, sources

LONGEST = 600
MARKS = re.compile(r'\b(' + '|'.join(('TO' 'DO', 'FIX' 'ME', 'XX' 'X',
                                      'HA' 'CK')) + r')\b')
PLACES = re.compile('|'.join(('/wo' 'rk/', '/tmp/' 'team', '/ro' 'ot/')))
CODE = ('.c', '.h', '.py', '.scm', '.sh', 'meson.build')
TEXT = CODE + ('.md', '.1', '.ini', '.po', '.txt')


def lines_of(root, name):
    with open(f'{root}/{name}', encoding='utf-8') as text:
        return text.read().splitlines()


def matches(root, names, pattern):
    return [f'{name}:{number}: {line.strip()[:60]}'
            for name in names
            for number, line in enumerate(lines_of(root, name), 1)
            if pattern.search(line)]


def shell_programs(root):
    """scripts for bash, whatever their names"""
    found = []
    for name in sources(root, '', under=('tools', 'tests', '.ci')):
        with open(f'{root}/{name}', 'rb') as text:
            if text.readline().startswith(b'#!/bin/bash'):
                found.append(name)
    return found


def main(root):
    tap = Tap()
    code = sources(root, *CODE)
    programs = shell_programs(root)
    text = sorted(set(sources(root, *TEXT) + programs))
    long = [f'{name}: {len(lines_of(root, name))} lines' for name in code
            if len(lines_of(root, name)) > LONGEST]
    tap.check(not long, f'no file over {LONGEST} lines', *long)
    marks = matches(root, text, MARKS)
    tap.check(not marks, 'nothing marked as unfinished', *marks)
    places = matches(root, text, PLACES)
    tap.check(not places, 'no path of one machine', *places)
    tabs = matches(root, sources(root, '.c', '.h'), re.compile('\t|[ \t]+$'))
    tap.check(not tabs, 'no tab or space at a line end in C', *tabs)
    for name in programs:
        done = subprocess.run(['bash', '-n', f'{root}/{name}'],
                              capture_output=True, text=True, check=False)
        tap.check(done.returncode == 0, f'{name} is right for bash',
                  *done.stderr.splitlines())
    return tap.done()


sys.exit(main(sys.argv[1]))
