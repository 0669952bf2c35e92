#!/usr/bin/python3
"""install.py ROOT: tools/install puts everything in place, --remove undoes it

A home of its own, in which the user already has a plug-in and a model.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

KEPT = ('.config/GIMP/2.10/plug-ins/other/other',
        '.config/GIMP/3.0/plug-ins/other/other',
        '.local/share/camlens/models/mine/model.ini')


def files(home):
    found = set()
    for folder, folders, names in os.walk(home):
        found |= {os.path.relpath(os.path.join(folder, n), home)
                  for n in names + folders}
    return found


def run(root, home, *options):
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith(('XDG_', 'GIMP', 'MESON'))}
    environment['HOME'] = home
    environment['CCACHE_DISABLE'] = '1'  # it would keep a cache in HOME
    return subprocess.run([f'{root}/tools/install', *options],
                          env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)


def check_new_user(tap, root):
    """GIMP makes its profile itself, and then it lacks nothing."""
    with tempfile.TemporaryDirectory() as home:
        done = run(root, home)
        tap.check(done.returncode == 0, 'a user whom GIMP does not know yet',
                  *(done.stdout + done.stderr).splitlines()[-10:])
        made = files(home)
        for folder in ('brushes', 'tool-presets', 'plug-ins/camlens'):
            tap.check(any(name.endswith('/' + folder) for name in made),
                      f'has {folder} in the profile')


def main(root):
    tap = Tap()
    check_new_user(tap, root)
    with tempfile.TemporaryDirectory() as home:
        for name in KEPT:
            os.makedirs(os.path.dirname(f'{home}/{name}'), exist_ok=True)
            with open(f'{home}/{name}', 'w', encoding='utf-8') as text:
                text.write('mine\n')
        before = files(home)

        done = run(root, home)
        tap.check(done.returncode == 0, 'tools/install succeeds',
                  *(done.stdout + done.stderr).splitlines()[-10:])
        installed = files(home) - before
        for wanted in ('.local/bin/camlens', 'plug-ins/camlens/camlens',
                       'plug-ins/camlens/locale/de/LC_MESSAGES/camlens.mo',
                       'locale/ja/LC_MESSAGES/camlens.mo',
                       'camlens/models/objects/model.onnx',
                       'camlens/models/objects/model.ini',
                       'man1/camlens.1'):
            tap.check(any(name.endswith(wanted) for name in installed),
                      f'{wanted} is in place')
        tap.check(any(name.endswith('.camdb') for name in installed),
                  'a database is in place')
        program = subprocess.run([f'{home}/.local/bin/camlens', '--version'],
                                 capture_output=True, text=True, check=False)
        tap.check(program.returncode == 0, 'the installed program runs',
                  program.stderr)

        tap.check(run(root, home).returncode == 0, 'installing again')
        tap.check(files(home) - before == installed, 'changes nothing')
        tap.check(run(root, home, '--remove').returncode == 0, 'removing')
        left = files(home) ^ before
        tap.check(not left, 'leaves what was there before', *sorted(left))
        tap.check(run(root, home, '--remove').returncode == 0,
                  'removing twice is no error')
        tap.check(run(root, home, '--nonsense').returncode == 2,
                  'an unknown option is an error')
    return tap.done()


sys.exit(main(sys.argv[1]))
