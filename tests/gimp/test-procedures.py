"""test-procedures.py SERIES PLUG-IN CAMLENS OBJECTS WORK [TEST]... -- the other
procedures in a GIMP without a display, other languages than Script-Fu, and
accidents"""
import json
import os
import re
import signal
import stat
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files import Files, npy_floats, tiff_floats
from gimp import GimpError, plug_in_processes, read_png
from headless import Case, HeadlessTests, quote, run, same_floats


IMAGES = "RGB*, GRAY*, INDEXED*"

PYTHON = """
import gi, json
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, Gio
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE,
                       Gio.File.new_for_path("%s"))
procedure = Gimp.get_pdb().lookup_procedure("plug-in-camlens")

def call(**settings):
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", [image.get_layers()[0]])
    for name, value in settings.items():
        config.set_property(name.replace("_", "-"), value)
    return procedure.run(config)

error = call(colormap="rainbow")
done = call(model="objects", database="shapes", top_k=9, opacity=40.0,
            colormap="jet", layer_mode="screen", threshold=0.1,
            transfer="neighbour")
layer = done.index(1)
with open("%s", "w") as f:
    json.dump({"name": layer.get_name(), "opacity": layer.get_opacity(),
               "layers": len(image.get_layers()),
               "similarity": done.index(3),
               "error": Gimp.get_pdb().get_last_error() or ""
               if error.index(0) == Gimp.PDBStatusType.SUCCESS
               else error.index(1).message if hasattr(error.index(1),
                                                      "message")
               else str(error.index(1))}, f)
"""

MENU = """
import gi, json
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp
with open("%s", "w") as f:
    json.dump([Gimp.get_pdb().lookup_procedure("plug-in-camlens" + name)
               .get_image_types() or ""
               for name in ("", "-example", "-export", "-build")], f)
"""


class Tests(Files, HeadlessTests):
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
        self.gimp('(begin (define r (t-example im layer "" (string-append '
                  '"layer:" (number->string layer)) "" 50)) (define new (car '
                  'r)) 1)')
        case.save(self.out())
        _, _, channels, rows = read_png(self.out())
        alpha = max(max(row[channels - 1::channels]) for row in rows)
        with open(self.gimp.log.name, errors="replace",
                  encoding="utf-8") as log:
            said = log.read()
        self.ok(channels == 4 and alpha == 0 and "its positive are the same" in said,
                "a picture as its own positive: nothing, in words",
                "%d %s" % (alpha, said[-300:]))
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
        self.equal(tiff_floats(self.out("export-h.tif")),
                   npy_floats(self.out("export-h.npy")),
                   "the exported TIFF holds the same numbers")
        pipe = self.out("pipe")
        if not os.path.exists(pipe):
            os.mkfifo(pipe)
        for args, pattern in (('layer "overlay" "/tmp/x.png"', "overlay"),
                              ('new "wrong" "/tmp/x.png"', "exported"),
                              ('new "overlay" ""', "name"),
                              ('new "array" "/nowhere/x.npy"', "/nowhere"),
                              ('new "overlay" "/nowhere/x.png"', "/nowhere"),
                              ('new "array" "/nowhere/x.npy"', "folder"),
                              ('new "provenance" "/nowhere/x.json"',
                               "/nowhere/x.json' .*choose another folder"),
                              *(('new "%s" %s' % (what, quote(path)),
                                 "no file") for what in ("overlay",
                                                         "provenance")
                                for path in (pipe, self.fix.folder))):
            try:
                self.gimp("(t-export im %s)" % args)
                self.ok(False, "export " + args, "not refused")
            except GimpError as error:
                self.ok(re.search(pattern, str(error)), "export " + args,
                        str(error))
        self.ok(stat.S_ISFIFO(os.stat(pipe).st_mode), "the pipe is still one")
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
        self.accident(signal.SIGKILL, "killed")

    def test_crashed(self):
        self.accident(signal.SIGSEGV, "crashed")

    def accident(self, number, word):
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
                        os.kill(pid, number)
                        gone.append(pid)
                    except ProcessLookupError:
                        pass
                    return
                time.sleep(0.01)

        self.gimp("(begin (gimp-image-clean-all im) 1)")
        thread = threading.Thread(target=kill)
        thread.start()
        try:
            case.run()
            said = "it was not refused"
        except GimpError as error:
            said = str(error)
        thread.join()
        self.ok(gone and "refused" not in said,
                "a %s plug-in is an error" % word, said)
        self.ok(self.gimp.alive(), "GIMP lives on")
        self.untouched(case, 1, word)
        case.run()
        self.equal(case.count(), 2, "and can be explained again")
        case.close()

    def test_out_of_memory(self):
        """The plug-in with less and less memory: a layer, or an error in our
        words and nothing else.  With 300 MB of addresses Debian 13's OpenBLAS
        waits for ever while it is loaded, before main (), so it does not come
        to that."""
        limit, wrapper = self.out("limit"), self.out("limited.sh")
        with open(wrapper, "w") as f:
            f.write('#!/bin/sh\nexec prlimit --as=$(cat "%s") "$@"\n' % limit)
        os.chmod(wrapper, 0o755)
        gimp = self.gimp.another({"GIMP_PLUGIN_DEBUG_WRAP": "camlens,run",
                                  "GIMP_PLUGIN_DEBUG_WRAPPER": wrapper})
        case = Case(gimp, "(let ((i (t-load %s))) "
                    "(gimp-image-scale i 40000 300) i)"
                    % quote(self.fix.photo))
        said, ran, intact = [], 0, True
        for megabytes in (4000, 900, 780, 740, 700, 650, 600, 500, 400):
            with open(limit, "w") as f:
                f.write(str(megabytes << 20))
            before = case.count()
            gimp("(begin (gimp-image-clean-all im) 1)")
            try:
                case.run()
                ran += 1
            except GimpError as error:
                said.append("%d MB: %s" % (megabytes, error))
                intact = (intact and case.count() == before
                          and gimp("(if (t-dirty? im) 1 0)") == "0")
        for line in said:
            print("# " + line.replace("\n", " "))
        self.ok(ran and said, "the memory was too little at last")
        self.equal([line for line in said if "Out of memory" not in line], [],
                   "out of memory: nothing else is said")
        self.ok(intact, "out of memory: the image is as it was")
        gimp.close()

    # ---- the menu ----

    def test_menu(self):
        """GIMP greys an entry out where there is no image of these types.
        (GIMP 3 keeps the mask of what is selected to itself.)"""
        found = (self.types_by_python() if self.gimp.series == "3" else
                 [self.types_by_script(name)
                  for name in ("", "-example", "-export", "-build")])
        self.equal(found, [IMAGES] * 3 + [""],
                   "image types of the menu's entries")

    def types_by_script(self, name):
        return self.gimp("""(let* ((all (gimp-plugins-query "")))
          (let loop ((names (list-ref all 11)) (types (list-ref all 7)))
            (cond ((null? names) "none")
                  ((string=? (car names) "plug-in-camlens%s") (car types))
                  (else (loop (cdr names) (cdr types))))))"""
                         % name).strip('"')

    def types_by_python(self):
        script, out = self.out("menu.py"), self.out("menu.json")
        if os.path.exists(out):
            os.remove(out)
        with open(script, "w") as f:
            f.write(MENU % out)
        self.gimp.batch("python-fu-eval", "exec(open('%s').read())" % script)
        with open(out) as f:
            return json.load(f)

    # ---- other languages ----

    def test_python(self):
        if self.gimp.series == "2.10":
            self.ok(True, "from Python # SKIP Debian's GIMP 2.10 has none")
            return
        script, out = self.out("call.py"), self.out("python.json")
        if os.path.exists(out):
            os.remove(out)
        with open(script, "w") as f:
            f.write(PYTHON % (self.fix.photo, out))
        self.gimp.batch("python-fu-eval", "exec(open('%s').read())" % script)
        with open(out) as f:
            said = json.load(f)
        self.ok(re.fullmatch(r"Grad-CAM: neighbour \d+, top 9", said["name"]),
                "from Python: the layer", said)
        self.equal((said["opacity"], said["layers"]), (40, 2),
                   "from Python: opacity and place")
        self.ok(0 < said["similarity"] <= 1, "from Python: similarity")
        self.ok("colour map 'rainbow'" in said["error"],
                "from Python: a wrong choice is an error", said["error"])


run(Tests)
