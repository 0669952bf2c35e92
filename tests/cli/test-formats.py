#!/usr/bin/python3
"""test-formats.py CAMLENS: numbers and colours of every kind, or a refusal

One picture, stored in all the ways that GIMP and others store pictures, is the
same to the network; what cannot be known to be is refused with what to do.
"""
import io
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
    from PIL import Image, ImageCms
    from profiles import SRGB, SRGB_CURVE, WIDE, make_profile
    import small
    import tiffs
except ImportError as error:
    tap.skip('formats', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
SIDE = small.SIZE
MOST = {'u1': 255, 'u2': 65535, 'u4': 2**32 - 1, 'f4': 1, 'i2': 32767,
        'i1': 127, 'i4': 2**31 - 1, 'f2': 1, 'f8': 1, 'u8': 2.0**63}


def path(name):
    return os.path.join(folder.name, name)


def camlens(*arguments):
    return subprocess.run([CAMLENS, *arguments], capture_output=True,
                          timeout=60)


def feed(names):
    """what the network is fed of each, bytes [32, 32, 3], or what is said"""
    names = list(names)
    done = camlens('embed', '-m', path('model.onnx'), *map(path, names),
                   '--inputs', path('x.npy'), '-o', path('e.npy'), '--names',
                   path('n.txt'))
    said = done.stderr.decode(errors='replace')
    fed, at = {}, 0
    kept = (open(path('n.txt')).read().splitlines()
            if os.path.exists(path('n.txt')) else [])
    x = np.load(path('x.npy')) if kept else []
    e = np.load(path('e.npy')) if kept else []
    for name in names:
        lines = [line for line in said.splitlines() if f'“{path(name)}”' in line]
        fed[name] = lines[0] if lines else said
        if at < len(kept) and kept[at] == path(name):
            fed[name] = ((x[at].transpose(1, 2, 0) * 0.25 + 0.5) * 255, e[at])
            at += 1
    for file in ('x.npy', 'e.npy', 'n.txt'):
        if os.path.exists(path(file)):
            os.remove(path(file))
    return fed


def check(fed, wanted, tolerance):
    """@wanted: name -> bytes"""
    for name, pixels in wanted.items():
        got = fed[name]
        worst = (got if isinstance(got, str)
                 else np.abs(got[0] - pixels).max())
        tap.check(not isinstance(got, str) and worst <= tolerance, name, worst)


def smooth(seed, channels=3):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 4, 4)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC))[..., :channels]


def stored(values, kind):
    """0..1 as numbers of @kind"""
    most = MOST[kind]
    if kind[0] == 'f':
        return values.astype(kind)
    return np.minimum(np.round(values * most), most).astype(kind)


def light_of(v):
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055)**2.4)


def in_wide(light):
    """linear sRGB in the wide primaries"""
    return light @ np.linalg.solve(np.array(WIDE).T, np.array(SRGB).T).T


def precisions():
    """(name, values 0..1, profile) of the same colours"""
    v = 0.15 + 0.7 * smooth(1) / 255
    v = np.round(v * 255) / 255
    gray = v[..., :1]
    linear, wide = light_of(v), np.clip(in_wide(light_of(v)), 0, 1)
    return v, [
        ('rgb', v, None), ('gray', gray, None),
        ('rgb linear', linear, make_profile(1.0, SRGB, b'Linear sRGB')),
        ('gray linear', light_of(gray), make_profile(1.0, None)),
        ('gray sRGB', gray, make_profile(SRGB_CURVE, None)),
        ('rgb sRGB', v, make_profile(SRGB_CURVE, SRGB)),
        ('wide', wide**(1 / 2.2), make_profile(2.2)),
        ('wide linear', wide, make_profile(1.0)),
        ('wide with the name of sRGB', np.where(
            wide <= 0.0031308, wide * 12.92,
            1.055 * np.maximum(wide, 1e-9)**(1 / 2.4) - 0.055),
         make_profile(SRGB_CURVE, WIDE, b'sRGB TRC from wide'))]


def test_precisions():
    v, kinds = precisions()
    names, wanted = [], {}
    for name, values, profile in kinds:
        for depth in ('u2', 'u4', 'f4'):
            for alpha in (False, True):
                full = np.concatenate([values, values[..., :1] * 0 + 1], 2)
                file = f'{name} {depth}{" alpha" if alpha else ""}.tif'
                tiffs.write(path(file), stored(full if alpha else values, depth),
                            2 if values.shape[2] == 3 else 1,
                            extra=[2] if alpha else None, profile=profile)
                names.append(file)
                wanted[file] = (v if values.shape[2] == 3 else
                                np.repeat(v[..., :1], 3, 2)) * 255
    tiffs.write(path('plain.tif'), stored(v, 'u1'))
    tiffs.write(path('plain gray.tif'), stored(v[..., :1], 'u1'), 1)
    fed = feed(['plain.tif', 'plain gray.tif'] + names)
    check(fed, wanted, 1.01)
    worst = 0
    for name in names:
        e = fed[name][1]
        plain = fed['plain gray.tif' if 'gray' in name else 'plain.tif'][1]
        worst = max(worst, np.abs(e - plain).max() / np.linalg.norm(plain))
    tap.check(worst < 1e-3, 'one embedding to 1e-3 in all precisions', worst)


def test_alpha():
    v = np.full((SIDE, SIDE, 3), 0.4)
    half = v[..., :1] * 0 + 0.5
    full, wanted = np.concatenate([v, half], 2), {}
    for depth in ('u1', 'u2', 'u4', 'f4'):
        for extra in (None, 0, 2):
            name = f'alpha {depth} {extra}.tif'
            tiffs.write(path(name), stored(full, depth), 2,
                        extra=None if extra is None else [extra])
            wanted[name] = np.full((SIDE, SIDE, 3),
                                   102.0 if extra == 0 else 178.5)
    for depth in ('u1', 'u2'):
        name = f'multiplied alpha {depth}.tif'
        tiffs.write(path(name), stored(np.concatenate([v * half, half], 2),
                                       depth), 2, extra=[1])
        wanted[name] = np.full((SIDE, SIDE, 3), 178.5)
    name = 'two more samples.tif'
    tiffs.write(path(name), stored(np.concatenate([full, half * 0], 2), 'u1'),
                2, extra=[2, 0])
    wanted[name] = np.full((SIDE, SIDE, 3), 178.5)
    check(feed(wanted), wanted, 1.6)


def test_layouts():
    v, wanted = smooth(3) / 255, {}
    for depth in ('u1', 'u2', 'u4', 'f4'):
        for how in ({'planar': True}, {'tile': 16}, {'order': '>'}):
            name = f'{depth} {next(iter(how))}.tif'
            tiffs.write(path(name), stored(v, depth), **how)
            wanted[name] = v * 255
    check(feed(wanted), wanted, 0.51)


def test_gray():
    rng = np.random.default_rng(4)
    wanted = {}
    for bits, depth in ((1, 'u1'), (2, 'u1'), (4, 'u1'), (8, 'u1'), (16, 'u2'),
                        (32, 'u4')):
        most = 2**bits - 1
        steps = rng.integers(0, most, (SIDE, SIDE, 1), endpoint=True,
                             dtype=np.uint64)
        for photometric in (0, 1):
            name = f'{bits}-bit gray, photometric {photometric}.tif'
            tiffs.write(path(name), steps.astype(depth), photometric,
                        bits=bits if bits < 8 else None)
            v = steps / most if photometric else 1 - steps / most
            wanted[name] = np.repeat(v, 3, 2) * 255
        if bits > 16:
            continue
        table = rng.integers(0, 256, (3, 2**bits)) * 257
        name = f'{bits}-bit palette.tif'
        tiffs.write(path(name), steps.astype(depth), 3, colours=table,
                    bits=bits if bits < 8 else None)
        wanted[name] = table[:, steps[..., 0].astype(int)].transpose(
            1, 2, 0) / 257
    check(feed(wanted), wanted, 0.51)


def to_srgb(image, profile):
    made = ImageCms.profileToProfile(image, profile,
                                     ImageCms.createProfile('sRGB'),
                                     outputMode='RGB', renderingIntent=1)
    return np.asarray(made).astype(float)


def test_colours():
    """Lab, CMYK and YCbCr as others see them"""
    lab = np.zeros((SIDE, SIDE, 3))
    y, x = np.mgrid[:SIDE, :SIDE]
    lab[..., 0], lab[..., 1], lab[..., 2] = 40 + y, x - 16, 20 - y
    bytes_of = np.stack([lab[..., 0] * 2.55, lab[..., 1], lab[..., 2]], 2)
    bytes_of = np.round(bytes_of).astype(np.int16).astype(np.uint8)
    tiffs.write(path('lab 8.tif'), bytes_of, 8)
    words = np.stack([lab[..., 0] * 655.35, lab[..., 1] * 256,
                      lab[..., 2] * 256], 2)
    tiffs.write(path('lab 16.tif'), np.round(words).astype(np.int32)
                .astype(np.uint16), 8)
    image = Image.merge('LAB', [Image.fromarray(c) for c in (
        bytes_of[..., 0], bytes_of[..., 1] ^ 128, bytes_of[..., 2] ^ 128)])
    profile = ImageCms.createProfile('LAB')
    wanted = {f'lab {bits}.tif': to_srgb(image, profile) for bits in (8, 16)}
    rgb = Image.fromarray(smooth(6))
    rgb.save(path('jpeg in tiff.tif'), compression='jpeg', quality=95)
    wanted['jpeg in tiff.tif'] = np.asarray(rgb).astype(float)
    fed = feed(wanted)
    check(fed, {n: wanted[n] for n in wanted if 'lab' in n}, 3.5)
    check(fed, {'jpeg in tiff.tif': wanted['jpeg in tiff.tif']}, 6)
    cmyk = smooth(7, 4)
    for depth in ('u1', 'u2', 'u4', 'f4'):
        tiffs.write(path(f'cmyk {depth}.tif'), stored(cmyk / 255, depth), 5)
    fed = feed([f'cmyk {d}.tif' for d in ('u1', 'u2', 'u4', 'f4')])
    plain = fed.pop('cmyk u1.tif')
    check(fed, {n: plain[0] for n in fed}, 1.01)
    Image.fromarray(cmyk, 'CMYK').save(path('adobe.jpg'), quality=97,
                                       subsampling=0)
    check(feed(['adobe.jpg']), {'adobe.jpg': plain[0]}, 12)


def test_refused():
    v, names = smooth(8) / 255, []

    def add(name, values, *more, **how):
        tiffs.write(path(name), values, *more, **how)
        names.append(name)
    for depth in ('f2', 'f8', 'i1', 'i2', 'i4', 'u8'):
        add(f'{depth}.tif', stored(v, depth))
        add(f'gray {depth}.tif', stored(v[..., :1], depth), 1)
    add('complex.tif', v.astype(np.complex64))
    add('float, white is 0.tif', stored(v[..., :1], 'f4'), 0)
    add('ycbcr.tif', stored(v, 'u1'), 6, tags=[(530, 3, [1, 1])])
    for photometric in (4, 9, 10, 32803, 34892):
        add(f'photometric {photometric}.tif', stored(v, 'u1'), photometric)
    add('other inks.tif', stored(np.concatenate([v, v], 2), 'u1'), 5,
        tags=[(332, 3, [2])])
    for depth in ('u4', 'f4'):
        add(f'multiplied {depth}.tif',
            stored(np.concatenate([v, v[..., :1]], 2), depth), 2, extra=[1])
    add('floats of 255.tif', (v * 255 + 2).astype(np.float32))
    dark = np.where(np.arange(SIDE)[:, None, None] < 24, 0, v)
    add('floats of 255 on black.tif', (dark * 250).astype(np.float32))
    add('bytes in 32 bits.tif', np.round(v * 255).astype(np.uint32))
    add('words in 32 bits, on black.tif', np.round(dark * 65535)
        .astype(np.uint32))
    add('multispectral.tif', np.round(v[..., :1] * 4095).astype(np.uint32), 1)
    fed = feed(names)
    for name in names:
        tap.check(isinstance(fed[name], str) and 'save it' in fed[name],
                  f'refused: {name}', fed[name])


def test_dark():
    """what is black, or black in most places, is not refused for it"""
    v = smooth(8) / 255
    dark = np.where(np.arange(SIDE)[:, None, None] < 24, 0, v)
    right = {}
    for depth in ('u4', 'f4'):
        for name, values in (('black', v * 0), ('on black', dark)):
            right[f'{name} {depth}.tif'] = values * 255
            tiffs.write(path(f'{name} {depth}.tif'), stored(values, depth))
    check(feed(right), right, 0.6)


def test_png_gamma():
    v = smooth(9) / 255

    def write(name, values, gamma, more=b''):
        raw = b''.join(b'\0' + row.astype('>u2').tobytes() for row in
                       stored(values, 'u2').reshape(SIDE, -1))

        def chunk(tag, data):
            return (struct.pack('>I', len(data)) + tag + data
                    + struct.pack('>I', zlib.crc32(tag + data)))
        with open(path(name), 'wb') as file:
            file.write(b'\x89PNG\r\n\x1a\n'
                       + chunk(b'IHDR', struct.pack('>IIBBBBB', SIDE, SIDE, 16,
                                                    2, 0, 0, 0))
                       + chunk(b'gAMA', struct.pack('>I', gamma)) + more
                       + chunk(b'IDAT', zlib.compress(raw))
                       + chunk(b'IEND', b''))
    write('light.png', light_of(v), 100000)
    write('usual.png', v, 45455)
    srgb = b'sRGB\0'
    write('told.png', v, 100000, struct.pack('>I', 1) + srgb
          + struct.pack('>I', zlib.crc32(srgb)))
    names = ('light.png', 'usual.png', 'told.png')
    check(feed(names), {n: v * 255 for n in names}, 0.51)


def test_names():
    """nothing in a name is an option of a decoder"""
    v = smooth(10)
    os.makedirs(path('odd'))
    names = [b'x.tif[page=0]', b'a[b].png', b'-dash.png', b'two\nlines.png',
             b'caf\xe9.png', b'q.tif[page=1].tif']
    for name in names:
        data = io.BytesIO()
        Image.fromarray(v).save(data, 'TIFF' if b'tif' in name else 'PNG')
        with open(os.path.join(folder.name.encode(), b'odd', name), 'wb') as f:
            f.write(data.getvalue())
    os.makedirs(path('odd out'))
    done = camlens('embed', '-m', path('model.onnx'), path('odd'), '-o',
                   path('odd.npy'))
    n = len(np.load(path('odd.npy'))) if done.returncode == 0 else 0
    tap.check(n == 5 and b'x.tif[page=0]' in done.stderr,
              'odd names in a folder', done.stderr)
    done = camlens('embed', '-m', path('model.onnx'), path('odd/x.tif[page=0]'),
                   '-o', path('odd.npy'))
    tap.check(done.returncode == 0, 'a name with brackets by itself',
              done.stderr)


small.write_model(folder.name)
test_precisions()
test_alpha()
test_layouts()
test_gray()
test_colours()
test_refused()
test_dark()
test_png_gamma()
test_names()
sys.exit(tap.done())
