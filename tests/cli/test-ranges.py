#!/usr/bin/python3
"""test-ranges.py CAMLENS: preprocessing that cannot be meant is said, what
cannot be is refused, and the usual recipes are neither
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image
    from networks import SIDE, Network
except ImportError as error:
    tap.skip('ranges', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
FOLDER = tempfile.TemporaryDirectory()
ENV = dict(os.environ, LC_ALL='C.UTF-8')


def at(*names):
    return os.path.join(FOLDER.name, *names)


def call(*arguments):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=60, env=ENV,
                          check=False)


def model(settings, channels=3, metadata=None):
    n = Network()
    n.inputs.clear()
    n.input('x', 'float', ['N', channels, SIDE, SIDE])
    conv = n.node('Conv', ['x', n.weight(16, channels, 3, 3)], 'c')
    n.node('Flatten', [n.node('GlobalAveragePool', [conv], 'p')], 'embedding')
    return n.output('embedding').save(at('model'), settings, metadata)


GOOD = {
    'from 0 to 1': 'input.mean=0\n',
    'from -1 to 1': 'input.mean=0.5\ninput.std=0.5\n',
    'nothing said': 'input.size=32\n',
    "ImageNet's": 'input.mean=0.485,0.456,0.406\ninput.std=0.229,0.224,0.225\n',
    "ImageNet's, of bytes": 'input.scale=1\ninput.mean=123.675,116.28,103.53\n'
                            'input.std=58.395,57.12,57.375\n',
    "Caffe's": 'input.channels=bgr\ninput.scale=1\ninput.mean=104,117,123\n',
    "Caffe's, with its scale": 'input.channels=bgr\ninput.scale=0.017\n'
                               'input.mean=1.768,1.98,2.1\n',
    'from 0 to 255': 'input.scale=1\n',
    "InsightFace's": 'input.scale=1\ninput.mean=127.5\ninput.std=128\n',
    "Keras' tf": 'input.scale=1\ninput.mean=127.5\ninput.std=127.5\n',
    'its other spelling': 'input.scale=0.00784313725490196\ninput.mean=1\n',
    'std alone': 'input.scale=1\ninput.std=255\n',
    'std of units': 'input.std=0.25\n',
    "CLIP's": 'input.mean=0.48145466,0.4578275,0.40821073\n'
              'input.std=0.26862954,0.26130258,0.27577711\n',
    'crop and pad where they work': 'input.mean=0\ninput.resize=crop\n'
                                    'input.crop=0.875\n',
    'pad where it works': 'input.mean=0\ninput.resize=pad\ninput.pad=gray\n',
}
ODD = {  # the words; the numbers for black and white
    "InsightFace's without scale": (
        'input.mean=127.5\ninput.std=128\n', 'input.scale=1 ', '-0.9961',
        '-0.9883'),
    "ImageNet's of bytes without scale": (
        'input.mean=123.675,116.28,103.53\ninput.std=58.395,57.12,57.375\n',
        'input.scale=1 ', '-2.118', '-2.101'),
    "Caffe's without scale": ('input.mean=104,117,123\n', 'input.scale=1 ',
                              '-104', '-103'),
    'scale 1 with means of units': (
        'input.scale=1\ninput.mean=0.485,0.456,0.406\n'
        'input.std=0.229,0.224,0.225\n', '0.00392157', '-2.118', '1111'),
    'scale 1 with means of units alone': (
        'input.scale=1\ninput.mean=0.485,0.456,0.406\n', '0.00392157',
        '-0.485', '254.5'),
    'all above 0': ('input.scale=0.00784313725490196\ninput.mean=-1\n',
                    'look at', '1', '3'),
    'all below 0': ('input.mean=2\n', '-2', '-1'),
    'scale 1 with halves': ('input.scale=1\ninput.mean=0.5\ninput.std=0.5\n',
                            '0.00392157', '-1', '509'),
    'std of bytes alone': ('input.std=255\n', 'input.scale=1 ', '0',
                           '0.003922'),
    'divided twice': ('input.scale=0.0000153787\n', 'look at', '0.003922'),
    'not divided': ('input.scale=1\ninput.std=0.2\n', '1275'),
    'one channel alone': ('input.mean=0.5,0.5,127.5\ninput.std=0.25\n',
                          '-510', '-506'),
    'far above': ('input.mean=-50\n', '50', '51'),
}
NO_EFFECT = {
    'input.crop': 'input.mean=0\ninput.crop=0.875\n',
    'input.crop ': 'input.mean=0\ninput.resize=pad\ninput.crop=0.875\n',
    'input.pad': 'input.mean=0\ninput.resize=crop\ninput.pad=black\n',
    'input.scale is below 0': 'input.scale=-1\ninput.mean=-255\n'
                              'input.std=255\n',
}
REFUSED = {
    'a std that overflows': ('input.std=1e-45\n', 'input.std', '1e-45'),
    'a std that leaves nothing': ('input.std=1e60\n', 'input.std', '1e60'),
    'a std of 0': ('input.std=0\n', 'input.std'),
    'a std below 0': ('input.std=-1\n', 'input.std'),
    'a scale of 0': ('input.scale=0\n', 'input.scale'),
    'a scale that overflows': ('input.scale=1e39\n', 'input.scale', '1e39'),
    'a mean that swallows': ('input.mean=1e20\n', 'input.mean', '1e20'),
    'no number': ('input.mean=nan\n', 'input.mean'),
    'a crop of 0': ('input.resize=crop\ninput.crop=0\n', 'input.crop'),
    'a crop above 1': ('input.resize=crop\ninput.crop=1.2\n', 'input.crop'),
}


def warnings(path):
    done = call('inspect', path, '--json')
    return (json.loads(done.stdout).get('warnings') if done.returncode == 0
            else None), done.stderr


def main():
    for name, settings in GOOD.items():
        said, errors = warnings(model(settings))
        tap.check(said == [] and not errors, f'nothing is said of: {name}',
                  said, errors)
    for name, (settings, *words) in ODD.items():
        said, errors = warnings(model(settings))
        tap.check(len(said or []) == 1 and all(w in said[0] for w in words)
                  and said[0] in errors, f'{name} is said', said, errors)
    for words, settings in NO_EFFECT.items():
        said, errors = warnings(model(settings))
        tap.check(len(said or []) == 1 and words.strip() in said[0],
                  f'said beside {settings.splitlines()[-1]}', said, errors)
    said, errors = warnings(model('input.mean=0.1,0.2,0.3\n', channels=1))
    tap.check(len(said or []) == 1 and 'input.mean' in said[0],
              'of three means a gray picture takes one', said, errors)
    for name, (settings, *words) in REFUSED.items():
        done = call('models', 'add', model(settings))
        tap.check(done.returncode == 1
                  and all(word in done.stderr for word in words),
                  f'{name} is refused', done.stderr)
    Image.new('RGB', (40, 40), 'red').save(at('red.png'))
    path = model(None, metadata={'camlens.input.mean': '127.5',
                                 'camlens.input.std': '128'})
    os.path.exists(at('model', 'model.ini')) and os.remove(
        at('model', 'model.ini'))
    for arguments in (('embed', '-m', path, at('red.png'), '-o', at('e.npy')),
                      ('explain', '-m', path, '--positive', at('red.png'),
                       at('red.png'), '-o', at('o.png'))):
        done = call(*arguments)
        tap.check('-0.9961' in done.stderr and 'input.scale=1 ' in done.stderr,
                  f'{arguments[0]} says it, of metadata, too', done.stderr)
    os.symlink('nowhere', at('model', 'model.ini'))
    done = call('embed', '-m', path, at('red.png'), '-o', at('e.npy'))
    tap.check(done.returncode == 1 and 'model.ini' in done.stderr,
              'settings behind a link that leads nowhere are missed',
              done.stderr)
    os.remove(at('model', 'model.ini'))


main()
FOLDER.cleanup()
sys.exit(tap.done())
