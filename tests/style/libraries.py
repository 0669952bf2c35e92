#!/usr/bin/python3
"""libraries.py PROGRAM: it is linked with no library of a user interface"""
import re
import subprocess
import sys

from tap import Tap

GUI = re.compile(r'lib(gtk|gdk|gegl|babl|gimp|X11|wayland|vips|cairo|pango)\b')


def main(program):
    tap = Tap()
    text = subprocess.run(['ldd', program], text=True, capture_output=True,
                          check=True).stdout
    names = [line.split()[0] for line in text.splitlines()]
    bad = [name for name in names if GUI.search(name)]
    tap.check(any(n.startswith('libglib') for n in names),
              f'{len(names)} libraries were looked at')
    tap.check(not bad, 'none of them is of a user interface', *bad)
    return tap.done()


sys.exit(main(sys.argv[1]))
