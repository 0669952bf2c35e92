"""building.py CAMLENS: what the tests of camlens build share: a model, a folder
for pictures and databases, and ways to build these and to hold them side by side
"""
import json
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


def run(*words, **settings):
    return subprocess.run(words, capture_output=True, text=True, check=False,
                          **settings)


def command(name, pictures='pictures', *options, layer='relu4', clusters=6):
    return [camlens, 'build', '-q', '-m', model, '-o', at(name), at(pictures),
            '--layer', layer, '--clusters', str(clusters), *options]


def build(name, pictures='pictures', *options, layer='relu4', clusters=6,
          **settings):
    return run(*command(name, pictures, *options, layer=layer,
                        clusters=clusters), **settings)


def explain(name, picture, *options):
    """what --json says, and what was said besides, {} where it failed"""
    done = run(camlens, 'explain', '-m', model, '-d', at(name), at(picture),
               '--heatmap', at('map.npy'), '--json', *options)
    return json.loads(done.stdout) if done.returncode == 0 else {}, done.stderr


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
