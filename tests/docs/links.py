#!/usr/bin/python3
"""links.py ROOT: what the documentation points to is there

Links and pictures of every .md file that lie in the project, anchors included;
files that are named, and the scripts that the examples call.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap, sources  # noqa: E402

LARGEST = 200_000
AREAS = '(?:core|docs|models|plugin|po|tests|tools|ui)'
EXAMPLE = re.compile(r'^```[^\n]*\n(.*?)^```', re.M | re.S)
CALL = re.compile(rf'^(?:sudo |\s+)?({AREAS}/[\w./-]+)', re.M)
NAMED = re.compile(rf'`({AREAS}/[\w./*-]*)`')
LINK = re.compile(r'\]\(([^)\s]+)\)|<img[^>]* src="([^"]+)"')


def anchors(text):
    titles = re.findall(r'^#+ (.*)$', text, re.M)
    return {re.sub(r'[^\w -]', '', t.lower()).replace(' ', '-')
            for t in titles}


def read(path):
    with open(path, encoding='utf-8') as text:
        return text.read()


def wrong(root, name, target):
    path, _, anchor = target.partition('#')
    full = os.path.join(root, os.path.dirname(name), path) if path else \
        os.path.join(root, name)
    if not os.path.exists(full):
        return 'is not there'
    if anchor and anchor not in anchors(read(full)):
        return 'has no such title'
    return None


def wrong_names(root, text):
    bad = [f'{name}: cannot be called' for example in EXAMPLE.findall(text)
           for name in CALL.findall(example)
           if not os.access(f'{root}/{name}', os.X_OK)]
    return bad + [f'{name}: is not there' for name in NAMED.findall(text)
                  if not glob.glob(f'{root}/{name}')]


def main(root):
    tap = Tap()
    for name in sources(root, '.md'):
        bad = wrong_names(root, read(f'{root}/{name}'))
        for first, second in LINK.findall(read(f'{root}/{name}')):
            target = first or second
            if re.match(r'\w+:', target):
                continue
            why = wrong(root, name, target)
            if why:
                bad.append(f'{target}: {why}')
        tap.check(not bad, f'{name}: its links and names lead somewhere', *bad)
    images = [n for n in sources(root, '.png', '.jpg', '.svg', under=('docs',))
              if n.startswith('docs/')]
    big = [n for n in images if os.path.getsize(f'{root}/{n}') > LARGEST]
    tap.check(not big, 'no picture of the documentation is over '
              f'{LARGEST // 1000} kB', *big)
    return tap.done()


sys.exit(main(sys.argv[1]))
