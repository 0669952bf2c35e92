"""tap.py -- the few lines of TAP that the Python tests share"""
import os


class Tap:
    def __init__(self):
        self.points = 0
        self.failures = 0

    def check(self, good, name, *why):
        self.points += 1
        self.failures += not good
        print(f'{"" if good else "not "}ok {self.points} - {name}')
        if not good:
            for line in why:
                print(f'# {line}')

    def skip(self, name, why):
        self.points += 1
        print(f'ok {self.points} - {name} # SKIP {why}')

    def done(self):
        print(f'1..{self.points}')
        return 1 if self.failures else 0


def sources(root, *endings, under=()):
    """the project's own files of these endings, relative to the root"""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders
                            if not f.startswith(('build', '__pycache__'))
                            and f not in ('.git', '.cache'))
        here = os.path.relpath(folder, root)
        if under and here.split(os.sep)[0] not in under + (".",):
            continue
        found += [os.path.normpath(os.path.join(here, f))
                  for f in sorted(files) if f.endswith(endings)]
    return found
