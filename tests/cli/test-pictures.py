#!/usr/bin/python3
"""test-pictures.py CAMLENS: what the network is fed of all kinds of files

Pictures of the input's own size go in as they are, so that every pixel can be
compared with what Pillow makes of the file.
"""
import io
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np

HERE = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(HERE, '..', 'style'))
from tap import Tap  # noqa: E402

tap = Tap()
try:
    from PIL import Image, ImageCms, ImageOps
    from profiles import make_profile
    import small
except ImportError as error:
    tap.skip('pictures', f'{error.name} is missing')
    sys.exit(tap.done())

CAMLENS = sys.argv[1]
folder = tempfile.TemporaryDirectory()
SIDE = small.SIZE


def path(name):
    return os.path.join(folder.name, name)


def camlens(*arguments):
    return subprocess.run([CAMLENS, *map(str, arguments)], text=True,
                          capture_output=True, timeout=60)


def fed(name, *more):
    """bytes [32, 32, 3] that the network gets"""
    done = camlens('embed', '-m', path('model.onnx'), path(name), '--inputs',
                   path('x.npy'), '-o', path('e.npy'), *more)
    if done.returncode != 0:
        return done.stderr
    x = np.load(path('x.npy'))[0].transpose(1, 2, 0)
    return (x * 0.25 + 0.5) * 255


def compare(name, file, wanted, tolerance=0.01):
    got = fed(file)
    good = not isinstance(got, str)
    worst = np.abs(got - wanted).max() if good else got
    tap.check(good and worst <= tolerance, name, worst)


def noise(seed, height=SIDE, width=SIDE, channels=3):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, channels)).astype(np.uint8)


def smooth(seed, height, width):
    coarse = noise(seed, 5, 4)
    return np.asarray(Image.fromarray(coarse).resize(
        (width, height), Image.Resampling.BICUBIC))


def write_png(name, array, kind):
    """@kind: colour type of the PNG; 8 or 16 bits by the array's type"""
    h, w = array.shape[:2]
    deep = array.dtype == np.uint16
    rows = array.astype('>u2' if deep else np.uint8).reshape(h, -1)
    raw = b''.join(b'\0' + row.tobytes() for row in rows)

    def chunk(tag, data):
        return (struct.pack('>I', len(data)) + tag + data
                + struct.pack('>I', zlib.crc32(tag + data)))
    with open(path(name), 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n'
                   + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h,
                                                16 if deep else 8, kind,
                                                0, 0, 0))
                   + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b''))


def over_white(rgba):
    a = rgba[..., 3:].astype(float) / 255
    return rgba[..., :3] * a + 255 * (1 - a)


def test_kinds():
    rgb, rgba = noise(1), noise(2, channels=4)
    write_png('rgb.png', rgb, 2)
    compare('8-bit RGB', 'rgb.png', rgb)
    write_png('gray.png', rgb[..., :1], 0)
    compare('gray', 'gray.png', np.repeat(rgb[..., :1], 3, 2))
    write_png('rgba.png', rgba, 6)
    compare('alpha lies on white', 'rgba.png', over_white(rgba), 0.51)
    write_png('graya.png', rgba[..., [0, 3]], 4)
    compare('gray with alpha', 'graya.png', over_white(rgba[..., [0, 0, 0, 3]]),
            0.51)
    write_png('rgb16.png', rgb.astype(np.uint16) * 257, 2)
    compare('16-bit RGB', 'rgb16.png', rgb)
    rng = np.random.default_rng(5)
    words = rng.integers(0, 65536, rgb.shape).astype(np.uint16)
    write_png('any16.png', words, 2)
    compare('16-bit RGB is rounded', 'any16.png', np.round(words / 257), 0.01)
    write_png('gray16.png', words[..., :1], 0)
    compare('16-bit gray', 'gray16.png',
            np.repeat(np.round(words[..., :1] / 257), 3, 2), 0.01)
    write_png('rgba16.png', rgba.astype(np.uint16) * 257, 6)
    compare('16-bit with alpha', 'rgba16.png', over_white(rgba), 0.51)
    palette = Image.fromarray(rgb).quantize(16)
    palette.save(path('palette.png'))
    compare('palette', 'palette.png', np.asarray(palette.convert('RGB')))
    bilevel = Image.fromarray(rgb).convert('1')
    bilevel.save(path('bilevel.png'))
    compare('one bit', 'bilevel.png', np.asarray(bilevel.convert('RGB')))
    for ending in ('tif', 'webp'):
        more = {'lossless': True} if ending == 'webp' else {}
        Image.fromarray(rgb).save(path(f'rgb.{ending}'), **more)
        compare(f'.{ending}', f'rgb.{ending}', rgb)
    Image.fromarray(rgb).quantize(64).save(path('p.gif'))
    compare('.gif', 'p.gif', np.asarray(Image.open(path('p.gif'))
                                        .convert('RGB')))
    Image.fromarray(smooth(3, SIDE, SIDE)).save(path('a.jpg'), quality=95)
    compare('.jpg', 'a.jpg', np.asarray(Image.open(path('a.jpg'))), 3)


def test_orientation():
    for orientation in range(1, 9):
        image = Image.fromarray(smooth(10, 24, 40))
        exif = image.getexif()
        exif[0x0112] = orientation
        image.save(path('turned.jpg'), quality=95, exif=exif)
        upright = ImageOps.exif_transpose(Image.open(path('turned.jpg')))
        wanted = np.asarray(upright.resize((SIDE, SIDE),
                                           Image.Resampling.BILINEAR))
        compare(f'EXIF orientation {orientation}', 'turned.jpg', wanted, 3)


def test_profiles():
    rgb = smooth(20, SIDE, SIDE)
    profile = make_profile(2.2)
    Image.fromarray(rgb).save(path('wide.png'), icc_profile=profile)
    wanted = ImageCms.profileToProfile(
        Image.fromarray(rgb), ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile('sRGB'), renderingIntent=1)
    tap.check(np.abs(np.asarray(wanted).astype(int) - rgb).max() > 10,
              'the profile of the test changes something')
    compare('a profile is brought to sRGB', 'wide.png', np.asarray(wanted), 2.5)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    Image.fromarray(rgb).save(path('srgb.png'), icc_profile=srgb)
    compare('an sRGB profile changes nothing', 'srgb.png', rgb, 1.01)
    Image.fromarray(rgb).save(path('junk.png'), icc_profile=b'not a profile')
    compare('a broken profile is no profile', 'junk.png', rgb)


def test_cmyk():
    cmyk = np.zeros((SIDE, SIDE, 4), np.uint8)
    cmyk[:, 8:16, 0] = 255
    cmyk[:, 16:24, 3] = 255
    cmyk[:, 24:, 1:3] = 255
    for ending in ('jpg', 'tif'):
        Image.fromarray(cmyk, 'CMYK').save(path(f'cmyk.{ending}'), quality=95)
        got = fed(f'cmyk.{ending}')
        if isinstance(got, str):
            tap.check(False, f'CMYK .{ending}', got)
            continue
        white, cyan, black, red = (got[16, x] for x in (3, 11, 19, 28))
        tap.check(white.min() > 240 and black.max() < 80
                  and cyan[0] < 120 and cyan[2] > 150
                  and red[0] > 150 and red[1] < 100, f'CMYK .{ending}',
                  [v.round().tolist() for v in (white, cyan, black, red)])


def test_big():
    """shrink on load: nearly the same input; PNG has no such way"""
    big = smooth(30, 1200, 1600)
    Image.fromarray(big).save(path('big.jpg'), quality=92)
    quick, whole = fed('big.jpg'), fed('big.jpg', '--whole')
    wanted = np.asarray(Image.open(path('big.jpg')).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR))
    tap.check(np.abs(whole - wanted).max() <= 1.5, 'a big JPEG decoded whole',
              np.abs(whole - wanted).max())
    tap.check(np.abs(quick - whole).max() <= 6, 'and shrunk on load',
              np.abs(quick - whole).max())


def test_broken():
    Image.fromarray(smooth(40, 300, 300)).save(path('whole.jpg'))
    write_png('whole.png', noise(41, 300, 300), 2)
    for ending in ('jpg', 'png'):
        with open(path(f'whole.{ending}'), 'rb') as file:
            data = file.read()
        for part in (0, 10, len(data) // 2):
            with open(path(f'cut.{ending}'), 'wb') as file:
                file.write(data[:part])
            said = fed(f'cut.{ending}')
            tap.check(isinstance(said, str) and f'cut.{ending}' in said,
                      f'.{ending} cut after {part} bytes is refused', said)
    Image.fromarray(noise(42)).save(path('x.ppm'))
    said = fed('x.ppm')
    tap.check(isinstance(said, str) and 'x.ppm' in said and 'PNG' in said,
              'a loader that is not trusted is blocked', said)


small.write_model(folder.name)
test_kinds()
test_orientation()
test_profiles()
test_cmyk()
test_big()
test_broken()
sys.exit(tap.done())
