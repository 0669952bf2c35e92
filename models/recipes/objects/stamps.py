"""The photographic cut-outs of Debian's tuxpaint-stamps-default (GPL-2+).

Their alpha channel is an exact mask of the object.  One file is one object,
and one label.  Objects are split once, with a fixed seed, into those that
train, those that choose between settings, and those that are only reported.
"""
import os
import random

import numpy as np
from PIL import Image

FOLDER = "/usr/share/tuxpaint/stamps"
PARTS = ("animals", "plants", "food")
LONGEST = 320


def paths(folder=FOLDER):
    """The 217 photographic PNGs, sorted; drawings in cartoon/ are left out."""
    found = []
    for part in PARTS:
        for where, folders, files in os.walk(os.path.join(folder, part)):
            folders[:] = [f for f in folders if f != "cartoon"]
            found += [os.path.join(where, f) for f in files
                      if f.endswith(".png")]
    if not found:
        raise SystemExit(f"{folder}: no stamps; "
                         "apt-get install tuxpaint-stamps-default")
    return sorted(found)


def label(path):
    """A readable name that no other object has: birds/crow -> birds-crow."""
    where, name = os.path.split(path)
    return f"{os.path.basename(where)}-{os.path.splitext(name)[0]}".replace(
        " ", "-").replace("_", "-").lower()


def load(path):
    """An RGBA picture cut to its object, at most LONGEST pixels long."""
    picture = Image.open(path).convert("RGBA")
    solid = np.asarray(picture)[..., 3] > 127
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    picture = picture.crop((columns[0], rows[0], columns[-1] + 1,
                            rows[-1] + 1))
    picture.thumbnail((LONGEST, LONGEST), Image.BILINEAR, reducing_gap=None)
    return picture


def split(seed=1, folder=FOLDER):
    """{"train": [...], "choose": [...], "report": [...]} of stamp paths."""
    order = paths(folder)
    random.Random(seed).shuffle(order)
    a, b = round(len(order) * 0.6), round(len(order) * 0.8)
    return {"train": sorted(order[:a]), "choose": sorted(order[a:b]),
            "report": sorted(order[b:])}
