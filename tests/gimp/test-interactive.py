"""test-interactive.py -- the dialogs in a real GIMP on an Xvfb, driven by keys
and mouse.  What came of it is asked of GIMP.  Arguments: see interactive.py"""
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from dialogs import EXAMPLE, EXPORT, OVERLAY
from fixtures import wide_profile
from gimp import plug_in_processes
from headless import difference
from interactive import InteractiveTests
from screen import wait


class Tests(InteractiveTests):
    # ---- tests ----

    def test_overlay(self):
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ok(True, "the dialog comes up by its accelerator")
        self.ready(dialog)
        self.shot("overlay-dialog", dialog)
        first = self.look(dialog)
        self.type_number("a", "90")
        opaque = self.wait_change(dialog, first)
        self.ok(opaque != first, "the preview follows the opacity")
        self.type_number("k", "5")
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
        self.type_number("a", "45")
        self.type_number("k", "20")
        self.ready(dialog)
        self.screen.key("alt+o")
        self.ok(self.screen.wait_gone(OVERLAY), "OK closes the dialog")
        wait(lambda: self.layers() == 2, 20)
        self.equal(self.layers(), 2, "OK makes a layer")
        self.gimp("(begin (define new (car (t-layers im))) 1)")
        self.ok("top 20" in self.gimp("(t-name new)"), "with its name")
        self.equal(self.number("(t-opacity new)"), 45, "with its opacity")
        time.sleep(1)
        self.shot("overlay-layer", "root")
        self.undo()
        wait(lambda: self.layers() == 1, 20)
        self.equal(self.layers(), 1, "one undo removes it")

    def test_last_values(self):
        self.gimp("(begin (define r (t-run-last im layer)) 1)")
        self.equal(self.number("(t-opacity (car r))"), 45,
                   "with last values: opacity")
        self.ok("top 20" in self.gimp("(t-name (car r))"),
                "with last values: top-k")
        self.gimp("(begin (gimp-image-remove-layer im (car r)) 1)")

    def test_repeat(self):
        """Filters > Repeat and Re-show, with GIMP's own keys."""
        self.focus()
        self.screen.key("ctrl+f")
        wait(lambda: self.layers() == 2, 30)
        self.equal(self.layers(), 2, "Repeat makes the layer again")
        self.equal(self.number("(t-opacity (car (t-layers im)))"), 45,
                   "with the same opacity")
        self.screen.key("ctrl+shift+f")
        dialog = self.screen.wait_window(OVERLAY, 40)
        self.ready(dialog)
        self.ok(True, "Re-show brings up the dialog")
        self.screen.key("alt+o")
        wait(lambda: self.layers() == 3, 30)
        self.equal(self.layers(), 3, "and makes another layer")
        names = [self.gimp("(t-name (%s (t-layers im)))" % which).strip('"')
                 for which in ("car", "cadr")]
        self.equal([re.sub(r" #\d+$", "", name) for name in names],
                   ["Grad-CAM: cluster 0, top 20"] * 2,
                   "of the same picture, not of the overlay")
        self.undo()
        self.undo()
        wait(lambda: self.layers() == 1, 20)
        self.equal(self.layers(), 1, "two undos remove both")

    def test_presets(self):
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        first = self.look(dialog)
        self.type_number("a", "77")
        before = self.wait_change(dialog, first)
        self.screen.key("alt+s")
        self.screen.key("Tab", "space")
        name = self.screen.wait_window("^Save Preset", 10)
        time.sleep(0.5)
        self.shot("preset-name", name)
        self.screen.do("type", "--delay", 40, "strong")
        self.screen.key("Return")
        self.ok(self.screen.wait_gone("^Save Preset"), "a preset is named")
        path = os.path.join(self.gimp.profile, "camlens", "presets")
        self.ok(wait(lambda: os.path.exists(path), 5),
                "it is kept in GIMP's folder")
        with open(path) as f:
            self.ok("[strong]" in f.read(), "by its name")
        self.screen.key("alt+r")
        self.ok(self.wait_change(dialog, before) != before, "after Reset")
        self.screen.key("alt+s")
        self.screen.key("space" if self.series == "3" else "Down")
        if self.series == "3":
            time.sleep(0.5)
            self.screen.key("Down", "Return")
        self.equal(self.until(dialog, before), before,
                   "the preset brings its settings back")
        self.screen.key("Escape")
        self.screen.wait_gone(OVERLAY)

    def until(self, dialog, wanted):
        wait(lambda: self.look(dialog) == wanted, 10)
        return self.look(dialog)

    def test_indexed(self):
        self.gimp("(begin (t-convert-indexed im) (gimp-displays-flush) 1)")
        wanted = self.program_sees("indexed.png")
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        self.shot("indexed", dialog)
        self.screen.key("alt+o")
        time.sleep(1)
        self.ok(self.screen.find(OVERLAY) and self.layers() == 1,
                "OK is off while the image is indexed")
        self.screen.activate(dialog)
        self.screen.key("alt+v")
        time.sleep(1)
        self.screen.key("alt+o")
        self.ok(self.screen.wait_gone(OVERLAY), "converting turns it on")
        wait(lambda: self.layers() == 2, 20)
        self.equal((self.layers(), self.number("(t-base-type im)")), (2, 0),
                   "the image is RGB and has the layer")
        self.layer_as(wanted, "in an indexed image that is converted", 1)
        self.undo()
        wait(lambda: self.layers() == 1, 20)
        self.equal((self.layers(), self.number("(t-base-type im)")), (1, 2),
                   "one undo takes back both")
        self.gimp("(begin (gimp-image-convert-rgb im) "
                  "(gimp-displays-flush) 1)")

    def program_sees(self, name):
        """What the program makes of the image as it is now, with the last
        values of test_overlay."""
        path = self.fix.path(name)
        self.gimp('(begin (t-save im layer "%s") 1)' % path)
        return self.fix.explain(path, "-d", self.fix.database, "--top-k", "20",
                                overlay="cli-" + name)[0]

    def layer_as(self, wanted, name, most):
        """The top layer has these pixels, and all that a layer should have."""
        got = self.fix.path("interactive-layer.png")
        self.gimp("(begin (define new (car (t-layers im))) "
                  '(t-save-layer new "%s") 1)' % got)
        worst = difference(got, wanted)
        self.ok(worst <= most, name + ": pixels",
                "differ by up to %s levels" % worst)
        self.ok(re.match('"Grad-CAM: cluster', self.gimp("(t-name new)")),
                name + ": its name", self.gimp("(t-name new)"))
        self.equal((self.number("(t-opacity new)"),
                    self.number("(t-mode new)"),
                    self.number("(t-position im new)")), (45, 28, 0),
                   name + ": opacity, mode and place")
        self.ok("model_digest" in self.gimp(
            '(t-parasite new "camlens-provenance")'), name + ": provenance")

    def convert_by_dialog(self, setup, name, most):
        """@setup makes another image of im; OK converts it, and one undo takes
        all back."""
        self.gimp("(begin %s (gimp-displays-flush) 1)" % setup)
        wanted = self.program_sees("converted.png")
        before = self.number("(t-base-type im)")
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        self.screen.key("alt+v")
        self.ready(dialog)
        self.screen.key("alt+o")
        self.screen.wait_gone(OVERLAY)
        wait(lambda: self.layers() == 2, 20)
        self.equal((self.layers(), self.number("(t-base-type im)")), (2, 0),
                   name + ": RGB with the layer")
        self.layer_as(wanted, name, most)
        self.undo()
        wait(lambda: self.layers() == 1, 20)
        self.equal((self.layers(), self.number("(t-base-type im)")),
                   (1, before), name + ": one undo takes back both")

    def test_converted(self):
        """What the layer is filled in has the precision and the profile that
        the image gets."""
        profile = self.fix.path("wide.icc")
        with open(profile, "wb") as f:
            f.write(wide_profile())
        if self.series == "2.10":  # which wants an address
            profile = "file://" + os.path.abspath(profile)
        self.convert_by_dialog(
            '(gimp-image-set-color-profile-from-file im "%s") '
            "(t-convert-indexed im)" % profile, "indexed, wide colours", 8)
        for _ in range(2):
            self.undo()
        wait(lambda: self.number("(t-base-type im)") == 0, 20)
        self.convert_by_dialog(
            "(gimp-image-convert-grayscale im) (t-convert-precision im 600)",
            "gray, linear floats", 1)
        for _ in range(2):
            self.undo()
        wait(lambda: self.number("(t-base-type im)") == 0, 20)

    def test_gray(self):
        self.gimp("(begin (gimp-image-convert-grayscale im) "
                  "(gimp-displays-flush) 1)")
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        self.shot("gray", dialog)
        gray = self.look(dialog)
        self.screen.key("alt+v")
        self.ok(self.wait_change(dialog, gray) != gray,
                "converting brings the colours into the preview")
        self.screen.key("alt+v")
        self.equal(self.until(dialog, gray), gray, "and not converting, gray")
        self.screen.key("alt+o")
        self.screen.wait_gone(OVERLAY)
        wait(lambda: self.layers() == 2, 20)
        self.ok(self.gimp("(if (t-gray? (car (t-layers im))) 1 0)") == "1",
                "a gray image gets a gray layer")
        self.undo()
        self.undo()
        wait(lambda: self.number("(t-base-type im)") == 0, 20)
        self.equal((self.layers(), self.number("(t-base-type im)")), (1, 0),
                   "the image is as it was")

    def test_killed(self):
        """The plug-in dies while its dialog is up."""
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog)
        for pid in plug_in_processes(self.gimp.profile):
            os.kill(pid, signal.SIGKILL)
        self.ok(self.screen.wait_gone(OVERLAY), "its dialog goes with it")
        self.ok(self.gimp.alive(), "GIMP lives on")
        self.equal(self.layers(), 1, "and the image is as it was")
        time.sleep(1)
        for _ in range(2):  # a message about the crash
            self.screen.key("Escape")

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
        self.screen.activate(self.window)
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
        """Those of another image: a group, what it shows, and below that
        another picture."""
        self.gimp('(begin (define other (t-load "%s")) (define group (t-group '
                  "other)) (define top (t-active other)) (t-insert other group "
                  "0 0) (gimp-image-reorder-item other top group 0) (define "
                  "low (car-or (gimp-layer-new-from-drawable layer other))) "
                  "(t-insert other low group 1) (gimp-drawable-invert low 0) "
                  "(define shown (car-or (gimp-display-new other))) 1)"
                  % self.fix.positive)
        time.sleep(1)
        dialog = self.open("ctrl+alt+e", EXAMPLE)
        self.ready(dialog)
        looks = [self.look(dialog)]
        for _ in range(3):
            self.screen.key("alt+i")
            self.screen.key("Down")
            time.sleep(0.3)
            self.screen.key("Return") if self.gimp.series == "3" else None
            self.ready(dialog)
            looks.append(self.look(dialog))
        self.shot("example-chosen", dialog)
        self.ok(looks[1] != looks[0],
                "an open layer can be chosen as positive")
        # behind the layers comes what opens a window to choose a file
        self.equal((len(set(looks[1:])), self.screen.do("getactivewindow")),
                   (3, dialog), "and so can those in a group")
        self.screen.key("Escape")
        if not self.screen.wait_gone(EXAMPLE, 3):
            self.screen.key("Escape")
            self.screen.wait_gone(EXAMPLE)
        self.gimp("(begin (gimp-display-delete shown) 1)")
        time.sleep(1)

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
            self.ok(wait(lambda e=ending: os.path.exists(stem + e), 5),
                    "photo%s is there" % ending)
        self.gimp("(begin (gimp-image-remove-layer im new) 1)")

    def test_alive(self):
        self.ok(self.gimp.alive(), "GIMP lives")

    def all(self):
        self.start()
        for name in ("overlay", "last_values", "repeat", "slider", "mouse",
                     "cancel_at_once", "help", "presets", "example", "export",
                     "example_by_keys", "indexed", "converted", "gray",
                     "killed",
                     "alive"):
            self.attempt(name, getattr(self, "test_" + name))
        self.start(keep=True)
        self.after_restart()

    def after_restart(self):
        """In another GIMP with the same profile."""
        self.gimp("(begin (define r (t-run-last im layer)) 1)")
        self.equal(self.number("(t-opacity (car r))"), 45,
                   "after a restart, with last values: opacity")
        self.ok("top 20" in self.gimp("(t-name (car r))"),
                "after a restart, with last values: top-k")


Tests().run()
