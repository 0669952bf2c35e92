"""accidents.py -- a GIMP that says no at the last moment, after OK, and a
plug-in that is killed then: what becomes of the image and of its undo history,
and what is said.  accident.c plays both."""
import os
import re
import time

from dialogs import EXPORT, OVERLAY
from gimp import plug_in_processes
from screen import wait

ENDINGS = ("-overlay.png", "-composite.png", "-heat-map.tif",
           "-heat-map.npy", "-provenance.json")
TYPES = {"gray": (1, "(gimp-image-convert-grayscale im)"),
         "indexed": (2, "(t-convert-indexed im)")}


def environment(plug_in, folder):
    """GIMP runs the plug-in by a script that preloads accident.so, and what
    shall happen stands in the file accident of the folder; in the file room, how
    many bytes a file may have."""
    preloaded = os.path.join(os.path.dirname(os.path.abspath(plug_in)), "..",
                             "tests", "gimp", "accident.so")
    wrapper = os.path.join(folder, "accident.sh")
    with open(wrapper, "w") as f:
        f.write('#!/bin/sh\nexport CAMLENS_TEST_ACCIDENT="$(cat "%s/accident")"'
                '\ntrap "" XFSZ\nexport LD_PRELOAD="%s"\n'
                'exec prlimit --fsize=$(cat "%s/room") "$@"\n'
                % (folder, preloaded, folder))
    os.chmod(wrapper, 0o755)
    return {"GIMP_PLUGIN_DEBUG_WRAP": "camlens,run",
            "GIMP_PLUGIN_DEBUG_WRAPPER": wrapper}


class Accidents:
    """Tests for a GIMP with that environment and --console-messages."""

    def plan(self, what, room="unlimited"):
        """For the next start of the plug-in: see accident.c."""
        for name, text in (("accident", what), ("room", room)):
            with open(self.fix.path(name), "w") as f:
                f.write(text)

    # ---- the image before, and what is done to it ----

    def prepare(self, kind):
        """The person's last step makes the image gray or indexed; one after
        that is taken back and can be done again."""
        base, convert = TYPES[kind]
        self.gimp("(begin %s (t-select im 5 5 50 50) (gimp-displays-flush) 1)"
                  % convert)
        self.undo()
        wait(lambda: not self.selected(), 10)
        self.gimp("(begin (gimp-image-clean-all im) 1)")
        return base

    def selected(self):
        return self.gimp("(if (t-selected? im) 1 0)") == "1"

    def open_ready(self):
        self.ready(self.open("ctrl+alt+l", OVERLAY), 3)

    def press_ok(self):
        self.screen.key("alt+o")
        self.screen.wait_gone(OVERLAY)
        wait(lambda: not plug_in_processes(self.gimp.profile), 30)

    def press_convert_and_ok(self):
        self.open_ready()
        self.screen.key("alt+v")
        time.sleep(1)
        self.press_ok()

    def said(self, do, seconds=20):
        """What GIMP says on the error output after @do (): our words, or all
        that comes within the time."""
        log = self.gimp.log.name
        start = os.path.getsize(log)

        def text():
            with open(log, errors="replace") as f:
                f.seek(start)
                return f.read()

        do()
        wait(lambda: re.search(r"refuse|halfway|not in the image|crashed|size now",
                               text()), seconds)
        return " ".join(text().split())

    # ---- what is there afterwards ----

    def state(self):
        """(layers, base type, changed), seen by the menus as well, which a
        dead plug-in tells nothing"""
        self.gimp("(begin (gimp-displays-flush) 1)")
        time.sleep(0.5)
        return (self.layers(), int(self.number("(t-base-type im)")),
                self.gimp("(if (t-dirty? im) 1 0)"))

    def undo_to(self, base):
        self.undo()
        wait(lambda: self.number("(t-base-type im)") == base, 5)
        return int(self.number("(t-base-type im)"))

    def intact(self, base, name):
        """The image and its undo history are as prepare () made them."""
        self.equal(self.state(), (1, base, "0"),
                   name + ": the image is as it was")
        self.focus()
        self.screen.key("ctrl+y")
        self.ok(wait(self.selected, 10),
                name + ": what was undone can be done again")
        self.undo()
        wait(lambda: not self.selected(), 10)
        self.equal(self.undo_to(0), 0,
                   name + ": Undo takes back the person's own last step")

    def halfway(self, base, name):
        self.equal(self.state()[:2], (1, 0), name + ": the image is RGB")
        self.equal(self.undo_to(base), base, name + ": one undo brings it back")
        self.equal(self.undo_to(0), 0,
                   name + ": the next, what was before that")

    def complete(self, base, name):
        self.equal(self.state()[:2], (2, 0), name + ": the layer is there")
        self.equal(self.undo_to(base), base,
                   name + ": one undo takes back all")
        self.equal(self.state()[:2], (1, base), name + ": and the layer")
        self.equal(self.undo_to(0), 0,
                   name + ": the next, what was before that")

    def empty_step(self, base, name):
        """GIMP keeps a group of undo steps even when it is empty."""
        self.equal(self.state()[:2], (1, base),
                   name + ": the image is as it was")
        self.undo()
        self.equal(self.undo_to(0), 0,
                   name + ": two undos take back the person's last step")

    # ---- refusals ----

    def refused(self, kind, call, number, message, check):
        name = "%s, %s %d is refused" % (kind, call, number)
        base = self.prepare(kind)
        self.plan("refuse %s %d" % (call, number))
        said = self.said(self.press_convert_and_ok)
        self.ok(message in said, name + ": the message", said)
        check(base, name)
        self.equal(self.number("(length (t-images))"), 1,
                   name + ": no image is left behind")

    def test_refusals_gray(self):
        self.refusals("gray")

    def test_refusals_indexed(self):
        self.refusals("indexed")

    def refusals(self, kind):
        """1: in the copy of the image, 2: in the image itself."""
        for call, message in (
                ("gimp_image_duplicate", "GIMP cannot copy the image"),
                ("gimp_image_convert_rgb",
                 "convert the image, which is as it was"),
                ("gimp_layer_new_from_drawable",
                 "add a layer to this image; it is as it was"),
                ("gimp_image_insert_layer",
                 "add a layer to this image; it is as it was")):
            self.refused(kind, call, 1, message, self.intact)
        halfway = "Edit > Undo brings the image back"
        self.refused(kind, "gimp_image_convert_rgb", 2, halfway,
                     self.empty_step)
        for call in ("gimp_layer_new_from_drawable", "gimp_image_insert_layer"):
            self.refused(kind, call, 2, halfway, self.halfway)

    def test_refusal_without_converting(self):
        self.gimp("(begin (gimp-image-clean-all im) 1)")
        self.plan("refuse gimp_image_insert_layer 0")
        self.open_ready()
        said = self.said(self.press_ok)
        self.ok("add a layer to this image; it is as it was" in said,
                "no layer is allowed in an RGB image: the message", said)
        self.equal(self.state(), (1, 0, "0"), "it is as it was, and unchanged")

    # ---- kills ----

    def killed(self, kind, what, call, number, check):
        name = "%s, killed %s %s %d" % (kind, what, call, number)
        base = self.prepare(kind)
        self.plan("%s %s %d" % (what, call, number))
        said = self.said(self.press_convert_and_ok)
        self.ok("crashed" in said and self.gimp.alive(),
                name + ": GIMP says so and lives on", said)
        check(base, name)
        self.forget_copies()

    def forget_copies(self):
        """GIMP keeps what images a dead plug-in had for itself."""
        self.gimp("(begin (for-each (lambda (i) (if (not (= i im)) "
                  "(gimp-image-delete i))) (t-images)) 1)")

    def test_kills_gray(self):
        for accident in (
                ("after", "gimp_image_convert_rgb", 1, self.intact),
                ("after", "gegl_buffer_set", 1, self.intact),
                ("after", "gimp_image_insert_layer", 1, self.intact),
                ("before", "gimp_image_undo_group_start", 1, self.intact),
                ("before", "gimp_image_convert_rgb", 2, self.empty_step),
                ("after", "gimp_image_convert_rgb", 2, self.halfway),
                ("before", "gimp_image_insert_layer", 2, self.halfway),
                ("after", "gimp_image_insert_layer", 2, self.complete),
                ("after", "gimp_image_delete", 1, self.complete)):
            self.killed("gray", *accident)

    def test_kills_indexed(self):
        for accident in (
                ("after", "gegl_buffer_set", 1, self.intact),
                ("before", "gimp_image_undo_group_start", 1, self.intact),
                ("before", "gimp_image_convert_rgb", 2, self.empty_step),
                ("after", "gimp_image_convert_rgb", 2, self.halfway),
                ("before", "gimp_image_insert_layer", 2, self.halfway),
                ("after", "gimp_image_insert_layer", 2, self.complete)):
            self.killed("indexed", *accident)

    def test_kills_without_converting(self):
        for what, call, layers in (("after", "gegl_buffer_set", 1),
                                   ("before", "gimp_image_insert_layer", 1),
                                   ("after", "gimp_image_insert_layer", 2)):
            name = "killed %s %s" % (what, call)
            self.gimp("(begin (gimp-image-clean-all im) 1)")
            self.plan("%s %s 1" % (what, call))
            self.open_ready()
            said = self.said(self.press_ok)
            self.ok("crashed" in said and self.gimp.alive(),
                    name + ": GIMP says so and lives on", said)
            self.equal(self.state(), (layers, 0, str(layers - 1)),
                       name + ": the image is as it was" if layers == 1
                       else name + ": the layer is there")
        self.undo()
        wait(lambda: self.layers() == 1, 10)
        self.equal(self.layers(), 1, "and one undo removes it")

    # ---- the person meanwhile ----

    def meanwhile(self, what):
        """OK, after the person has done @what while the dialog is up."""
        self.plan("")
        self.open_ready()
        self.gimp("(begin %s (gimp-displays-flush) (gimp-image-clean-all im) "
                  "1)" % what)
        return self.said(self.press_ok, 3)

    def test_layer_moved(self):
        self.meanwhile("(gimp-layer-set-offsets layer 30 -20)")
        self.equal(self.gimp("(t-offsets (car (t-layers im)))"), "(30 -20)",
                   "the layer is moved meanwhile: the overlay follows")
        self.undo()
        self.undo()
        wait(lambda: self.gimp("(t-offsets layer)") == "(0 0)", 10)

    def test_layer_cropped(self):
        said = self.meanwhile("(gimp-image-crop im 100 80 50 40)")
        self.ok("another size now" in said,
                "the image is cropped meanwhile: the message", said)
        self.equal(self.state(), (1, 0, "0"), "the image is as it was")
        self.undo()
        wait(lambda: self.number("(t-width layer)") == 320, 10)

    def another_image(self, scale):
        """With a window of its own, in front."""
        self.gimp("(begin (define other (t-load \"%s\")) (gimp-image-scale "
                  "other %d %d) (gimp-image-clean-all other) (define shown "
                  "(let ((d (gimp-display-new other))) (if (pair? d) (car d) "
                  "d))) 1)" % (self.fix.positive, scale, scale))
        time.sleep(2)

    def close_other(self):
        self.gimp("(begin (gimp-display-delete shown) 1)")
        time.sleep(1)

    def test_image_closed(self):
        self.plan("")
        self.another_image(160)
        dialog = self.open("ctrl+alt+l", OVERLAY)
        self.ready(dialog, 3)
        self.close_other()
        self.screen.activate(dialog)
        said = self.said(self.press_ok)
        self.ok("not in the image any more" in said
                and "out of range" not in said and "invalid ID" not in said,
                "the image is closed meanwhile: the message alone", said)
        self.equal(self.number("(length (t-images))"), 1, "it stays closed")

    def test_image_closed_at_once(self):
        """While its pixels are read: GIMP may kill the plug-in for that."""
        self.plan("")
        self.another_image(8000)
        self.open("ctrl+alt+l", OVERLAY)
        self.close_other()
        dialog = self.screen.find(OVERLAY)
        if dialog:
            self.screen.activate(dialog)
            self.screen.key("Escape")
        self.ok(self.screen.wait_gone(OVERLAY),
                "the image is closed while it is read: the dialog goes")
        self.equal((self.number("(length (t-images))"), self.layers()), (1, 1),
                   "and GIMP lives on with the other")

    def active_overlay(self):
        self.plan("")
        self.gimp('(begin (define new (car (t-run im layer "" "" 50 60 "turbo" '
                  '"normal" 0 "cluster"))) %s (gimp-displays-flush) 1)' % (
                      "(gimp-image-set-selected-layers im (vector new))"
                      if self.series == "3" else
                      "(gimp-image-set-active-layer im new)"))

    def message_over(self, name, others):
        """The window of that name that is none of the @others."""
        def find():
            return [window for window in self.screen.do(
                "search", "--onlyvisible", "--name", name).split()
                if window not in others]

        return (wait(find, 30) or [None])[-1]

    def test_export_without_room(self):
        """There is room for the overlay, and not for the composite."""
        self.active_overlay()
        stem = self.photo.rsplit(".", 1)[0]
        files = [stem + ending for ending in ENDINGS]
        for path in files:
            with open(path, "w") as f:
                f.write("before")
        self.plan("", room="48000")
        dialog = self.open("ctrl+alt+x", EXPORT)
        time.sleep(1)
        self.screen.key("alt+e")
        question = self.message_over(EXPORT, [dialog])
        self.screen.activate(question)
        self.screen.key("alt+r")
        complaint = self.message_over(EXPORT, [dialog, question])
        self.ok(complaint, "no room for one file of an export: it is said")
        self.shot("export-without-room", "root")
        self.equal([open(path, errors="replace").read(6) for path in files],
                   ["before"] * 5, "no room for one file of an export: all are "
                   "as they were")
        for window in (complaint, dialog):
            self.screen.activate(window)
            self.screen.key("Escape")
            time.sleep(0.5)
        self.ok(self.screen.wait_gone(EXPORT), "the dialog stays until it is "
                "cancelled")
        for path in files:
            os.remove(path)
        self.gimp("(begin (gimp-image-remove-layer im new) "
                  "(gimp-displays-flush) 1)")

    def test_export_layer_gone(self):
        self.active_overlay()
        dialog = self.open("ctrl+alt+x", EXPORT)
        self.gimp("(begin (gimp-image-remove-layer im new) "
                  "(gimp-displays-flush) 1)")
        time.sleep(1)
        self.screen.activate(dialog)
        said = self.said(lambda: self.screen.key("alt+e"), 2)
        self.ok("GIMP-Error" not in said and self.screen.find(EXPORT),
                "the overlay is deleted meanwhile: the dialog says so", said)
        self.screen.key("Escape")
        time.sleep(0.5)
        self.screen.key("Escape")
        self.ok(self.screen.wait_gone(EXPORT), "and is cancelled")

    def test_layer_gone(self):
        """The person deletes the layer while its dialog is up."""
        self.plan("")
        self.gimp("(begin (define second (t-layer-new im 90 90 RGBA-IMAGE "
                  '"second")) (t-insert im second 0 0) '
                  "(gimp-displays-flush) 1)")
        self.open_ready()
        self.gimp("(begin (gimp-image-remove-layer im second) "
                  "(gimp-displays-flush) (gimp-image-clean-all im) 1)")
        said = self.said(self.press_ok)
        self.ok("not in the image any more" in said,
                "the layer is deleted meanwhile: the message", said)
        self.equal(self.state(), (1, 0, "0"), "the image is as it was")
