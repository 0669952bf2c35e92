"""fixtures.py -- pictures, a model folder and a database for the tests in GIMP"""
import json
import os
import shutil
import struct
import subprocess
import zlib


def write_png(path, width, height, channels, pixel):
    """pixel (x, y) gives a tuple of channels bytes."""
    raw = bytearray()
    for y in range(height):
        raw.append(0)
        for x in range(width):
            raw += bytes(pixel(x, y))
    write_png_rows(path, width, height, channels, bytes(raw))


def write_png_rows(path, width, height, channels, raw):
    def chunk(kind, body):
        data = kind + body
        return (struct.pack(">I", len(body)) + data
                + struct.pack(">I", zlib.crc32(data)))

    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
                + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b""))


COLOURS = [(220, 60, 40), (40, 90, 220), (230, 200, 50)]


def shape(kind, cx, cy, radius):
    """A disc, a square or a ring on a soft background."""
    r, g, b = COLOURS[kind]

    def pixel(x, y):
        dx, dy = x - cx, y - cy
        if kind == 0:
            inside = dx * dx + dy * dy < radius * radius
        elif kind == 1:
            inside = abs(dx) < radius and abs(dy) < radius
        else:
            inside = radius * radius / 4 < dx * dx + dy * dy < radius * radius
        if inside:
            return r - (x + y) % 17, g, b
        return (96 + (3 * x) % 80, 110 + (5 * y) % 60, 90 + (x + 2 * y) % 70)

    return pixel


class Fixtures:
    """Made once below @folder and kept between runs."""

    def __init__(self, folder, camlens, objects):
        self.folder, self.camlens = folder, camlens
        os.makedirs(folder, exist_ok=True)
        self.models = os.path.join(folder, "models")
        self.env = dict(os.environ, CAMLENS_MODEL_PATH=self.models)
        self.make_models(objects)
        self.photo = self.path("photo.png")
        write_png(self.photo, 320, 200, 3, shape(0, 190, 90, 60))
        self.positive = self.path("positive.png")
        write_png(self.positive, 160, 160, 3, shape(0, 60, 90, 40))
        self.negative = self.path("negative.png")
        write_png(self.negative, 160, 160, 3, shape(1, 80, 70, 40))
        self.database = os.path.join(self.models, "objects", "shapes.camdb")
        self.pictures = self.path("pictures")
        self.make_pictures()
        if not os.path.exists(self.database):
            self.make_database()
        self.broken()

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_models(self, objects):
        for name in ("objects", "bare"):
            to = os.path.join(self.models, name)
            os.makedirs(to, exist_ok=True)
            for file in ("model.onnx", "model.ini"):
                copy = os.path.join(to, file)
                original = os.path.join(objects, file)
                if (not os.path.exists(copy) or os.path.getmtime(copy)
                        < os.path.getmtime(original)):
                    shutil.copy2(original, copy)
                    # a database of another network is of no use
                    old = os.path.join(to, "shapes.camdb")
                    if os.path.exists(old):
                        os.remove(old)

    def make_pictures(self):
        for kind, label in enumerate(("disc", "square", "ring")):
            os.makedirs(os.path.join(self.pictures, label), exist_ok=True)
            for i in range(6):
                path = os.path.join(self.pictures, label, "%d.png" % i)
                if not os.path.exists(path):
                    write_png(path, 120, 100, 3,
                              shape(kind, 40 + 8 * i, 60 - 5 * i, 25 + 2 * i))

    def make_database(self):
        self.run("build", "-q", "--restart", "-m", "objects", "--clusters",
                 "3", "--triplets", "10", "-o", self.database, self.pictures)

    def broken(self):
        with open(self.path("broken.camdb"), "wb") as f:
            f.write(b"this is no database" * 100)
        with open(self.path("broken.onnx"), "wb") as f:
            f.write(b"\x08\x07\x12\x00this is no network" * 100)
        with open(self.database, "rb") as f:
            whole = f.read()
        with open(self.path("cut.camdb"), "wb") as f:
            f.write(whole[:len(whole) // 2])

    def run(self, *args):
        done = subprocess.run([self.camlens, *args], env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        if done.returncode:
            raise RuntimeError("camlens %s: %s%s" % (
                " ".join(args), done.stdout, done.stderr))
        return done.stdout

    def explain(self, picture, *more):
        """Overlay PNG, composite PNG and what was said, for a picture."""
        overlay, out = self.path("cli-overlay.png"), self.path("cli-out.png")
        said = self.run("explain", "-m", "objects", "--json",
                        "--overlay", overlay, "-o", out, *more, picture)
        return overlay, out, said
