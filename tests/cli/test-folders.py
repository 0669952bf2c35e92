#!/usr/bin/python3
"""test-folders.py CAMLENS: which files of a folder are pictures, and what is
said of the others"""
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image
    import small
except ImportError as error:
    tap.skip('folders', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()


def path(*parts):
    return os.path.join(folder.name, *parts)


def camlens(*arguments):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=60)


def make(*parts, form='PNG', seed=1):
    os.makedirs(path(*parts[:-1]), exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 24, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path(*parts), form)


def embed(*folders):
    """the names taken, below the test's folder, and the notes"""
    if os.path.exists(path('n.txt')):
        os.remove(path('n.txt'))
    done = camlens('embed', '-m', path('model.onnx'), *map(path, folders),
                   '-o', path('e.npy'), '--names', path('n.txt'))
    names = []
    if os.path.exists(path('n.txt')):
        with open(path('n.txt')) as file:
            names = [line[len(folder.name) + 1:].rstrip('\n') for line in file]
    return names, [line for line in done.stderr.splitlines()
                   if 'passed over' in line], done


def test_endings():
    kinds = {'a.JPG': 'JPEG', 'b.jfif': 'JPEG', 'c.jif': 'JPEG',
             'd.PJPEG': 'JPEG', 'e.jpe': 'JPEG', 'f.Png': 'PNG',
             'g.TIFF': 'TIFF', 'h.webp': 'WEBP', 'i.gif': 'GIF',
             'j.pjp': 'JPEG', 'k.jpg': 'PNG'}
    for name, form in kinds.items():
        make('kinds', name, form=form)
    names, notes, done = embed('kinds')
    tap.check(sorted(names) == sorted(f'kinds/{n}' for n in kinds),
              'pictures by all their endings, in any case', names, done.stderr)
    tap.check(notes == [], 'and nothing is passed over', notes)
    for name in ('notes.txt', 'labels.csv', 'a.json', 'Thumbs.db', '.DS_Store',
                 'README', 'desktop.ini', 'a.xmp', 'clip.MP4'):
        with open(path('kinds', name), 'w') as file:
            file.write('no picture')
    _, notes, _ = embed('kinds')
    tap.check(notes == [], 'no word of what is no picture to anybody', notes)
    make('kinds', 'x.bmp', form='BMP')
    _, notes, _ = embed('kinds')
    tap.check(len(notes) == 1 and '1 file ' in notes[0]
              and 'kinds/x.bmp' in notes[0] and '.jpg' in notes[0],
              'a file that is not read is named', notes)
    make('kinds', 'sub', 'y.BMP', form='BMP')
    make('kinds', 'z.ppm', form='PPM')
    make('kinds', 'without', form='PNG')
    _, notes, _ = embed('kinds')
    tap.check(len(notes) == 1 and '4 files ' in notes[0]
              and '(- 1, .bmp 2, .ppm 1)' in notes[0],
              'several are counted by their endings', notes)
    names, notes, done = embed('kinds/without')
    tap.check(names == ['kinds/without'], 'what is named itself is read',
              done.stderr)
    for name, words in (('nope', 'There is no file or folder'),
                        ('nope.png', 'There is no picture')):
        _, _, done = embed(name)
        tap.check(done.returncode == 1 and words in done.stderr,
                  f'{name} is not there', done.stderr)
    _, _, done = embed('kinds/x.bmp')
    tap.check(done.returncode == 1 and 'x.bmp' in done.stderr
              and 'Cannot read' in done.stderr, 'or said to be unreadable',
              done.stderr)


def test_machine_folders():
    make('nas', 'a.jpg', form='JPEG')
    for name in ('@eaDir', '__MACOSX', 'Thumbs', '_thumbs', '#recycle',
                 '.thumbnails'):
        make('nas', name, 'a.jpg', form='JPEG')
    names, notes, _ = embed('nas')
    tap.check(names == ['nas/a.jpg'], 'folders of thumbnails are left out',
              names)
    tap.check(len(notes) == 1
              and '5 thumbnail or system folders' in notes[0], 'and counted',
              notes)
    names, _, _ = embed('nas/@eaDir')
    tap.check(names == ['nas/@eaDir/a.jpg'],
              'but for one that is named itself', names)


def test_links():
    make('elsewhere', 'one', 'p.png', seed=2)
    make('tree', 'cat', 'a.png')
    os.symlink('../elsewhere', path('tree', 'dog'))
    names, notes, _ = embed('tree')
    tap.check(names == ['tree/cat/a.png', 'tree/dog/one/p.png']
              and notes == [], 'a link to a folder is followed', names, notes)
    os.symlink('..', path('tree', 'cat', 'up'))
    os.symlink('.', path('elsewhere', 'one', 'round'))
    os.symlink('cat', path('tree', 'a cat'))
    names, notes, done = embed('tree')
    tap.check(names == ['tree/cat/a.png', 'tree/dog/one/p.png']
              and done.returncode == 0,
              'a folder is read once, under its own name', names, done.stderr)
    tap.check(len(notes) == 1 and notes[0].count('3 further names') == 1
              and 'a cat' in notes[0], 'and its other names are said', notes)
    make('cats', 'x.png')
    for name in ('m', 'l'):
        os.makedirs(path('two'), exist_ok=True)
        os.symlink('../cats', path('two', name))
    names, notes, _ = embed('two')
    tap.check(names == ['two/l/x.png'] and len(notes) == 1
              and 'two/m' in notes[0], 'of two links the first counts', names,
              notes)
    names, notes, _ = embed('cats', 'cats', 'cats/x.png')
    tap.check(names == ['cats/x.png'] and notes == [],
              'a folder that is named twice is no matter', names, notes)
    os.symlink('nowhere', path('two', 'gone'))
    _, notes, _ = embed('two')
    tap.check(any('two/gone' in note and 'nowhere' in note for note in notes),
              'a link to nothing is said', notes)
    names, notes, done = embed('two/l', 'two/m')
    tap.check(names == ['two/l/x.png'] and any('two/m' in n for n in notes),
              'also where the links themselves are named', names, notes)


def test_commands():
    """every command that takes folders lists them alike"""
    for label in ('cat', 'dog'):
        for i in range(2):
            make('labelled', label, f'{i}.jfif', form='JPEG',
                 seed=i + 2 * (label == 'dog'))
    os.symlink('../elsewhere', path('labelled', 'hen'))
    make('labelled', 'dog', 'x.bmp', form='BMP')
    built = camlens('build', '-q', '-m', path('model.onnx'), '-o',
                    path('x.camdb'), path('labelled'), '--layer', 'features',
                    '--clusters', 2, '--json')
    tap.check('"pictures":5' in built.stdout and 'x.bmp' in built.stderr,
              'build', built.stdout, built.stderr)
    explained = camlens('explain', '-m', path('model.onnx'), '-d',
                        path('x.camdb'), path('labelled'), '-o', path('out/'))
    tap.check(explained.returncode == 0 and 'x.bmp' in explained.stderr
              and len(os.listdir(path('out'))) == 5, 'explain',
              explained.stderr)
    measured = camlens('evaluate', '-m', path('model.onnx'), '-d',
                       path('x.camdb'), '--images', path('labelled'),
                       '--faithfulness', 0, '--json')
    tap.check(measured.returncode == 0 and '"pictures" : 5' in measured.stdout
              and 'x.bmp' in measured.stderr, 'evaluate', measured.stderr)


small.write_model(folder.name)
test_endings()
test_machine_folders()
test_links()
test_commands()
sys.exit(tap.done())
