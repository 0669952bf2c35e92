"""test-headless.py SERIES PLUG-IN CAMLENS OBJECTS WORK -- the procedures in a
GIMP without a display, compared with what the program camlens gives"""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixtures import Fixtures, shape, write_png
from gimp import Gimp, GimpError, Tap, read_png

RGB, GRAY = "RGB", "GRAY"


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


class Tests(Tap):
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
        try:
            case.run(**args)
            self.ok(False, name, "it was not refused")
            return
        except GimpError as error:
            self.ok(re.search(pattern, str(error)), name, str(error))
        self.equal(case.count(), before, name + ": the image is as it was")

    # ---- the overlay ----

    def test_plain(self):
        overlay, composite, said = self.fix.explain(
            self.fix.photo, "-d", self.fix.database, "--opacity", "0.6")
        said = json.loads(said)
        case = self.photo()
        case.run()
        self.equal(case.count(), 2, "the overlay is one more layer")
        self.ok(re.fullmatch(r"Grad-CAM: cluster \d+, top 50",
                             case.text("(t-name new)")),
                "the layer is named for what it is")
        self.equal(self.gimp.number("(t-position im new)"), 0,
                   "the overlay lies above the source")
        self.equal(self.gimp.number("(t-opacity new)"), 60, "opacity")
        self.equal(self.gimp.number("(t-mode new)"), 28, "layer mode")
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "pixels of the overlay")
        case.composite(self.out("gimp-out.png"))
        self.close_to(self.out("gimp-out.png"), composite, 2,
                      "pixels of the composite")
        self.equal(int(self.gimp.number("(cadr r)")), cluster_of(said),
                   "the cluster is returned")
        self.ok(abs(self.gimp.number("(caddr r)") - similarity_of(said))
                < 1e-5, "the similarity is returned")
        case.close()

    def test_records(self):
        case = self.photo()
        case.run(top_k=7)
        self.gimp('(begin (t-export im new "provenance" %s) 1)'
                  % quote(self.out("p.json")))
        with open(self.out("p.json")) as f:
            record = json.load(f)
        self.equal(record.get("top_k"), 7, "the provenance has top-k")
        for key in ("model_digest", "database_digest", "layer", "cluster",
                    "similarity", "version"):
            self.ok(key in record, "the provenance has " + key)
        xcf = self.out("kept.xcf")
        self.gimp("(begin (t-xcf im %s) 1)" % quote(xcf))
        case.close()
        case = Case(self.gimp, "(t-load %s)" % quote(xcf))
        self.gimp('(begin (t-export im (car (t-layers im)) "provenance" %s) '
                  '1)' % quote(self.out("p2.json")))
        with open(self.out("p2.json")) as f:
            self.equal(json.load(f), record, "an XCF keeps the provenance")
        case.close()

    def test_options(self):
        overlay, composite, _ = self.fix.explain(
            self.fix.photo, "-d", self.fix.database, "--top-k", "0",
            "--colormap", "viridis", "--threshold", "0.3", "--transfer",
            "neighbour", "--opacity", "0.8")
        case = self.photo()
        case.run(top_k=0, map="viridis", threshold=0.3, transfer="neighbour",
                 opacity=80, mode="multiply", db=self.fix.database,
                 model="objects")
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "all options: pixels")
        self.equal(self.gimp.number("(t-mode new)"), 30, "multiply")
        self.equal(self.gimp.number("(t-opacity new)"), 80, "opacity 80")
        self.ok("neighbour" in case.text("(t-name new)"),
                "the name tells of the neighbour")
        case.close()

    def test_wrong_arguments(self):
        case = self.photo()
        wrong = [
            ("opacity", dict(opacity=160), r"160|out of range|opacity"),
            ("top-k", dict(top_k=-1), r"-1|out of range|top-k"),
            ("threshold", dict(threshold=1.5), r"1\.5|out of range|threshold"),
            ("colour map", dict(map="rainbow"), r"colour map"),
            ("layer mode", dict(mode="wrong"), r"layer mode"),
            ("transfer", dict(transfer="sideways"), r"transfer"),
            ("model", dict(model="nosuchmodel"), r"nosuchmodel.*installed"),
            ("model file", dict(model=self.fix.path("broken.onnx")),
             r"broken\.onnx"),
            ("missing model file", dict(model="/nowhere/m.onnx"),
             r"/nowhere/m\.onnx"),
            ("no database", dict(model="bare"),
             r"Build Cluster Database"),
            ("database name", dict(db="nosuch"), r"nosuch.*path"),
            ("database file", dict(db=self.fix.path("broken.camdb")),
             r"broken\.camdb"),
            ("cut database", dict(db=self.fix.path("cut.camdb")),
             r"cut\.camdb"),
        ]
        for name, args, pattern in wrong:
            self.refused(case, pattern, "wrong " + name, **args)
        case.close()

    # ---- where it lies ----

    def crop(self, x, y, w, h):
        """A part of the photograph as a file of its own."""
        _, _, channels, rows = read_png(self.fix.photo)
        path = self.fix.path("crop.png")
        write_png(path, w, h, channels,
                  lambda i, j: rows[y + j][channels * (x + i):
                                           channels * (x + i + 1)])
        return path

    def test_selection(self):
        overlay, _, _ = self.fix.explain(self.crop(120, 30, 140, 110),
                                         "-d", self.fix.database)
        case = self.photo()
        self.gimp("(begin (t-select im 120 30 140 110) 1)")
        case.run()
        self.equal(self.gimp("(t-offsets new)"), "(120 30)",
                   "the overlay lies on the selection")
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "selection: pixels")
        self.gimp("(begin (gimp-layer-set-offsets layer 1000 0) 1)")
        self.refused(case, r"selection", "a selection beside the layer")
        case.close()

    def test_offsets_and_groups(self):
        overlay, _, _ = self.fix.explain(self.fix.photo, "-d",
                                         self.fix.database)
        case = self.photo()
        self.gimp("""(begin
          (define group (t-group im)) (t-insert im group 0 0)
          (gimp-image-reorder-item im layer group 0)
          (define above (t-layer-new im 9 9 RGBA-IMAGE "above"))
          (t-insert im above group 0)
          (gimp-layer-set-offsets layer 33 -7) 1)""")
        case.run()
        self.equal(self.gimp("(t-offsets new)"), "(33 -7)", "offsets")
        self.equal(self.gimp.number("(t-parent new)"),
                   self.gimp.number("group"), "it is in the same group")
        self.equal(self.gimp.number("(t-position im new)"), 1,
                   "directly above the source in the group")
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "offsets: pixels")
        case.run(layer="group")
        self.equal(case.count(), 2, "a group can be explained")
        case.close()

    def test_mask(self):
        _, _, _, rows = read_png(self.fix.photo)
        masked = self.fix.path("masked.png")
        write_png(masked, 320, 200, 4,
                  lambda x, y: bytes(rows[y][3 * x:3 * x + 3])
                  + (b"\xff" if 100 <= x < 260 and y < 150 else b"\0"))
        overlay, _, _ = self.fix.explain(masked, "-d", self.fix.database)
        case = self.photo()
        self.gimp("""(begin (gimp-layer-add-alpha layer)
          (t-select im 100 0 160 150)
          (define mask (t-mask layer 4)) (gimp-selection-none im) 1)""")
        case.run()
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "an applied mask counts")
        case.run(layer="mask")
        self.equal(case.count(), 3, "of a mask its layer is explained")
        case.close()

    def test_sizes(self):
        for w, h in ((1, 1), (3, 2), (1, 40)):
            path = self.fix.path("tiny.png")
            write_png(path, w, h, 3, shape(0, 1, 1, 1))
            overlay, _, _ = self.fix.explain(path, "-d", self.fix.database)
            case = Case(self.gimp, "(t-load %s)" % quote(path))
            case.run()
            case.save(self.out())
            self.close_to(self.out(), overlay, 1, "%d x %d pixels" % (w, h))
            case.close()

    def test_large(self):
        """More than one band of rows each way."""
        case = Case(self.gimp, "(let ((i (t-load %s))) "
                    "(gimp-image-scale i 3000 2300) i)"
                    % quote(self.fix.photo))
        case.run()
        self.equal(self.gimp("(list (t-width new) (t-height new))"),
                   "(3000 2300)", "a large picture: size")
        self.gimp('(begin (t-export im new "overlay" %s) 1)'
                  % quote(self.out("large.png")))
        self.gimp("(begin (gimp-image-remove-layer im new) "
                  "(t-save im layer %s) 1)" % quote(self.out("big.png")))
        case.close()
        overlay, _, _ = self.fix.explain(self.out("big.png"), "-d",
                                         self.fix.database)
        same = subprocess.run(
            ["compare", "-metric", "PAE", self.out("large.png"), overlay,
             "null:"], stderr=subprocess.PIPE, text=True).stderr
        level = float(re.search(r"\(([\d.e-]+)\)", same).group(1)) * 255
        self.ok(level <= 1.5, "a large picture: pixels", same)

    # ---- what it is made of ----

    def test_precisions(self):
        overlay, _, _ = self.fix.explain(self.fix.photo, "-d",
                                         self.fix.database)
        for number, name, most in ((100, "8-bit linear", 24),
                                   (250, "16-bit", 1), (200, "16-bit linear", 1),
                                   (350, "32-bit", 1), (550, "half", 2),
                                   (600, "float linear", 1),
                                   (650, "float", 1), (700, "double linear", 1)):
            case = self.photo()
            self.gimp("(begin (t-convert-precision im %d) 1)" % number)
            case.run()
            self.gimp('(begin (t-export im new "overlay" %s) 1)'
                      % quote(self.out()))
            self.close_to(self.out(), overlay, most, name)
            case.close()

    def test_gray(self):
        _, _, _, rows = read_png(self.fix.photo)
        path = self.fix.path("gray.png")
        write_png(path, 320, 200, 1, lambda x, y: (rows[y][3 * x + 1],))
        overlay, _, _ = self.fix.explain(path, "-d", self.fix.database,
                                         "--colormap", "gray")
        case = Case(self.gimp, "(t-load %s)" % quote(path))
        self.refused(case, r"gr[ae]y.*gimp-image-convert-rgb",
                     "a coloured overlay in a gray image")
        case.run(map="gray")
        self.ok(self.gimp("(if (t-gray? new) 1 0)") == "1",
                "a gray heat map in a gray image")
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "gray: pixels")
        case.close()

    def test_indexed(self):
        case = self.photo()
        self.gimp("(begin (t-convert-indexed im) 1)")
        self.refused(case, r"indexed.*gimp-image-convert-rgb",
                     "an overlay in an indexed image", map="gray")
        self.gimp("(begin (gimp-image-convert-rgb im) 1)")
        case.run()
        self.equal(case.count(), 2, "after conversion it works")
        case.close()

    def test_wrong_layers(self):
        case = self.photo()
        self.gimp("""(begin (t-select im 10 10 50 50)
          (define channel %s) (gimp-selection-none im) 1)""" % (
              "(car (gimp-selection-save im))" if self.gimp.series == "2.10"
              else "(gimp-selection-save im)"))
        self.refused(case, r"channel", "a channel", layer="channel")
        self.gimp("(begin (t-select im 10 10 50 50) (gimp-edit-copy %s) "
                  "(gimp-edit-paste layer TRUE) 1)" % (
                      "layer" if self.gimp.series == "2.10"
                      else "(vector layer)"))
        before = case.count()
        try:
            case.run()
            self.ok(False, "a floating selection", "not refused")
        except GimpError as error:
            self.ok("floating" in str(error), "a floating selection",
                    str(error))
        self.equal(case.count(), before, "floating: the image is as it was")
        case.close()

    # ---- last values ----

    def test_last_values(self):
        case = self.photo()
        if self.gimp.series == "2.10":
            folder = os.path.join(self.gimp.profile, "camlens")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, "last-values"), "w") as f:
                f.write("[plug-in-camlens]\nopacity=33\ncolormap=jet\n"
                        "layer-mode=screen\ntop-k=5\nthreshold=7\n")
        self.gimp("(begin (define r (t-run-last im layer)) "
                  "(define new (car r)) 1)")
        if self.gimp.series == "2.10":
            self.equal(self.gimp.number("(t-opacity new)"), 33,
                       "the key file's opacity")
            self.equal(self.gimp.number("(t-mode new)"), 31,
                       "the key file's layer mode")
            self.ok("top 5" in case.text("(t-name new)"),
                    "the key file's top-k; a wrong threshold is passed over")
            os.remove(os.path.join(folder, "last-values"))
        else:
            self.equal(self.gimp.number("(t-opacity new)"), 60,
                       "without last values: the defaults")
        case.close()

    # ---- the other procedures ----

    def test_example(self):
        overlay, _, _ = self.fix.explain(
            self.fix.photo, "--positive", self.fix.positive, "--negative",
            self.fix.negative)
        case = self.photo()
        self.gimp('(begin (define r (t-example im layer "" %s %s 50)) '
                  '(define new (car r)) 1)' % (quote(self.fix.positive),
                                               quote(self.fix.negative)))
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "by examples: pixels")
        self.equal(case.text("(t-name new)"), "Grad-CAM: triplet, top 50",
                   "by examples: name")
        self.gimp("(begin (define im2 (t-load %s)) (define layer2 (t-active "
                  "im2)) 1)" % quote(self.fix.positive))
        self.gimp('(begin (define r (t-example im layer "" (string-append '
                  '"layer:" (number->string layer2)) %s 50)) (define new (car '
                  'r)) 1)' % quote(self.fix.negative))
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "an open layer as example")
        images = self.gimp.number("(length (t-images))")
        self.gimp('(begin (define r (t-example im layer "" %s "" 50)) 1)'
                  % quote(self.fix.positive))
        self.ok("pair" in case.text("(t-name (car r))"), "a pair")
        self.equal(self.gimp.number("(length (t-images))"), images,
                   "no image is left open")
        count = case.count()
        for positive, pattern in (("", "positive"), ("layer:99999", "99999"),
                                  ("/nowhere/x.png", "/nowhere/x.png")):
            try:
                self.gimp('(t-example im layer "" %s "" 50)' % quote(positive))
                self.ok(False, "example '%s'" % positive, "not refused")
            except GimpError as error:
                self.ok(pattern in str(error), "example '%s'" % positive,
                        str(error))
        self.equal(case.count(), count, "examples: the image is as it was")
        self.gimp("(begin (gimp-image-delete im2) 1)")
        case.close()

    def test_export(self):
        _, composite, _ = self.fix.explain(self.fix.photo, "-d",
                                           self.fix.database, "--opacity",
                                           "0.6", "--heatmap",
                                           self.out("cli.npy"))
        case = self.photo()
        case.run()
        for what, ending in (("overlay", "o.png"), ("composite", "c.png"),
                             ("heat-map", "h.tif"), ("array", "h.npy"),
                             ("provenance", "p.json")):
            path = self.out("export-" + ending)
            if os.path.exists(path):
                os.remove(path)
            self.gimp("(begin (t-export im new %s %s) 1)" % (quote(what),
                                                             quote(path)))
            self.ok(os.path.exists(path), "export of " + what)
        case.save(self.out())
        self.close_to(self.out("export-o.png"), self.out(), 0,
                      "the exported overlay is the layer")
        self.close_to(self.out("export-c.png"), composite, 2,
                      "the exported composite")
        with open(self.out("export-h.npy"), "rb") as f:
            got = f.read()
        with open(self.out("cli.npy"), "rb") as f:
            self.ok(same_floats(got, f.read()), "the exported array")
        with open(self.out("export-h.tif"), "rb") as f:
            self.ok(f.read(4) in (b"II*\0", b"MM\0*"), "the exported TIFF")
        for args, pattern in (('layer "overlay" "/tmp/x.png"', "overlay"),
                              ('new "wrong" "/tmp/x.png"', "exported"),
                              ('new "overlay" ""', "name"),
                              ('new "array" "/nowhere/x.npy"', "/nowhere"),
                              ('new "overlay" "/nowhere/x.png"', "/nowhere")):
            try:
                self.gimp("(t-export im %s)" % args)
                self.ok(False, "export " + args, "not refused")
            except GimpError as error:
                self.ok(pattern in str(error), "export " + args, str(error))
        case.close()

    def test_build(self):
        path = self.out("built.camdb")
        for old in (path, path + ".partial"):
            if os.path.exists(old):
                os.remove(old)
        self.gimp('(begin (t-build %s "objects" %s 3) 1)' % (
            quote(self.fix.pictures), quote(path)))
        self.ok(os.path.exists(path), "a database is built")
        case = self.photo()
        case.run(db=path)
        self.equal(case.count(), 2, "and can be used")
        case.close()
        for args, pattern in (
                ('"/nowhere" "" "/tmp/x.camdb" 3', "folder"),
                ('%s "nosuch" "/tmp/x.camdb" 3' % quote(self.fix.pictures),
                 "nosuch"),
                ('%s "" "/nowhere/x.camdb" 3' % quote(self.fix.pictures),
                 "/nowhere")):
            try:
                self.gimp("(t-build %s)" % args)
                self.ok(False, "build " + args, "not refused")
            except GimpError as error:
                self.ok(pattern in str(error), "build " + args, str(error))

    # ---- accidents ----

    def test_killed(self):
        case = Case(self.gimp, "(let ((i (t-load %s))) "
                    "(gimp-image-scale i 5000 4000) i)"
                    % quote(self.fix.photo))
        gone = []

        def kill():
            for _ in range(600):
                for pid in plug_in_processes(self.gimp.profile):
                    # in the midst of its work, not while it starts
                    time.sleep(0.4)
                    try:
                        os.kill(pid, signal.SIGKILL)
                        gone.append(pid)
                    except ProcessLookupError:
                        pass
                    return
                time.sleep(0.01)

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            case.run()
            said = "it was not refused"
        except GimpError as error:
            said = str(error)
        thread.join()
        self.ok(gone and "refused" not in said, "a killed plug-in is an error",
                said)
        self.ok(self.gimp.alive(), "GIMP lives on")
        self.equal(case.count(), 1, "killed: the image is as it was")
        case.run()
        self.equal(case.count(), 2, "and can be explained again")
        case.close()

    def test_nothing_left(self):
        self.equal(self.gimp.number("(length (t-images))"), 0,
                   "no image is left behind")

    def all(self):
        for name in dir(self):
            if name.startswith("test_") and name != "test_nothing_left":
                before = self.count
                try:
                    getattr(self, name)()
                except Exception as error:  # the other tests go on
                    self.ok(False, name, repr(error))
                    self.gimp("(begin (for-each (lambda (i) "
                              "(gimp-image-delete i)) (t-images)) 1)")
                assert self.count > before
        self.test_nothing_left()


def cluster_of(said):
    return find(said, "cluster")


def similarity_of(said):
    return find(said, "similarity")


def find(value, key):
    if isinstance(value, list):
        return find(value[0], key)
    if key in value:
        return value[key]
    for inner in value.values():
        if isinstance(inner, (dict, list)) and inner:
            found = find(inner, key)
            if found is not None:
                return found
    return None


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


def plug_in_processes(profile):
    """Processes whose program is the plug-in in this profile."""
    want = os.path.realpath(os.path.join(profile,
                                         "plug-ins/camlens/camlens"))
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.path.realpath(os.readlink("/proc/%s/exe" % name)) == want:
                    found.append(int(name))
            except OSError:
                pass
    return found


def main():
    series, plug_in, camlens, objects, work = sys.argv[1:6]
    fixtures = Fixtures(os.path.join(work, "files"), camlens, objects)
    gimp = Gimp(series, plug_in, os.path.join(work, "profile"),
                env={"CAMLENS_MODEL_PATH": fixtures.models,
                     "CAMLENS_PROGRAM": camlens})
    tests = Tests(gimp, fixtures)
    try:
        if len(sys.argv) > 6:
            for name in sys.argv[6:]:
                getattr(tests, name)()
        else:
            tests.all()
    finally:
        gimp.close()
    tests.done()


main()
