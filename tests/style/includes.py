#!/usr/bin/python3
"""includes.py ROOT: who includes whom

The parts know each other in one direction: core knows no other part; ui knows
core and GTK; plugin knows all, and alone sees libgimp.  Within core the
folders form no circle.
"""
import re
import sys

from tap import Tap, sources

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
PARTS = {'core': {'core'}, 'ui': {'ui', 'core'},
         'plugin': {'plugin', 'ui', 'core'}, 'tools': {'tools', 'core'}}
GUI = ('gtk/', 'gdk/', 'gegl', 'babl', 'libgimp')
FORBIDDEN = {'core': GUI + ('vips',), 'ui': ('libgimp', 'vips'),
             'plugin': ('vips',), 'tools': GUI}


def includes(root):
    """(file, 'local' or 'system', what it includes)"""
    for name in sources(root, '.c', '.h', under=tuple(PARTS)):
        with open(f'{root}/{name}', encoding='utf-8') as text:
            for quote, target in INCLUDE.findall(text.read()):
                yield name, quote == '"', target


def circle(edges):
    """a circle in the graph, or None"""
    def visit(node, path):
        if node in path:
            return path[path.index(node):] + [node]
        if node in finished:
            return None
        for following in sorted(edges.get(node, ())):
            found = visit(following, path + [node])
            if found:
                return found
        finished.add(node)
        return None

    finished = set()
    for start in sorted(edges):
        found = visit(start, [])
        if found:
            return found
    return None


def main(root):
    tap = Tap()
    wrong = {part: [] for part in PARTS}
    edges = {}
    count = 0
    for name, local, target in includes(root):
        count += 1
        part = name.split('/')[0]
        to = target.split('/')
        if part not in PARTS:
            continue
        if local and '/' in target and to[0] in PARTS:
            if to[0] not in PARTS[part]:
                wrong[part].append(f'{name} includes {target}')
            if part == to[0] == 'core':
                edges.setdefault(name.split('/')[1], set()).add(to[1])
        if not local and target.startswith(FORBIDDEN[part]):
            wrong[part].append(f'{name} includes <{target}>')
    for part, bad in wrong.items():
        tap.check(not bad, f'{part} includes only what it may', *bad)
    for folder in edges:
        edges[folder].discard(folder)
    ring = circle(edges)
    tap.check(ring is None, 'the folders of core form no circle',
              ' -> '.join(ring or []))
    tap.check(count > 20, f'{count} includes were looked at')
    return tap.done()


sys.exit(main(sys.argv[1]))
