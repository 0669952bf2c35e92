"""Composites: an object pasted on a background, with an exact mask.

composite () places one object at random size, place, rotation and light,
with neighbours around, before and behind it, and returns the picture with
the mask of what is still seen of the object.
"""
import io

import numpy as np
from PIL import Image, ImageFilter

from backgrounds import SCENES, background


def _turned(rng, stamp, longest):
    """The stamp at `longest` pixels, flipped and rotated, RGBA."""
    if rng.random() < 0.5:
        stamp = stamp.transpose(Image.FLIP_LEFT_RIGHT)
    angle = rng.normal(0, 15) if rng.random() < 0.8 else rng.uniform(0, 360)
    scale = longest / max(stamp.size)
    squeeze = np.exp(rng.normal(0, 0.1))
    stamp = stamp.resize((max(4, round(stamp.width * scale * squeeze)),
                          max(4, round(stamp.height * scale / squeeze))),
                         Image.BILINEAR)
    return stamp.rotate(angle, Image.BILINEAR, expand=True)


def _lit(rng, stamp):
    """[h, w, 4] float32 under another light: level, gamma, tint, shading."""
    array = np.asarray(stamp).astype(np.float32)
    h, w = array.shape[:2]
    colour = (array[..., :3] / 255) ** np.exp(rng.normal(0, 0.2))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:h, 0:w]
    slope = x / w * np.cos(angle) + y / h * np.sin(angle)
    shade = 1 + rng.uniform(0, 0.4) * (slope - slope.mean())[..., None]
    light = np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.06, 3))
    array[..., :3] = np.clip(colour * light * shade, 0, 1) * 255
    return array


def _paste(picture, mask, layer, x, y, is_object):
    """Lays `layer` over the picture at (x, y); keeps the mask true."""
    size = len(picture)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + layer.shape[1], size), min(y + layer.shape[0], size)
    if x0 >= x1 or y0 >= y1:
        return
    part = layer[y0 - y:y1 - y, x0 - x:x1 - x]
    alpha = part[..., 3:] / 255
    where = (slice(y0, y1), slice(x0, x1))
    picture[where] = part[..., :3] * alpha + picture[where] * (1 - alpha)
    cover = alpha[..., 0]
    mask[where] = (np.maximum(mask[where], cover) if is_object
                   else mask[where] * (1 - cover))


def _shadow(rng, picture, layer, x, y):
    size = len(picture)
    alpha = Image.fromarray(layer[..., 3].astype(np.uint8))
    sheet = Image.new("L", (size, size))
    sheet.paste(alpha, (x + int(rng.normal(0, size / 40)),
                        y + int(abs(rng.normal(0, size / 30)))))
    sheet = sheet.filter(ImageFilter.GaussianBlur(size / 40))
    depth = rng.uniform(0.2, 0.6)
    picture *= 1 - depth * np.asarray(sheet)[..., None] / 255


def _finish(rng, picture):
    """What a camera adds: exposure, tint, blur, noise, JPEG."""
    picture = picture * np.exp(rng.normal(0, 0.12)) * np.exp(
        rng.normal(0, 0.04, 3))
    if rng.random() < 0.15:
        grey = picture.mean(2, keepdims=True)
        picture = grey + rng.uniform(0, 0.6) * (picture - grey)
    if rng.random() < 0.4:
        picture = picture + rng.normal(0, rng.uniform(1, 10), picture.shape)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.3:
        memory = io.BytesIO()
        image.save(memory, "JPEG", quality=int(rng.integers(35, 90)))
        image = Image.open(memory).convert("RGB")
    return np.asarray(image)


def _neighbours(rng, others, count, size, at, reach):
    """Other objects around the point `at`, mostly smaller: (layer, x, y)."""
    for _ in range(count):
        stamp = others[rng.integers(len(others))]
        longest = min(size * rng.uniform(0.12, 0.45), 1.4 * reach)
        layer = _lit(rng, _turned(rng, stamp, longest))
        angle = rng.uniform(0, 2 * np.pi)
        distance = reach * rng.uniform(0.6, 1.2) + longest * 0.4
        x = at[0] + distance * np.cos(angle) - layer.shape[1] / 2
        y = at[1] + distance * np.sin(angle) - layer.shape[0] / 2
        yield layer, int(x), int(y)


def any_scale(rng):
    """Bounds for composite(): one picture in four is filled by its object."""
    return (0.8, 1.4) if rng.random() < 0.25 else (0.25, 0.8)


def composite(rng, stamp, others, size, scale=(0.25, 0.8), off_centre=False,
              kinds=SCENES):
    """([size, size, 3] uint8, [size, size] float32 mask in 0..1).

    `scale` bounds the object's longest side as a part of the picture's.
    With `off_centre` the object lies wholly inside and its middle at least
    a fifth of the picture away from the picture's middle.  `kinds` are those
    of the background.
    """
    picture = background(rng, size, others, kinds)
    mask = np.zeros((size, size), np.float32)
    longest = size * rng.uniform(*scale)
    layer = _lit(rng, _turned(rng, stamp, longest))
    h, w = layer.shape[:2]
    for _ in range(50):
        if off_centre:
            x = rng.uniform(0, max(1, size - w))
            y = rng.uniform(0, max(1, size - h))
        else:
            x = rng.uniform(-0.15 * w, max(1, size - 0.85 * w))
            y = rng.uniform(-0.15 * h, max(1, size - 0.85 * h))
        far = max(abs(x + w / 2 - size / 2), abs(y + h / 2 - size / 2))
        if not off_centre or far >= size / 5:
            break
    x, y, at = int(x), int(y), (x + w / 2, y + h / 2)
    behind, before = rng.integers(0, 4), rng.random() < 0.3
    for item in _neighbours(rng, others, behind, size, at, longest / 2):
        _paste(picture, mask, *item, False)
    if rng.random() < 0.4:
        _shadow(rng, picture, layer, x, y)
    _paste(picture, mask, layer, x, y, True)
    whole = mask.sum()
    if before:
        for item in _neighbours(rng, others, 1, size, at, longest / 2):
            trial = picture.copy(), mask.copy()
            _paste(*trial, *item, False)
            if trial[1].sum() > 0.65 * whole:
                picture, mask = trial
    return _finish(rng, picture), mask
