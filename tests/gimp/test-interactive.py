"""test-interactive.py SERIES PLUG-IN CAMLENS OBJECTS WORK [SHOTS] -- the dialogs
in a real GIMP on an Xvfb, driven by keys and mouse.  What came of it is asked
of GIMP; screenshots go to the folder SHOTS, where it is given."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixtures import Fixtures
from gimp import Gimp, Screen, Tap

OVERLAY = "^(Grad-CAM Overlay|Grad-CAM-)"
EXAMPLE = "^Explain by Example"
EXPORT = "^Export Overlay"
BUILD = "^Build Cluster Database"
ACCELERATORS = (("plug-in-camlens", "<Primary><Alt>l"),
                ("plug-in-camlens-example", "<Primary><Alt>e"),
                ("plug-in-camlens-export", "<Primary><Alt>x"),
                ("plug-in-camlens-build", "<Primary><Alt>b"))


class Tests(Tap):
    def __init__(self, series, plug_in, fixtures, work, shots, locale="C.UTF-8",
                 dark=False, photo=None):
        super().__init__()
        self.fix, self.shots = fixtures, shots
        self.screen = Screen()
        self.photo = photo or fixtures.photo
        self.gimp = Gimp(series, plug_in, os.path.join(work, "profile"),
                         env={"CAMLENS_MODEL_PATH": fixtures.models,
                              "CAMLENS_PROGRAM": fixtures.camlens,
                              "CAMLENS_TIMING": "1"},
                         screen=self.screen, files=[self.photo],
                         accelerators=ACCELERATORS, locale=locale, dark=dark)
        stem = os.path.basename(self.photo).split(".")[0]
        self.window = self.screen.wait_window(stem + ".*GIMP", 90)
        self.screen.do("windowactivate", "--sync", self.window)
        self.screen.do("windowsize", "--sync", self.window, 1280, 870)
        self.wait(lambda: self.number("(length (t-images))") == 1)
        self.gimp("(begin (define im (car (t-images))) "
                  "(define layer (t-active im)) 1)")
        time.sleep(1)

    def number(self, text):
        return self.gimp.number(text)

    def layers(self):
        return int(self.number("(length (t-layers im))"))

    def wait(self, true, seconds=20):
        end = time.time() + seconds
        while time.time() < end:
            if true():
                return True
            time.sleep(0.1)
        return False

    def shot(self, name, window):
        if self.shots:
            self.screen.shot(os.path.join(self.shots, name + ".png"), window)

    def open(self, keys, name):
        self.screen.do("windowactivate", "--sync", self.window)
        self.screen.key(keys)
        dialog = self.screen.wait_window(name, 40)
        self.screen.do("windowactivate", "--sync", dialog)
        return dialog

    def look(self, dialog):
        """The picture's part of the dialog, once it stands still."""
        last = None
        for _ in range(60):
            now = self.screen.pixels(dialog, 20, 60, 380, 280)
            if now is not None and now == last:
                return now
            last = now
            time.sleep(0.15)
        return last

    def wait_change(self, dialog, before, seconds=20):
        end = time.time() + seconds
        while time.time() < end:
            now = self.look(dialog)
            if now != before:
                return now
        return before

    def type_number(self, dialog, key, number):
        self.screen.key("alt+" + key)
        self.screen.key("ctrl+a")
        self.screen.do("type", "--delay", 40, number)
        self.screen.key("Tab")

    def ready(self, dialog):
        """The overlay is there: nothing moves any more for a second."""
        same, last = 0, None
        for _ in range(100):
            now = self.screen.pixels(dialog, 0, 0, 800, 500)
            same = same + 1 if now == last else 0
            if same >= 5:
                return
            last = now
            time.sleep(0.2)

    # ---- tests ----

    def test_overlay(self):
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ok(True, "the dialog comes up by its accelerator")
        self.ready(dialog)
        self.shot("overlay-dialog", dialog)
        first = self.look(dialog)
        self.type_number(dialog, "a", "90")
        opaque = self.wait_change(dialog, first)
        self.ok(opaque != first, "the preview follows the opacity")
        self.type_number(dialog, "k", "5")
        few = self.wait_change(dialog, opaque)
        self.ok(few != opaque, "the preview follows top-k")
        self.screen.key("alt+p")
        heat = self.wait_change(dialog, few)
        self.ok(heat != few, "the heat map alone is shown")
        self.shot("overlay-heat-map", dialog)
        self.screen.key("alt+g")
        original = self.wait_change(dialog, heat)
        self.ok(original not in (few, heat), "the original is shown")
        self.screen.key("alt+y")
        self.equal(self.wait_change(dialog, original), few,
                   "the overlay is shown again")
        self.screen.key("alt+r")
        self.equal(self.wait_change(dialog, few), first,
                   "Reset goes back to the beginning")
        self.type_number(dialog, "a", "45")
        self.type_number(dialog, "k", "20")
        self.ready(dialog)
        self.screen.key("alt+o")
        self.ok(self.screen.wait_gone(OVERLAY), "OK closes the dialog")
        self.wait(lambda: self.layers() == 2)
        self.equal(self.layers(), 2, "OK makes a layer")
        self.gimp("(begin (define new (car (t-layers im))) 1)")
        self.ok("top 20" in self.gimp("(t-name new)"), "with its name")
        self.equal(self.number("(t-opacity new)"), 45, "with its opacity")
        time.sleep(1)
        self.shot("overlay-layer", "root")
        self.screen.do("windowactivate", "--sync", self.window)
        self.screen.key("ctrl+z")
        self.wait(lambda: self.layers() == 1)
        self.equal(self.layers(), 1, "one undo removes it")

    def test_last_values(self):
        self.gimp("(begin (define r (t-run-last im layer)) 1)")
        self.equal(self.number("(t-opacity (car r))"), 45,
                   "with last values: opacity")
        self.ok("top 20" in self.gimp("(t-name (car r))"),
                "with last values: top-k")
        self.gimp("(begin (gimp-image-remove-layer im (car r)) 1)")

    def test_slider(self):
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        before = self.look(dialog)
        self.screen.key("alt+a")
        self.screen.key("shift+Tab")
        self.screen.key(*["Left"] * 10)
        self.ok(self.wait_change(dialog, before) != before,
                "the preview follows the slider's keys")
        self.screen.key("Escape")
        self.ok(self.screen.wait_gone(OVERLAY), "Escape closes the dialog")
        self.equal(self.layers(), 1, "a cancelled dialog leaves no layer")

    def test_mouse(self):
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        before = self.look(dialog)
        place = dict(re.findall(r"(\w+)=(-?\d+)", self.screen.do(
            "getwindowgeometry", "--shell", dialog)))
        # a wheel over the picture does nothing, a click on Cancel ends it
        self.screen.do("mousemove", int(place["X"]) + 200,
                       int(place["Y"]) + 200)
        self.screen.do("click", 4)
        self.equal(self.look(dialog), before, "the wheel changes nothing")
        self.screen.key("alt+c")
        self.ok(self.screen.wait_gone(OVERLAY), "Cancel closes the dialog")

    def test_cancel_at_once(self):
        self.screen.do("windowactivate", "--sync", self.window)
        self.screen.key("ctrl+alt+l")
        self.screen.wait_window(OVERLAY, 40)
        start = time.time()
        self.screen.key("Escape")
        self.ok(self.screen.wait_gone(OVERLAY, 10),
                "Cancel works while the model is loaded")
        print("# closed after %.2f s" % (time.time() - start))
        self.equal(self.layers(), 1, "and leaves no layer")

    def test_help(self):
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        self.screen.key("alt+h")
        help_window = self.screen.wait_window("^CamLens Help", 10)
        time.sleep(0.5)
        self.shot("help", help_window)
        self.ok(True, "Help opens")
        self.screen.key("Escape")
        self.ok(self.screen.wait_gone("^CamLens Help"), "and closes")
        self.screen.key("Escape")
        self.screen.wait_gone(OVERLAY)

    def test_example(self):
        dialog = self.open("ctrl+alt+e", EXAMPLE)
        self.ready(dialog)
        self.shot("example-dialog", dialog)
        self.ok(True, "the example dialog comes up")
        self.screen.key("Escape")
        self.ok(self.screen.wait_gone(EXAMPLE), "and is cancelled")

    def test_example_by_keys(self):
        self.gimp("(begin (define other (t-load \"%s\")) (gimp-display-new "
                  "other) 1)" % self.fix.positive)
        time.sleep(1)
        dialog = self.open("ctrl+alt+e", EXAMPLE)
        self.ready(dialog)
        before = self.look(dialog)
        self.screen.key("alt+i")
        self.screen.key("Down")
        time.sleep(0.3)
        self.screen.key("Return") if self.gimp.series == "3" else None
        now = self.wait_change(dialog, before)
        self.shot("example-chosen", dialog)
        self.ok(now != before, "an open layer can be chosen as positive")
        self.screen.key("Escape")
        if not self.screen.wait_gone(EXAMPLE, 3):
            self.screen.key("Escape")
            self.screen.wait_gone(EXAMPLE)

    def test_export(self):
        self.gimp('(begin (define r (t-run im layer "" "" 50 60 "turbo" '
                  '"normal" 0 "cluster")) (define new (car r)) '
                  '(gimp-displays-flush) 1)')
        if self.gimp.series == "3":
            self.gimp("(begin (gimp-image-set-selected-layers im (vector new))"
                      " 1)")
        else:
            self.gimp("(begin (gimp-image-set-active-layer im new) 1)")
        stem = self.photo.rsplit(".", 1)[0]
        for ending in ("-overlay.png", "-composite.png", "-heat-map.tif",
                       "-heat-map.npy", "-provenance.json"):
            if os.path.exists(stem + ending):
                os.remove(stem + ending)
        dialog = self.open("ctrl+alt+x", EXPORT)
        time.sleep(1)
        self.shot("export-dialog", dialog)
        self.screen.key("alt+e")
        self.ok(self.screen.wait_gone(EXPORT), "Export closes its dialog")
        for ending in ("-overlay.png", "-composite.png", "-heat-map.tif",
                       "-heat-map.npy", "-provenance.json"):
            self.ok(self.wait(lambda e=ending: os.path.exists(stem + e), 5),
                    "photo%s is there" % ending)
        self.gimp("(begin (gimp-image-remove-layer im new) 1)")

    def test_build(self):
        dialog = self.open("ctrl+alt+b", BUILD)
        time.sleep(1)
        self.shot("build-dialog", dialog)
        self.screen.key("alt+s")
        time.sleep(1)
        self.ok(self.screen.find(BUILD), "Start without a folder says so")
        self.shot("build-refused", dialog)
        self.screen.key("Escape")
        self.ok(self.screen.wait_gone(BUILD), "the build dialog closes")

    def test_alive(self):
        self.ok(self.gimp.alive(), "GIMP lives")

    def all(self):
        for name in ("overlay", "last_values", "slider", "mouse",
                     "cancel_at_once", "help", "example", "export", "build",
                     "example_by_keys", "alive"):
            try:
                getattr(self, "test_" + name)()
            except Exception as error:  # the other tests go on
                self.shot("failed-" + name, "root")
                self.ok(False, name, repr(error))
                for _ in range(3):
                    self.screen.key("Escape")
                    time.sleep(0.3)

    def close(self):
        self.gimp.close()
        self.screen.close()


def main():
    series, plug_in, camlens, objects, work = sys.argv[1:6]
    shots = sys.argv[6] if len(sys.argv) > 6 else os.path.join(work, "shots")
    os.makedirs(shots, exist_ok=True)
    fixtures = Fixtures(os.path.join(work, "files"), camlens, objects)
    tests = Tests(series, plug_in, fixtures, work, shots,
                  locale=os.environ.get("CAMLENS_TEST_LOCALE", "C.UTF-8"),
                  dark="CAMLENS_TEST_DARK" in os.environ,
                  photo=os.environ.get("CAMLENS_TEST_PHOTO"))
    try:
        if os.environ.get("CAMLENS_TEST_ONLY"):
            for name in os.environ["CAMLENS_TEST_ONLY"].split():
                getattr(tests, "test_" + name)()
        else:
            tests.all()
    finally:
        tests.close()
    tests.done()


main()
