#!/usr/bin/python3
"""test-masks.py CAMLENS: the same object in masks of all kinds"""
import json
import os
import shutil
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
    import tiffs
except ImportError as error:
    tap.skip('masks', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
W, H, N = 48, 32, 3


def path(*parts):
    return os.path.join(folder.name, *parts)


def evaluate(masks, images='images', *more):
    done = subprocess.run(
        [CAMLENS, 'evaluate', '-m', path('model.onnx'), '--images',
         path(images), '--masks', path(masks), '--faithfulness', '0', *more],
        text=True, capture_output=True, timeout=60)
    said = (json.loads(done.stdout) if done.returncode in (0, 3)
            and '--json' in more else {})
    return done, said


def rows(said):
    return [r for r in said.get('rows', []) if 'energy' in r]


def blob(i):
    mask = np.zeros((H, W), np.uint8)
    mask[6 + i:20 + i, 10:30 + 2 * i] = 1
    return mask


def save(name, write, ending='png'):
    """a folder of masks, each written by @write (path, 0 and 1)"""
    os.makedirs(path(name), exist_ok=True)
    for i in range(N):
        write(path(name, f'{i}.{ending}'), blob(i))


def palette(name, mask):
    image = Image.fromarray(np.where(mask, 3, 0).astype(np.uint8), 'P')
    image.putpalette([255, 255, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0])
    image.save(name)


def voc(name, mask):
    """class 15, and 255 along the edge"""
    edge = np.zeros_like(mask)
    edge[1:-1] |= mask[1:-1] & ~(mask[2:] & mask[:-2])
    image = Image.fromarray(np.where(edge, 255, mask * 15).astype(np.uint8),
                            'P')
    image.putpalette(sum(([i, 255 - i, 7] for i in range(1, 256)), [0, 0, 0]))
    image.save(name)


def colours(name, mask):
    rgb = np.zeros((*mask.shape, 3), np.uint8)
    rgb[..., 2] = mask * 1
    rgb[..., 0][(mask > 0) & (np.arange(mask.shape[1]) % 2 > 0)] = 200
    Image.fromarray(rgb).save(name)


def cut_out(name, mask):
    rgba = np.full((*mask.shape, 4), 90, np.uint8)
    rgba[..., 3] = mask * 255
    Image.fromarray(rgba).save(name)


def one_bit_palette(name, mask):
    image = Image.fromarray(mask, 'P')
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(name, bits=1)


def lab(name, mask):
    """gray in Lab, where black is not 0 any more once it is sRGB"""
    Image.fromarray(np.repeat(mask[..., None] * 255, 3, 2)).convert(
        'LAB').save(name)


def ink(name, mask):
    Image.fromarray(np.repeat(mask[..., None] * 255, 3, 2)).convert(
        'CMYK').save(name)


KINDS = {
    'byte of 1': ('gray', 'png', lambda n, m: Image.fromarray(m).save(n)),
    'byte of 255': ('gray', 'png', lambda n, m: Image.fromarray(m * 255).save(n)),
    'upper case': ('gray', 'PNG', lambda n, m: Image.fromarray(m).save(n)),
    'one bit': ('gray', 'png', lambda n, m: Image.fromarray(m * 255)
                .convert('1').save(n)),
    'word of 1': ('gray', 'png', lambda n, m: Image.fromarray(
        m.astype(np.uint16)).save(n)),
    'word of 1, TIFF': ('gray', 'tif', lambda n, m: tiffs.write(
        n, m[..., None].astype(np.uint16), 1)),
    '32 bits of 1': ('gray', 'tif', lambda n, m: tiffs.write(
        n, m[..., None].astype(np.uint32), 1)),
    'float': ('gray', 'tif', lambda n, m: tiffs.write(
        n, m[..., None].astype(np.float32) * 0.001, 1)),
    'palette': ('palette', 'png', palette),
    'Pascal VOC': ('palette', 'png', voc),
    'one-bit palette': ('palette', 'png', one_bit_palette),
    'palette, TIFF': ('palette', 'tif', lambda n, m: tiffs.write(
        n, m[..., None], 3, colours=np.roll(np.linspace(0, 65535, 768)
                                            .astype(int), 5).reshape(3, -1))),
    'palette, GIF': ('palette', 'gif', palette),
    'colours': ('colour', 'png', colours),
    'alpha': ('alpha', 'png', cut_out),
    'WebP without loss': ('colour', 'webp', lambda n, m: Image.fromarray(
        np.repeat(m[..., None], 3, 2)).save(n, lossless=True)),
    'Lab': ('lossy', 'tif', lab),
    'CMYK': ('lossy', 'tif', ink),
    'JPEG': ('lossy', 'jpg', lambda n, m: Image.fromarray(m * 255).save(
        n, quality=60)),
}


def test_kinds():
    save('right', KINDS['byte of 255'][2])
    _, right = evaluate('right', 'images', '--json')
    share = np.mean([blob(i).mean() for i in range(N)])
    tap.check(np.isclose(right['mask_area'], share), 'a mask\'s share', right)
    for name, (kind, ending, write) in KINDS.items():
        save(name, write, ending)
        done, said = evaluate(name, 'images', '--json')
        if not said:
            tap.check(False, name, done.stderr)
            continue
        same = (rows(said) == rows(right) if kind != 'lossy' else
                np.isclose(said['mask_area'], share, atol=0.02))
        tap.check(same and said['masks_read_by'][kind] == N, name,
                  said['mask_area'], share, said['masks_read_by'], done.stderr)
    done, _ = evaluate('palette', 'images', '--report', path('report'))
    with open(path('report', 'index.html'), encoding='utf-8') as file:
        page = file.read()
    tap.check('3 masks read by palette' in done.stdout
              and 'palette: all but' in page, 'how masks were read is said',
              done.stdout, done.stderr)


def test_empty():
    save('empty', lambda n, m: Image.fromarray(m * 0).save(n))
    done, _ = evaluate('empty')
    tap.check(done.returncode == 1 and 'gray' in done.stderr
              and '0.png' in done.stderr, 'masks without an object',
              done.stderr)
    done, _ = evaluate('empty', 'images', '--sweep')
    tap.check(done.returncode == 1 and 'gray' in done.stderr,
              'also in a sweep', done.stderr)
    save('trimap', lambda n, m: Image.fromarray(m + 1).save(n))
    done, _ = evaluate('trimap')
    tap.check(done.returncode == 1 and 'background' in done.stderr
              and '0.png' in done.stderr, 'masks without a background',
              done.stderr)
    shutil.copy(path('right', '1.png'), path('empty', '1.png'))
    done, said = evaluate('empty', 'images', '--json')
    tap.check(said.get('masks_empty') == 2 and all(
        r['energy']['n'] == 1 for r in rows(said)) and '2.png' in done.stderr
        and '0.png' in done.stderr and '1.png' not in done.stderr,
        'an empty mask is named and measures nothing', said, done.stderr)


def test_shapes():
    os.makedirs(path('turned'), exist_ok=True)
    for i in range(N):
        image = Image.open(path('images', f'{i}.jpg'))
        exif = image.getexif()
        exif[0x0112] = 6 if i else 1
        image.save(path('turned', f'{i}.jpg'), exif=exif)
    done, said = evaluate('right', 'turned', '--json')
    tap.check(said.get('pictures') == 1 and '1.png' in done.stderr
              and '2.png' in done.stderr and 'EXIF' in done.stderr,
              'a mask on its side is said', said, done.stderr)
    for where, size in (('nearly', (100, 99)), ('nearly masks', (99, 100))):
        os.makedirs(path(where), exist_ok=True)
        Image.fromarray(blob(0) * 255).resize(size).save(path(where, '0.png'))
    done, _ = evaluate('nearly masks', 'nearly')
    tap.check(done.returncode == 1 and 'EXIF' in done.stderr,
              'also where the sides are nearly the same', done.stderr)
    save('half', lambda n, m: Image.fromarray(m[::2, ::2] * 9).save(n))
    done, said = evaluate('half', 'images', '--json')
    tap.check(said.get('pictures') == N and 'stretched' not in done.stderr,
              'a mask of half the size', done.stderr)
    save('square', lambda n, m: Image.fromarray(m).resize((32, 32)).save(n))
    done, said = evaluate('square', 'images', '--json')
    tap.check(said.get('pictures') == N and done.stderr.count('stretched') == N
              and '0.png' in done.stderr, 'a mask of another shape is named',
              done.stderr)


def test_matching():
    shutil.copytree(path('right'), path('some'))
    os.rename(path('some', '2.png'), path('some', 'other.png'))
    done, said = evaluate('some', 'images', '--json')
    tap.check(said.get('masks_without_picture') == 1
              and said.get('pictures_without_mask') == 1
              and 'other.png' in done.stderr and '2.jpg' in done.stderr,
              'masks and pictures without each other are named', done.stderr)
    Image.fromarray(blob(0) * 0).save(path('some', '0.jpg'))
    done, said = evaluate('some', 'images', '--json')
    tap.check(said.get('masks_read_by', {}).get('gray') == 2,
              'of two masks the one that is not lossy', said)


def test_sweep():
    """the same rule, and the same words"""
    for label in 'ab':
        for i in range(4):
            for where, pixels in (
                    ('pairs', np.random.default_rng(i).integers(
                        0, 256, (H, W, 3)).astype(np.uint8)),
                    ('pair masks', blob(i % N) * (i > 0))):
                os.makedirs(path(where, label), exist_ok=True)
                Image.fromarray(pixels).save(path(where, label, f'{i}.png'))
    done, said = evaluate('pair masks', 'pairs', '--sweep', '--triplets', '2',
                          '--json')
    tap.check(said.get('masks_read_by', {}).get('gray') == 8
              and said['masks_empty'] == 2
              and said['chosen_on'][0]['energy'] > 0
              and done.stderr.count('b/0.png” holds no') == 1,
              'a sweep reads masks so, too', said, done.stderr)


small.write_model(folder.name)
os.makedirs(path('images'))
for number in range(N):
    noise = np.random.default_rng(number).integers(0, 256, (H, W, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path('images',
                                                      f'{number}.jpg'))
test_kinds()
test_empty()
test_shapes()
test_matching()
test_sweep()
sys.exit(tap.done())
