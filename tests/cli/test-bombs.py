#!/usr/bin/python3
"""test-bombs.py CAMLENS: pictures of more pixels than there is memory for

A bound that the head of a file meets, and memory that does not grow with a
picture that is within it.
"""
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image
    import small
    import tiffs
except ImportError as error:
    tap.skip('bombs', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
MB = 1 << 20
# of sanitizers: memory that was freed is memory again
os.environ['ASAN_OPTIONS'] = ':'.join(filter(None, (
    os.environ.get('ASAN_OPTIONS'), 'quarantine_size_mb=4')))


def path(name):
    return os.path.join(folder.name, name)


# A process begins with the memory of the one that it was made by: a small one.
MEASURE = """import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=sys.stderr)
"""


def camlens(*arguments):
    """status, what is said, most bytes that were in memory"""
    done = subprocess.run([sys.executable, '-SEc', MEASURE, CAMLENS,
                           *map(str, arguments)], timeout=100,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said, _, last = done.stderr.decode(errors='replace').strip().rpartition(
        '\n')
    status, most = map(int, last.split())
    return status, said, most * 1024


def embed(name, *more):
    return camlens('embed', '-m', path('model.onnx'), path(name), '-o',
                   path('e.npy'), *more)


def chunk(tag, data):
    return (struct.pack('>I', len(data)) + tag + data
            + struct.pack('>I', zlib.crc32(tag + data)))


def png_head(name, width, height, interlaced=0):
    with open(path(name), 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack(
            '>IIBBBBB', width, height, 8, 2, 0, 0, interlaced))
            + chunk(b'IDAT', zlib.compress(b'\0' * 999))
            + chunk(b'IEND', b''))


def gif_head(name, width, height):
    with open(path(name), 'wb') as file:
        file.write(b'GIF89a' + struct.pack('<HHBBB', width, height, 0x80, 0, 0)
                   + b'\0\0\0\xff\xff\xff' + b',' + struct.pack(
                       '<HHHHB', 0, 0, width, height, 0) + b'\2\2D\1\0;')


def jpeg_head(name, width, height, progressive):
    Image.new('RGB', (16, 16)).save(path(name), progressive=progressive)
    with open(path(name), 'rb') as file:
        data = bytearray(file.read())
    at = data.index(b'\xff\xc2' if progressive else b'\xff\xc0')
    data[at + 5:at + 9] = struct.pack('>HH', height, width)
    with open(path(name), 'wb') as file:
        file.write(data)


def test_heads():
    png_head('a.png', 100000, 100000)
    png_head('b.png', 20000, 20000, 1)
    gif_head('c.gif', 65535, 65535)
    jpeg_head('d.jpg', 60000, 60000, False)
    jpeg_head('e.jpg', 60000, 60000, True)
    tiffs.write(path('f.tif'), np.zeros((4, 4, 3), np.uint8),
                tags=[(256, 4, [300000]), (257, 4, [200000]),
                      (278, 4, [200000])])
    tiffs.write(path('g.tif'), np.zeros((4, 4, 4), np.float32), extra=[2],
                tags=[(256, 4, [11000]), (257, 4, [11000]), (278, 4, [11000])])
    sizes = {'a.png': 100000, 'b.png': 20000, 'c.gif': 65535, 'd.jpg': 60000,
             'e.jpg': 60000, 'f.tif': 300000, 'g.tif': 11000}
    Image.new('RGB', (16, 16)).save(path('one.png'))
    least = embed('one.png')[2]
    for name, width in sizes.items():
        status, said, most = embed(name)
        tap.check(status == 1 and f'{width} x ' in said and '200 million' in said
                  and '--max-pixels' in said and most < least + 40 * MB,
                  f'{name} is refused by its head', said, most / MB)
    with open(path('h.svg'), 'w') as file:
        file.write('<svg xmlns="http://www.w3.org/2000/svg" width="1000000" '
                   'height="1000000"/>')
    status, said, most = embed('h.svg')
    tap.check(status == 1 and 'h.svg' in said and most < least + 40 * MB,
              'h.svg is not read at all', said)


def test_option():
    Image.new('RGB', (1000, 600)).save(path('x.png'))
    for value, good in (('599999', 1), ('0.6M', 0), ('1g', 0), ('599K', 1)):
        status, said, _ = embed('x.png', f'--max-pixels={value}')
        tap.check(status == good and ('1000 x 600' in said) == bool(good),
                  f'--max-pixels={value}', said)
    for value in ('', 'M', '-1', '0', '5MB', 'nan', '1e13'):
        status, said, _ = embed('x.png', f'--max-pixels={value}')
        tap.check(status == 2 and '--max-pixels' in said,
                  f'--max-pixels={value} is refused', said)
    os.makedirs(path('images/a'))
    os.makedirs(path('masks/a'))
    for i in range(2):
        Image.new('RGB', (200, 200), (i, 9, 9)).save(path(f'images/a/{i}.png'))
    Image.new('L', (1000, 1000), 1).save(path('masks/a/0.png'))
    m = ('-m', path('model.onnx'), '--max-pixels=100k')
    for command in (('build', *m, '-q', '-o', path('x.camdb'), '--layer',
                     'features', '--score', 'dot', path('images'),
                     path('x.png')),
                    ('explain', *m, '--positive', path('images/a/0.png'), '-o',
                     path('o.png'), path('x.png')),
                    ('evaluate', *m, '--images', path('images'), '--masks',
                     path('masks'))):
        status, said, _ = camlens(*command)
        tap.check(status != 0 and '0.1 million' in said,
                  f'the bound holds in {command[0]}', said)


def test_streamed():
    """what is written of a picture takes no more memory where it is larger"""
    strip = np.random.default_rng(1).integers(0, 256, (64, 4000, 3))
    most = {}
    for height in (640, 2560):
        image = np.tile(strip, (height // 64, 1, 1)).astype(np.uint8)
        Image.fromarray(image).save(path(f'{height}.png'), compress_level=1)
        Image.fromarray(image).save(path(f'{height}.jpg'), quality=50)
        tiffs.write(path(f'{height}.tif'), image, tile=256)
        for ending in ('png', 'jpg', 'tif'):
            most[height, ending] = camlens(
                'explain', '-m', path('model.onnx'), '--positive',
                path('one.png'), path(f'{height}.{ending}'), '-o',
                path(f'o{height}.jpg'), '--legend')[2]
        most[height, 'overlay'] = camlens(
            'explain', '-m', path('model.onnx'), '--positive', path('one.png'),
            path(f'{height}.jpg'), '--overlay', path('o.tif'))[2]
    for kind in ('png', 'jpg', 'tif', 'overlay'):
        grown = most[2560, kind] - most[640, kind]
        tap.check(grown < 25 * MB, f'memory is bounded: {kind}', grown / MB,
                  most[640, kind] / MB)
    size = Image.open(path('o2560.jpg')).size
    tap.check(size[0] == 4000 and size[1] > 2560, 'and the picture is whole',
              size)


small.write_model(folder.name)
test_heads()
test_option()
test_streamed()
sys.exit(tap.done())
