"""conversion.py -- what the tests of models/convert share

The command line is CAMLENS SOURCE; files go to a folder that ends with the
test.
"""
import configparser
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

CAMLENS, SOURCE = sys.argv[1], sys.argv[2]
CONVERT = os.path.join(SOURCE, 'models', 'convert')
sys.path.insert(0, CONVERT)

_scratch = tempfile.TemporaryDirectory()
SCRATCH = _scratch.name
ENV = dict(os.environ, LC_ALL='C.UTF-8', XDG_DATA_DIRS='/nonexistent',
           XDG_DATA_HOME=os.path.join(SCRATCH, 'data'),
           PYTHONDONTWRITEBYTECODE='1')


def path(*names):
    return os.path.join(SCRATCH, *names)


def run(*arguments, **environment):
    return subprocess.run(list(map(str, arguments)),
                          env=dict(ENV, **environment), timeout=240,
                          capture_output=True, text=True, check=False)


def convert(script, *arguments, **environment):
    return run('/usr/bin/python3', os.path.join(CONVERT, script), *arguments,
               '--camlens', CAMLENS, **environment)


def said(done):
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def settings(folder):
    parser = configparser.ConfigParser()
    parser.read(path(folder, 'model.ini'))
    return dict(parser['camlens']) if 'camlens' in parser else {}


def colours():
    """labels that even a random network can tell apart: 12 pictures of 60 x 50"""
    rng = np.random.default_rng(4)
    for label, colour in (('red', (220, 40, 40)), ('blue', (40, 40, 220))):
        os.makedirs(path('colours', label))
        for i in range(6):
            array = rng.normal(colour, 30, (50, 60, 3)).clip(0, 255)
            Image.fromarray(array.astype(np.uint8)).save(
                path('colours', label, f'{i}.png'))


def check_explained(tap, folder, layer, layout='nchw'):
    """a database of the colours at the layer of model.ini, one explained by it"""
    ini, model = settings(folder), path(folder, 'model.onnx')
    built = run(CAMLENS, 'build', '-q', '-m', model, '-o',
                path(folder, 'c.camdb'), path('colours'), '--clusters', '2',
                '--layer', ini.get('layer', '?'))
    why = run(CAMLENS, 'explain', '-m', model, '-d', path(folder, 'c.camdb'),
              path('colours', 'red', '0.png'), '-o', path('why.png'), '--json')
    told = json.loads(why.stdout) if why.returncode == 0 else {}
    tap.check(ini.get('layer') == layer and ini.get('layer.layout') == layout
              and told.get('layer') == layer
              and told['labels'][0]['label'] == 'red'
              and Image.open(path('why.png')).size == (60, 50),
              f'{folder}: a picture explained at {layer}', ini, *said(built),
              *said(why))


def stops(function, *arguments):
    """what the SystemExit says, None where there is none"""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            function(*arguments)
    except SystemExit as error:
        return str(error)
    return None
