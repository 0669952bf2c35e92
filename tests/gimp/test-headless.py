"""test-headless.py SERIES PLUG-IN CAMLENS OBJECTS WORK [TEST]... -- the overlay
in a GIMP without a display, compared with what the program camlens gives for
the same PNG"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixtures import shape, wide_profile, write_png
from gimp import Gimp, GimpError, read_png
from headless import (Case, HeadlessTests, difference, quote, run,
                      same_floats)
from kinds import Kinds
from screen import limited


class Tests(Kinds, HeadlessTests):
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
                    "similarity", "labels", "second_cluster",
                    "second_similarity", "version"):
            self.ok(key in record, "the provenance has " + key)
        self.gimp('(begin (call-with-output-file %s (lambda (port) (display '
                  '(t-parasite new "camlens-provenance") port))) 1)'
                  % quote(self.out("parasite.json")))
        with open(self.out("parasite.json")) as f:
            self.equal(json.load(f), record, "it is the layer's parasite")
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
        other = self.fix.path("other.onnx")  # a remark makes it another file
        shutil.copyfile(os.path.join(self.fix.models, "objects",
                                     "model.onnx"), other)
        with open(other, "ab") as network:
            network.write(b"\x32\x01x")
        wrong = [
            ("network for a database",
             dict(model=other, db=self.fix.database),
             r"was built for.*Filters > CamLens > Build Cluster Database"),
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

    def test_model_warnings(self):
        """what speaks against a model's settings is said without a dialog"""
        odd = os.path.join(self.fix.models, "odd")
        os.makedirs(odd, exist_ok=True)
        for file in ("model.onnx", "shapes.camdb"):
            shutil.copy2(os.path.join(self.fix.models, "objects", file), odd)
        with open(os.path.join(odd, "model.ini"), "w") as ini:
            ini.write("[camlens]\ninput.mean=127.5\ninput.std=128\n"
                      "embedding=embedding\n")
        case = self.photo()
        try:
            case.run(model="odd", db=os.path.join(odd, "shapes.camdb"))
            self.equal(case.count(), 2, "an odd model makes its layer")
        finally:
            shutil.rmtree(odd)
        with open(self.gimp.log.name, encoding="utf-8",
                  errors="replace") as log:
            said = log.read().count("hardly be meant: input.mean")
        self.equal(said, 1, "and GIMP says once that it is odd")
        case.close()

    def test_language(self):
        """What the engine and the database refuse is said in GIMP's."""
        english = self.gimp
        self.gimp = Gimp(english.series, english.plug_in,
                         english.profile + "-german", env=english.more,
                         locale="de_DE.UTF-8")
        try:
            case = self.photo()
            for name, args, words in (
                    ("engine", dict(model=self.fix.path("broken.onnx")),
                     r"broken\.onnx“: .* keine ONNX-Datei"),
                    ("database", dict(db=self.fix.path("cut.camdb")),
                     r"cut\.camdb: die Datei ist beschädigt")):
                self.refused(case, words, "in German: the " + name, **args)
            case.close()
        finally:
            self.gimp.close()
            self.gimp = english

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

    def test_overlay_again(self):
        """A new overlay is the active layer; nobody means to explain that."""
        case = self.photo()
        case.run()
        case.save(self.out())
        first = self.gimp("new")
        case.run(layer="new", opacity=30)
        case.save(self.out("again.png"))
        self.close_to(self.out("again.png"), self.out(), 0,
                      "of an overlay the picture below is explained")
        self.equal(self.gimp.number("(t-position im new)"), 1,
                   "directly above its source")
        self.gimp("(begin (gimp-image-remove-layer im layer) 1)")
        self.refused(case, r"no picture is below", "an overlay of nothing",
                     layer=first)
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
        same = limited(
            ["compare", "-metric", "PAE", self.out("large.png"), overlay,
             "null:"], 300, stderr=subprocess.PIPE, text=True).stderr
        level = float(re.search(r"\(([\d.e-]+)\)", same).group(1)) * 255
        self.ok(level <= 1.5, "a large picture: pixels", same)

    def test_huge(self):
        """100 megapixels."""
        case = Case(self.gimp, "(let ((i (t-load %s))) "
                    "(gimp-context-set-interpolation INTERPOLATION-NONE) "
                    "(gimp-image-scale i 10000 10000) i)"
                    % quote(self.fix.photo))
        big = self.out("huge.png")
        self.gimp("(begin (t-save im layer %s) 1)" % quote(big))
        case.run()
        self.equal(self.gimp("(list (t-width new) (t-height new))"),
                   "(10000 10000)", "100 megapixels: size")
        self.gimp('(begin (t-export im new "array" %s) 1)'
                  % quote(self.out("huge.npy")))
        case.close()
        self.fix.run("explain", "-m", "objects", "-d", self.fix.database,
                     "--heatmap", self.out("cli-huge.npy"), big)
        os.remove(big)
        with open(self.out("huge.npy"), "rb") as f:
            got = f.read()
        with open(self.out("cli-huge.npy"), "rb") as f:
            self.ok(same_floats(got, f.read()), "100 megapixels: heat map")

    # ---- what it is made of ----

    def test_precisions(self):
        overlay, _, _ = self.fix.explain(self.fix.photo, "-d",
                                         self.fix.database)
        for number, name, most in ((250, "16-bit", 1), (200, "16-bit linear", 1),
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

    def test_files_of_precisions(self):
        """A TIFF that GIMP writes is the same picture to the program, with
        GIMP's own profile and with a wide one: the embedding's similarity to
        its cluster is the plug-in's."""
        _, _, channels, rows = read_png(self.fix.photo)
        wide = self.fix.path("wide-precise.png")
        write_png(wide, 320, 200, channels,
                  lambda x, y: rows[y][channels * x:channels * (x + 1)],
                  profile=wide_profile())
        for picture in (self.fix.photo, wide):
            for precision in (150, 200, 250, 300, 350, 600, 650):
                case = Case(self.gimp, "(t-load %s)" % quote(picture))
                if precision != 150:
                    self.gimp("(begin (t-convert-precision im %d) 1)"
                              % precision)
                path = self.out("%d.tif" % precision)
                self.gimp("(begin (t-save-as im layer %s) 1)" % quote(path))
                case.run()
                _, _, said = self.fix.explain(path, "-d", self.fix.database)
                ours = self.gimp.number("(caddr r)")
                self.ok(abs(ours - similarity_of(json.loads(said))) < 1e-3,
                        "%s, precision %d: %g, %s" % (
                            os.path.basename(picture), precision, ours,
                            similarity_of(json.loads(said))))
                case.close()

    def test_linear_bytes(self):
        """Eight linear bits are few: the layer holds what they can hold of
        the overlay, half a step, which near black is 6 levels of sRGB."""
        case = self.photo()
        self.gimp("(begin (t-convert-precision im 100) 1)")
        self.gimp("(begin (t-save im layer %s) 1)" % quote(self.out("8.png")))
        case.run()
        self.gimp('(begin (t-export im new "overlay" %s) 1)'
                  % quote(self.out()))
        overlay, _, _ = self.fix.explain(self.out("8.png"), "-d",
                                         self.fix.database)
        self.close_to(self.out(), overlay, 7, "8-bit linear")
        case.close()

    def test_profile(self):
        _, _, channels, rows = read_png(self.fix.photo)
        path = self.fix.path("wide.png")
        write_png(path, 320, 200, channels,
                  lambda x, y: rows[y][channels * x:channels * (x + 1)],
                  profile=wide_profile())
        overlay, _, _ = self.fix.explain(path, "-d", self.fix.database)
        plain, _, _ = self.fix.explain(self.fix.photo, "-d", self.fix.database,
                                       overlay="cli-plain.png")
        # the program converts to 16 bits before it looks, GIMP's floats are not
        # rounded, and flat colours are all rounded the same way; 0.04 levels
        # on average
        for precision, most in ((150, 8), (200, 8), (250, 8), (350, 8),
                                (600, 8)):
            case = Case(self.gimp, "(t-load %s)" % quote(path))
            if precision != 150:
                self.gimp("(begin (t-convert-precision im %d) 1)" % precision)
            case.run()
            self.gimp('(begin (t-export im new "overlay" %s) 1)'
                      % quote(self.out()))
            self.close_to(self.out(), overlay, most,
                          "a wide colour profile, precision %d" % precision)
            case.close()
        self.ok(difference(plain, overlay) > 4, "which makes a difference")

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
        self.gimp("(begin (define r (t-run-last im layer)) (define new (car r))"
                  " 1)")
        self.ok(self.gimp("(if (t-gray? new) 1 0)") == "1",
                "with last values a gray image gets a gray heat map")
        case.save(self.out())
        self.close_to(self.out(), overlay, 1, "gray, last values: pixels")
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


run(Tests)
