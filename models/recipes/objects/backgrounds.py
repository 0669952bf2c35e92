"""Backgrounds for composites: made of noise and of stamps' own textures."""
import numpy as np
from PIL import Image, ImageFilter


def _resize(array, size):
    return np.asarray(Image.fromarray(array).resize((size, size),
                                                    Image.BICUBIC))


def _colour(rng):
    """A colour, mostly muted as in nature."""
    grey = rng.uniform(20, 235)
    return np.clip(grey + rng.normal(0, rng.choice([8, 25, 60]), 3), 0, 255)


def gradient(rng, size):
    """Two colours along a random direction, as sky or studio walls."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    t = np.clip(x * np.cos(angle) + y * np.sin(angle) + 0.5, 0, 1)[..., None]
    return _colour(rng) * (1 - t) + _colour(rng) * t


def clouds(rng, size):
    """Noise of several octaves between two or three colours."""
    field = np.zeros((size, size), np.float32)
    roughness = rng.uniform(0.35, 0.9)
    stretch = rng.choice([1, 1, 3])
    for octave in range(int(rng.integers(2, 7))):
        n = 2 ** (octave + 1) + 1
        noise = rng.standard_normal((n, max(2, n // stretch)))
        field += roughness ** octave * _resize(noise.astype(np.float32), size)
    field -= field.min()
    t = (field / max(field.max(), 1e-6))[..., None]
    a, b, c = _colour(rng), _colour(rng), _colour(rng)
    return np.where(t < 0.5, a + (b - a) * 2 * t, b + (c - b) * (2 * t - 1))


def stripes(rng, size):
    """Boards, water, brick: waves bent by noise."""
    y, x = np.mgrid[0:size, 0:size] / size
    angle, waves = rng.uniform(0, np.pi), rng.uniform(3, 30)
    bend = _resize(rng.standard_normal((5, 5)).astype(np.float32), size)
    phase = (x * np.cos(angle) + y * np.sin(angle)) * waves
    t = np.sin(2 * np.pi * phase + rng.uniform(0, 3) * bend)
    if rng.random() < 0.5:
        t = np.sign(t)
    t = (t[..., None] + 1) / 2
    return _colour(rng) * (1 - t) + _colour(rng) * t


def texture(rng, size, stamp):
    """A patch from inside an object (fur, leaves, peel), mirrored to fill."""
    array = np.asarray(stamp)
    h, w = array.shape[:2]
    side = max(8, int(min(h, w) * rng.uniform(0.25, 0.6)))
    best, best_solid = None, -1
    for _ in range(6):
        y, x = rng.integers(0, h - side + 1), rng.integers(0, w - side + 1)
        patch = array[y:y + side, x:x + side]
        solid = (patch[..., 3] > 200).mean()
        if solid > best_solid:
            best, best_solid = patch, solid
    patch = best.astype(np.float32)
    alpha = patch[..., 3:] / 255
    patch = patch[..., :3] * alpha + _colour(rng) * (1 - alpha)
    patch = np.concatenate([patch, patch[:, ::-1]], 1)
    patch = np.concatenate([patch, patch[::-1]], 0)
    repeats = int(rng.integers(1, 4))
    tile = Image.fromarray(patch.astype(np.uint8)).resize(
        (max(4, size // repeats),) * 2, Image.BILINEAR)
    tile = np.asarray(tile)
    n = -(-size // len(tile))
    return np.tile(tile, (n, n, 1))[:size, :size].astype(np.float32)


def clutter(rng, size, stamps):
    """Many small things on a plain ground, as grass, gravel or a shelf."""
    ground = Image.fromarray(gradient(rng, size).astype(np.uint8))
    for _ in range(int(rng.integers(8, 25))):
        stamp = stamps[rng.integers(len(stamps))]
        side = int(size * rng.uniform(0.08, 0.3))
        small = stamp.resize((side, max(2, side * stamp.height //
                                        stamp.width)), Image.BILINEAR)
        small = small.rotate(rng.uniform(0, 360), Image.BILINEAR, expand=True)
        ground.paste(small, (int(rng.integers(-side, size)),
                             int(rng.integers(-side, size))), small)
    return np.asarray(ground).astype(np.float32)


def foliage(rng, size, stamps):
    """A wall of one or two things over and over, as a hedge or a market."""
    ground = Image.fromarray(clouds(rng, size).clip(0, 255).astype(np.uint8))
    kinds = rng.integers(len(stamps), size=int(rng.integers(1, 3)))
    part = rng.uniform(0.15, 0.5)
    for _ in range(min(60, int(2.5 / part ** 2))):
        stamp = stamps[rng.choice(kinds)]
        side = max(4, int(size * part * rng.uniform(0.7, 1.3)))
        one = stamp.resize((side, max(2, side * stamp.height //
                                      stamp.width)), Image.BILINEAR)
        one = one.rotate(rng.uniform(0, 360), Image.BILINEAR, expand=True)
        ground.paste(one, (int(rng.integers(-side, size)),
                           int(rng.integers(-side, size))), one)
    dark = rng.uniform(0.4, 1)
    return np.asarray(ground).astype(np.float32) * dark


def scene(rng, size, stamps):
    """One ground below another, as a meadow below the sky or a wall."""
    upper, lower = (_ground(rng, size, stamps, kind) for kind in
                    (rng.choice(["gradient", "clouds", "foliage"]),
                     rng.choice(["clouds", "texture", "stripes"])))
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    line = rng.uniform(-0.3, 0.3) + x * rng.normal(0, 0.15)
    bend = _resize(rng.standard_normal((1, 7)).astype(np.float32), size)
    soft = rng.choice([0.01, 0.05, 0.3])
    t = np.clip((y - line - 0.03 * bend) / soft + 0.5, 0, 1)[..., None]
    return upper * (1 - t) + lower * t


def _ground(rng, size, stamps, kind):
    if kind == "texture":
        return texture(rng, size, stamps[rng.integers(len(stamps))])
    if kind in ("clutter", "foliage", "scene"):
        return globals()[kind](rng, size, stamps)
    return globals()[kind](rng, size)


# how often each: without and with those that look like places
PLAIN = {"gradient": 0.1, "clouds": 0.3, "stripes": 0.1, "texture": 0.3,
         "clutter": 0.2}
SCENES = {"gradient": 0.08, "clouds": 0.2, "stripes": 0.07, "texture": 0.2,
          "clutter": 0.15, "foliage": 0.1, "scene": 0.2}


def background(rng, size, stamps, kinds=SCENES):
    """A random background, [size, size, 3] float32 in 0..255."""
    kind = rng.choice(list(kinds), p=list(kinds.values()))
    ground = _ground(rng, size, stamps, kind)
    if kind != "gradient" and rng.random() < 0.3:
        t = np.clip(clouds(rng, size)[..., :1] / 255, 0, 1)
        ground = ground * t + gradient(rng, size) * (1 - t)
    ground = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    if rng.random() < 0.6:
        radius = float(rng.exponential(size / 100))
        ground = ground.filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(ground).astype(np.float32)
