"""building.py CAMLENS: what the tests of camlens build share: a model, pictures,
a folder for databases, and ways to build them and to hold them side by side
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402
import toy  # noqa: E402

camlens = sys.argv[1]
tap = Tap()
folder = tempfile.TemporaryDirectory(prefix='camlens-build-')


def at(*names):
    return os.path.join(folder.name, *names)


model = toy.make_model(at('model'), toy.make_weights())
toy.make_pictures(at('pictures'), 5, 12)


def command(name, pictures='pictures', *options):
    return [camlens, 'build', '-q', '-m', model, '-o', at(name), at(pictures),
            '--layer', 'relu4', '--clusters', '6', *options]


def build(name, pictures='pictures', *options, **settings):
    return subprocess.run(command(name, pictures, *options),
                          capture_output=True, text=True, check=False,
                          **settings)


def contents(name):
    """arrays, and the ordered dump"""
    subprocess.run([camlens, 'db', 'export', at(name), '--npy',
                    at(name + '.arrays')], check=True)
    with open(at(name), 'rb') as file:
        read = {'bytes': file.read()}
    for array in sorted(os.listdir(at(name + '.arrays'))):
        with open(at(name + '.arrays', array), 'rb') as file:
            read[array] = file.read()
    read['dump'] = subprocess.run(['sqlite3', at(name), '.dump'], check=True,
                                  capture_output=True).stdout
    return read


def same(name, other):
    a, b = contents(name), contents(other)
    return [key for key in a if a[key] != b.get(key)] == [] and len(a) == len(b)


def leftovers(name):
    return [file for file in os.listdir(folder.name)
            if file.startswith(name + '.') and not file.endswith('.arrays')]
