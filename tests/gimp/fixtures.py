"""fixtures.py -- pictures, a model folder and a database for the tests in GIMP"""
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import zlib

from screen import limited


def write_png(path, width, height, channels, pixel, profile=None):
    """pixel (x, y) gives a tuple of channels bytes."""
    raw = bytearray()
    for y in range(height):
        raw.append(0)
        for x in range(width):
            raw += bytes(pixel(x, y))
    write_png_rows(path, width, height, channels, bytes(raw), profile)


def write_png_rows(path, width, height, channels, raw, profile=None):
    def chunk(kind, body):
        data = kind + body
        return (struct.pack(">I", len(body)) + data
                + struct.pack(">I", zlib.crc32(data)))

    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
                + (chunk(b"iCCP", b"wide\0\0" + zlib.compress(profile))
                   if profile else b"")
                + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b""))


def wide_profile():
    """An ICC profile (version 2, matrix and curve) wider than sRGB: gamma 2.2
    and the primaries of Adobe RGB (1998), adapted to D50."""
    def fixed(value):
        return struct.pack(">i", round(value * 65536))

    def xyz(*values):
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 563) + b"\0\0"
    text = b"wide\0"
    name = (b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text
            + bytes(12 + 67))
    name += bytes(-len(name) % 4)
    tags = [(b"desc", name), (b"cprt", b"text\0\0\0\0none\0\0\0\0"),
            (b"wtpt", xyz(0.9642, 1, 0.8249)),
            (b"rXYZ", xyz(0.60974, 0.31111, 0.01947)),
            (b"gXYZ", xyz(0.20528, 0.62567, 0.06087)),
            (b"bXYZ", xyz(0.14919, 0.06322, 0.74457)),
            (b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)]
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags:
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(body),
                                   len(data))
        body += data
    head = (struct.pack(">II", 132 + 12 * len(tags) + len(body), 0)[:4]
            + bytes(4) + struct.pack(">I", 0x02100000) + b"mntrRGB XYZ "
            + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
            + fixed(0.9642) + fixed(1) + fixed(0.8249) + bytes(48))
    return head + table + body


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
    """Made once below @folder and kept between runs, which have it one after
    the other: two at once would write each other's files."""

    def __init__(self, folder, camlens, objects):
        self.folder, self.camlens = folder, camlens
        os.makedirs(folder, exist_ok=True)
        self.lock = open(self.path("lock"), "w")  # until the process ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another run uses %s: give this one a work folder of its "
                     "own" % folder)
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

    def many_pictures(self):
        """Enough of them that a build takes a while."""
        folder = self.path("many")
        for i in range(400):
            to = os.path.join(folder, "ab"[i % 2], "%d.png" % i)
            if not os.path.exists(to):
                os.makedirs(os.path.dirname(to), exist_ok=True)
                shutil.copy2(os.path.join(
                    self.pictures, ("disc", "ring")[i % 2],
                    "%d.png" % (i % 6)), to)
        return folder

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
        done = limited([self.camlens, *args], 600, env=self.env,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True)
        if done.returncode:
            raise RuntimeError("camlens %s: %s%s" % (
                " ".join(args), done.stdout, done.stderr))
        return done.stdout

    def explain(self, picture, *more, overlay="cli-overlay.png"):
        """Overlay PNG, composite PNG and what was said, for a picture."""
        overlay, out = self.path(overlay), self.path("cli-out.png")
        said = self.run("explain", "-m", "objects", "--json",
                        "--overlay", overlay, "-o", out, *more, picture)
        return overlay, out, said
