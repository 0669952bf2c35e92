#!/usr/bin/python3
"""test-image.py PROBE: core/image against Pillow and NumPy

The resize must agree with Pillow's to 1/255 (it is held to be equal), the view
must be where the pixels are, the overlay what method.md section 6 says.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'style'))
from tap import Tap  # noqa: E402

try:
    from PIL import Image
except ImportError:
    Image = None

PROBE = sys.argv[1]
tap = Tap()
folder = tempfile.TemporaryDirectory()


def path(name):
    return os.path.join(folder.name, name)


def probe(command, **keys):
    return subprocess.run(
        [PROBE, command] + [f'{k}={v}' for k, v in keys.items()],
        check=True, capture_output=True, text=True).stdout


def network_input(pixels, **keys):
    """the builder's input and view (or its error)"""
    np.save(path('pixels.npy'), np.ascontiguousarray(pixels))
    said = probe('input', pixels=path('pixels.npy'), out=path('out.npy'), **keys)
    if said.startswith('error'):
        return None, said
    return np.load(path('out.npy')), [float(x) for x in said.split()]


def noise(seed, height, width, channels=3):
    rng = np.random.default_rng(seed)
    smooth = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, channels))
    smooth = np.kron(smooth, np.ones((8, 8, 1)))[:height, :width]
    rough = rng.integers(0, 256, (height, width, channels))
    where = rng.random((height, width, 1)) < 0.5
    return np.where(where, smooth, rough).astype(np.uint8)


FILTERS = ['BILINEAR', 'BICUBIC']


def pillow(pixels, size, filter_number):
    return np.asarray(Image.fromarray(pixels).resize(
        size, getattr(Image.Resampling, FILTERS[filter_number])))


def test_resize():
    sizes = [(300, 200), (224, 224), (1000, 37), (37, 1000), (3, 5), (1, 1),
             (225, 223), (640, 480), (1, 400)]
    for number, name in enumerate(FILTERS):
        worst = 0
        for i, (w, h) in enumerate(sizes):
            pixels = noise(i, h, w)
            for tw, th in ((224, 224), (96, 160), (7, 5)):
                ours, _ = network_input(pixels, width=tw, height=th,
                                        filter=number, chunk=1 + 7 * i)
                theirs = pillow(pixels, (tw, th), number)
                difference = np.abs(ours[0].transpose(1, 2, 0) - theirs).max()
                worst = max(worst, difference)
        tap.check(worst == 0, f'resize equals Pillow {name.lower()}',
                  f'worst difference {worst} of 255')


def torchvision_crop(width, height, size, fraction):
    """Resize (an int) and CenterCrop, as torchvision computes them"""
    short = int(round(size / fraction))
    if width <= height:
        w, h = short, int(short * height / width)
    else:
        w, h = int(short * width / height), short
    return w, h, int(round((w - size) / 2.0)), int(round((h - size) / 2.0))


def test_crop():
    good, exact = True, True
    for i, (w, h) in enumerate([(500, 375), (375, 500), (333, 333), (640, 427),
                                (1200, 300), (230, 229)]):
        pixels = noise(20 + i, h, w)
        ours, view = network_input(pixels, width=224, height=224, resize=1,
                                   crop=0.875)
        rw, rh, left, top = torchvision_crop(w, h, 224, 0.875)
        whole = pillow(pixels, (rw, rh), 0)
        theirs = whole[top:top + 224, left:left + 224]
        good &= np.array_equal(ours[0].transpose(1, 2, 0), theirs)
        exact &= np.allclose(view, [w, h, left * w / rw, top * h / rh,
                                    224 * w / rw, 224 * h / rh, 224, 224],
                             rtol=1e-12)
    tap.check(good, 'crop equals Resize and CenterCrop of torchvision')
    tap.check(exact, 'the view of a crop is where its pixels are')


def test_pad():
    from PIL import ImageOps
    good, exact = True, True
    for i, (w, h) in enumerate([(500, 375), (375, 500), (333, 333), (1000, 10),
                                (3, 4)]):
        pixels = noise(40 + i, h, w)
        ours, view = network_input(pixels, width=224, height=160, resize=2,
                                   pad='0.2,0.4,0.6')
        theirs = np.asarray(ImageOps.pad(
            Image.fromarray(pixels), (224, 160),
            Image.Resampling.BILINEAR, (51, 102, 153)))
        good &= np.array_equal(ours[0].transpose(1, 2, 0), theirs)
        x, y, vw, vh = view[2:6]
        # the padding is centred: as much outside left as right, to a pixel
        exact &= abs((-x) - (x + vw - w)) <= vw / 224 + 1e-9
        exact &= abs((-y) - (y + vh - h)) <= vh / 160 + 1e-9
        exact &= x <= 1e-9 and y <= 1e-9 and x + vw >= w - 1e-6
    tap.check(good, 'pad equals ImageOps.pad of Pillow')
    tap.check(exact, 'the view of a padded picture reaches as far outside')


def test_values():
    pixels = noise(60, 90, 70)
    resized = pillow(pixels, (32, 48), 0).astype(np.float64)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    wanted = (resized / 255 - mean) / std
    keys = dict(width=32, height=48, scale=1 / 255, mean='0.485,0.456,0.406',
                std='0.229,0.224,0.225')
    ours, _ = network_input(pixels, **keys)
    tap.check(ours.shape == (1, 3, 48, 32), 'the input is [1, 3, H, W]')
    tap.check(np.allclose(ours[0].transpose(1, 2, 0), wanted, atol=1e-6),
              'scale, mean and standard deviation')
    last, _ = network_input(pixels, nhwc=1, **keys)
    tap.check(np.array_equal(last[0], ours[0].transpose(1, 2, 0)),
              'channels last')
    bgr, _ = network_input(pixels, width=32, height=48, channels=1)
    tap.check(np.array_equal(bgr[0].transpose(1, 2, 0), resized[..., ::-1]),
              'blue, green, red')
    gray, _ = network_input(pixels, width=32, height=48, channels=2)
    theirs = np.asarray(Image.fromarray(pixels).convert('L').resize(
        (32, 48), Image.Resampling.BILINEAR))
    tap.check(np.array_equal(gray[0, 0], theirs), 'gray as Pillow\'s convert')


def test_formats():
    rgba = noise(70, 50, 60, 4)
    over = (rgba[..., :3].astype(float) * rgba[..., 3:] / 255
            + np.array([255, 0, 128]) * (255 - rgba[..., 3:].astype(float)) / 255)
    background = '1,0,0.50196'
    same = dict(width=60, height=50, background=background)
    ours, _ = network_input(rgba, format=0, **same)
    tap.check(np.abs(ours[0].transpose(1, 2, 0) - over).max() <= 0.5 + 1e-6,
              'transparent pixels lie on the background')
    words, _ = network_input(rgba.astype(np.uint16) * 257, format=2, **same)
    tap.check(np.array_equal(words, ours), '16 bits a channel')
    floats, _ = network_input((rgba / 255).astype(np.float32), format=3, **same)
    tap.check(np.array_equal(floats, ours), 'float')
    strange = np.full((4, 4, 4), np.nan, np.float32)
    strange[0, 0] = [np.inf, -np.inf, 2, 1]
    strange[..., 3] = 1
    got, _ = network_input(strange, format=3, width=4, height=4)
    tap.check(np.array_equal(got[0, :, 0, 0], [255, 0, 255])
              and np.isfinite(got).all(), 'float beyond 0..1 is clipped')


def test_errors():
    pixels = noise(80, 30, 40)
    _, said = network_input(pixels, rows=12)
    tap.check('after 12 of 30 rows' in said, 'a picture that ends early', said)
    _, said = network_input(pixels, std='1,0,1')
    tap.check('std' in said, 'a standard deviation of 0', said)
    _, said = network_input(pixels, width=0)
    tap.check('size' in said, 'an input without size', said)


def test_shrunk():
    """rows that a decoder shrank: the view is that of the whole picture"""
    pixels = noise(90, 300, 400)
    _, view = network_input(pixels, resize=1, picture_width=1600,
                            picture_height=1200)
    _, whole = network_input(noise(91, 1200, 1600), resize=1)
    tap.check(view == whole, 'the view refers to the whole picture')


def enlarge(values, view, out_width, out_height):
    """bilinear, half-pixel centres, in double precision"""
    pw, ph, x, y, w, h = view
    mh, mw = values.shape
    px = (np.arange(out_width) + 0.5) * pw / out_width
    py = (np.arange(out_height) + 0.5) * ph / out_height
    ux, uy = (px - x) / w, (py - y) / h
    cx = np.clip(ux * mw - 0.5, 0, mw - 1)
    cy = np.clip(uy * mh - 0.5, 0, mh - 1)
    ax, ay = cx.astype(int), cy.astype(int)
    bx, by = np.minimum(ax + 1, mw - 1), np.minimum(ay + 1, mh - 1)
    fx, fy = (cx - ax)[None], (cy - ay)[:, None]
    rows = values[ay] * (1 - fy) + values[by] * fy
    big = rows[:, ax] * (1 - fx) + rows[:, bx] * fx
    seen = ((ux >= 0) & (ux < 1))[None] & ((uy >= 0) & (uy < 1))[:, None]
    return np.where(seen, big, 0)


def overlay(values, view, out_width, out_height, **keys):
    np.save(path('map.npy'), values.astype(np.float32))
    names = ('picture_width', 'picture_height', 'x', 'y', 'w', 'h')
    probe('overlay', map=path('map.npy'), values=path('values.npy'),
          rgba=path('rgba.npy'), out_width=out_width, out_height=out_height,
          **dict(zip(names, map(repr, view))), **keys)
    return np.load(path('values.npy')), np.load(path('rgba.npy'))


def test_overlay():
    rng = np.random.default_rng(5)
    values = rng.random((7, 6)).astype(np.float32)
    views = {'stretch': (100, 80, 0.0, 0.0, 100.0, 80.0),
             'crop': (100, 80, 12.5, 0.0, 75.0, 80.0),
             'pad': (100, 80, 0.0, -10.0, 100.0, 100.0)}
    for name, view in views.items():
        worst = 0
        for size in ((100, 80), (50, 40), (333, 17)):
            ours, rgba = overlay(values, view, *size, chunk=13)
            wanted = enlarge(values.astype(float), view, *size) / values.max()
            worst = max(worst, np.abs(ours - wanted).max())
        tap.check(worst < 1e-6, f'a map laid back exactly, {name}', worst)
    ours, rgba = overlay(values, views['crop'], 100, 80)
    tap.check((rgba[:, :12, 3] == 0).all() and (rgba[:, 88:, 3] == 0).all()
              and (ours[:, :12] == 0).all(),
              'what the network did not see is transparent')
    try:
        import torch
        wanted = torch.nn.functional.interpolate(
            torch.from_numpy(values)[None, None], (80, 100), mode='bilinear',
            align_corners=False)[0, 0].numpy() / values.max()
        ours, _ = overlay(values, views['stretch'], 100, 80)
        tap.check(np.abs(ours - wanted).max() < 1e-6,
                  'the enlargement is PyTorch\'s interpolate')
    except ImportError:
        tap.skip('the enlargement is PyTorch\'s interpolate', 'no torch')


def test_colour():
    values = np.linspace(0, 1, 101, dtype=np.float32)[None]
    view = (101, 1, 0.0, 0.0, 101.0, 1.0)
    table = np.array([[int(v) for v in line.split()] for line in
                      probe('colormap', name='viridis').splitlines()])
    ours, rgba = overlay(values, view, 101, 1, colormap='viridis',
                         threshold=0.3)
    wanted = table[(ours * 255 + 0.5).astype(int)]
    tap.check(np.array_equal(rgba[..., :3], wanted), 'the colour map at M')
    t = np.clip((ours - np.float32(0.3)) / 0.25, 0, 1)
    alpha = (t * t * (3 - 2 * t) * 255 + 0.5).astype(int)
    tap.check(np.abs(rgba[..., 3].astype(int) - alpha).max() <= 1
              and (rgba[0, :31, 3] == 0).all() and (rgba[0, 56:, 3] == 255).all(),
              'alpha is 0 up to the threshold and full 0.25 above it')
    empty, rgba = overlay(np.zeros((3, 3)), view, 101, 1)
    tap.check((rgba[..., 3] == 0).all() and (empty == 0).all(),
              'an empty map is an empty overlay')


def test_tables():
    def table(name):
        return np.array([[int(v) for v in line.split()] for line in
                         probe('colormap', name=name).splitlines()])
    v = np.arange(256) / 255
    jet = np.stack([1.5 - np.abs(4 * v - c) for c in (3, 2, 1)], 1)
    jet = (np.clip(jet, 0, 1) * 255 + 0.5).astype(int)
    tap.check(np.array_equal(table('jet'), jet), 'jet by its formula')
    tap.check(np.array_equal(table('gray'),
                             np.repeat(np.arange(256)[:, None], 3, 1)), 'gray')
    anchors = {'viridis': ((68, 1, 84), (33, 145, 140), (253, 231, 37), 2),
               'inferno': ((0, 0, 4), (188, 55, 84), (252, 255, 164), 4),
               'turbo': ((48, 18, 59), (164, 252, 60), (122, 4, 3), 6)}
    for name, (first, middle, last, bound) in anchors.items():
        ours = table(name)
        worst = np.abs(ours[[0, 128, 255]] - np.array([first, middle, last]))
        tap.check(worst.max() <= bound, f'{name} at its ends and middle',
                  worst.tolist())


def test_blend():
    rng = np.random.default_rng(9)
    over, base = (rng.integers(0, 256, (5000, 4)).astype(np.uint8)
                  for _ in range(2))
    base[:100, 3] = 0
    over[50:200, 3] = 0
    for opacity in (0, 0.37, 1):
        np.save(path('over.npy'), over)
        np.save(path('base.npy'), base)
        probe('blend', over=path('over.npy'), base=path('base.npy'),
              out=path('out.npy'), opacity=opacity)
        ours = np.load(path('out.npy')).astype(float)
        a = over[:, 3:] / 255 * opacity
        b = base[:, 3:] / 255 * (1 - a)
        alpha = a + b
        with np.errstate(invalid='ignore', divide='ignore'):
            colour = (over[:, :3] * a + base[:, :3] * b) / alpha
        wanted = np.where(a > 0, np.concatenate([colour, alpha * 255], 1), base)
        tap.check(np.abs(ours - wanted).max() <= 0.5 + 1e-3,
                  f'source-over at opacity {opacity}',
                  np.abs(ours - wanted).max())


if Image is None:
    tap.skip('resize equals Pillow', 'no Pillow')
else:
    test_resize()
    test_crop()
    test_pad()
    test_values()
test_formats()
test_errors()
test_shrunk()
test_overlay()
test_colour()
test_tables()
test_blend()
sys.exit(tap.done())
