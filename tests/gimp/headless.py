"""headless.py -- a GIMP without a display, an image in it and calls on it, for
the tests that compare the procedures with the program camlens"""
import os
import re
import struct
import sys

from fixtures import Fixtures
from gimp import Gimp, GimpError, Tap, read_png


def quote(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


class Case:
    """An image in GIMP, and calls on its layer."""

    def __init__(self, gimp, setup):
        self.gimp = gimp
        gimp("(begin (define im %s) (define layer (t-active im)) 1)" % setup)

    def count(self):
        return int(self.gimp.number("(length (t-layers im))"))

    def run(self, model="", db="", top_k=50, opacity=60, map="turbo",
            mode="normal", threshold=0, transfer="cluster", layer="layer"):
        self.gimp('(begin (define r (t-run im %s %s %s %d %s "%s" "%s" %s '
                  '"%s")) (define new (car r)) 1)' % (
                      layer, quote(model), quote(db), top_k, opacity, map,
                      mode, threshold, transfer))

    def text(self, expression):
        text = self.gimp(expression)
        return text[1:-1] if text.startswith('"') else text

    def save(self, path):
        self.gimp("(begin (t-save-layer new %s) 1)" % quote(path))

    def composite(self, path):
        self.gimp("(begin (t-save-composite im %s) 1)" % quote(path))

    def close(self):
        self.gimp("(begin (gimp-image-delete im) 1)")


def difference(a, b, ignore_clear=True):
    """The largest difference of two PNGs; the colour under clear pixels does
    not count.  Infinite where the sizes differ."""
    wa, ha, ca, ra = read_png(a)
    wb, hb, cb, rb = read_png(b)
    if (wa, ha) != (wb, hb):
        return float("inf")
    worst = 0
    for y in range(ha):
        for x in range(wa):
            pa = rgba(ra[y], x, ca)
            pb = rgba(rb[y], x, cb)
            if ignore_clear and pa[3] <= 1 and pb[3] <= 1:
                continue
            worst = max(worst, max(abs(p - q) for p, q in zip(pa, pb)))
    return worst


def rgba(row, x, channels):
    p = row[x * channels:(x + 1) * channels]
    if channels == 1:
        return (p[0], p[0], p[0], 255)
    if channels == 2:
        return (p[0], p[0], p[0], p[1])
    return tuple(p) + ((255,) if channels == 3 else ())


class HeadlessTests(Tap):
    def __init__(self, gimp, fixtures):
        super().__init__()
        self.gimp, self.fix = gimp, fixtures

    def photo(self):
        return Case(self.gimp, "(t-load %s)" % quote(self.fix.photo))

    def out(self, name="gimp-overlay.png"):
        return self.fix.path(name)

    def close_to(self, got, wanted, most, name):
        worst = difference(got, wanted)
        self.ok(worst <= most, name, "differs by up to %s levels, at most %s "
                "were expected: %s %s" % (worst, most, got, wanted))

    def refused(self, case, pattern, name, **args):
        """The call fails with the words, and the image is as it was."""
        before = case.count()
        self.gimp("(begin (gimp-image-clean-all im) 1)")
        try:
            case.run(**args)
            self.ok(False, name, "it was not refused")
            return
        except GimpError as error:
            self.ok(re.search(pattern, str(error)), name, str(error))
        self.untouched(case, before, name)

    def untouched(self, case, layers, name):
        self.equal((case.count(), self.gimp("(if (t-dirty? im) 1 0)")),
                   (layers, "0"), name + ": the image is as it was")

    def nothing_left(self):
        self.equal(self.gimp.number("(length (t-images))"), 0,
                   "no image is left behind")

    def all(self):
        for name in dir(self):
            if name.startswith("test_"):
                before = self.count
                try:
                    getattr(self, name)()
                except Exception as error:  # the other tests go on
                    self.ok(False, name, repr(error))
                    self.gimp("(begin (for-each (lambda (i) "
                              "(gimp-image-delete i)) (t-images)) 1)")
                assert self.count > before
        self.nothing_left()


def same_floats(a, b):
    """Two NPY files hold the same shape and (to 1e-5) the same numbers."""
    def parts(data):
        length = struct.unpack("<H", data[8:10])[0]
        head = data[10:10 + length].decode()
        body = data[10 + length:]
        return (re.search(r"\(([^)]*)\)", head).group(1).replace(" ", ""),
                struct.unpack("<%df" % (len(body) // 4), body))

    shape_a, values_a = parts(a)
    shape_b, values_b = parts(b)
    top = max(map(abs, values_b)) or 1
    return (shape_a.strip(",") == shape_b.strip(",")
            and len(values_a) == len(values_b)
            and all(abs(x - y) <= 1e-4 * top
                    for x, y in zip(values_a, values_b)))


def run(tests_class):
    """The whole of a test program: its arguments are in test-headless.py."""
    series, plug_in, camlens, objects, work = sys.argv[1:6]
    fixtures = Fixtures(os.path.join(work, "files"), camlens, objects)
    gimp = Gimp(series, plug_in, os.path.join(work, "profile"),
                env={"CAMLENS_MODEL_PATH": fixtures.models,
                     "CAMLENS_PROGRAM": camlens})
    tests = tests_class(gimp, fixtures)
    try:
        if len(sys.argv) > 6:
            for name in sys.argv[6:]:
                getattr(tests, name)()
        else:
            tests.all()
    finally:
        gimp.close()
    tests.done()

